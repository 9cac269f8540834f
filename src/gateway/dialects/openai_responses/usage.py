"""Token counts as the Responses API reports them."""

from gateway.dialects.base import count
from gateway.usage import Usage
from gateway.wire.json import Json


def read_usage(body: Json) -> Usage | None:
    """``input_tokens`` includes what came from the cache, and what was written to it."""
    counts = body.get("usage")
    if not isinstance(counts, dict):
        return None
    details = counts.get("input_tokens_details")
    cached, written = count(details, "cached_tokens"), count(details, "cache_write_tokens")
    return Usage(
        input_tokens=max(count(counts, "input_tokens") - cached - written, 0),
        output_tokens=count(counts, "output_tokens"),
        cache_read_tokens=cached,
        cache_write_tokens=written,
        reasoning_tokens=count(counts.get("output_tokens_details"), "reasoning_tokens"),
    )


def write_usage(usage: Usage) -> Json:
    return {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
        },
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.prompt_tokens + usage.output_tokens,
    }

"""Token counts as OpenAI reports them, and as its imitators do."""

from typing import Any

from gateway.usage import Usage
from gateway.wire.json import Json


def read_usage(body: Json) -> Usage | None:
    """The usage of a whole reply or of one chunk; None when it does not say.

    ``prompt_tokens`` includes what came from the cache, and what OpenRouter wrote to it. xAI leaves
    reasoning out of ``completion_tokens`` but not out of the total, so the total settles it.
    """
    counts = body.get("usage")
    if not isinstance(counts, dict):
        return None
    asked, answered = _count(counts, "prompt_tokens"), _count(counts, "completion_tokens")
    cached = _count(counts.get("prompt_tokens_details"), "cached_tokens")
    written = _count(counts.get("prompt_tokens_details"), "cache_write_tokens")
    reasoning = _count(counts.get("completion_tokens_details"), "reasoning_tokens")
    if reasoning and _count(counts, "total_tokens") == asked + answered + reasoning:
        answered += reasoning
    cost = counts.get("cost")  # OpenRouter: US dollars charged
    return Usage(
        input_tokens=max(asked - cached - written, 0),
        output_tokens=answered,
        cache_read_tokens=cached,
        cache_write_tokens=written,
        reasoning_tokens=reasoning,
        cost=float(cost) if isinstance(cost, int | float) and not isinstance(cost, bool) else None,
    )


def write_usage(usage: Usage) -> Json:
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.prompt_tokens + usage.output_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cache_read_tokens},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
    }


def _count(counts: Any, name: str) -> int:
    value = counts.get(name) if isinstance(counts, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else 0

"""Token counts as OpenAI reports them, and as its imitators do."""

from typing import Any

from gateway.dialects.base import count
from gateway.usage import Usage
from gateway.wire.json import Json


def read_usage(body: Json) -> Usage | None:
    """The usage of a whole reply or of one chunk; None when it does not say.

    ``prompt_tokens`` includes what came from the cache, and what OpenRouter wrote to it. xAI leaves
    reasoning out of ``completion_tokens`` but not out of the total, so the total settles it.
    """
    counts = _counts(body)
    if counts is None:
        return None
    asked, answered = count(counts, "prompt_tokens"), count(counts, "completion_tokens")
    cached = min(_cached(counts), asked)
    written = count(counts.get("prompt_tokens_details"), "cache_write_tokens")
    reasoning = count(counts.get("completion_tokens_details"), "reasoning_tokens")
    if reasoning and count(counts, "total_tokens") == asked + answered + reasoning:
        answered += reasoning
    return Usage(
        input_tokens=max(asked - cached - written, 0),
        output_tokens=answered,
        cache_read_tokens=cached,
        cache_write_tokens=written,
        reasoning_tokens=reasoning,
        cost=_cost(counts.get("cost")),
    )


def _counts(body: Json) -> Json | None:
    """Groq tells them elsewhere, unasked; Moonshot in the last piece of a choice
    (https://github.com/earendil-works/pi/issues/2017)."""
    choices = body.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    for place in (body, body.get("x_groq"), first):
        counts = place.get("usage") if isinstance(place, dict) else None
        if isinstance(counts, dict):
            return counts
    return None


def _cached(counts: Json) -> int:
    """Moonshot (https://platform.moonshot.ai/docs/api/chat) and DeepSeek
    (https://api-docs.deepseek.com/guides/kv_cache) have a word of their own for it."""
    return (
        count(counts.get("prompt_tokens_details"), "cached_tokens")
        or count(counts, "cached_tokens")
        or count(counts, "prompt_cache_hit_tokens")
    )


def latest(before: Usage | None, told: Usage | None) -> Usage | None:
    """What a stream has told so far: the last word on each class, and no silence takes it back."""
    if before is None or told is None:
        return told or before
    return Usage(
        told.input_tokens or before.input_tokens,
        told.output_tokens or before.output_tokens,
        told.cache_read_tokens or before.cache_read_tokens,
        told.cache_write_tokens or before.cache_write_tokens,
        told.reasoning_tokens or before.reasoning_tokens,
        before.cost if told.cost is None else told.cost,
    )


def write_usage(usage: Usage) -> Json:
    details = {"cached_tokens": usage.cache_read_tokens}
    if usage.cache_write_tokens:
        details["cache_write_tokens"] = usage.cache_write_tokens
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.prompt_tokens + usage.output_tokens,
        "prompt_tokens_details": details,
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
    }


def _cost(dollars: Any) -> float | None:
    """OpenRouter says what it charged, in US dollars."""
    if isinstance(dollars, bool) or not isinstance(dollars, int | float) or dollars < 0:
        return None
    return float(dollars)

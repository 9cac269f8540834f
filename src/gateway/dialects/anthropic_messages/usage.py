"""Token counts as Anthropic reports them: classes that are disjoint already."""

from gateway.dialects.base import count
from gateway.usage import Usage
from gateway.wire.json import Json


def read_usage(body: Json) -> Usage | None:
    """The usage of a whole reply; None when it does not say."""
    counts = body.get("usage")
    return usage_of(counts) if isinstance(counts, dict) else None


def usage_of(counts: Json) -> Usage:
    """``input_tokens`` leaves out what came from the cache or was written to it.

    Where a reply took several turns of the model (compaction, an advisor, a fallback),
    ``iterations`` has them all and the top level only some: what is billed is their sum.
    (https://platform.claude.com/docs/en/build-with-claude/compaction-threshold)
    """
    turns = counts.get("iterations")
    if not isinstance(turns, list) or not turns:
        turns = [counts]
    return Usage(
        input_tokens=_sum(turns, "input_tokens"),
        output_tokens=_sum(turns, "output_tokens"),
        cache_read_tokens=_sum(turns, "cache_read_input_tokens"),
        cache_write_tokens=_sum(turns, "cache_creation_input_tokens"),
        reasoning_tokens=count(counts.get("output_tokens_details"), "thinking_tokens"),
    )


def _sum(turns: list[object], name: str) -> int:
    return sum(count(turn, name) for turn in turns)

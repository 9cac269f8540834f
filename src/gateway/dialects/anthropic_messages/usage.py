"""Token counts as Anthropic reports them: classes that are disjoint already."""

from collections.abc import Mapping

from gateway.dialects.base import count
from gateway.usage import Usage
from gateway.wire.json import Json

# The word for the tier that served, and OpenAI's for the same.
TIERS: Mapping[str, str] = {"standard": "default", "priority": "priority"}
TIERS_OUT: Mapping[str, str] = {ours: theirs for theirs, ours in TIERS.items()}


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
        cache_write_tokens=sum(_written(turn) for turn in turns),
        reasoning_tokens=count(counts.get("output_tokens_details"), "thinking_tokens"),
    )


def merge(counts: Json, told: Json) -> None:
    """Take in what a stream tells: counts of all so far, the last that is not null is right."""
    counts |= {name: value for name, value in told.items() if value is not None}


def tier_of(counts: object) -> str | None:
    """The tier that served, in OpenAI's words."""
    tier = counts.get("service_tier") if isinstance(counts, dict) else None
    return TIERS.get(tier) if isinstance(tier, str) else None


def write_usage(usage: Usage) -> Json:
    written: Json = {
        "input_tokens": usage.input_tokens,
        "cache_creation_input_tokens": usage.cache_write_tokens,
        "cache_read_input_tokens": usage.cache_read_tokens,
        "output_tokens": usage.output_tokens,
    }
    if usage.reasoning_tokens:
        written["output_tokens_details"] = {"thinking_tokens": usage.reasoning_tokens}
    return written


def _sum(turns: list[object], name: str) -> int:
    return sum(count(turn, name) for turn in turns)


def _written(turn: object) -> int:
    """Written to the cache, for whichever time; where no sum is told, the parts are added up."""
    parts = turn.get("cache_creation") if isinstance(turn, dict) else None
    return count(turn, "cache_creation_input_tokens") or (
        count(parts, "ephemeral_5m_input_tokens") + count(parts, "ephemeral_1h_input_tokens")
    )

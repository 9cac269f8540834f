"""A conversation that a translation answered, and that goes on at a provider of this dialect."""

from typing import Any

from gateway.dialects.unsealing import unsealed
from gateway.wire.json import Json

BLOCKS, WORDS = "thinking_blocks", "reasoning_content"  # where callers are told of thoughts
# Whose models want the words again, before the calls of tools; see ``writing``.
THOUGHTFUL = ("deepseek", "kimi")


def unseal(body: Json, model: str) -> tuple[Json, frozenset[str]]:
    """Where the blocks of thoughts were ours, the words that were told beside them go too: OpenAI,
    Groq and Mistral refuse both members (https://github.com/BerriAI/litellm/issues/30835)."""
    cleaned, dropped = unsealed(body)
    before, after = body.get("messages"), cleaned.get("messages")
    if not isinstance(before, list) or not isinstance(after, list) or len(before) != len(after):
        return cleaned, dropped
    thoughtful = any(name in model.lower() for name in THOUGHTFUL)
    told = {BLOCKS} if thoughtful else {BLOCKS, WORDS}
    cleaned["messages"] = [_without(told, *pair) for pair in zip(before, after, strict=True)]
    return cleaned, dropped - {"thinking"} if thoughtful else dropped


def _without(told: set[str], before: Any, after: Any) -> Any:
    """``after``: what is left of a message without what was sealed in our wrapping."""
    if not isinstance(before, dict) or not before.get(BLOCKS) or after.get(BLOCKS):
        return after
    return {name: value for name, value in after.items() if name not in told}

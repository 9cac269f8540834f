"""A relayed request without what our other callers' providers sealed.

A conversation may move between providers: what one sealed went to its caller in our wrapping
(``chat/seals.py``), and the next one would refuse it. Own seals are not wrapped, and stay.
"""

from typing import Any

from gateway.chat.seals import BETWEEN, MARK, uncarried, without_seal
from gateway.wire.json import Json

MARKS = (MARK.encode(), BETWEEN.encode())
# Where the dialects keep a seal.
SEALS = frozenset(
    {"signature", "data", "encrypted_content", "thoughtSignature", "thought_signature"}
)
# What is nothing but a thought and its seal: without the seal it cannot be told.
THOUGHTS = frozenset({"thinking", "redacted_thinking", "reasoning"})


def may_be_sealed(text: bytes) -> bool:
    """Cheap, and wrong only by saying so of too many."""
    return any(mark in text for mark in MARKS)


def unsealed(body: Json) -> tuple[Json, frozenset[str]]:
    """The body without wrapped seals and the thoughts that they were on, and what was lost by it.

    ``body`` nests no deeper than a parser lets it.
    """
    dropped: set[str] = set()
    cleaned = _cleaned(body, dropped)
    return cleaned, frozenset(dropped)


def _cleaned(value: Any, dropped: set[str]) -> Any:
    if isinstance(value, dict):
        return {
            name: _cleaned(one, dropped)
            for name, one in value.items()
            if not _is_wrapped(name, one, dropped)
        }
    if isinstance(value, list):
        return [_cleaned(one, dropped) for one in value if not _is_thought(one, dropped)]
    return without_seal(value)[0] if isinstance(value, str) else value


def _is_wrapped(name: str, value: Any, dropped: set[str]) -> bool:
    if name not in SEALS or not isinstance(value, str) or not value.startswith(MARK):
        return False
    if uncarried(value, ""):  # else it is nobody's, and nothing is lost
        dropped.add("signature")
    return True


def _is_thought(value: Any, dropped: set[str]) -> bool:
    if not isinstance(value, dict):
        return False
    kind = value.get("type")
    thought = (isinstance(kind, str) and kind in THOUGHTS) or value.get("thought") is True
    if thought and any(_is_wrapped(name, one, set()) for name, one in value.items()):
        dropped.add("thinking")
        return True
    return False

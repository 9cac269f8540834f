"""Where this dialect keeps seals: ``thoughtSignature``, which any part may have.

https://ai.google.dev/gemini-api/docs/generate-content/thought-signatures
"""

from gateway.chat.blocks import Seal, Thinking
from gateway.chat.seals import carried, uncarried

ISSUER = "gemini"
_AND = "~"  # parts what a foreign thought's seal is carried with; in no issuer's name
_REDACTED = "redacted"


def native(seal: Seal | None) -> str | None:
    """As a provider takes it: only Gemini's own."""
    return seal.value if seal and seal.issuer == ISSUER else None


def given(seal: Seal | None) -> str | None:
    """As a caller is given it: a foreign one wrapped up."""
    if seal is None:
        return None
    return seal.value if seal.issuer == ISSUER else carried(seal)


def given_with(thought: Thinking) -> str | None:
    """The same with what a part has no field for: that a thought is redacted, or its name."""
    seal = thought.seal
    if seal is None or seal.issuer == ISSUER:
        return given(seal)
    name = thought.id if thought.id and ":" not in thought.id else ""
    marks = (_REDACTED if thought.redacted else "", name)
    issuer = seal.issuer + (_AND + _AND.join(marks) if any(marks) else "")
    return carried(Seal(issuer, seal.value))


def returned(word: str | None) -> Seal | None:
    return uncarried(word, ISSUER) if word else None


def returned_thought(text: str, seal: Seal | None) -> Thinking:
    """What ``given_with`` gave."""
    if seal is None:
        return Thinking(text)
    issuer, _, marks = seal.issuer.partition(_AND)
    redacted, _, name = marks.partition(_AND)
    return Thinking(text, Seal(issuer, seal.value), redacted == _REDACTED, name or None)

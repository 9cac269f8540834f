"""Where this dialect keeps seals: ``thoughtSignature``, which any part may have.

https://ai.google.dev/gemini-api/docs/generate-content/thought-signatures
"""

from gateway.chat.blocks import Seal, Thinking
from gateway.chat.seals import NOBODYS, carried, uncarried

ISSUER = "gemini"
# For a call whose signature is not Gemini's to give: another provider made it, or nobody did.
# (https://ai.google.dev/gemini-api/docs/generate-content/thought-signatures#faqs; Vertex AI
# documents only this one of the two words.)
UNSIGNED = "skip_thought_signature_validator"
_AND = "~"  # parts what a foreign thought's seal is carried with; in no issuer's name
_REDACTED = "redacted"


def native(seal: Seal | None) -> str | None:
    """As a provider takes it: only Gemini's own."""
    return seal.value if seal and seal.issuer == ISSUER else None


def given(seal: Seal | None) -> str | None:
    """As a caller is given it: a foreign one wrapped up."""
    if seal is None:
        return None
    return seal.value if seal.issuer == ISSUER else _wrapped(seal)


def given_always(seal: Seal | None) -> str:
    """The same for what a newer Gemini seals: where it is not, that is told, and ``unseal`` knows
    it by that."""
    return given(seal) or _wrapped(None)


def given_with(thought: Thinking) -> str:
    """The same with what a part has no field for: that a thought is redacted, or its name."""
    seal = thought.seal
    if seal is None or seal.issuer == ISSUER:
        return given_always(seal)
    name = thought.id if thought.id and ":" not in thought.id else ""
    marks = (_REDACTED if thought.redacted else "", name)
    issuer = seal.issuer + (_AND + _AND.join(marks) if any(marks) else "")
    return _wrapped(Seal(issuer, seal.value))


def _wrapped(seal: Seal | None) -> str:
    """In the common alphabet of base64, as Google's own: google-genai for Go reads no other."""
    return carried(seal).replace("-", "+").replace("_", "/")


def returned(word: str | None) -> Seal | None:
    """NOBODYS, as long as the pieces of what it is on must be known by it."""
    return (uncarried(word, ISSUER) or NOBODYS) if word else None


def returned_thought(text: str, seal: Seal | None) -> Thinking:
    """What ``given_with`` gave."""
    if seal is None:
        return Thinking(text)
    issuer, _, marks = seal.issuer.partition(_AND)
    redacted, _, name = marks.partition(_AND)
    return Thinking(text, Seal(issuer, seal.value), redacted == _REDACTED, name or None)

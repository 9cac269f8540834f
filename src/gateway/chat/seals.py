"""Seals in the hands of callers whose dialect has no place for them, or only for its own.

A caller gives back what it was given: a seal that travels within a signature or a tool call's id
comes home in it, and is told apart by its mark. Only letters, digits, ``-`` and ``_`` are used, and
the text is a multiple of four, so that it is base64 too.
"""

import base64

from gateway.chat.blocks import Seal

MARK = "sealedby"  # eight letters: what follows stays base64
NOBODYS = Seal("nobody", "")
BETWEEN = "_sealed_"  # an id of a provider's that holds this word is not known


def carried(seal: Seal | None) -> str:
    """A foreign seal as one word, for the place where a dialect keeps its own.

    None: a word for what nobody has sealed. Where every thought must be sealed, one that is not
    must be told apart when it comes back: a relay leaves it out.
    """
    return MARK + _packed(seal or NOBODYS)


def uncarried(word: str, issuer: str) -> Seal | None:
    """The seal that a word is: a foreign one in our wrapping, nobody's (None), else one of this
    ``issuer``."""
    seal = _unpacked(word[len(MARK) :]) if word.startswith(MARK) else None
    return None if seal == NOBODYS else seal or Seal(issuer, word)


def with_seal(id: str, seal: Seal | None) -> str:
    """A tool call's id that takes the call's seal along."""
    return id if seal is None else f"{id}{BETWEEN}{_packed(seal)}"


def without_seal(id: str) -> tuple[str, Seal | None]:
    """The id that the provider gave, and the seal that came along."""
    own, found, packed = id.rpartition(BETWEEN)
    seal = _unpacked(packed) if found else None
    return (own, seal) if seal else (id, None)


def _packed(seal: Seal) -> str:
    raw = f"{seal.issuer}:{seal.value}".encode()
    return base64.urlsafe_b64encode(raw + b"\0" * (-len(raw) % 3)).decode()


def _unpacked(packed: str) -> Seal | None:
    """None for what is not ours."""
    try:
        # Who took it for base64 may write it anew in the other alphabet.
        word = packed.replace("+", "-").replace("/", "_")
        raw = base64.b64decode(word, altchars=b"-_", validate=True).rstrip(b"\0").decode()
    except ValueError:
        return None
    issuer, found, value = raw.partition(":")
    return Seal(issuer, value) if found and issuer else None

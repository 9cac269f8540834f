"""A relayed request without what Gemini did not seal.

What a caller was told in translation bears a mark (``given_always``): by it are known the thoughts
and calls of other providers' models, when the conversation goes on at one of Google's.
"""

from typing import Any

from gateway.chat.blocks import Seal
from gateway.chat.seals import MARK, uncarried
from gateway.dialects.gemini.check import COUNTED
from gateway.dialects.gemini.models import model_of
from gateway.dialects.gemini.seals import ISSUER, UNSIGNED
from gateway.dialects.unsealing import unsealed
from gateway.wire.json import Json

CALLS = ("functionCall", "function_call")
SIGNATURES = ("thoughtSignature", "thought_signature")


def unseal(body: Json, model: str) -> tuple[Json, frozenset[str]]:
    """Whatever shape the body has; and what was lost by it."""
    unsealing = _Unsealing(model)
    mended, lost = unsealed(unsealing.request(body))
    return mended, lost | unsealing.dropped


class _Unsealing:
    def __init__(self, model: str) -> None:
        self._unsigned = UNSIGNED if model_of(model).newer else None
        self._foreign = False  # the thought whose pieces are gone through, from its end
        self._own = False  # something behind it, in the same answer, has a seal of Gemini's
        self.dropped: set[str] = set()

    def request(self, body: Json) -> Json:
        """The contents may stand within another object, where they are counted."""
        changed: Json = {
            name: self.request(body[name]) for name in COUNTED if isinstance(body.get(name), dict)
        }
        if isinstance(contents := body.get("contents"), list):
            told = [self._content(content) for content in reversed(contents)]
            changed["contents"] = [content for content in reversed(told) if content is not None]
        return {**body, **changed}

    def _content(self, content: Any) -> Any:
        """None for one of which nothing is left: an empty one would be refused."""
        parts = content.get("parts") if isinstance(content, dict) else None
        if not isinstance(parts, list) or content.get("role") != "model":
            self._foreign = self._own = False
            return content
        kept = [kept for part in reversed(parts) if (kept := self._part(part)) is not None]
        return {**content, "parts": kept[::-1]} if kept or not parts else None

    def _part(self, part: Any) -> Any:
        """None for one that is left out."""
        signature = _signature(part)
        wrapped = signature is not None and signature.startswith(MARK)
        self._own = self._own or (signature is not None and not wrapped)
        if isinstance(part, dict) and part.get("thought") is True:
            return self._thought(part, signature, wrapped=wrapped)
        self._foreign = False
        called = wrapped and any(name in part for name in CALLS)
        return self._call(part, signature) if called else part

    def _thought(self, part: Json, signature: str | None, *, wrapped: bool) -> Json | None:
        """A seal stands on the last piece, however many contents the thought was streamed in. Where
        Gemini sealed a call or a text behind it, it is Gemini's, though it has no seal itself."""
        if self._own and wrapped and not _foreign_in(signature):
            self._foreign = False
            own = _without(part)
            return own if own.get("text") else None
        self._foreign = wrapped or (self._foreign and signature is None)
        if self._foreign:
            self.dropped.add("thinking")
        return None if self._foreign else part

    def _call(self, part: Json, signature: str | None) -> Json:
        if _foreign_in(signature):
            self.dropped.add("signature")
        call = _without(part)
        return {**call, "thoughtSignature": self._unsigned} if self._unsigned else call


def _foreign_in(signature: str | None) -> Seal | None:
    """None for the mark on what nobody has sealed."""
    return uncarried(signature, ISSUER) if signature else None


def _without(part: Json) -> Json:
    return {name: value for name, value in part.items() if name not in SIGNATURES}


def _signature(part: Any) -> str | None:
    words = [part.get(name) for name in SIGNATURES] if isinstance(part, dict) else []
    return next((word for word in words if isinstance(word, str) and word), None)

"""The parts of a content, read: of a request, and of a reply.

https://ai.google.dev/api/caching#Part
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from gateway.chat.blocks import Block, Foreign, Media, Seal, Text, Thinking, ToolResult, ToolUse
from gateway.chat.seals import NOBODYS
from gateway.dialects.gemini.arguments import read_arguments
from gateway.dialects.gemini.fields import ProtoFields, camel_case
from gateway.dialects.gemini.media import read_file, read_inline
from gateway.dialects.gemini.seals import returned_thought
from gateway.wire.json import Json, dumps

NAME = "gemini"  # whose the foreign blocks are that are read here
# What stands beside the data of a part, and says nothing alone.
BESIDE = (
    "thought",
    "thoughtSignature",
    "videoMetadata",
    "mediaResolution",
    "mediaProcessing",
    "partMetadata",
    "audioTranscription",
    "audioMetadata",
    "documentMetadata",
    "spreadsheetMetadata",
    "speechMetadata",
)
MEDIA = ("inlineData", "fileData")
DATA = ("text", "functionCall", "functionResponse", *MEDIA)
_ONLY = {"output", "result"}  # a response that holds only this says no more than it

Naming = Callable[[str | None, str, str], str]  # id, name, place -> id


@dataclass(slots=True)
class PartReader:
    """``seal``: what a signature is. ``called``, ``answered``: ids for calls and answers, from what
    is told: id, name, and a place. ``unread``: where to note what was not understood."""

    seal: Callable[[str | None], Seal | None]
    called: Naming
    answered: Naming
    unread: Json = field(default_factory=dict)

    def read(self, raw: object, path: str, place: str) -> Block | None:
        """``path`` for errors, ``place`` for ids. None for a part that says nothing."""
        part = ProtoFields(raw, path)
        if (foreign := _foreign(part)) is not None:
            return foreign
        thought = part.may("thought", bool)
        seal = self.seal(part.may("thoughtSignature", str))
        block = self._data(part, seal, place)
        if block is None:
            text = part.may("text", str) or ""
            if text or seal:
                block = returned_thought(text, seal) if thought else Text(text, seal=seal)
        part.leave(self.unread)
        return block

    def _data(self, part: ProtoFields, seal: Seal | None, place: str) -> Block | None:
        if call := part.inner("functionCall"):
            return self._call(call, seal, place)
        if answer := part.inner("functionResponse"):
            return self._answer(answer, place)
        if media := self._media(part):
            media.seal = seal
        return media

    def _media(self, part: ProtoFields) -> Media | None:
        media = None
        if fields := part.inner("inlineData"):
            media = read_inline(fields)
        elif fields := part.inner("fileData"):
            media = read_file(fields)
        if fields:
            fields.leave(self.unread)
        return media

    def _call(self, call: ProtoFields, seal: Seal | None, place: str) -> ToolUse:
        name = call.need("name", str)
        called = self.called(call.may("id", str), name, place)
        arguments = read_arguments(call.may("args", dict) or {})
        call.leave(self.unread)
        return ToolUse(called, name, arguments, seal)

    def _answer(self, answer: ProtoFields, place: str) -> ToolResult:
        name = answer.need("name", str)
        answered = self.answered(answer.may("id", str), name, place)
        text, is_error = _response(answer.may("response", dict) or {})
        content: list[Block] = [Text(text)] if text else []
        for raw, path in answer.each("parts"):
            part = ProtoFields(raw, path)
            if media := self._media(part):
                content.append(media)
            part.leave(self.unread)
        answer.leave(self.unread)
        return ToolResult(answered, tuple(content), is_error, name=name)


def _foreign(part: ProtoFields) -> Foreign | None:
    """Code that ran, a tool of Google's own: whatever has no neutral meaning, whole. So is an image
    that is but a thought: it is none of the answer's.
    (https://ai.google.dev/gemini-api/docs/image-generation#thinking-process)"""
    held = {name for name in DATA if part.rest.get(part.own(name)) is not None}
    if held and not (held <= set(MEDIA) and part.rest.get("thought") is True):
        return None
    beside = {part.own(name) for name in BESIDE}
    data = {name: value for name, value in part.rest.items() if value is not None}
    first = next((name for name in data if name not in beside), None)
    return None if first is None else Foreign(NAME, {camel_case(first): data.pop(first), **data})


def _response(response: Json) -> tuple[str, bool]:
    """What a function answered, as text, and whether that is an error.

    ``error`` alone tells of one, ``output`` alone (or ``result``, as google-genai says it) holds
    all of it. (https://ai.google.dev/api/caching#FunctionResponse)
    """
    if len(response) == 1:
        ((key, value),) = response.items()
        if key == "error":
            return value if isinstance(value, str) else dumps(value).decode(), True
        if key in _ONLY and isinstance(value, str):
            return value, False
    return (dumps(response).decode() if response else ""), False


def joined(blocks: Iterable[Block]) -> list[Block]:
    """A turn as it was before a stream cut it in pieces: google-genai keeps a chat's streamed
    answer as one content for each chunk."""
    out: list[Block] = []
    for block in blocks:
        begun = _unsealed(out, type(block))
        if begun and isinstance(block, Text | Thinking) and not block.seal:
            begun.text += block.text
        else:
            out.append(block)
    return sealed(out)


def sealed(blocks: Iterable[Block]) -> list[Block]:
    """A seal that comes on an empty part of its own belongs to what came before."""
    out: list[Block] = []
    for block in blocks:
        if not isinstance(block, Text | Thinking) or block.text or _redacted(block):
            out.append(block)
        elif begun := _unsealed(out, type(block)):
            begun.seal = block.seal
            if isinstance(begun, Thinking) and isinstance(block, Thinking):
                begun.id = block.id
        else:
            out.append(block)
    return out


def unmarked(blocks: Iterable[Block]) -> list[Block]:
    """Without the marks on what nobody has sealed."""
    out: list[Block] = []
    for block in blocks:
        if isinstance(block, Text | Thinking | Media | ToolUse) and block.seal == NOBODYS:
            block.seal = None
            if isinstance(block, Text | Thinking) and not block.text:
                continue
        out.append(block)
    return out


def _redacted(block: Text | Thinking) -> bool:
    return isinstance(block, Thinking) and block.redacted


def _unsealed(out: list[Block], kind: type[Block]) -> Text | Thinking | None:
    """The last block, where it is of this kind and has no seal yet that would close it."""
    last = out[-1] if out else None
    if isinstance(last, Text | Thinking) and isinstance(last, kind) and not last.seal:
        return last
    return None

"""One choice of a stream as it is told, as events on numbered blocks."""

from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.chat.blocks import Foreign, Media, Refusal, Seal, Text, Thinking
from gateway.chat.reply import (
    ArgumentsDelta,
    BlockEnded,
    CitationDelta,
    RefusalDelta,
    ReplyEvent,
    SealDelta,
    Stopped,
    TextDelta,
    ThinkingDelta,
    TokenLogprob,
    ToolUseStarted,
    WholeBlock,
)
from gateway.dialects.base import Fields
from gateway.dialects.openai_chat.parts import Part, read_part
from gateway.dialects.openai_chat.pieces import (
    other_annotations,
    read_annotations,
    read_audio,
    read_images,
    shifted,
)
from gateway.dialects.openai_chat.reply import stop_reason
from gateway.dialects.openai_chat.thoughts import read_detail, read_google_seal, read_thought
from gateway.dialects.openai_chat.tools import read_arguments
from gateway.errors import BadRequest, UpstreamBroke

Events = Iterator[ReplyEvent]
Numbers = Iterator[int]


@dataclass(slots=True)
class Call:
    number: int
    id: str


class ChoiceReader:
    """A thought, a text or a refusal ends where another begins; tool calls, whose pieces may come
    in turn, end with the choice. Held until then is only a recording: it is one block.

    ``kind``, ``number``: the block that is open, besides calls. ``length``: of all texts so far, in
    characters.
    """

    __slots__ = (
        "_audio",
        "_calls",
        "_id",
        "_numbers",
        "_reason",
        "_seals",
        "_start",
        "by_index",
        "index",
        "kind",
        "length",
        "number",
    )

    def __init__(self, index: int, numbers: Numbers, id: str) -> None:
        """``id``: what the ids begin with of calls that have none."""
        self.index, self._numbers, self._id = index, numbers, id
        self.kind = ""
        self.number = -1
        self.length = self._start = 0
        self.by_index: dict[int, Call] = {}
        self._calls: list[Call] = []
        self._audio: list[Media] = []
        self._seals: dict[str, Seal] = {}  # of calls that have not begun
        self._reason: str | None = None

    def read(self, delta: Fields, logprobs: tuple[TokenLogprob, ...]) -> Events:
        yield from self._thoughts(delta)
        yield from self._content(delta, logprobs)
        if refusal := delta.may("refusal", str):
            yield from self._refuse(refusal)
        others = other_annotations(delta)
        for citation in read_annotations(delta, {}):
            yield from self._open("text")
            yield CitationDelta(self.number, shifted(citation, -self._start), self.index)
        for other in others:
            yield from self._whole(other)
        for image in read_images(delta, {}):
            yield from self._tell(image)
        if (audio := read_audio(delta, {})) is not None:
            self._audio.append(audio)
        for one in delta.each("tool_calls"):
            call = Fields(*one)
            function = Fields(call.may("function", dict) or {}, call.path("function"))
            yield from self._call(call, function, call.may("index", int))
        if (legacy := delta.may("function_call", dict)) is not None:
            function = Fields(legacy, delta.path("function_call"))
            yield from self._call(Fields({}), function, -1)

    def stop(self, reason: str) -> None:
        """Some say it twice, and some go on after it: the choice ends with the stream."""
        stop_reason(reason, calls=False)
        self._reason = reason

    def end(self) -> Events:
        yield from self._close()
        if self._audio:
            yield from self._whole(_joined(self._audio))
        for seal in self._seals.values():
            yield from self._think("", seal, redacted=True)
        for call in self._calls:
            yield BlockEnded(call.number, self.index)
        yield Stopped(stop_reason(self._reason, calls=bool(self._calls)), choice=self.index)

    def _open(self, kind: str) -> Events:
        if self.kind != kind:
            yield from self._close()
            self.kind, self.number = kind, next(self._numbers)
            self._start = self.length

    def _close(self) -> Events:
        if self.kind:
            self.kind = ""
            yield BlockEnded(self.number, self.index)

    def _thoughts(self, delta: Fields) -> Events:
        """Their text stands in up to three places at once: it is taken from the first."""
        text = delta.may("reasoning_content", str)
        text = delta.may("reasoning", str) or text
        if text:
            yield from self._think(text)
        for one in delta.each("thinking_blocks"):
            block = Fields(*one)
            thought = read_thought(block, block.may("type", str), {})
            if text or self.kind == "thinking":  # ours and LiteLLM's repeat what has been told
                thought.text = ""
            yield from self._tell(thought)
        for one in delta.each("reasoning_details"):
            detail = read_detail(Fields(*one))
            call = next((call for call in self._calls if call.id == detail.id), None)
            if detail.seal and call:
                yield SealDelta(call.number, detail.seal, self.index)
            elif detail.id and detail.seal and detail.on_a_call:
                self._seals[detail.id] = detail.seal
            elif (detail.text and not text) or detail.seal:
                yield from self._think("" if text else detail.text, detail.seal, id=detail.id)

    def _think(
        self, text: str, seal: Seal | None = None, *, redacted: bool = False, id: str | None = None
    ) -> Events:
        """A seal is the last of a thought; alone, it is a thought that nobody may read."""
        if redacted:
            yield from self._close()
        new = self.kind != "thinking"
        yield from self._open("thinking")
        if new or text:
            hidden = redacted or (new and not text)
            yield ThinkingDelta(self.number, text, self.index, redacted=hidden, id=id)
        if seal is not None:
            yield SealDelta(self.number, seal, self.index)
            yield from self._close()

    def _content(self, delta: Fields, logprobs: tuple[TokenLogprob, ...]) -> Events:
        content = delta.may("content", (str, list))
        if isinstance(content, list):  # Mistral's
            place = delta.path("content")
            for nth, part in enumerate(content):
                yield from self._tell(read_part(Fields(part, f"{place}[{nth}]"), {}))
        elif content or (content is not None and logprobs):
            yield from self._write(content, logprobs)
        if self.kind == "text" and (seal := read_google_seal(delta)) is not None:
            yield SealDelta(self.number, seal, self.index)

    def _tell(self, block: Part) -> Events:
        match block:
            case Text(text):
                yield from self._write(text, ())
            case Thinking(text, seal, redacted, id):
                if text or seal:
                    yield from self._think(text, seal, redacted=redacted, id=id)
            case Refusal(text):
                yield from self._refuse(text)
            case _:
                yield from self._close()
                yield from self._whole(block)

    def _write(self, text: str, logprobs: tuple[TokenLogprob, ...]) -> Events:
        yield from self._open("text")
        self.length += len(text)
        yield TextDelta(self.number, text, self.index, logprobs)

    def _refuse(self, text: str) -> Events:
        yield from self._open("refusal")
        yield RefusalDelta(self.number, text, self.index)

    def _whole(self, block: Media | Foreign) -> Events:
        number = next(self._numbers)
        yield WholeBlock(number, block, self.index)
        yield BlockEnded(number, self.index)

    def _call(self, call: Fields, function: Fields, index: int | None) -> Events:
        call_id, name = call.may("id", str), function.may("name", str)
        seal = read_google_seal(call)
        known = self._known(index, call_id, name)
        if known is None:
            if not name:
                raise BadRequest(function.path("name"), "is required")
            yield from self._close()
            number = next(self._numbers)
            known = Call(number, call_id or f"{self._id}_{number}")
            self._calls.append(known)
            if index is not None:
                self.by_index[index] = known
            seal = seal or self._seals.pop(known.id, None)
            yield ToolUseStarted(number, known.id, name, self.index, seal)
        elif seal is not None:
            yield SealDelta(known.number, seal, self.index)
        if arguments := read_arguments(function):
            yield ArgumentsDelta(known.number, arguments, self.index)

    def _known(self, index: int | None, id: str | None, name: str | None) -> Call | None:
        """The call that a piece is of, None for a new one. Mistral and Gemini number none, and each
        of theirs is whole; others give every call the same number, but an id of its own."""
        if index is not None:
            call = self.by_index.get(index)
            return None if call and id and name and id != call.id else call
        if id:
            return next((call for call in self._calls if call.id == id), None)
        return None if name or not self._calls else self._calls[-1]


def _joined(pieces: list[Media]) -> Media:
    """A recording out of its pieces: each has its own base64."""
    try:
        raw = b"".join(b64decode(piece.base64 or "", validate=True) for piece in pieces)
    except ValueError as error:
        raise UpstreamBroke(f"the provider sent a malformed event: {error} in audio") from error
    return Media(
        "audio",
        base64=b64encode(raw).decode() or None,
        file_id=next((piece.file_id for piece in pieces if piece.file_id), None),
        transcript="".join(piece.transcript or "" for piece in pieces) or None,
    )

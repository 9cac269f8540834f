"""One choice of a stream as it is told, as events on numbered blocks."""

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.chat.blocks import Citation, Foreign, Media, Refusal, Seal, Text, Thinking
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
    joined,
    other_annotations,
    read_annotations,
    read_audio,
    read_images,
    shifted,
)
from gateway.dialects.openai_chat.reply import stop_reason
from gateway.dialects.openai_chat.thoughts import read_detail, read_google_seal, read_thought
from gateway.dialects.openai_chat.tools import is_custom_call, read_arguments
from gateway.dialects.openai_custom import CUSTOM, INPUT
from gateway.errors import BadRequest, UpstreamBroke
from gateway.wire.json import dumps

Events = Iterator[ReplyEvent]
Numbers = Iterator[int]
BEFORE, AFTER = f'{{"{INPUT}":"', '"}'  # around the text that a custom tool is called with
LONGEST = 64 * 1024 * 1024  # characters of a recording, as base64


@dataclass(slots=True)
class Call:
    """``told``: the id that its provider gave, which another call may have too; ``custom``: one
    whose arguments are a text, told here as the one member of an object."""

    number: int
    id: str
    told: str | None
    custom: bool


class ChoiceReader:
    """A thought, a text or a refusal ends where another begins; tool calls, whose pieces may come
    in turn, end with the choice. Held until then is only a recording: it is one block.

    ``kind``, ``number``: the block that is open, besides calls. ``length``: of all texts so far, in
    characters.
    """

    __slots__ = (
        "_audio",
        "_began",
        "_calls",
        "_id",
        "_numbers",
        "_reason",
        "_refused",
        "_room",
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
        self._room = LONGEST
        self._seals: dict[str, Seal] = {}  # of calls that have not begun
        self._reason: str | None = None
        self._began = self._refused = False

    @property
    def said(self) -> bool:
        """Whether there is an answer. Some never say why it ended, and none says nothing."""
        return self._reason is not None or self._began or bool(self._audio)

    @property
    def cites(self) -> bool:
        """Whether a text may still be told what it rests on. Behind calls it would be one more
        text, without a word in it."""
        return self.length > 0 and (self.kind == "text" or not self._calls)

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
            self._keep(audio)
        for one in delta.each("tool_calls"):
            call = Fields(*one)
            kind = CUSTOM if is_custom_call(call) else "function"
            function = Fields(call.may(kind, dict) or {}, call.path(kind))
            yield from self._call(call, function, call.may("index", int), custom=kind == CUSTOM)
        if (legacy := delta.may("function_call", dict)) is not None:
            function = Fields(legacy, delta.path("function_call"))
            yield from self._call(Fields({}), function, -1)

    def stop(self, reason: str) -> None:
        """Some say it twice, and some go on after it: the choice ends with the stream."""
        self._reason = reason

    def end(self, sources: list[Citation]) -> Events:
        """``sources``: what the whole answer rests on, where it has a text (``cites``)."""
        if sources:
            yield from self._open("text")
        for source in sources:
            yield CitationDelta(self.number, source, self.index)
        yield from self._close()
        if self._audio:
            yield from self._whole(joined(self._audio))
        for seal in self._seals.values():
            yield from self._think("", seal, redacted=True)
        for call in self._calls:
            if call.custom:
                yield ArgumentsDelta(call.number, AFTER, self.index)
            yield BlockEnded(call.number, self.index)
        reason = stop_reason(self._reason, calls=bool(self._calls), words=self._refused)
        yield Stopped(reason, choice=self.index)

    def _keep(self, audio: Media) -> None:
        self._room -= len(audio.base64 or "") + len(audio.transcript or "")
        if self._room < 0:
            raise UpstreamBroke(f"the provider's recording is longer than {LONGEST} characters")
        self._audio.append(audio)

    def _open(self, kind: str) -> Events:
        if self.kind != kind:
            yield from self._close()
            self.kind, self.number = kind, self._next()
            self._start = self.length

    def _next(self) -> int:
        self._began = True
        return next(self._numbers)

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
            call = next((call for call in self._calls if call.told == detail.id), None)
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
        self._refused = True
        yield from self._open("refusal")
        yield RefusalDelta(self.number, text, self.index)

    def _whole(self, block: Media | Foreign) -> Events:
        number = self._next()
        yield WholeBlock(number, block, self.index)
        yield BlockEnded(number, self.index)

    def _call(
        self, call: Fields, function: Fields, index: int | None, *, custom: bool = False
    ) -> Events:
        call_id, name = call.may("id", str), function.may("name", str)
        seal = read_google_seal(call)
        known = self._known(index, call_id, name)
        if known is None:
            if not name:
                raise BadRequest(function.path("name"), "is required")
            yield from self._close()
            known = self._begin(call_id, index, custom=custom)
            seal = seal or self._seals.pop(known.id, None)
            yield ToolUseStarted(known.number, known.id, name, self.index, seal)
            if custom:
                yield ArgumentsDelta(known.number, BEFORE, self.index)
        elif seal is not None:
            yield SealDelta(known.number, seal, self.index)
        text = function.may("input", str) if custom else None
        if arguments := dumps(text)[1:-1].decode() if text else read_arguments(function):
            yield ArgumentsDelta(known.number, arguments, self.index)

    def _begin(self, told: str | None, index: int | None, *, custom: bool) -> Call:
        """Under an id of its own, where the told one is another's already: callers tell by it which
        call they answer."""
        number = self._next()
        name = told or f"{self._id}_{number}"
        if any(call.id == name for call in self._calls):
            name = f"{name}_{number}"
        call = Call(number, name, told, custom)
        self._calls.append(call)
        if index is not None:
            self.by_index[index] = call
        return call

    def _known(self, index: int | None, id: str | None, name: str | None) -> Call | None:
        """The call that a piece is of, None for a new one. Mistral and Gemini number none, and each
        of theirs is whole; others give every call the same number, but an id of its own."""
        if index is not None:
            call = self.by_index.get(index)
            return None if call and id and name and id != call.told else call
        if id:
            return next((call for call in self._calls if call.told == id), None)
        return None if name or not self._calls else self._calls[-1]

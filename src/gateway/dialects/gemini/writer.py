"""A stream of generateContent replies, written.

https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent
"""

from dataclasses import dataclass, field

from gateway.chat.blocks import Citation, Foreign, Media, Seal, Text, Thinking, ToolUse
from gateway.chat.reply import (
    ArgumentsDelta,
    BlockEnded,
    CitationDelta,
    Ended,
    RefusalDelta,
    ReplyEvent,
    SealDelta,
    Started,
    Stopped,
    TextDelta,
    ThinkingDelta,
    ToolUseStarted,
    WholeBlock,
)
from gateway.dialects.forms import Asked
from gateway.dialects.gemini.citations import Cited, span, write_grounding
from gateway.dialects.gemini.logprobs import write_logprobs
from gateway.dialects.gemini.places import Places
from gateway.dialects.gemini.request import TIERS_OUT
from gateway.dialects.gemini.sse import END, write_event
from gateway.dialects.gemini.stops import MALFORMED, STOP_REASONS_OUT
from gateway.dialects.gemini.told import told_call, told_part, told_thought
from gateway.dialects.gemini.usage import write_usage
from gateway.wire.json import Json, dumps


@dataclass(slots=True)
class _Call:
    id: str
    name: str
    choice: int
    seal: Seal | None
    pieces: list[str] = field(default_factory=list)
    ended: bool = False


@dataclass(slots=True)
class _Thought:
    redacted: bool
    id: str | None
    told: bool = False


ENDED = -1  # the number of no block


@dataclass(slots=True)
class _Text:
    """``start``: at which byte of all the answer's text it begins."""

    block: int
    start: int
    places: Places = field(default_factory=Places)
    citations: list[Citation] = field(default_factory=list)


class ReplyWriter:
    """A call of a function is one part, so the text of its arguments is kept until it is complete,
    and until all are that began before it; a seal, until what it is on has ended; citations, for
    the last chunk, as Google tells them, and until its end a text, from its first character on that
    is not ASCII, since they count its bytes. All else goes out as it comes.

    The last chunk has a part that says nothing, as Google's has: google-genai's chats forget an
    answer with a chunk in it that has no content.
    """

    __slots__ = (
        "_around",
        "_calls",
        "_citations",
        "_envelope",
        "_malformed",
        "_seals",
        "_stops",
        "_suffix",
        "_texts",
        "_thoughts",
        "dropped",
    )

    def __init__(self, asked: Asked) -> None:
        del asked  # the stream is the same, whatever was asked
        self._envelope: Json = {}
        self._suffix = b""
        self._around: dict[tuple[int, bool], tuple[bytes, bytes]] = {}
        self._calls: dict[int, _Call] = {}
        self._thoughts: dict[int, _Thought] = {}
        self._seals: dict[int, Seal] = {}
        self._citations: dict[int, list[Cited]] = {}
        self._texts: dict[int, _Text] = {}  # of each answer the one that began last
        self._malformed: set[int] = set()
        self._stops: list[Stopped] = []
        self.dropped: set[str] = set()

    def feed(self, event: ReplyEvent) -> bytes:
        kind = type(event)
        if kind is TextDelta and not event.logprobs:  # type: ignore[union-attr]
            return self._text(event.block, event.text, event.choice)  # type: ignore[union-attr]
        if kind is ThinkingDelta:
            return self._thought(event)  # type: ignore[arg-type]
        return self._other(event)

    def _text(self, block: int, text: str, choice: int) -> bytes:
        if not text:
            return b""
        told = self._texts.get(choice)
        if told is None or told.block != block:
            told = self._text_of(block, choice)
        told.places.add(text)
        before, after = self._around.get((choice, False)) or self._frame(choice, thought=False)
        return before + dumps(text) + after

    def _text_of(self, block: int, choice: int) -> _Text:
        text = self._texts.get(choice)
        if text is None or text.block != block:
            text = self._texts[choice] = _Text(block, self._settle(choice))
        return text

    def _settle(self, choice: int) -> int:
        """Notes what of the last text is cited. Where it ends, in all of the answer's text: Google
        counts from where that begins, for a stream's pieces are of one part."""
        text = self._texts.pop(choice, None)
        if text is None:
            return 0
        cited = [(one, 0, *span(one, text.places, text.start)) for one in text.citations]
        self._citations.setdefault(choice, []).extend(cited)
        return text.start + text.places.size

    def _end_text(self, block: int, choice: int) -> None:
        """So that it need not be kept any more."""
        text = self._texts.get(choice)
        if text and text.block == block:
            self._texts[choice] = _Text(ENDED, self._settle(choice))

    def _thought(self, event: ThinkingDelta) -> bytes:
        thought = self._thoughts.get(event.block)
        if thought is None:
            thought = self._thoughts[event.block] = _Thought(event.redacted, event.id)
        if not event.text:
            return b""
        thought.told = True
        frame = self._around.get((event.choice, True)) or self._frame(event.choice, thought=True)
        return frame[0] + dumps(event.text) + frame[1]

    def _frame(self, choice: int, *, thought: bool) -> tuple[bytes, bytes]:
        """What stands around the text of a piece, which is the same for all of them."""
        mark = b'"thought":true,' if thought else b""
        before = b'data: {"candidates":[{"content":{"parts":[{' + mark + b'"text":'
        index = str(choice).encode()
        after = b'}],"role":"model"},"index":' + index + b"}]" + self._suffix + END
        self._around[choice, thought] = before, after
        return before, after

    def _other(self, event: ReplyEvent) -> bytes:
        match event:
            case ArgumentsDelta(block, json):
                self._calls[block].pieces.append(json)
            case ToolUseStarted(block, id, name, choice, seal):
                self._calls[block] = _Call(id, name, choice, seal)
            case SealDelta(block, seal) if block in self._calls:
                self._calls[block].seal = seal
            case SealDelta(block, seal):
                self._seals[block] = seal
            case BlockEnded(block, choice) if block in self._calls:
                self._calls[block].ended = True
                return self._complete(choice)
            case BlockEnded(block, choice):
                self._end_text(block, choice)
                return self._seal(block, choice)
            case TextDelta(block, text, choice, logprobs):
                self._text_of(block, choice).places.add(text)
                told = {"logprobsResult": write_logprobs(logprobs)}
                return self._chunk({"text": text}, choice, told)
            case RefusalDelta(block, text, choice):
                self.dropped.add("refusal")
                return self._text(block, text, choice)
            case CitationDelta(block, citation, choice):
                self._text_of(block, choice).citations.append(citation)
            case WholeBlock(_, content, choice):
                return self._whole(content, choice)
            case Started(id, model):
                self._envelope = {"modelVersion": model, "responseId": id}
                self._suffix = b"," + dumps(self._envelope)[1:]
            case Stopped():
                self._stops.append(event)
            case Ended():
                return self._end(event)
        return b""

    def _chunk(self, part: Json, choice: int, told: Json | None = None) -> bytes:
        content = {"parts": [part], "role": "model"}
        candidate = {"content": content, "index": choice, **(told or {})}
        return write_event(dumps({"candidates": [candidate], **self._envelope}))

    def _seal(self, block: int, choice: int) -> bytes:
        """On a part of its own, as Google's streams have it, behind what it is on."""
        seal, thought = self._seals.pop(block, None), self._thoughts.pop(block, None)
        if thought and (thought.told or seal):
            return self._chunk(
                told_thought(Thinking("", seal, thought.redacted, thought.id)), choice
            )
        part = told_part(Text("", seal=seal), self.dropped)
        return self._chunk(part, choice) if part else b""

    def _complete(self, choice: int) -> bytes:
        """The calls that are, in the order in which they began."""
        out = b""
        for block, call in [one for one in self._calls.items() if one[1].choice == choice]:
            if not call.ended:
                break
            del self._calls[block]
            out += self._call(call)
        return out

    def _call(self, call: _Call) -> bytes:
        block = ToolUse(call.id, call.name, "".join(call.pieces), call.seal)
        part = told_call(block, self.dropped)
        if part is None:
            self._malformed.add(call.choice)
            return b""
        return self._chunk(part, call.choice)

    def _whole(self, content: Media | Foreign, choice: int) -> bytes:
        part = told_part(content, self.dropped)
        return self._chunk(part, choice) if part else b""

    def _end(self, event: Ended) -> bytes:
        usage = write_usage(event.usage)
        if event.service_tier:
            usage["serviceTier"] = TIERS_OUT.get(event.service_tier, event.service_tier)
        last = {
            "candidates": [self._stopped(stop) for stop in self._stops],
            "usageMetadata": usage,
            **self._envelope,
        }
        return write_event(dumps(last))

    def _stopped(self, stop: Stopped) -> Json:
        reason = STOP_REASONS_OUT[stop.stop_reason]
        if stop.stop_reason == "tool_use" and stop.choice in self._malformed:
            reason = MALFORMED
        if stop.stop_sequence is not None:
            self.dropped.add("stop_sequence")
        return {
            "content": {"parts": [{"text": ""}], "role": "model"},
            "finishReason": reason,
            "index": stop.choice,
            **write_grounding(self._citations.get(stop.choice, ())),
        }

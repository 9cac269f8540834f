"""A stream of messages, read.

https://platform.claude.com/docs/en/build-with-claude/streaming
"""

from gateway.chat.blocks import Foreign, Seal
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
    StopReason,
    ThinkingDelta,
    ToolUseStarted,
    WholeBlock,
)
from gateway.chat.seals import uncarried
from gateway.dialects.anthropic_messages.errors import failure_in
from gateway.dialects.anthropic_messages.opened import NEUTRAL, NUMBERLESS, PIECES, Opened
from gateway.dialects.anthropic_messages.parts import ISSUER, NAME, read_citation, read_input
from gateway.dialects.anthropic_messages.reply import explanation_in, stop_reason_of
from gateway.dialects.anthropic_messages.usage import merge, tier_of, usage_of
from gateway.dialects.base import Fields
from gateway.dialects.forms import Identity
from gateway.errors import BadRequest, UpstreamBroke
from gateway.usage import Usage
from gateway.wire.halves import Halves
from gateway.wire.json import Json, loads


class MessagesReader:
    """What is kept: a block's citations until it ends, since it may tell them before its text; and
    a block of the API's own kind until it is whole."""

    __slots__ = (
        "_blocks",
        "_counts",
        "_current",
        "_halves",
        "_identity",
        "_opened",
        "_started",
        "_stop",
        "dropped",
        "ended",
        "usage",
    )

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._started: str | None = None  # the message's id
        self._blocks = 0
        self._opened: dict[int, Opened] = {}
        self._current: Opened | None = None  # the last one that was spoken of
        self._counts: Json = {}
        self._halves = Halves()
        self._stop: tuple[StopReason, str | None, str | None] = ("end", None, None)
        self.usage: Usage | None = None
        self.ended = False
        self.dropped: set[str] = set()

    def feed(self, data: bytes, name: str = "") -> list[ReplyEvent]:
        """Raises UpstreamBroke; what it means where the provider says that it failed."""
        del name  # the data has it too, and imitators may leave it out
        try:
            event = loads(data)
        except ValueError as error:
            if data.strip() == b"[DONE]":  # not Anthropic's, but some imitators end so
                return []
            event = self._halves.loads(data)
            if event is None:
                raise UpstreamBroke("the provider sent an event that is not JSON") from error
        block = self._current
        if block is not None:  # one more piece of it, most often: this is done for every token
            try:
                if event["index"] == block.index and event["type"] == "content_block_delta":
                    delta = event["delta"]
                    if delta["type"] == block.delta and type(text := delta[block.field]) is str:
                        block.length += len(text)
                        return [block.make(block.number, text)] if text else []
            except (KeyError, TypeError):
                pass  # whatever it is, it is read with care
        try:
            return self._read(Fields(event))
        except BadRequest as error:
            raise UpstreamBroke(f"the provider sent a malformed event: {error}") from error

    def finish(self) -> list[ReplyEvent]:
        """Its last event says that it is the last."""
        return []

    def _read(self, event: Fields) -> list[ReplyEvent]:
        kind = event.rest.get("type")
        if kind == "error" or event.rest.get("error"):
            raise failure_in(event.rest.get("error"))
        told = [] if self.ended else self._tell(kind, event)
        if told and self._started is None:  # some begin with the first block
            told = [*self._start(Fields({})), *told]
        return told

    def _tell(self, kind: object, event: Fields) -> list[ReplyEvent]:
        match kind:
            case "message_start":
                return self._start(Fields(event.need("message", dict), "message"))
            case "content_block_start":
                return self._open(event)
            case "content_block_delta":
                return self._delta(event)
            case "content_block_stop":
                block = self._opened.pop(event.need("index", int), None)
                self._current = None
                return self._close(block) if block else []
            case "message_delta":
                self._note_stop(Fields(event.may("delta", dict) or {}, "delta"))
                self._count(event.rest.get("usage"))
            case "message_stop":
                return self._end()
        return []

    def _start(self, message: Fields) -> list[ReplyEvent]:
        self._count(message.rest.get("usage"))
        name = message.may("id", str) or self._identity.id
        model = message.may("model", str) or ""
        if self._started is None:
            self._started = name
            return [Started(name, model, self._identity.created, self.usage)]
        if self._blocks and name != self._started:
            # A proxy's retry within the stream: what was said cannot be taken back.
            raise UpstreamBroke("the provider began another message within its answer")
        return []

    def _count(self, told: object) -> None:
        if isinstance(told, dict):
            merge(self._counts, told)
            self.usage = usage_of(self._counts)

    def _note_stop(self, delta: Fields) -> None:
        reason, sequence = delta.may("stop_reason", str), delta.may("stop_sequence", str)
        if reason is not None:
            words = explanation_in(delta.rest.get("stop_details"))
            self._stop = (stop_reason_of(reason), sequence, words)

    def _open(self, event: Fields) -> list[ReplyEvent]:
        index = event.need("index", int)
        content = Fields(event.need("content_block", dict), "content_block")
        before = self._opened.pop(index, None)
        block = Opened(index, content.need("type", str), content.rest)
        self._opened[index] = self._current = block
        return [*(self._close(before) if before else []), *self._opening(block, content)]

    def _opening(self, block: Opened, content: Fields) -> list[ReplyEvent]:
        match block.kind:
            case "text" | "thinking" as kind:
                said: list[ReplyEvent] = []
                if text := content.may(kind, str):
                    said.append(self._piece(block, text))
                block.seal = _sealed(content.may("signature", str))
                self._cite(block, [Fields(*one) for one in content.each("citations")])
                return said
            case "redacted_thinking":
                block.seal = _sealed(content.need("data", str))
                return [ThinkingDelta(self._number(block), "", redacted=True)]
            case "tool_use":
                block.data = {"input": content.may("input", dict)}
                call, tool = content.need("id", str), content.need("name", str)
                return [ToolUseStarted(self._number(block), call, tool)]
        self._number(block)
        return []

    def _delta(self, event: Fields) -> list[ReplyEvent]:
        """Of a block that was not opened, as far as it says what it is; or of an unusual kind."""
        index = event.need("index", int)
        delta = Fields(event.need("delta", dict), "delta")
        kind = delta.need("type", str)
        block = self._opened.get(index)
        if block is None:
            if kind not in ("text_delta", "thinking_delta"):
                raise UpstreamBroke(f"the provider sent a {kind} of a block that it had not begun")
            block = self._opened[index] = Opened(index, PIECES[kind][2], {})
        self._current = block
        if block.kind in NEUTRAL:
            return self._told(block, kind, delta)
        if kind == "input_json_delta":
            block.told.append(delta.need("partial_json", str))
        else:
            block.data |= {name: value for name, value in delta.rest.items() if value is not None}
        return []

    def _told(self, block: Opened, kind: str, delta: Fields) -> list[ReplyEvent]:
        if kind in PIECES:
            if PIECES[kind][2] != block.kind:
                raise UpstreamBroke(f"the provider sent a {kind} of a {block.kind} block")
            text = delta.need(PIECES[kind][0], str)
            return [self._piece(block, text)] if text else []
        if kind == "signature_delta":
            block.seal = _sealed(delta.need("signature", str))
        elif kind == "citations_delta":
            self._cite(block, [Fields(delta.need("citation", dict), "delta.citation")])
        return []

    def _cite(self, block: Opened, citations: list[Fields]) -> None:
        found = [read_citation(one, 0, {}) for one in citations]
        block.citations += [one for one in found if one is not None]

    def _piece(self, block: Opened, text: str) -> ReplyEvent:
        if block.number == NUMBERLESS:
            self._number(block)
        block.length += len(text)
        return block.make(block.number, text)

    def _number(self, block: Opened) -> int:
        block.number, self._blocks = self._blocks, self._blocks + 1
        for kind, (field, make, of) in PIECES.items():
            if of == block.kind:
                block.delta, block.field, block.make = kind, field, make
        return block.number

    def _close(self, block: Opened) -> list[ReplyEvent]:
        said: list[ReplyEvent] = []
        if block.kind == "tool_use" and not block.length and block.data.get("input"):
            # Imitators tell a call's arguments with its name.
            said.append(ArgumentsDelta(block.number, read_input(block.data["input"])))
        elif block.kind not in NEUTRAL:
            said.append(WholeBlock(block.number, Foreign(NAME, _whole(block))))
        more = {"thinking": block.seal, "text": block.citations}.get(block.kind)
        if block.number == NUMBERLESS and more:  # without words
            said.append(self._piece(block, ""))
        if block.number == NUMBERLESS:
            return []
        for citation in block.citations:
            citation.end = block.length
            said.append(CitationDelta(block.number, citation))
        if block.seal:
            said.append(SealDelta(block.number, block.seal))
        return [*said, BlockEnded(block.number)]

    def _end(self) -> list[ReplyEvent]:
        said = [event for block in self._opened.values() for event in self._close(block)]
        self._opened, self._current, self.ended = {}, None, True
        reason, sequence, words = self._stop
        if words and reason == "refusal":
            said += [RefusalDelta(self._blocks, words), BlockEnded(self._blocks)]
        tier = tier_of(self._counts)
        return [*said, Stopped(reason, sequence), Ended(self.usage or Usage(), tier)]


def _sealed(word: str | None) -> Seal | None:
    return uncarried(word, ISSUER) if word else None


def _whole(block: Opened) -> Json:
    """A block of the API's own, with what its deltas told of its input."""
    if block.told:
        text = "".join(block.told)
        try:
            block.data["input"] = loads(text) if text else {}
        except ValueError as error:
            raise UpstreamBroke("the provider sent an input that is not JSON") from error
    return {"type": block.kind, **block.data}

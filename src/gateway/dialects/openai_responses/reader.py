"""OpenAI Responses streams, as providers tell them.

https://platform.openai.com/docs/api-reference/responses-streaming
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from gateway.chat.blocks import Block, Refusal, Text, Thinking, ToolUse
from gateway.chat.reply import (
    ArgumentsDelta,
    BlockEnded,
    CitationDelta,
    Ended,
    RefusalDelta,
    ReplyEvent,
    Started,
    Stopped,
    TextDelta,
    ThinkingDelta,
    TokenLogprob,
    ToolUseStarted,
)
from gateway.dialects.base import Fields
from gateway.dialects.forms import Identity
from gateway.dialects.openai_errors import failure_in
from gateway.dialects.openai_responses.begun import NOTHING, Begun, Make, Next, untold
from gateway.dialects.openai_responses.citations import read_annotation
from gateway.dialects.openai_responses.items import read_call
from gateway.dialects.openai_responses.logprobs import read_logprobs
from gateway.dialects.openai_responses.reply import (
    ANSWERS,
    check_status,
    created_at,
    read_item,
    read_part,
    stop_reason,
)
from gateway.dialects.openai_responses.usage import read_usage
from gateway.dialects.openai_responses.watch import kind_of, read_event
from gateway.errors import BadRequest, UpstreamBroke
from gateway.usage import Usage
from gateway.wire.halves import Halves
from gateway.wire.json import Json, loads

# Which block an event is about: the item's number, and that of the part where it has parts.
Place = tuple[int, int]


class ReplyReader:
    def __init__(self, identity: Identity) -> None:
        self.usage: Usage | None = None
        self.ended = False
        self.dropped: set[str] = set()
        self._identity = identity
        self._started = False
        self._blocks: dict[Place, Begun] = {}
        self._ids: dict[int, str | None] = {}  # of items, by their numbers
        self._kinds: set[type[Block]] = set()  # of blocks that have ended; they say why it stopped
        self._next = NOTHING
        self._halves = Halves()

    def feed(self, data: bytes, name: str = "") -> list[ReplyEvent]:
        del name  # the data says it again
        try:
            event = loads(data)
        except ValueError:
            event = self._halves.loads(data)
        if type(event) is not dict:
            event = read_event(data)
        kind, output, part_name, part, make, block = self._next
        try:
            if (
                event["type"] == kind
                and event["output_index"] == output
                and event[part_name] == part
                and type(piece := event["delta"]) is str
                and not event.get("logprobs")
            ):
                block.said += len(piece)
                block.last = piece
                return [make(block.number, piece)]
        except KeyError:
            pass  # it is another event, and read as that
        if self.ended:
            return []
        try:
            return self._read(Fields(event))
        except BadRequest as error:
            raise UpstreamBroke(f"the provider sent a malformed event: {error}") from error

    def _read(self, event: Fields) -> list[ReplyEvent]:
        read = READ.get(kind_of(event.rest))
        told = [] if read is None else [*read(self, event)]
        if told and not self._started:  # some hosts begin with the first item
            told = [*self._start(Fields({})), *told]
        return told

    def finish(self) -> list[ReplyEvent]:
        """Its last event says that it is the last."""
        return []

    def lifecycle(self, event: Fields) -> Iterator[ReplyEvent]:
        response = _response(event)
        self.usage = read_usage(response.rest) or self.usage
        yield from self._start(response)

    def _start(self, response: Fields) -> Iterator[ReplyEvent]:
        if not self._started:
            self._started = True
            own, model = response.may("id", str), response.may("model", str)
            created = created_at(response, self._identity)
            yield Started(own or self._identity.id, model or "", created)

    def _block(self, place: Place, kind: type[Block]) -> Begun:
        """The block at this place, which begins now unless it has."""
        block = self._blocks.get(place)
        if block is None:
            block = self._blocks[place] = Begun(len(self._blocks), kind)
        elif block.kind is not kind:
            raise BadRequest("output_index", "is of an item of another kind")
        return block

    def _expect(self, event: Fields, part_name: str, make: Make, block: Begun) -> None:
        """The next event most likely resembles this one."""
        kind, output = event.rest["type"], event.rest["output_index"]
        self._next = Next(kind, output, part_name, event.rest[part_name], make, block)

    def text(self, event: Fields) -> Iterator[ReplyEvent]:
        place, text = _place(event, "content_index"), event.need("delta", str)
        logprobs = tuple(read_logprobs(event))
        if text or logprobs:
            block = self._block(place, Text)
            block.say(text)
            yield TextDelta(block.number, text, logprobs=logprobs)
            self._expect(event, "content_index", TextDelta, block)

    def refusal(self, event: Fields) -> Iterator[ReplyEvent]:
        place, text = _place(event, "content_index"), event.need("delta", str)
        if text:
            block = self._block(place, Refusal)
            block.say(text)
            yield RefusalDelta(block.number, text)

    def arguments(self, event: Fields) -> Iterator[ReplyEvent]:
        place, json = _place(event), event.need("delta", str)
        if place not in self._blocks or not self._blocks[place].open:
            raise BadRequest("output_index", "is of no call that is under way")
        block = self._block(place, ToolUse)
        if json:
            block.say(json)
            yield ArgumentsDelta(block.number, json)
            self._expect(event, "output_index", ArgumentsDelta, block)

    def summary(self, event: Fields) -> Iterator[ReplyEvent]:
        yield from self._thought(event, "summary_index")

    def reasoning(self, event: Fields) -> Iterator[ReplyEvent]:
        yield from self._thought(event, "content_index")

    def _thought(self, event: Fields, part_name: str) -> Iterator[ReplyEvent]:
        """Its parts become paragraphs."""
        (output, part), text = _place(event, part_name), event.need("delta", str)
        if text:
            block = self._block((output, 0), Thinking)
            between = "\n\n" if block.paragraph not in (None, (part_name, part)) else ""
            block.paragraph = (part_name, part)
            block.say(between + text)
            yield ThinkingDelta(block.number, between + text, id=self._ids.get(output))
            self._expect(event, part_name, ThinkingDelta, block)

    def annotation(self, event: Fields) -> Iterator[ReplyEvent]:
        place = _place(event, "content_index")
        if cited := event.may("annotation", dict):
            block = self._block(place, Text)
            block.cited += 1
            unread: Json = {}  # a reply has nowhere to tell it
            yield CitationDelta(block.number, read_annotation(Fields(cited, "annotation"), unread))

    def item_begun(self, event: Fields) -> Iterator[ReplyEvent]:
        """A call is told with its name; of all else there is nothing to tell yet."""
        place, item = _place(event), Fields(event.need("item", dict), "item")
        if item.rest.get("type") != "function_call":
            self._ids[place[0]] = item.may("id", str)
            return
        if place not in self._blocks:
            call, block = read_call(item), self._block(place, ToolUse)
            yield ToolUseStarted(block.number, call.id, call.name, seal=call.seal)
            if call.arguments:
                block.say(call.arguments)
                yield ArgumentsDelta(block.number, call.arguments)

    def part_ended(self, event: Fields) -> Iterator[ReplyEvent]:
        """The end of a part of a message; that of a thought is not yet its end."""
        part = Fields(event.need("part", dict), "part")
        if part.rest.get("type") in ("output_text", "refusal"):
            yield from self._settle_part(_place(event, "content_index"), part)

    def item_ended(self, event: Fields) -> Iterator[ReplyEvent]:
        (output, _), item = _place(event), Fields(event.need("item", dict), "item")
        yield from self._settle(output, item)

    def _settle(self, output: int, item: Fields) -> Iterator[ReplyEvent]:
        if item.rest.get("type") == "message":
            if item.rest.get("phase") not in ANSWERS:
                self.dropped.add("phase")
            for nth, (part, place) in enumerate(item.each("content")):
                yield from self._settle_part((output, nth), Fields(part, place))
        else:
            for whole in read_item(item, []):
                yield from self._settle_block((output, 0), whole, ())

    def _settle_part(self, place: Place, part: Fields) -> Iterator[ReplyEvent]:
        logprobs: list[TokenLogprob] = []
        whole = read_part(part, logprobs)
        if whole is not None:
            yield from self._settle_block(place, whole, tuple(logprobs))

    def _settle_block(
        self, place: Place, whole: Block, logprobs: tuple[TokenLogprob, ...]
    ) -> Iterator[ReplyEvent]:
        begun = place in self._blocks
        block = self._block(place, type(whole))
        if not block.open:
            return
        yield from untold(block, whole, logprobs, begun=begun)
        self._kinds.add(type(whole))
        yield from self._end(block)

    def _end(self, block: Begun) -> Iterator[ReplyEvent]:
        if block.open:
            block.open, self._next = False, NOTHING
            yield BlockEnded(block.number)

    def completion(self, event: Fields) -> Iterator[ReplyEvent]:
        response = _response(event)
        self.usage = read_usage(response.rest) or self.usage
        if response.rest.get("status") not in ("failed", "incomplete"):  # else the event knows best
            response.rest["status"] = event.rest["type"].removeprefix("response.")
        check_status(response)
        yield from self._start(response)
        if not self._blocks:
            for output, (item, place) in enumerate(response.each("output")):
                yield from self._settle(output, Fields(item, place))
        for block in self._blocks.values():
            yield from self._end(block)
        self.ended = True
        yield Stopped(stop_reason(response, self._kinds))
        yield Ended(self.usage or Usage(), response.may("service_tier", str))

    def failure(self, event: Fields) -> Iterator[ReplyEvent]:
        raise failure_in(_response(event).rest.get("error"))

    def error(self, event: Fields) -> Iterator[ReplyEvent]:
        """The API tells an error within the event, or as the event."""
        raise failure_in(event.rest.get("error") or event.rest)


def _response(event: Fields) -> Fields:
    return Fields(event.need("response", dict), "response")


def _place(event: Fields, part_name: str | None = None) -> Place:
    output: int = _kept(event, "output_index", int)
    return output, _kept(event, part_name, int) if part_name else 0


def _kept(event: Fields, name: str, kind: type) -> Any:
    """A field that must be there and of this kind, and stays."""
    value = event.need(name, kind)
    event.rest[name] = value
    return value


READ: Mapping[str, Callable[[ReplyReader, Fields], Iterator[ReplyEvent]]] = {
    "response.created": ReplyReader.lifecycle,
    "response.queued": ReplyReader.lifecycle,
    "response.in_progress": ReplyReader.lifecycle,
    "response.output_item.added": ReplyReader.item_begun,
    "response.output_text.delta": ReplyReader.text,
    "response.output_text.annotation.added": ReplyReader.annotation,
    "response.refusal.delta": ReplyReader.refusal,
    "response.reasoning_summary_text.delta": ReplyReader.summary,
    "response.reasoning_text.delta": ReplyReader.reasoning,
    "response.function_call_arguments.delta": ReplyReader.arguments,
    "response.content_part.done": ReplyReader.part_ended,
    "response.output_item.done": ReplyReader.item_ended,
    "response.completed": ReplyReader.completion,
    "response.incomplete": ReplyReader.completion,
    "response.failed": ReplyReader.failure,
    "error": ReplyReader.error,
}

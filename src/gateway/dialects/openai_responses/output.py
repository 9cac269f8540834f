"""A neutral reply as the output items of a response, told as events or whole."""

from collections.abc import Iterator, Sequence

from gateway.chat.blocks import Block, Citation, Foreign, Media, Refusal, Text, Thinking, ToolUse
from gateway.chat.reply import (
    ArgumentsDelta,
    BlockEnded,
    Choice,
    CitationDelta,
    RefusalDelta,
    ReplyEvent,
    SealDelta,
    Stopped,
    StopReason,
    TextDelta,
    ThinkingDelta,
    TokenLogprob,
    ToolUseStarted,
    WholeBlock,
)
from gateway.chat.seals import with_seal
from gateway.dialects.openai_responses.custom_call import CustomCall
from gateway.dialects.openai_responses.parts import NAME
from gateway.dialects.openai_responses.underway import Call, Item, Message, Status, Thought, Told
from gateway.dialects.openai_responses.underway import Whole as WholeItem
from gateway.wire.json import Json

LONGEST_BASE = 40  # of the ids of items: the API takes back 64 characters


class Output:
    """What happened, item by item. Texts and refusals that follow each other are one message, and
    texts one part of it: callers take the last part for the answer, and parse each as JSON.

    An item that has ended waits for the next to begin before it is closed: a text may go on, and
    what is cut off by a limit is not complete.
    """

    def __init__(self, custom: frozenset[str] = frozenset()) -> None:
        """``custom``: the names of the custom tools, whose calls are told otherwise."""
        self._custom = custom
        self.dropped: set[str] = set()
        self.items: list[Json] = []
        self.status: Status = "completed"
        self.reason: str | None = None  # why it is incomplete
        self._refused = False
        self._base = ""
        self._thoughts: set[str] = set()  # their ids
        self._open: dict[int, Item] = {}  # block number -> the item that it is of
        self._idle: Item | None = None
        self._count = 0

    def name(self, id: str) -> None:
        """Take the response's id, of which its items have theirs."""
        own = "".join(letter for letter in id.removeprefix("resp_") if letter.isalnum())
        self._base = own[-LONGEST_BASE:]

    def pieces_of(self, block: int) -> list[str] | None:
        """Where the pieces of an open block are kept, for whoever adds to them past ``tell``."""
        item = self._open.get(block)
        if isinstance(item, Message):
            return item.parts[-1].pieces
        return item.pieces if isinstance(item, Thought | Call) else None

    def tell(self, event: ReplyEvent) -> Iterator[Told]:
        """What a caller is told of the event. To be read to its end."""
        if getattr(event, "choice", 0) != 0:
            self.dropped.add("n")  # a response is one answer
            return
        match event:
            case TextDelta(block, text, logprobs=logprobs):
                yield from self._text(block, text, logprobs)
            case RefusalDelta(block, text):
                self._refused = True
                yield from self._text(block, text, (), refusal=True)
            case ArgumentsDelta(block, json):
                yield from self._piece(block, json)
            case ThinkingDelta(block, text):
                yield from self._thought(event)
            case ToolUseStarted(block, id, name, seal=seal):
                yield from self._begin(block, self._call(with_seal(id, seal), name))
            case CitationDelta(block, citation):
                yield from self._cite(block, citation)
            case SealDelta(block, seal):
                item = self._open.get(block)
                if isinstance(item, Thought):
                    item.seal = seal
                else:
                    self.dropped.add("signature")
            case WholeBlock(block, content):
                yield from self._whole(block, content)
            case BlockEnded(block):
                yield from self._end(block)
            case Stopped(reason, sequence):
                if sequence is not None:
                    self.dropped.add("stop_sequence")
                yield from self._stop(reason)

    def _id(self, prefix: str) -> str:
        return f"{prefix}_{self._base}_{self._count}"

    def _call(self, call_id: str, name: str) -> Call:
        if name in self._custom:
            return CustomCall(self._id("ctc"), self._count, call_id, name)
        return Call(self._id("fc"), self._count, call_id, name)

    def _begin(self, block: int, item: Item) -> Iterator[Told]:
        yield from self._close_idle("completed")
        self._open[block] = item
        self._count += 1
        self.items.append({})  # its place, whichever item is closed first
        yield from item.opening()

    def _text(
        self, block: int, text: str, logprobs: Sequence[TokenLogprob], *, refusal: bool = False
    ) -> Iterator[Told]:
        if not text and block not in self._open:
            return
        yield from self._begin_text(block, refusal=refusal)
        message = self._open[block]
        if isinstance(message, Message):
            yield from message.piece(text, logprobs)

    def _begin_text(self, block: int, *, refusal: bool = False) -> Iterator[Told]:
        if block in self._open:
            return
        message = self._idle
        # The message that waits goes on, unless something has begun after it.
        if isinstance(message, Message) and message.index == self._count - 1:
            self._idle = None
            self._open[block] = message
        else:
            message = Message(self._id("msg"), self._count)
            yield from self._begin(block, message)
        yield from message.begin(refusal=refusal)

    def _piece(self, block: int, piece: str) -> Iterator[Told]:
        item = self._open.get(block)
        if isinstance(item, Call) and piece:
            yield from item.piece(piece)

    def _thought(self, event: ThinkingDelta) -> Iterator[Told]:
        item = self._open.get(event.block)
        if item is None:
            item = Thought(self._thoughts_id(event.id), self._count, redacted=event.redacted)
            yield from self._begin(event.block, item)
        if isinstance(item, Thought) and event.text:
            yield from item.piece(event.text)

    def _thoughts_id(self, given: str | None) -> str:
        """The provider's own, unless another thought of this answer has it."""
        name = self._id("rs") if given is None or given in self._thoughts else given
        self._thoughts.add(name)
        return name

    def _cite(self, block: int, citation: Citation) -> Iterator[Told]:
        """A citation may come before the first word that rests on it."""
        yield from self._begin_text(block)
        message = self._open[block]
        if isinstance(message, Message):
            yield from message.cite(citation, self.dropped)

    def _whole(self, block: int, content: Media | Foreign) -> Iterator[Told]:
        if isinstance(content, Media):
            item, hidden = self._image(content), {"status": "in_progress", "result": None}
        elif content.dialect == NAME:
            item, hidden = content.data, {}
        else:
            self.dropped.add(content.kind)
            return
        if item is not None:
            yield from self._begin(block, WholeItem(self._count, item, hidden))

    def _image(self, media: Media) -> Json | None:
        """Only an image has a place in a response, and only its bytes have one in an item."""
        if media.seal is not None:
            self.dropped.add("signature")
        if media.kind != "image" or media.base64 is None:
            self.dropped.add(media.kind)
            return None
        form = (media.mime_type or "image/png").partition("/")[2]
        return {
            "id": self._id("ig"),
            "type": "image_generation_call",
            "status": "completed",
            "output_format": form,
            "result": media.base64,
        }

    def _end(self, block: int) -> Iterator[Told]:
        item = self._open.pop(block, None)
        if item is None:  # it could not be told
            return
        if isinstance(item, Message):
            yield from item.end_block(self.dropped)
        yield from self._close_idle("completed")
        self._idle = item

    def _close_idle(self, status: Status) -> Iterator[Told]:
        item, self._idle = self._idle, None
        if item is None:
            return
        for kind, members in item.closing(status):
            if kind == "output_item.done":
                self.items[item.index] = members["item"]
            yield kind, members

    def _stop(self, reason: StopReason) -> Iterator[Told]:
        for block in [*self._open]:
            yield from self._end(block)
        cut = reason == "length" or (reason == "refusal" and not self._refused)
        if cut:
            self.reason = "max_output_tokens" if reason == "length" else "content_filter"
            self.status = "incomplete"
        yield from self._close_idle(self.status)


def events_of(choice: Choice) -> Iterator[ReplyEvent]:
    """A whole answer as what would have happened."""
    logprobs = tuple(choice.logprobs)
    for number, block in enumerate(choice.content):
        yield from _events_of(number, block, logprobs if isinstance(block, Text) else ())
        if isinstance(block, Text):
            logprobs = ()  # they are the whole answer's
        yield BlockEnded(number)
    yield Stopped(choice.stop_reason, choice.stop_sequence)


def _events_of(
    number: int, block: Block, logprobs: tuple[TokenLogprob, ...]
) -> Iterator[ReplyEvent]:
    match block:
        case Text(text, citations=citations, seal=seal):
            yield TextDelta(number, text, logprobs=logprobs)
            for citation in citations:
                yield CitationDelta(number, citation)
            if seal is not None:
                yield SealDelta(number, seal)
        case Thinking(text, seal, redacted, id):
            yield ThinkingDelta(number, text, redacted=redacted, id=id)
            if seal is not None:
                yield SealDelta(number, seal)
        case Refusal(text):
            yield RefusalDelta(number, text)
        case ToolUse(id, name, arguments, seal):
            yield ToolUseStarted(number, id, name, seal=seal)
            if arguments:
                yield ArgumentsDelta(number, arguments)
        case Media() | Foreign():
            yield WholeBlock(number, block)

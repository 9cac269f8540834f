"""OpenAI Responses streams, as callers are told them.

https://platform.openai.com/docs/api-reference/responses-streaming
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from gateway.chat.blocks import Foreign, Media
from gateway.chat.reply import (
    ArgumentsDelta,
    BlockEnded,
    CitationDelta,
    Ended,
    RefusalDelta,
    ReplyEvent,
    SealDelta,
    Started,
    TextDelta,
    ThinkingDelta,
    ToolUseStarted,
    WholeBlock,
)
from gateway.dialects.forms import Asked
from gateway.dialects.openai_responses.envelope import begun, ended
from gateway.dialects.openai_responses.output import Output
from gateway.dialects.openai_responses.tools import custom_names
from gateway.dialects.openai_responses.underway import Told
from gateway.errors import UpstreamBroke
from gateway.wire.json import Json, dumps

# How many characters an answer may have: all that the last event repeats. Far above what any model
# gives.
LONGEST = 64 * 1024 * 1024
A_PIECE = 64  # what one takes beside its text, and each token whose probability is told


class _Live(NamedTuple):
    """A block that is under way: all that its next event says but the number and the piece, and
    where the piece is kept."""

    keep: Callable[[str], None]
    head: bytes
    middle: bytes
    tail: bytes


class ReplyWriter:
    """Events are numbered from 0 without a gap. The last one holds the whole response: that the
    protocol demands it is why the text is kept. Raises UpstreamBroke for one that never ends."""

    def __init__(self, asked: Asked, longest: int = LONGEST) -> None:
        self._asked = asked.body
        self._output = Output(custom_names(asked.body))
        self.dropped = self._output.dropped
        self._begun: Json = {}
        self._number = 0
        self._live: dict[int, _Live] = {}
        self._longest = longest
        self._room = longest  # characters that may still come

    def feed(self, event: ReplyEvent) -> bytes:
        # What dominates, first: this is done for every token.
        if type(event) is TextDelta:
            if event.logprobs:
                return self._feed(event)
            piece = event.text
        elif type(event) is ArgumentsDelta:
            piece = event.json
        elif type(event) is ThinkingDelta:
            piece = event.text
        else:
            return self._feed(event)
        live = self._live.get(event.block)
        if live is None:
            return self._feed(event)
        if not piece:
            return b""
        self._room -= len(piece)
        if self._room < 0:
            raise self._too_long()
        keep, head, middle, tail = live
        keep(piece)
        number = self._number
        self._number = number + 1
        return b"%b%d%b%b%b" % (head, number, middle, dumps(piece), tail)

    def _feed(self, event: ReplyEvent) -> bytes:
        self._room -= _weight(event)
        if self._room < 0:
            raise self._too_long()
        match event:
            case Started(id, model, created):
                self._begun = begun(self._asked, id, model, created)
                self._output.name(self._begun["id"])
                response = b',"response":' + dumps(self._begun)
                return self._event("created", response) + self._event("in_progress", response)
            case Ended(usage, tier):
                whole = ended(self._begun, self._output, usage, tier)
                return self._event(self._output.status, b',"response":' + dumps(whole))
            case TextDelta(block) | ArgumentsDelta(block) | ThinkingDelta(block):
                told = [*self._output.tell(event)]
                self._remember(block, told)
                return self._written(told)
            case BlockEnded(block):
                self._live.pop(block, None)
        return self._written(self._output.tell(event))

    def _too_long(self) -> UpstreamBroke:
        return UpstreamBroke(f"the provider's answer is longer than {self._longest} characters")

    def _remember(self, block: int, told: list[Told]) -> None:
        """What the next piece of this block will be told as: like this one."""
        pieces = self._output.pieces_of(block)
        if pieces is None or not told or "delta" not in told[-1][1]:
            return
        kind, members = told[-1]
        place = {name: members[name] for name in members if name not in ("delta", "logprobs")}
        self._live[block] = _Live(
            pieces.append,
            _head(kind),
            b"," + dumps(place)[1:-1] + b',"delta":',
            b',"logprobs":[]}\n\n' if "logprobs" in members else b"}\n\n",
        )

    def _written(self, told: Iterable[Told]) -> bytes:
        return b"".join(self._event(kind, b"," + dumps(members)[1:-1]) for kind, members in told)

    def _event(self, kind: str, members: bytes) -> bytes:
        number = self._number
        self._number = number + 1
        return b"%b%d%b}\n\n" % (_head(kind), number, members)


def _head(kind: str) -> bytes:
    """An event up to its number; every event has more members than that."""
    name = f"response.{kind}"
    return f'event: {name}\ndata: {{"type":"{name}","sequence_number":'.encode()


def _weight(event: ReplyEvent) -> int:
    """How many characters of it are kept, about."""
    match event:
        case TextDelta(_, text, _, logprobs):
            return len(text) + A_PIECE * (1 + sum(1 + len(token.top) for token in logprobs))
        case ThinkingDelta(_, text) | RefusalDelta(_, text) | ArgumentsDelta(_, text):
            return A_PIECE + len(text)
        case ToolUseStarted(_, id, name):
            return A_PIECE + len(id) + len(name)
        case SealDelta(_, seal):
            return len(seal.value)
        case CitationDelta(_, cited):
            return sum(len(said or "") for said in (cited.url, cited.title, cited.quote))
        case WholeBlock(_, Media() as media):
            return A_PIECE + len(media.base64 or "")
        case WholeBlock(_, Foreign(data=data)):
            return A_PIECE + len(dumps(data))
    return 0

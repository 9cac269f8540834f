"""Blocks of a stream that is being read: what has been told of them, and what not yet."""

from collections.abc import Iterator
from typing import NamedTuple

from gateway.chat.blocks import Block, Foreign, Media, Refusal, Text, Thinking, ToolUse
from gateway.chat.reply import (
    ArgumentsDelta,
    CitationDelta,
    RefusalDelta,
    ReplyEvent,
    SealDelta,
    TextDelta,
    ThinkingDelta,
    TokenLogprob,
    ToolUseStarted,
    WholeBlock,
)


class Begun:
    """A block that has begun: its number, and what of it has been told."""

    __slots__ = ("cited", "kind", "last", "number", "open", "paragraph", "said")

    def __init__(self, number: int, kind: type[Block]) -> None:
        self.number, self.kind = number, kind
        self.open = True
        self.said, self.last = 0, ""  # how many characters have been told, and the last of them
        self.cited = 0  # citations told
        self.paragraph: tuple[str, int] | None = None  # the part of a thought that is told

    def say(self, piece: str) -> None:
        self.said += len(piece)
        self.last = piece

    def rest(self, whole: str) -> str:
        """What has not been told, where what has been is how the whole begins."""
        return whole[self.said :] if whole.endswith(self.last, 0, self.said) else ""


Make = type[TextDelta] | type[ThinkingDelta] | type[ArgumentsDelta]


class Next(NamedTuple):
    """What the next event most often is: another piece of the same block."""

    kind: str
    output: object
    part_name: str
    part: object
    make: Make
    block: Begun


NOTHING = Next("", None, "", None, TextDelta, Begun(0, Text))


def untold(
    block: Begun, whole: Block, logprobs: tuple[TokenLogprob, ...], *, begun: bool
) -> Iterator[ReplyEvent]:
    """What of a block, now that it is known whole, has not been told in pieces: some hosts of this
    API tell little in pieces. ``begun``: its beginning has been told."""
    number, said = block.number, block.said
    match whole:
        case Text(text, citations=citations):
            if rest := block.rest(text):
                yield TextDelta(number, rest, logprobs=() if said else logprobs)
            for citation in citations[block.cited :]:
                yield CitationDelta(number, citation)
        case Refusal(text):
            if rest := block.rest(text):
                yield RefusalDelta(number, rest)
        case Thinking(text, seal, redacted, id):
            if not said:
                yield ThinkingDelta(number, text, redacted=redacted, id=id)
            if seal is not None:
                yield SealDelta(number, seal)
        case ToolUse(id, name, arguments, seal):
            if not begun:
                yield ToolUseStarted(number, id, name, seal=seal)
            if rest := block.rest(arguments):
                yield ArgumentsDelta(number, rest)
        case Media() | Foreign():
            yield WholeBlock(number, whole)

"""Blocks of a stream that is being read: what has been told of them, and what not yet."""

from collections.abc import Iterator

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

    __slots__ = ("cited", "kind", "number", "open", "paragraph", "spoken")

    def __init__(self, number: int, kind: type[Block]) -> None:
        self.number, self.kind = number, kind
        self.open = True
        self.spoken = False
        self.cited = 0  # citations told
        self.paragraph: tuple[str, int] | None = None  # the part of a thought that is told


def untold(
    block: Begun, whole: Block, logprobs: tuple[TokenLogprob, ...], *, begun: bool
) -> Iterator[ReplyEvent]:
    """What of a block, now that it is known whole, has not been told in pieces: some hosts of this
    API tell little in pieces. ``begun``: its beginning has been told."""
    number, silent = block.number, not block.spoken
    match whole:
        case Text(text, citations=citations):
            if silent and text:
                yield TextDelta(number, text, logprobs=logprobs)
            for citation in citations[block.cited :]:
                yield CitationDelta(number, citation)
        case Refusal(text):
            if silent:
                yield RefusalDelta(number, text)
        case Thinking(text, seal, redacted, id):
            if silent:
                yield ThinkingDelta(number, text, redacted=redacted, id=id)
            if seal is not None:
                yield SealDelta(number, seal)
        case ToolUse(id, name, arguments, seal):
            if not begun:
                yield ToolUseStarted(number, id, name, seal=seal)
            if silent and arguments:
                yield ArgumentsDelta(number, arguments)
        case Media() | Foreign():
            yield WholeBlock(number, whole)

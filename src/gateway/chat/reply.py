"""A neutral chat reply, whole or as a stream of events on numbered blocks.

Block numbers count from 0 in the order in which the blocks began, over all choices. Blocks may
interleave: the pieces of two tool calls may come in turn, and the number says which one a piece
belongs to. A stream is ``Started``, then pieces of blocks, one ``Stopped`` for each choice, and
``Ended``.
"""

from dataclasses import dataclass, field
from typing import Literal

from gateway.chat.blocks import Block, Citation, Foreign, Media, Seal
from gateway.usage import Usage

StopReason = Literal["end", "length", "tool_use", "stop_sequence", "refusal", "pause"]


@dataclass(slots=True)
class TokenLogprob:
    """A token and the natural logarithm of its probability. ``bytes``: its UTF-8, where told;
    ``top``: what else the model might have said there, likeliest first."""

    token: str
    logprob: float
    bytes: list[int] | None = None
    top: "tuple[TokenLogprob, ...]" = ()


@dataclass(slots=True)
class Choice:
    """One of the answers. ``stop_sequence``: the text that ended it, where the provider says it."""

    content: list[Block]
    stop_reason: StopReason
    stop_sequence: str | None = None
    logprobs: list[TokenLogprob] = field(default_factory=list)


@dataclass(slots=True)
class ChatReply:
    """``service_tier``: who served, in OpenAI's words (``default``, ``flex``, ``priority``).

    ``dropped``: what was told and has no neutral place, by name.
    """

    id: str
    model: str
    created: int  # seconds since 1970
    choices: list[Choice]  # at least one
    usage: Usage = field(default_factory=Usage)
    service_tier: str | None = None
    dropped: frozenset[str] = frozenset()


@dataclass(slots=True)
class Started:
    """``usage``: what is known of it already, most often the input."""

    id: str
    model: str
    created: int
    usage: Usage | None = None


@dataclass(slots=True)
class TextDelta:
    block: int
    text: str
    choice: int = 0
    logprobs: tuple[TokenLogprob, ...] = ()


@dataclass(slots=True)
class CitationDelta:
    """One more citation of a text block."""

    block: int
    citation: Citation
    choice: int = 0


@dataclass(slots=True)
class ThinkingDelta:
    """An empty text opens a block that only a seal will follow. ``id``: see Thinking."""

    block: int
    text: str
    choice: int = 0
    redacted: bool = False
    id: str | None = None


@dataclass(slots=True)
class RefusalDelta:
    block: int
    text: str
    choice: int = 0


@dataclass(slots=True)
class SealDelta:
    """The whole seal of a block that has begun; it may come before or after the block's pieces."""

    block: int
    seal: Seal
    choice: int = 0


@dataclass(slots=True)
class ToolUseStarted:
    """``seal``: where it comes with the call's name, and not in a SealDelta."""

    block: int
    id: str
    name: str
    choice: int = 0
    seal: Seal | None = None


@dataclass(slots=True)
class ArgumentsDelta:
    block: int
    json: str
    choice: int = 0


@dataclass(slots=True)
class WholeBlock:
    """A block that comes in one piece: media, or a foreign one."""

    block: int
    content: Media | Foreign
    choice: int = 0


@dataclass(slots=True)
class BlockEnded:
    block: int
    choice: int = 0


@dataclass(slots=True)
class Stopped:
    """A choice is complete; its blocks have ended."""

    stop_reason: StopReason
    stop_sequence: str | None = None
    choice: int = 0


@dataclass(slots=True)
class Ended:
    """All is said."""

    usage: Usage
    service_tier: str | None = None


ReplyEvent = (
    Started
    | TextDelta
    | CitationDelta
    | ThinkingDelta
    | RefusalDelta
    | SealDelta
    | ToolUseStarted
    | ArgumentsDelta
    | WholeBlock
    | BlockEnded
    | Stopped
    | Ended
)

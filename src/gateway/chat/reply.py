"""A neutral chat reply, whole or as a stream of events on numbered blocks.

Block numbers count from 0 in the order in which the blocks began. Blocks may interleave: the pieces
of two tool calls may come in turn, and the number says which one a piece belongs to.
"""

from dataclasses import dataclass, field
from typing import Literal

from gateway.chat.blocks import Block, Seal
from gateway.errors import Kind
from gateway.usage import Usage

StopReason = Literal["end", "length", "tool_use", "stop_sequence", "refusal", "pause"]


@dataclass(slots=True)
class ChatReply:
    id: str
    model: str
    created: int  # seconds since 1970
    content: list[Block]
    stop_reason: StopReason
    usage: Usage = field(default_factory=Usage)


@dataclass(slots=True)
class Started:
    id: str
    model: str
    created: int


@dataclass(slots=True)
class TextDelta:
    block: int
    text: str


@dataclass(slots=True)
class ThinkingDelta:
    block: int
    text: str


@dataclass(slots=True)
class RefusalDelta:
    block: int
    text: str


@dataclass(slots=True)
class SealDelta:
    block: int
    seal: Seal


@dataclass(slots=True)
class ToolUseStarted:
    block: int
    id: str
    name: str


@dataclass(slots=True)
class ArgumentsDelta:
    block: int
    json: str


@dataclass(slots=True)
class BlockEnded:
    block: int


@dataclass(slots=True)
class Ended:
    stop_reason: StopReason
    usage: Usage


@dataclass(slots=True)
class Failed:
    kind: Kind
    message: str


ReplyEvent = (
    Started
    | TextDelta
    | ThinkingDelta
    | RefusalDelta
    | SealDelta
    | ToolUseStarted
    | ArgumentsDelta
    | BlockEnded
    | Ended
    | Failed
)

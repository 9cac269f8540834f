"""What is said in a wire format, both ways: what a dialect must do so that it can be translated."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from gateway.chat.reply import ChatReply, ReplyEvent
from gateway.chat.request import ChatRequest
from gateway.embeddings import EmbeddingsReply, EmbeddingsRequest
from gateway.usage import Usage
from gateway.wire.json import Json

TOOL_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Written:
    """A body, and the names of what it could not say: a field in the words of its reader, or a
    kind of block. Whoever asked is told of them."""

    body: Json
    dropped: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Identity:
    """For a reply that has no name or date of its own: ``id`` is unique, ``created`` in seconds
    since 1970."""

    id: str
    created: int


@dataclass(frozen=True, slots=True)
class Asked:
    """A caller's request, as it stands on the wire and as what it means."""

    body: Json
    request: ChatRequest


class ReplyReader(Protocol):
    """Reads a provider's stream. One for each."""

    usage: Usage | None  # what has been told so far; None while the provider has not said
    ended: bool  # the terminal event has been seen
    dropped: set[str]  # what was told and has no neutral place, by name

    def feed(self, data: bytes, name: str = "") -> list[ReplyEvent]:
        """What one server-sent event says. Raises UpstreamError: when it is not of this dialect, or
        says that the provider failed."""
        ...

    def finish(self) -> list[ReplyEvent]:
        """What the clean end of the body says, where no event says it."""
        ...


class ReplyWriter(Protocol):
    """Writes a caller's stream. One for each."""

    dropped: set[str]

    def feed(self, event: ReplyEvent) -> bytes:
        """Whole server-sent events; ``b""`` where there is nothing to tell, or not yet."""
        ...


@dataclass(frozen=True, slots=True)
class ChatForm:
    """A chat in this dialect, both ways.

    ``read_request`` raises BadRequest, naming the field; it leaves the body as it is, and its
    ``model`` and ``stream`` are set by whoever calls it, since not every body has them.
    ``read_reply`` raises UpstreamBroke for what is no reply of this dialect. ``tool_name``: what
    its APIs take for a tool's name, all of it.
    """

    read_request: Callable[[Json], ChatRequest]
    write_request: Callable[[ChatRequest], Written]
    read_reply: Callable[[Json, Identity], ChatReply]
    write_reply: Callable[[ChatReply, Asked], Written]
    reader: Callable[[Identity], ReplyReader]
    writer: Callable[[Asked], ReplyWriter]
    tool_name: re.Pattern[str] = TOOL_NAME


@dataclass(frozen=True, slots=True)
class EmbeddingsForm:
    """Embeddings in this dialect, both ways. Raises as ChatForm does. ``write_reply`` is told what
    was asked, and ``write_request`` raises Unsupported for inputs that this dialect cannot say."""

    read_request: Callable[[Json], EmbeddingsRequest]
    write_request: Callable[[EmbeddingsRequest], Written]
    read_reply: Callable[[Json], EmbeddingsReply]
    write_reply: Callable[[EmbeddingsReply, EmbeddingsRequest], Written]


@dataclass(frozen=True, slots=True)
class CountForm:
    """A count of the tokens of a chat, both ways. Raises as ChatForm does; ``tool_name`` as in
    it."""

    read_request: Callable[[Json], ChatRequest]
    write_request: Callable[[ChatRequest], Written]
    read_reply: Callable[[Json], int]
    write_reply: Callable[[int], Json]
    tool_name: re.Pattern[str] = TOOL_NAME

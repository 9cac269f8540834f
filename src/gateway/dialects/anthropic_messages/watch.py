"""A relayed stream of messages, looked over without being read whole.

https://platform.claude.com/docs/en/build-with-claude/streaming
"""

from gateway.dialects.anthropic_messages.errors import failure_in, is_error
from gateway.dialects.anthropic_messages.usage import merge, usage_of
from gateway.dialects.base import first_of
from gateway.errors import UpstreamBroke, UpstreamError
from gateway.usage import Usage
from gateway.wire.halves import Halves
from gateway.wire.json import Json, loads

# Blocks that are opened before they say anything, and the member that holds what they will say.
OPENED_EMPTY = {"text": "text", "thinking": "thinking"}


class MessagesWatch:
    __slots__ = ("_counts", "admitted", "begun", "ended", "failure", "usage")

    def __init__(self, request: Json) -> None:
        del request  # whatever it asks for, the stream is the same
        self._counts: Json = {}
        self.usage: Usage | None = None
        self.begun = self.ended = False
        self.failure: UpstreamError | None = None
        self.admitted: UpstreamError | None = None

    def telling(self, whole: bytes, start: int) -> int:
        if not self.begun:
            return start
        # message_start, message_delta and message_stop; a text that names them costs a parse.
        return first_of(whole.find(b'"message_', start), whole.find(b'"error"', start))

    def look(self, data: bytes, name: str = "") -> bool:
        event = _event(data)
        kind = event.get("type")
        if kind == "error" or event.get("error"):
            return self._fail(event, name)
        if kind and not name and (not self.begun or str(kind).startswith("message_")):
            raise UpstreamBroke("the provider's events have no names, so SDKs would skip them")
        if kind == "message_start":
            message = event.get("message")
            self._count(message.get("usage") if isinstance(message, dict) else None)
        elif kind == "message_delta":
            self._count(event.get("usage"))
        self.ended = kind == "message_stop"
        self.begun = self.begun or self.ended or _says_something(event)
        return True

    def _fail(self, event: Json, name: str) -> bool:
        """After content the provider's own words are passed on, if SDKs would read them as such."""
        failure = failure_in(event.get("error"))
        if self.begun and name == "error" and is_error(event):
            self.admitted, self.ended = failure, True
            return True
        self.failure = failure
        return False

    def _count(self, counts: object) -> None:
        if isinstance(counts, dict):
            merge(self._counts, counts)
            self.usage = usage_of(self._counts)

    def finish(self) -> None:
        """Its last event says that it is the last."""


def _event(data: bytes) -> Json:
    try:
        event = loads(data)
    except ValueError as error:
        if data == b"[DONE]":  # not Anthropic's, but some imitators end so
            return {}
        event = Halves().loads(data)
        if event is None:
            raise UpstreamBroke("the provider sent an event that is not JSON") from error
    if not isinstance(event, dict):
        raise UpstreamBroke("the provider sent an event that is not a JSON object")
    return event


def _says_something(event: Json) -> bool:
    """A delta, a block that is no empty text or thought, or a reason to stop."""
    match event.get("type"):
        case "content_block_start":
            block = event.get("content_block")
            said = isinstance(block, dict) and OPENED_EMPTY.get(str(block.get("type")))
            return bool(block.get(said) if said and isinstance(block, dict) else block)
        case "content_block_delta" | "message_delta":
            delta = event.get("delta")
            return isinstance(delta, dict) and any(
                value for key, value in delta.items() if key != "type"
            )
    return False

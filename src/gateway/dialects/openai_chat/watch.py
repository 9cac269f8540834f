"""A relayed Chat Completions stream, looked over without being read whole."""

import re

from gateway.dialects.base import first_of
from gateway.dialects.openai_chat.reply import check_choice, failure_of
from gateway.dialects.openai_chat.stream import NOTHING
from gateway.dialects.openai_chat.usage import read_usage
from gateway.errors import UpstreamBroke, UpstreamError
from gateway.usage import Usage
from gateway.wire.halves import Halves
from gateway.wire.json import Json, loads

DONE = b"[DONE]"
# A usage that is not null: asked for it, OpenAI sends null in every chunk but the last.
_USAGE = re.compile(rb'"usage"\s*:\s*(?!\s|null)')


def amend(body: Json) -> Json:
    """Ask for the usage of a stream, whether or not the caller did."""
    if not body.get("stream"):
        return {}
    options = body.get("stream_options") or {}
    if options.get("include_usage") is True:
        return {}
    return {"stream_options": {**options, "include_usage": True}}


class ChatWatch:
    __slots__ = ("_show_usage", "admitted", "begun", "ended", "failure", "usage")

    def __init__(self, request: Json) -> None:
        options = request.get("stream_options") or {}
        self._show_usage = options.get("include_usage") is True
        self.usage: Usage | None = None
        self.begun = self.ended = False
        self.failure: UpstreamError | None = None
        self.admitted: UpstreamError | None = None  # this dialect has no such event

    def telling(self, whole: bytes, start: int) -> int:
        if not self.begun:
            return start
        # Keys only: within a string their quotes would be escaped.
        usage = whole.find(b'"usage"', start)
        if usage >= 0:
            found = _USAGE.search(whole, usage)
            usage = found.start() if found else -1
        return first_of(usage, whole.find(DONE, start), whole.find(b'"error"', start))

    def look(self, data: bytes, name: str = "") -> bool:
        del name  # this dialect's events have none
        if data.strip() == DONE:
            if not self.begun:
                raise UpstreamBroke(NOTHING)
            self.ended = True
            return True
        chunk = _chunk(data)
        if failure := _failure_in(chunk):
            self.failure = failure
            return False
        choices = chunk.get("choices")
        if usage := read_usage(chunk):
            self.usage = usage
            if not choices and not self._show_usage:
                return False
        if not self.begun and isinstance(choices, list):
            self.begun = any(_says_something(choice) for choice in choices)
        return True

    def finish(self) -> None:
        """Its last event says that it is the last."""


def _chunk(data: bytes) -> Json:
    try:
        chunk = loads(data)
    except ValueError as error:
        chunk = Halves().loads(data)
        if chunk is None:
            raise UpstreamBroke("the provider sent an event that is not JSON") from error
    if not isinstance(chunk, dict):
        raise UpstreamBroke("the provider sent an event that is not a JSON object")
    return chunk


def _failure_in(chunk: Json) -> UpstreamBroke | None:
    choices = chunk.get("choices")
    try:
        for choice in choices if isinstance(choices, list) else ():
            if isinstance(choice, dict):
                check_choice(choice)
    except UpstreamBroke as failure:
        return failure
    return failure_of(chunk)


def _says_something(choice: object) -> bool:
    """Content, a tool call, reasoning, a refusal or an end: anything but the role alone."""
    if not isinstance(choice, dict):
        return False
    if choice.get("finish_reason"):
        return True
    delta = choice.get("delta")
    return isinstance(delta, dict) and any(value for key, value in delta.items() if key != "role")

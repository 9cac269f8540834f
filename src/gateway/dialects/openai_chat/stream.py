"""OpenAI Chat Completions streams, read."""

from itertools import count
from typing import Any

from gateway.chat.blocks import Citation
from gateway.chat.reply import (
    ArgumentsDelta,
    Ended,
    ReplyEvent,
    Started,
    TextDelta,
    ThinkingDelta,
)
from gateway.dialects.base import Fields
from gateway.dialects.forms import Identity
from gateway.dialects.openai_chat.choice import ChoiceReader
from gateway.dialects.openai_chat.pieces import read_logprobs, read_sources
from gateway.dialects.openai_chat.reply import (
    SIGNS,
    check_choice,
    failure_of,
    read_envelope,
    unread,
)
from gateway.dialects.openai_chat.usage import latest, read_usage
from gateway.errors import BadRequest, UpstreamBroke
from gateway.usage import Usage
from gateway.wire.halves import Halves
from gateway.wire.json import Json, loads

DONE = b"[DONE]"
NOTHING = "the provider's stream ended before it said anything"


class ChatReader:
    """Turns the data of one server-sent event into what happened."""

    def __init__(self, identity: Identity) -> None:
        self.usage: Usage | None = None
        self.ended = False
        self.dropped: set[str] = set()
        self._identity = identity
        self._started = False
        self._choices: dict[int, ChoiceReader] = {}
        self._numbers = count()
        self._tier: str | None = None
        self._sources: list[Citation] = []  # of the whole answer, as told last
        self._halves = Halves()

    def feed(self, data: bytes, name: str = "") -> list[ReplyEvent]:
        """Raises UpstreamBroke for an event that is not of this API, or tells of a failure."""
        del name  # this dialect's events have none
        if data[:1] != b"{" and data.strip() == DONE:
            return self._end()
        try:
            chunk = loads(data)
        except ValueError as error:
            chunk = self._halves.loads(data)
            if chunk is None:
                raise UpstreamBroke(f"the provider sent a malformed event: {error}") from error
        if (plain := self._plain(chunk)) is not None:
            return [plain]
        try:
            return self._read(Fields(chunk))
        except BadRequest as error:
            raise UpstreamBroke(f"the provider sent a malformed event: {error}") from error

    def finish(self) -> list[ReplyEvent]:
        """Its last event says that it is the last."""
        return []

    def _plain(self, chunk: Any) -> ReplyEvent | None:
        """One more piece of a block that is open, as nearly every event is; None for all else,
        and for what must be looked at closely."""
        try:
            (choice,) = chunk["choices"]
            delta, reader = choice["delta"], self._choices[choice["index"]]
            aside = chunk.get("usage") or chunk.get("error") or choice.get("logprobs")
            if aside or choice.get("finish_reason") or choice.get("error"):
                return None
            said, value = "", None
            for name, told in delta.items():
                if told and name != "role":
                    if said:
                        return None
                    said, value = name, told
        except (TypeError, KeyError, ValueError, AttributeError):
            return None  # the first event of a choice, or a malformed one
        if type(value) is str:
            if said == "content" and reader.kind == "text":
                reader.length += len(value)
                return TextDelta(reader.number, value, reader.index)
            if reader.kind == "thinking" and said in ("reasoning_content", "reasoning"):
                return ThinkingDelta(reader.number, value, reader.index)
        return _argument(reader, value) if said == "tool_calls" else None

    def _read(self, fields: Fields) -> list[ReplyEvent]:
        if failure := failure_of(fields.rest):
            raise failure
        if SIGNS.isdisjoint(fields.rest):
            raise BadRequest("choices", "is required")
        self.usage = latest(self.usage, read_usage(fields.rest))
        self._tier = fields.may("service_tier", str) or self._tier
        events: list[ReplyEvent] = []
        for one in fields.each("choices"):
            if not self._started:
                # Not before: Azure's first event tells of its filter, and has no name or date.
                self._started = True
                events.append(Started(*read_envelope(fields, self._identity), self.usage))
            self._read_choice(Fields(*one), events)
        if sources := read_sources(fields):
            self._sources = sources
        self.dropped |= set(unread(fields))
        return events

    def _read_choice(self, choice: Fields, events: list[ReplyEvent]) -> None:
        check_choice(choice.rest)
        index = choice.may("index", int) or 0
        reader = self._choices.get(index)
        if reader is None:
            calls = f"call_{self._identity.id}"
            reader = self._choices[index] = ChoiceReader(index, self._numbers, calls)
        delta = Fields(choice.may("delta", dict) or {}, choice.path("delta"))
        logprobs = read_logprobs(choice)
        if logprobs and delta.rest.get("refusal"):  # a refusal is told without
            self.dropped.add("logprobs")
        events += reader.read(delta, tuple(logprobs))
        if reason := choice.may("finish_reason", str):
            reader.stop(reason)

    def _end(self) -> list[ReplyEvent]:
        if self.ended:
            return []
        if not any(reader.said for reader in self._choices.values()):
            raise UpstreamBroke(NOTHING)
        self.ended = True
        events: list[ReplyEvent] = []
        choices = [reader for _, reader in sorted(self._choices.items())]
        cites = next((reader for reader in choices if reader.cites), None)
        if self._sources and cites is None:
            self.dropped.add("citations")
        for reader in choices:
            events += reader.end(self._sources if reader is cites else [])
        return [*events, Ended(self.usage or Usage(), self._tier)]


def _argument(reader: ChoiceReader, calls: Any) -> ReplyEvent | None:
    """One more piece of a call's arguments, if it is no more than that."""
    if type(calls) is not list or len(calls) != 1 or type(calls[0]) is not dict:
        return None
    call: Json = calls[0]
    at, function = call.get("index"), call.get("function")
    if type(at) is not int or type(function) is not dict or "extra_content" in call:
        return None
    known, arguments = reader.by_index.get(at), function.get("arguments")
    if known is None or call.get("id") or function.get("name") or type(arguments) is not str:
        return None
    return ArgumentsDelta(known.number, arguments, reader.index) if arguments else None

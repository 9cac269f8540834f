"""OpenAI Chat Completions streams."""

from typing import Any

from gateway.chat.reply import (
    ArgumentsDelta,
    BlockEnded,
    Ended,
    Failed,
    RefusalDelta,
    ReplyEvent,
    SealDelta,
    Started,
    StopReason,
    TextDelta,
    ThinkingDelta,
    ToolUseStarted,
)
from gateway.dialects.base import Fields
from gateway.dialects.openai_chat.reply import STOP_REASONS, STOP_REASONS_OUT
from gateway.dialects.openai_chat.usage import read_usage, write_usage
from gateway.dialects.openai_errors import failure_in, write_stream_error
from gateway.errors import BadRequest, Kind, UpstreamBroke
from gateway.usage import Usage
from gateway.wire.json import Json, dumps, loads
from gateway.wire.sse import write_event

DONE = b"[DONE]"


class ReplyReader:
    """Turns the data of one server-sent event into what happened. First choice only."""

    def __init__(self) -> None:
        self._started = False
        self._stop_reason: StopReason | None = None
        self._usage = Usage()
        self._blocks: dict[object, int] = {}  # what it is a block of -> its number

    def feed(self, data: bytes) -> list[ReplyEvent]:
        """Raises UpstreamBroke for an event that is not of this API."""
        if data.strip() == DONE:
            ended = [BlockEnded(number) for number in self._blocks.values()]
            return [*ended, Ended(self._stop_reason or "end", self._usage)]
        try:
            return self._read(loads(data))
        except (ValueError, BadRequest) as error:
            raise UpstreamBroke(f"the provider sent a malformed event: {error}") from error

    def _read(self, chunk: object) -> list[ReplyEvent]:
        fields = Fields(chunk)
        if error := fields.rest.get("error"):
            failure = failure_in(error)
            return [Failed(failure.kind, failure.message)]
        events: list[ReplyEvent] = []
        if not self._started:
            envelope = (fields.need("id", str), fields.need("model", str))
            events.append(Started(*envelope, fields.need("created", int)))
            self._started = True
        self._usage = read_usage(fields.rest) or self._usage
        for choice in (Fields(*one) for one in fields.each("choices")):
            if choice.may("index", int):
                continue
            self._delta(Fields(choice.may("delta", dict) or {}, "delta"), events)
            if reason := choice.may("finish_reason", str):
                self._stop_reason = STOP_REASONS.get(reason, "end")
        return events

    def _delta(self, delta: Fields, events: list[ReplyEvent]) -> None:
        if thinking := delta.may("reasoning_content", str) or delta.may("reasoning", str):
            events.append(ThinkingDelta(self._block("thinking"), thinking))
        if text := delta.may("content", str):
            events.append(TextDelta(self._block("text"), text))
        if refusal := delta.may("refusal", str):
            events.append(RefusalDelta(self._block("refusal"), refusal))
        for call in (Fields(*one) for one in delta.each("tool_calls")):
            self._call(
                call, Fields(call.may("function", dict) or {}, call.path("function")), events
            )

    def _call(self, call: Fields, function: Fields, events: list[ReplyEvent]) -> None:
        index = call.need("index", int)
        new = index not in self._blocks
        number = self._block(index)
        if new:
            events.append(ToolUseStarted(number, call.need("id", str), function.need("name", str)))
        if arguments := function.may("arguments", str):
            events.append(ArgumentsDelta(number, arguments))

    def _block(self, of: object) -> int:
        return self._blocks.setdefault(of, len(self._blocks))


class ReplyWriter:
    """Turns what happened into events for the caller."""

    def __init__(self, *, include_usage: bool) -> None:
        self._include_usage = include_usage
        self._envelope: Json = {}
        self._tools: dict[int, int] = {}  # block number -> the tool call's index on the wire
        self._thoughts: dict[int, list[str]] = {}

    def feed(self, event: ReplyEvent) -> bytes:
        match event:
            case TextDelta(_, text):
                return self._chunk({"content": text})
            case ArgumentsDelta(block, json):
                return self._call(block, {"function": {"arguments": json}})
            case ThinkingDelta(block, text):
                self._thoughts.setdefault(block, []).append(text)
                return self._chunk({"reasoning_content": text})
            case RefusalDelta(_, text):
                return self._chunk({"refusal": text})
            case SealDelta(block, seal):
                thought = "".join(self._thoughts.pop(block, ()))
                sealed = {"type": "thinking", "thinking": thought, "signature": seal.value}
                return self._chunk({"thinking_blocks": [sealed]})
            case ToolUseStarted(block, id, name):
                self._tools[block] = len(self._tools)
                function = {"name": name, "arguments": ""}
                return self._call(block, {"id": id, "type": "function", "function": function})
            case Started(id, model, created):
                self._envelope = {
                    "id": id,
                    "object": "chat.completion.chunk",
                    "created": created,
                    "model": model,
                }
                return self._chunk({"role": "assistant", "content": ""})
            case Ended(stop_reason, usage):
                return self._ending(stop_reason, usage)
            case Failed(kind, message):
                return write_stream_error(_failure(kind, message))
            case BlockEnded():
                return b""

    def _call(self, block: int, call: Json) -> bytes:
        return self._chunk({"tool_calls": [{"index": self._tools[block], **call}]})

    def _chunk(self, delta: Json, finish_reason: str | None = None) -> bytes:
        choice: dict[str, Any] = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        return write_event(dumps({**self._envelope, "choices": [choice]}))

    def _ending(self, stop_reason: StopReason, usage: Usage) -> bytes:
        out = self._chunk({}, STOP_REASONS_OUT[stop_reason])
        if self._include_usage:
            last = {**self._envelope, "choices": [], "usage": write_usage(usage)}
            out += write_event(dumps(last))
        return out + write_event(DONE)


def _failure(kind: Kind, message: str) -> UpstreamBroke:
    failure = UpstreamBroke(message)
    failure.kind = kind
    return failure

"""Streams in OpenAI's Chat dialect."""

from typing import Any

import pytest

from gateway.chat.blocks import Seal
from gateway.chat.reply import (
    ArgumentsDelta,
    BlockEnded,
    Ended,
    Failed,
    RefusalDelta,
    ReplyEvent,
    SealDelta,
    Started,
    TextDelta,
    ThinkingDelta,
    ToolUseStarted,
)
from gateway.dialects.openai_chat import ReplyReader, ReplyWriter
from gateway.errors import UpstreamBroke
from gateway.usage import Usage
from gateway.wire.json import Json, dumps, loads
from gateway.wire.sse import SseReader, write_event


def chunk(delta: Json, finish: str | None = None) -> Json:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c1", "model": "m", "created": 5, "choices": [choice]}


def call(index: int, *, id: str | None = None, name: str = "", arguments: str = "") -> Json:
    function: Json = {"arguments": arguments} | ({"name": name} if name else {})
    return chunk(
        {"tool_calls": [{"index": index, **({"id": id} if id else {}), "function": function}]}
    )


CHUNKS = [
    chunk({"role": "assistant", "content": ""}),
    chunk({"reasoning": "h\u00e9"}),
    chunk({"content": "a \u2028 b"}),
    call(0, id="t0", name="f"),
    call(1, id="t1", name="g", arguments='{"'),
    call(0, arguments='{"x":'),
    call(1, arguments='y":2}'),
    call(0, arguments="1}"),
    chunk({"refusal": "no \U0001f600"}),
    chunk({}, "tool_calls"),
    {"id": "c1", "choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 2}},
]
EVENTS: list[ReplyEvent] = [
    Started("c1", "m", 5),
    ThinkingDelta(0, "h\u00e9"),
    TextDelta(1, "a \u2028 b"),
    ToolUseStarted(2, "t0", "f"),
    ToolUseStarted(3, "t1", "g"),
    ArgumentsDelta(3, '{"'),
    ArgumentsDelta(2, '{"x":'),
    ArgumentsDelta(3, 'y":2}'),
    ArgumentsDelta(2, "1}"),
    RefusalDelta(4, "no \U0001f600"),
    *(BlockEnded(number) for number in range(5)),
    Ended("tool_use", Usage(input_tokens=7, output_tokens=2)),
]
PLAIN = b"".join(write_event(dumps(one)) for one in CHUNKS) + b"data: [DONE]\n\n"
FIXTURES = {
    "plain": PLAIN,
    "carriage returns": PLAIN.replace(b"\n", b"\r\n"),
    "comments and names": PLAIN.replace(b"data: ", b": ping\n\nevent: x\nid: 1\ndata:"),
    "two data lines": PLAIN.replace(b'"choices":', b'\ndata: "choices":'),
}


def read(*pieces: bytes) -> list[ReplyEvent]:
    splitter, reader = SseReader(), ReplyReader()
    return [
        event for piece in pieces for data in splitter.feed(piece) for event in reader.feed(data)
    ]


@pytest.mark.parametrize("name", FIXTURES)
def test_a_stream_is_read_the_same_wherever_it_is_cut(name: str) -> None:
    stream = FIXTURES[name]
    wrong = [at for at in range(len(stream)) if read(stream[:at], stream[at:]) != EVENTS]
    assert wrong == []


@pytest.mark.parametrize("name", FIXTURES)
def test_a_stream_that_comes_byte_by_byte_is_read_the_same(name: str) -> None:
    assert read(*(bytes([byte]) for byte in FIXTURES[name])) == EVENTS


def test_only_the_first_of_several_choices_is_read() -> None:
    other: Json = {"index": 1, "delta": {"content": "other"}, "finish_reason": "length"}
    both = chunk({"content": "mine"}, "stop")
    both["choices"].insert(0, other)
    reader = ReplyReader()
    assert reader.feed(dumps(both)) == [Started("c1", "m", 5), TextDelta(0, "mine")]
    assert reader.feed(b"[DONE]") == [BlockEnded(0), Ended("end", Usage())]


def test_an_error_in_the_stream_is_a_failure() -> None:
    error = {"error": {"message": "busy", "code": 429}}
    assert ReplyReader().feed(dumps(error)) == [
        Failed("rate_limit", "the provider failed while it answered: busy")
    ]


@pytest.mark.parametrize("choices", [b"", b',"choices":[{}]', b',"choices":[{"delta":null}]'])
def test_an_event_that_says_nothing_is_read_as_nothing(choices: bytes) -> None:
    event = b'{"id":"c","model":"m","created":5' + choices + b"}"
    assert ReplyReader().feed(event) == [Started("c", "m", 5)]


@pytest.mark.parametrize(
    "data",
    [
        b"{not json}",
        b"[]",
        b'"text"',
        b"null",
        b"{}",
    ],
)
def test_a_malformed_event_is_the_providers_fault(data: bytes) -> None:
    with pytest.raises(UpstreamBroke, match="malformed event"):
        ReplyReader().feed(data)


def written(*events: ReplyEvent) -> list[Any]:
    writer = ReplyWriter(include_usage=True)
    stream = b"".join(writer.feed(event) for event in events)
    return [data if data == b"[DONE]" else loads(data) for data in SseReader().feed(stream)]


def test_a_stream_is_written_whole() -> None:
    head: Json = {"id": "c1", "object": "chat.completion.chunk", "created": 5, "model": "m"}

    def of(delta: Json, finish: str | None = None) -> Json:
        return head | {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}

    function = {"name": "f", "arguments": ""}
    assert written(
        Started("c1", "m", 5),
        ThinkingDelta(0, "h"),
        ThinkingDelta(0, "m"),
        SealDelta(0, Seal("anthropic", "S==")),
        TextDelta(1, "a"),
        ToolUseStarted(2, "t", "f"),
        ArgumentsDelta(2, "{}"),
        BlockEnded(2),
        Ended("tool_use", Usage(7, 2)),
    ) == [
        of({"role": "assistant", "content": ""}),
        of({"reasoning_content": "h"}),
        of({"reasoning_content": "m"}),
        of({"thinking_blocks": [{"type": "thinking", "thinking": "hm", "signature": "S=="}]}),
        of({"content": "a"}),
        of({"tool_calls": [{"index": 0, "id": "t", "type": "function", "function": function}]}),
        of({"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]}),
        of({}, "tool_calls"),
        head
        | {
            "choices": [],
            "usage": {
                "prompt_tokens": 7,
                "completion_tokens": 2,
                "total_tokens": 9,
                "prompt_tokens_details": {"cached_tokens": 0},
                "completion_tokens_details": {"reasoning_tokens": 0},
            },
        },
        b"[DONE]",
    ]


def test_a_failure_is_written_in_the_shape_of_every_other_error_and_without_done() -> None:
    events = Started("c1", "m", 5), TextDelta(0, "a"), Failed("rate_limit", "slow down")
    assert written(*events)[-1] == {
        "error": {"message": "slow down", "type": "rate_limit_error", "param": None, "code": None}
    }

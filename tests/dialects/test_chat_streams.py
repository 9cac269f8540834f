"""Streams of providers in OpenAI's Chat dialect, read."""

from typing import Any

import pytest

from gateway.chat.blocks import Citation, Foreign, Media, Seal
from gateway.chat.reply import (
    ArgumentsDelta,
    BlockEnded,
    CitationDelta,
    Ended,
    RefusalDelta,
    ReplyEvent,
    SealDelta,
    Started,
    Stopped,
    TextDelta,
    ThinkingDelta,
    TokenLogprob,
    ToolUseStarted,
    WholeBlock,
)
from gateway.dialects.forms import Identity
from gateway.dialects.openai_chat import CHAT_FORM
from gateway.dialects.openai_chat.stream import ChatReader
from gateway.errors import UpstreamBroke
from gateway.usage import Usage
from gateway.wire.json import Json, dumps
from gateway.wire.sse import SseReader, write_event

STARTED = Started("c1", "m", 5)


def chunk(delta: Json, finish: str | None = None, index: int = 0) -> Json:
    choice = {"index": index, "delta": delta, "finish_reason": finish}
    return {"id": "c1", "model": "m", "created": 5, "choices": [choice]}


def call(index: int, *, id: str | None = None, name: str = "", arguments: str = "") -> Json:
    function: Json = {"arguments": arguments} | ({"name": name} if name else {})
    return chunk(
        {"tool_calls": [{"index": index, **({"id": id} if id else {}), "function": function}]}
    )


CHUNKS = [
    chunk({"role": "assistant", "content": ""}),
    chunk({"reasoning": "h\u00e9"}),
    chunk({"content": "", "reasoning": "m"}),
    chunk({"content": "a \u2028 b"}),
    chunk({"content": "c", "reasoning": None}),
    call(0, id="t0", name="f"),
    call(1, id="t1", name="g", arguments='{"'),
    call(0, arguments='{"x":'),
    call(1, arguments='y":2}'),
    call(0, arguments="1}"),
    chunk({"refusal": "no \U0001f600"}),
    chunk({"content": "other"}, "length", index=1),
    chunk({}, "tool_calls"),
    chunk({"content": ""}, "tool_calls"),
    {"id": "c1", "choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 2}},
]
EVENTS: list[ReplyEvent] = [
    STARTED,
    ThinkingDelta(0, "h\u00e9"),
    ThinkingDelta(0, "m"),
    BlockEnded(0),
    TextDelta(1, "a \u2028 b"),
    TextDelta(1, "c"),
    BlockEnded(1),
    ToolUseStarted(2, "t0", "f"),
    ToolUseStarted(3, "t1", "g"),
    ArgumentsDelta(3, '{"'),
    ArgumentsDelta(2, '{"x":'),
    ArgumentsDelta(3, 'y":2}'),
    ArgumentsDelta(2, "1}"),
    RefusalDelta(4, "no \U0001f600"),
    TextDelta(5, "other", 1),
    BlockEnded(4),
    BlockEnded(2),
    BlockEnded(3),
    Stopped("tool_use"),
    BlockEnded(5, 1),
    Stopped("length", choice=1),
    Ended(Usage(input_tokens=7, output_tokens=2)),
]
PLAIN = b"".join(write_event(dumps(one)) for one in CHUNKS) + b"data: [DONE]\n\n"
FIXTURES = {
    "plain": PLAIN,
    "carriage returns": PLAIN.replace(b"\n", b"\r\n"),
    "comments and names": PLAIN.replace(b"data: ", b": ping\n\nevent: x\nid: 1\ndata:"),
    "two data lines": PLAIN.replace(b'"choices":', b'\ndata: "choices":'),
}


def read(*pieces: bytes) -> list[ReplyEvent]:
    splitter, reader = SseReader(), CHAT_FORM.reader(Identity("id", 9))
    return [
        event for piece in pieces for data in splitter.feed(piece) for event in reader.feed(data)
    ] + reader.finish()


def told(*deltas: Json, finish: str | None = None) -> list[ReplyEvent]:
    """What these deltas say, between the start and the stop; every call gets its index first."""
    reader = CHAT_FORM.reader(Identity("id", 9))
    events = [event for delta in deltas for event in reader.feed(dumps(chunk(delta)))]
    assert events.pop(0) == STARTED
    events += reader.feed(dumps(chunk({}, finish)))
    events += reader.feed(b"[DONE]")
    assert isinstance(events.pop(), Ended)
    assert isinstance(events.pop(), Stopped)
    return events


@pytest.mark.parametrize("name", FIXTURES)
def test_a_stream_is_read_the_same_wherever_it_is_cut(name: str) -> None:
    stream = FIXTURES[name]
    wrong = [at for at in range(len(stream)) if read(stream[:at], stream[at:]) != EVENTS]
    assert wrong == []


@pytest.mark.parametrize("name", FIXTURES)
def test_a_stream_that_comes_byte_by_byte_is_read_the_same(name: str) -> None:
    assert read(*(bytes([byte]) for byte in FIXTURES[name])) == EVENTS


GOOGLES = {"extra_content": {"google": {"thought_signature": "E"}}}
SEALED = Seal("gemini", "E")
F: Json = {"name": "f", "arguments": "{}"}


def whole(call_id: str | None, **more: Any) -> Json:
    named = {"id": call_id} if call_id else {}
    return {"type": "function", "function": F, **named, **more}


@pytest.mark.parametrize(
    ("deltas", "events"),
    [
        (  # Mistral: no index, each call whole
            [{"tool_calls": [whole("a"), whole("b")]}],
            [
                ToolUseStarted(0, "a", "f"),
                ArgumentsDelta(0, "{}"),
                ToolUseStarted(1, "b", "f"),
                ArgumentsDelta(1, "{}"),
                BlockEnded(0),
                BlockEnded(1),
            ],
        ),
        (  # Gemini: one call an event, without index; its seal may come behind it
            [
                {"tool_calls": [whole("a", **GOOGLES)]},
                {"tool_calls": [whole("b")]},
                {"tool_calls": [GOOGLES]},
            ],
            [
                ToolUseStarted(0, "a", "f", seal=SEALED),
                ArgumentsDelta(0, "{}"),
                ToolUseStarted(1, "b", "f"),
                ArgumentsDelta(1, "{}"),
                SealDelta(1, SEALED),
                BlockEnded(0),
                BlockEnded(1),
            ],
        ),
        (  # the same index for all, but an id for each
            [
                {"tool_calls": [whole("a", index=0)]},
                {"tool_calls": [whole("b", index=0)]},
                {"tool_calls": [{"index": 0, "id": "b", "function": {"arguments": "1"}}]},
                {"tool_calls": [{"id": "a", "function": {"arguments": "2"}}]},
            ],
            [
                ToolUseStarted(0, "a", "f"),
                ArgumentsDelta(0, "{}"),
                ToolUseStarted(1, "b", "f"),
                ArgumentsDelta(1, "{}"),
                ArgumentsDelta(1, "1"),
                ArgumentsDelta(0, "2"),
                BlockEnded(0),
                BlockEnded(1),
            ],
        ),
        (  # no id at all, and arguments that are no text
            [{"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": {"a": 1}}}]}],
            [ToolUseStarted(0, "call_id_0", "f"), ArgumentsDelta(0, '{"a":1}'), BlockEnded(0)],
        ),
        (
            [
                {"function_call": {"name": "f", "arguments": "{"}},
                {"function_call": {"arguments": "}"}},
            ],
            [
                ToolUseStarted(0, "call_id_0", "f"),
                ArgumentsDelta(0, "{"),
                ArgumentsDelta(0, "}"),
                BlockEnded(0),
            ],
        ),
        (  # Mistral's content
            [
                {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "h"}]}]},
                {
                    "content": [
                        {"type": "thinking", "thinking": [], "closed": True},
                        {"type": "text", "text": "a"},
                        {"type": "refusal", "refusal": "no"},
                        {"type": "reference", "reference_ids": [1]},
                    ]
                },
            ],
            [
                ThinkingDelta(0, "h"),
                BlockEnded(0),
                TextDelta(1, "a"),
                BlockEnded(1),
                RefusalDelta(2, "no"),
                BlockEnded(2),
                WholeBlock(3, Foreign("openai_chat", {"type": "reference", "reference_ids": [1]})),
                BlockEnded(3),
            ],
        ),
        (  # LiteLLM repeats a thought in Anthropic's shape
            [
                {
                    "reasoning_content": "h",
                    "thinking_blocks": [{"type": "thinking", "thinking": "h", "signature": None}],
                },
                {"thinking_blocks": [{"type": "thinking", "thinking": "", "signature": "S"}]},
                {"thinking_blocks": [{"type": "redacted_thinking", "data": "R"}]},
                {"thinking_blocks": [{"type": "thinking", "thinking": "x", "signature": "T"}]},
            ],
            [
                ThinkingDelta(0, "h"),
                SealDelta(0, Seal("anthropic", "S")),
                BlockEnded(0),
                ThinkingDelta(1, "", redacted=True),
                SealDelta(1, Seal("anthropic", "R")),
                BlockEnded(1),
                ThinkingDelta(2, "x"),
                SealDelta(2, Seal("anthropic", "T")),
                BlockEnded(2),
            ],
        ),
        (  # OpenRouter
            [
                {
                    "reasoning": "h",
                    "reasoning_details": [{"type": "reasoning.text", "text": "h", "id": "r"}],
                },
                {"reasoning_details": [{"type": "reasoning.summary", "summary": "i"}]},
                {"reasoning_details": [{"type": "reasoning.text", "signature": "S"}]},
                {"reasoning_details": [{"type": "reasoning.text"}]},
                {
                    "reasoning_details": [
                        {
                            "type": "reasoning.encrypted",
                            "data": "X",
                            "id": "rs",
                            "format": "openai-responses-v1",
                        }
                    ]
                },
            ],
            [
                ThinkingDelta(0, "h"),
                ThinkingDelta(0, "i"),
                SealDelta(0, Seal("anthropic", "S")),
                BlockEnded(0),
                ThinkingDelta(1, "", redacted=True, id="rs"),
                SealDelta(1, Seal("openai", "X")),
                BlockEnded(1),
            ],
        ),
        (  # OpenRouter: Gemini's seals, by the id of a call that comes later, came before, or never
            [
                {
                    "reasoning_details": [
                        {
                            "type": "reasoning.encrypted",
                            "data": "E",
                            "id": call_id,
                            "format": "google-gemini-v1",
                        }
                        for call_id in ("a", "never")
                    ]
                },
                {"tool_calls": [whole("a", index=0), whole("b", index=1)]},
                {
                    "reasoning_details": [
                        {
                            "type": "reasoning.encrypted",
                            "data": "E",
                            "id": "b",
                            "format": "google-gemini-v1",
                        }
                    ]
                },
            ],
            [
                ToolUseStarted(0, "a", "f", seal=SEALED),
                ArgumentsDelta(0, "{}"),
                ToolUseStarted(1, "b", "f"),
                ArgumentsDelta(1, "{}"),
                SealDelta(1, SEALED),
                ThinkingDelta(2, "", redacted=True),
                SealDelta(2, SEALED),
                BlockEnded(2),
                BlockEnded(0),
                BlockEnded(1),
            ],
        ),
        (  # citations count from the start of the whole text, ours from the block's
            [
                {"content": "ab"},
                {"reasoning": "h"},
                {"content": "cd"},
                {
                    "annotations": [
                        {
                            "type": "url_citation",
                            "url_citation": {"url": "u", "start_index": 2, "end_index": 4},
                        }
                    ]
                },
                {"content": "", **GOOGLES},
            ],
            [
                TextDelta(0, "ab"),
                BlockEnded(0),
                ThinkingDelta(1, "h"),
                BlockEnded(1),
                TextDelta(2, "cd"),
                CitationDelta(2, Citation("u", start=0, end=2)),
                SealDelta(2, SEALED),
                BlockEnded(2),
            ],
        ),
        (
            [
                {"images": [{"type": "image_url", "image_url": {"url": "u"}, "index": 0}]},
                {"audio": {"id": "x", "data": "AA=="}},
                {"audio": {"data": "AQ==", "transcript": "s"}},
                {"audio": {"transcript": "aid", "expires_at": 5}},
            ],
            [
                WholeBlock(0, Media("image", url="u")),
                BlockEnded(0),
                WholeBlock(1, Media("audio", base64="AAE=", file_id="x", transcript="said")),
                BlockEnded(1),
            ],
        ),
    ],
)
def test_what_imitators_say_otherwise_is_read(deltas: list[Json], events: list[ReplyEvent]) -> None:
    assert told(*deltas) == events


def test_logprobs_come_with_their_text() -> None:
    event = chunk({"content": "a"})
    rows = [{"token": "a", "logprob": -1, "bytes": [97], "top_logprobs": []}]
    event["choices"][0]["logprobs"] = {"content": rows, "refusal": None}
    reader = CHAT_FORM.reader(Identity("id", 9))
    assert reader.feed(dumps(event)) == [
        STARTED,
        TextDelta(0, "a", 0, (TokenLogprob("a", -1.0, [97]),)),
    ]


def test_usage_is_the_last_word_on_each_class_and_never_taken_back() -> None:
    reader = CHAT_FORM.reader(Identity("id", 9))
    counts = {"prompt_tokens": 7, "completion_tokens": 1, "cost": 0.5}
    assert reader.usage is None
    assert reader.feed(dumps(chunk({"content": "a"}) | {"usage": counts})) == [
        Started("c1", "m", 5, Usage(7, 1, cost=0.5)),
        TextDelta(0, "a"),
    ]
    reader.feed(dumps(chunk({"content": "b"}) | {"usage": None}))
    reader.feed(dumps(chunk({}) | {"usage": {"completion_tokens": 9}}))
    assert reader.usage == Usage(7, 9, cost=0.5)


def test_the_tier_is_told_at_the_end() -> None:
    reader = CHAT_FORM.reader(Identity("id", 9))
    reader.feed(dumps(chunk({"content": "a"}) | {"service_tier": "flex"}))
    assert reader.feed(b"[DONE]")[-1] == Ended(Usage(), "flex")
    assert reader.ended
    assert reader.feed(b" [DONE]\n") == []


def test_an_answer_without_name_or_date_gets_ours() -> None:
    reader = CHAT_FORM.reader(Identity("id", 9))
    azures = {"choices": [], "id": "", "created": 0, "model": "", "prompt_filter_results": []}
    assert reader.feed(dumps(azures)) == []
    assert reader.feed(b'{"choices":[{"delta":{"content":"a"}}]}') == [
        Started("id", "", 9),
        TextDelta(0, "a"),
    ]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ({"error": {"message": "busy", "code": 429}}, 429),
        (chunk({}, "error") | {"error": {"message": "busy", "code": 502}}, 502),
        (chunk({"content": "a"}, "insufficient_system_resource"), 503),
        (chunk({}, "network_error"), 502),
    ],
)
def test_an_error_in_the_stream_is_raised(error: Json, status: int) -> None:
    with pytest.raises(UpstreamBroke) as broke:
        CHAT_FORM.reader(Identity("id", 9)).feed(dumps(error))
    assert broke.value.status == status


@pytest.mark.parametrize("choices", [b"", b',"choices":[]', b',"choices":null'])
def test_an_event_that_says_nothing_is_read_as_nothing(choices: bytes) -> None:
    event = b'{"id":"c","model":"m","created":5' + choices + b"}"
    assert CHAT_FORM.reader(Identity("id", 9)).feed(event) == []


@pytest.mark.parametrize(
    "data",
    [
        b"{not json}",
        b"[]",
        b'"text"',
        b"null",
        b"{}",
        b'{"x":1}',
        dumps(chunk({"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]})),
        dumps(chunk({"tool_calls": [{"extra_content": {}}]})),
        dumps(chunk({"content": 5})),
        dumps(chunk({"content": "a"}, index=True)),
    ],
)
def test_a_malformed_event_is_the_providers_fault(data: bytes) -> None:
    with pytest.raises(UpstreamBroke, match="malformed event"):
        CHAT_FORM.reader(Identity("id", 9)).feed(data)


def test_a_recording_that_is_none_is_the_providers_fault() -> None:
    reader = CHAT_FORM.reader(Identity("id", 9))
    reader.feed(dumps(chunk({"audio": {"data": "*"}})))
    with pytest.raises(UpstreamBroke, match="malformed event"):
        reader.feed(b"[DONE]")


def test_a_stream_that_ends_before_it_said_anything_is_the_providers_fault() -> None:
    with pytest.raises(UpstreamBroke, match="before it said anything"):
        CHAT_FORM.reader(Identity("id", 9)).feed(b"[DONE]")


@pytest.mark.parametrize(
    "wounded",
    [
        {"tool_calls": [{"index": 0, "function": {"arguments": 5}}]},
        {"tool_calls": [{"index": 0, "function": 5}]},
        {"tool_calls": 5},
        {"tool_calls": [5]},
        {"content": 5},
        {"content": [5]},
    ],
)
def test_a_malformed_event_in_the_middle_is_the_providers_fault_too(wounded: Json) -> None:
    reader = CHAT_FORM.reader(Identity("id", 9))
    reader.feed(dumps(chunk({"content": "a"})))
    reader.feed(dumps(chunk({"tool_calls": [whole("a", index=0)]})))
    with pytest.raises(UpstreamBroke, match="malformed event"):
        reader.feed(dumps(chunk(wounded)))


def test_what_else_an_answer_is_annotated_with_is_a_block_of_its_own() -> None:
    file: Json = {"type": "file", "file": {"hash": "x", "name": "a.pdf"}}
    assert told({"content": "a"}, {"annotations": [file]}, {"content": "b"}) == [
        TextDelta(0, "a"),
        WholeBlock(1, Foreign("openai_chat", file)),
        BlockEnded(1),
        TextDelta(0, "b"),
        BlockEnded(0),
    ]


def test_the_probabilities_of_a_refusal_are_reported() -> None:
    refused = chunk({"refusal": "no"})
    token = {"token": "no", "logprob": -0.5}
    refused["choices"][0]["logprobs"] = {"content": None, "refusal": [token]}
    reader = ChatReader(Identity("id", 9))
    assert reader.feed(dumps(refused)) == [STARTED, RefusalDelta(0, "no")]
    assert reader.dropped == {"logprobs"}

"""A stream of messages, read."""

from typing import Any

import pytest

from gateway.chat.blocks import Citation, Foreign, Seal
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
    ToolUseStarted,
    WholeBlock,
)
from gateway.chat.seals import carried
from gateway.dialects.anthropic_messages import MessagesReader
from gateway.errors import UpstreamBroke
from gateway.usage import Usage
from gateway.wire.json import Json, dumps
from gateway.wire.sse import SseSplitter, data_of, events, name_of
from tests.dialects.messages import (
    BUSY,
    END,
    HELLO,
    IDENTITY,
    MESSAGE,
    PING,
    START,
    STOP,
    TEXT,
    TOLD,
    WHOLE,
    delta,
    event,
    opened,
    read_stream,
)

STARTED = Started("msg_1", "claude-real", IDENTITY.created, Usage(7, 1, 4))
USED = Usage(7, 2, 4)
OVER: list[ReplyEvent] = [Stopped("end"), Ended(USED)]


def stop(index: int) -> bytes:
    return event("content_block_stop", index=index)


def between(*stream: bytes) -> list[ReplyEvent]:
    """What is read between the start and the end."""
    told = read_stream(START + b"".join(stream) + TOLD + END)
    assert (told[0], told[-2:]) == (STARTED, OVER)
    return told[1:-2]


def test_a_whole_stream_is_read_wherever_it_is_cut() -> None:
    said = [STARTED, TextDelta(0, "Hello"), TextDelta(0, " world"), BlockEnded(0), *OVER]
    for ending in (b"\n", b"\r\n"):
        whole = WHOLE.replace(b"\n", ending)
        for cut in range(len(whole) + 1):
            splitter, reader = SseSplitter(), MessagesReader(IDENTITY)
            told = []
            for chunk in (whole[:cut], whole[cut:]):
                for one in events(splitter.feed(chunk)):
                    told += reader.feed(data_of(one), name_of(one))
            assert told + reader.finish() == said
            assert (reader.ended, reader.usage) == (True, USED)


def test_thoughts_calls_and_words_are_numbered_as_they_begin() -> None:
    assert between(
        opened("thinking", 0, thinking="", signature=""),
        delta("thinking_delta", 0, thinking="Hm"),
        delta("signature_delta", 0, signature="S=="),
        stop(0),
        opened("redacted_thinking", 1, data="R"),
        stop(1),
        opened("text", 2, text=""),
        stop(2),  # it said nothing
        opened("tool_use", 3, id="t1", name="f", input={}),
        delta("input_json_delta", 3, partial_json=""),
        delta("input_json_delta", 3, partial_json='{"a'),
        delta("input_json_delta", 3, partial_json='":1}'),
        stop(3),
        opened("tool_use", 4, id="t2", name="g", input={}),
        stop(4),
    ) == [
        ThinkingDelta(0, "Hm"),
        SealDelta(0, Seal("anthropic", "S==")),
        BlockEnded(0),
        ThinkingDelta(1, "", redacted=True),
        SealDelta(1, Seal("anthropic", "R")),
        BlockEnded(1),
        ToolUseStarted(2, "t1", "f"),
        ArgumentsDelta(2, '{"a'),
        ArgumentsDelta(2, '":1}'),
        BlockEnded(2),
        ToolUseStarted(3, "t2", "g"),
        BlockEnded(3),
    ]


def test_a_thought_that_is_not_shown_has_a_seal_alone() -> None:
    gemini = Seal("gemini", "G")
    assert between(
        opened("thinking", thinking=""),
        delta("signature_delta", signature=carried(gemini)),
        STOP,
    ) == [ThinkingDelta(0, ""), SealDelta(0, gemini), BlockEnded(0)]


def test_what_a_block_opens_with_is_told_too() -> None:
    assert between(
        opened("text", 0, text="Hi", citations=[{"type": "x", "url": "u"}]),
        stop(0),
        opened("thinking", 1, thinking="Hm", signature="S"),
        stop(1),
        opened("tool_use", 2, id="t", name="f", input={"a": 1}),
        stop(2),
        opened("tool_use", 3, id="t", name="f", input={"a": 1}),
        delta("input_json_delta", 3, partial_json="{}"),
        stop(3),
    ) == [
        TextDelta(0, "Hi"),
        CitationDelta(0, Citation("u", start=0, end=2)),
        BlockEnded(0),
        ThinkingDelta(1, "Hm"),
        SealDelta(1, Seal("anthropic", "S")),
        BlockEnded(1),
        ToolUseStarted(2, "t", "f"),
        ArgumentsDelta(2, '{"a":1}'),
        BlockEnded(2),
        ToolUseStarted(3, "t", "f"),
        ArgumentsDelta(3, "{}"),
        BlockEnded(3),
    ]


def test_citations_wait_for_the_text_that_rests_on_them() -> None:
    citation = {"type": "char_location", "cited_text": "q", "document_title": "d"}
    assert between(
        TEXT,
        delta("citations_delta", citation=citation),
        delta("citations_delta", citation={"x": 1}),
        HELLO,
        STOP,
    ) == [
        TextDelta(0, "Hello"),
        CitationDelta(0, Citation(None, "d", "q", 0, 5)),
        BlockEnded(0),
    ]


def test_what_rests_on_no_words_is_told_too() -> None:
    citation = {"type": "x", "url": "u"}
    assert between(TEXT, delta("citations_delta", citation=citation), STOP) == [
        TextDelta(0, ""),
        CitationDelta(0, Citation("u", start=0, end=0)),
        BlockEnded(0),
    ]


def test_what_only_this_api_knows_is_told_whole() -> None:
    result = {"type": "web_search_tool_result", "tool_use_id": "s", "content": []}
    assert between(
        opened("server_tool_use", 0, id="s", name="web_search", input={}),
        delta("input_json_delta", 0, partial_json=""),
        delta("input_json_delta", 0, partial_json='{"query":'),
        delta("input_json_delta", 0, partial_json='"q"}'),
        stop(0),
        event("content_block_start", index=1, content_block=result),
        stop(1),
        opened("compaction", 2, content=None),
        delta("compaction_delta", 2, content="so far", encrypted_content=None),
        stop(2),
        opened("mcp_tool_use", 3, input={}),
        delta("input_json_delta", 3, partial_json=""),
        stop(3),
    ) == [
        WholeBlock(
            0,
            Foreign(
                "anthropic_messages",
                {
                    "type": "server_tool_use",
                    "id": "s",
                    "name": "web_search",
                    "input": {"query": "q"},
                },
            ),
        ),
        BlockEnded(0),
        WholeBlock(1, Foreign("anthropic_messages", result)),
        BlockEnded(1),
        WholeBlock(2, Foreign("anthropic_messages", {"type": "compaction", "content": "so far"})),
        BlockEnded(2),
        WholeBlock(3, Foreign("anthropic_messages", {"type": "mcp_tool_use", "input": {}})),
        BlockEnded(3),
    ]


def test_blocks_that_interleave_or_are_not_closed_are_kept_apart() -> None:
    assert between(
        opened("tool_use", 0, id="t1", name="f", input={}),
        opened("tool_use", 1, id="t2", name="f", input={}),
        delta("input_json_delta", 0, partial_json="{"),
        delta("input_json_delta", 1, partial_json="["),
        delta("input_json_delta", 0, partial_json="}"),
        stop(0),
        stop(7),
        opened("text", 2, text="a"),
        opened("text", 2, text="b"),
    ) == [
        ToolUseStarted(0, "t1", "f"),
        ToolUseStarted(1, "t2", "f"),
        ArgumentsDelta(0, "{"),
        ArgumentsDelta(1, "["),
        ArgumentsDelta(0, "}"),
        BlockEnded(0),
        TextDelta(2, "a"),
        BlockEnded(2),
        TextDelta(3, "b"),
        BlockEnded(1),
        BlockEnded(3),
    ]


def test_words_of_a_block_that_was_never_opened_are_told() -> None:
    assert between(HELLO, delta("thinking_delta", 1, thinking="Hm")) == [
        TextDelta(0, "Hello"),
        ThinkingDelta(1, "Hm"),
        BlockEnded(0),
        BlockEnded(1),
    ]


def test_unknown_events_and_deltas_are_skipped() -> None:
    skipped = event("something_new", x=1) + PING + event("content_block_jump")
    assert between(TEXT, skipped, delta("emphasis_delta", level=3), HELLO, STOP) == [
        TextDelta(0, "Hello"),
        BlockEnded(0),
    ]


def test_events_of_imitators_need_no_names_and_may_end_like_openais() -> None:
    nameless = b"".join(b"data: " + data_of(one) + b"\n\n" for one in events(WHOLE))
    assert read_stream(nameless + b"data: [DONE]\n\n") == read_stream(WHOLE)


def test_a_start_that_comes_twice_counts_once() -> None:
    assert read_stream(START + WHOLE) == read_stream(WHOLE)
    other = event("message_start", message={**MESSAGE, "id": "msg_2"})
    assert read_stream(START + other + WHOLE.removeprefix(START)) == read_stream(WHOLE)


def test_another_message_within_the_answer_breaks_it() -> None:
    other = event("message_start", message={**MESSAGE, "id": "msg_2"})
    with pytest.raises(UpstreamBroke, match="began another message within its answer"):
        read_stream(START + TEXT + HELLO + other)


def test_nothing_is_read_after_the_end() -> None:
    assert read_stream(WHOLE + TEXT + HELLO + END) == read_stream(WHOLE)


def test_a_stream_without_its_last_event_has_not_ended() -> None:
    reader = MessagesReader(IDENTITY)
    for one in events(WHOLE.removesuffix(END)):
        reader.feed(data_of(one), name_of(one))
    assert (reader.finish(), reader.ended) == ([], False)


def test_an_error_is_raised_as_what_its_status_would_have_been() -> None:
    with pytest.raises(UpstreamBroke) as broke:
        read_stream(START + HELLO + BUSY)
    assert (broke.value.status, broke.value.kind, broke.value.falls_back) == (
        529,
        "overloaded",
        True,
    )


@pytest.mark.parametrize(
    ("told", "stopped"),
    [
        ({"stop_reason": "tool_use"}, Stopped("tool_use")),
        ({"stop_reason": "stop_sequence", "stop_sequence": "E"}, Stopped("stop_sequence", "E")),
        ({"stop_reason": "model_context_window_exceeded"}, Stopped("length")),
        ({"stop_reason": None}, Stopped("end")),
    ],
)
def test_why_it_stopped_is_told(told: Json, stopped: Stopped) -> None:
    assert read_stream(START + event("message_delta", delta=told) + END)[1] == stopped


def test_why_the_api_refused_is_told_in_its_words() -> None:
    details = {"type": "refusal", "category": None, "explanation": "Too risky."}
    told = event("message_delta", delta={"stop_reason": "refusal", "stop_details": details})
    assert read_stream(START + TEXT + HELLO + told + END)[1:] == [
        TextDelta(0, "Hello"),
        BlockEnded(0),
        RefusalDelta(1, "Too risky."),
        BlockEnded(1),
        Stopped("refusal"),
        Ended(Usage(7, 1, 4)),
    ]


def test_of_each_count_the_last_that_is_not_null_is_right() -> None:
    first = {"input_tokens": 9, "output_tokens": 1, "service_tier": "priority"}
    stream = (
        event("message_start", message={"id": "i", "model": "m", "usage": first})
        + event("message_delta", usage={"input_tokens": None, "output_tokens": 5})
        + event("message_delta", usage={"cache_read_input_tokens": 3})
        + END
    )
    assert read_stream(stream) == [
        Started("i", "m", IDENTITY.created, Usage(9, 1)),
        Stopped("end"),
        Ended(Usage(9, 5, 3), "priority"),
    ]


def test_a_message_without_a_name_or_counts_gets_ours() -> None:
    assert read_stream(event("message_start", message={}) + END) == [
        Started("msg_ours", "", IDENTITY.created),
        Stopped("end"),
        Ended(Usage()),
    ]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "the provider sent an event that is not JSON"),
        (
            b"[]",
            "the provider sent a malformed event: must be an object, not an array",
        ),
        (
            {"type": "message_start"},
            "the provider sent a malformed event: message: is required",
        ),
        (
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta"}},
            "the provider sent a malformed event: delta.text: is required",
        ),
        (
            {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta"}},
            "the provider sent a thinking_delta of a text block",
        ),
        (
            {"type": "content_block_delta", "index": 9, "delta": {"type": "input_json_delta"}},
            "the provider sent a input_json_delta of a block that it had not begun",
        ),
    ],
)
def test_what_is_no_event_of_this_api_is_the_providers_fault(body: Any, message: str) -> None:
    reader = MessagesReader(IDENTITY)
    for one in events(START + TEXT + HELLO):
        reader.feed(data_of(one))
    with pytest.raises(UpstreamBroke) as broke:
        reader.feed(body if isinstance(body, bytes) else dumps(body))
    assert str(broke.value) == message


def test_an_input_that_is_not_json_is_the_providers_fault() -> None:
    with pytest.raises(UpstreamBroke, match="an input that is not JSON"):
        between(
            opened("server_tool_use", input={}), delta("input_json_delta", partial_json="{"), STOP
        )


def test_a_stream_that_does_not_say_that_it_begins_has_begun() -> None:
    stream = delta("text_delta", text="a") + event("message_stop")
    begun = Started(IDENTITY.id, "", IDENTITY.created)
    assert read_stream(stream)[:2] == [begun, TextDelta(0, "a")]

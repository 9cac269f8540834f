"""Streams of the Responses dialect, as a provider sends them."""

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
from gateway.dialects.openai_responses import RESPONSES_FORM
from gateway.errors import UpstreamBroke
from gateway.usage import Usage
from gateway.wire.json import Json, dumps
from gateway.wire.sse import SseReader, write_event
from tests.dialects.test_responses_replies import CALL, CITED, COUNTS, MESSAGE, REASONING, USED

ME = Identity("me", 5)
BEGUN: Json = {
    "id": "resp_1",
    "created_at": 7,
    "model": "gpt",
    "status": "in_progress",
    "output": [],
}
START = Started("resp_1", "gpt", 7)


def event(kind: str, **members: Any) -> Json:
    return {"type": f"response.{kind}", "sequence_number": 0, **members}


def of(output: int, part: int | None = None, name: str = "content_index") -> Json:
    place: Json = {"item_id": f"i{output}", "output_index": output}
    return place if part is None else {**place, name: part}


def added(output: int, **item: Any) -> Json:
    return event("output_item.added", output_index=output, item=item)


def done(output: int, item: Json) -> Json:
    return event("output_item.done", output_index=output, item=item)


def text(piece: str, output: int = 0, part: int = 0, **more: Any) -> Json:
    return event("output_text.delta", **of(output, part), delta=piece, logprobs=[], **more)


def said(words: str, **more: Any) -> Json:
    part = {"type": "output_text", "text": words, "annotations": [], **more}
    return {"type": "message", "id": "msg", "role": "assistant", "content": [part]}


CREATED = event("created", response=BEGUN)
TEXT_ADDED = [
    added(0, type="message", id="msg", content=[]),
    event("content_part.added", **of(0, 0), part={"type": "output_text", "text": ""}),
]
COMPLETED = event("completed", response={**BEGUN, "status": "completed", "usage": COUNTS})

WHOLE: list[Json] = [
    CREATED,
    event("in_progress", response=BEGUN),
    added(0, type="reasoning", id="rs_1", summary=[], encrypted_content="half"),
    event("reasoning_summary_part.added", **of(0, 0, "summary_index"), part={}),
    event("reasoning_summary_text.delta", **of(0, 0, "summary_index"), delta="h"),
    event("reasoning_summary_text.delta", **of(0, 0, "summary_index"), delta="m"),
    event("reasoning_summary_text.done", **of(0, 0, "summary_index"), text="hm"),
    event("reasoning_summary_part.done", **of(0, 0, "summary_index"), part={}),
    event("reasoning_summary_text.delta", **of(0, 1, "summary_index"), delta="so"),
    done(0, REASONING),
    added(1, type="web_search_call", id="ws"),
    event("web_search_call.searching", **of(1)),
    done(1, {"type": "web_search_call", "id": "ws", "status": "completed"}),
    added(2, type="message", id="msg_1", content=[]),
    event("content_part.added", **of(2, 0), part={"type": "output_text", "text": ""}),
    text("a", 2),
    text("b", 2, obfuscation="xyz"),
    event("output_text.annotation.added", **of(2, 0), annotation_index=0, annotation=CITED),
    event("output_text.done", **of(2, 0), text="ab"),
    event("content_part.done", **of(2, 0), part=MESSAGE["content"][0]),
    done(2, MESSAGE),
    added(3, type="function_call", id="fc_1", call_id="call_1", name="f", arguments=""),
    event("function_call_arguments.delta", **of(3), delta='{"a"'),
    event("function_call_arguments.delta", **of(3), delta=":1}"),
    event("function_call_arguments.done", **of(3), arguments='{"a":1}'),
    done(3, CALL),
    event(
        "completed",
        response={**BEGUN, "status": "completed", "usage": COUNTS, "service_tier": "flex"},
    ),
]
CITATION = Citation("https://x.example", "X", start=0, end=2)
MEANT: list[ReplyEvent] = [
    START,
    ThinkingDelta(0, "h", id="rs_1"),
    ThinkingDelta(0, "m"),
    ThinkingDelta(0, "\n\nso", id="rs_1"),
    SealDelta(0, Seal("openai", "gA==")),
    BlockEnded(0),
    WholeBlock(
        1,
        Foreign("openai_responses", {"type": "web_search_call", "id": "ws", "status": "completed"}),
    ),
    BlockEnded(1),
    TextDelta(2, "a"),
    TextDelta(2, "b"),
    CitationDelta(2, CITATION),
    BlockEnded(2),
    ToolUseStarted(3, "call_1", "f"),
    ArgumentsDelta(3, '{"a"'),
    ArgumentsDelta(3, ":1}"),
    BlockEnded(3),
    Stopped("tool_use"),
    Ended(USED, "flex"),
]


def heard(*events: Json) -> list[ReplyEvent]:
    reader = RESPONSES_FORM.reader(ME)
    return [told for one in events for told in reader.feed(dumps(one))]


def test_a_stream_is_read_event_by_event() -> None:
    assert heard(*WHOLE) == MEANT


def test_wherever_the_bytes_are_cut_it_means_the_same() -> None:
    whole = b"".join(write_event(dumps(one), one["type"]) for one in WHOLE)
    for cut in range(len(whole)):
        reader, frames = RESPONSES_FORM.reader(ME), SseReader()
        chunks = (whole[:cut], whole[cut:])
        datas = [data for chunk in chunks for data in frames.feed(chunk)]
        assert [told for data in datas for told in reader.feed(data)] == MEANT


def test_a_whole_stream_has_ended_and_told_its_usage() -> None:
    reader = RESPONSES_FORM.reader(ME)
    for one in WHOLE[:-1]:
        reader.feed(dumps(one))
    assert (reader.usage, reader.ended) == (None, False)
    reader.feed(dumps(WHOLE[-1]))
    assert (reader.usage, reader.ended) == (USED, True)
    assert reader.feed(dumps(WHOLE[-1])) == []
    assert reader.feed(b"[DONE]") == []  # some hosts end so
    assert reader.finish() == []


def test_two_calls_may_come_in_turn() -> None:
    one, two = (
        {"type": "function_call", "call_id": f"c{n}", "name": "f", "arguments": "{}"} for n in "12"
    )
    pieces = [
        event("function_call_arguments.delta", **of(output), delta=piece)
        for output, piece in [(0, "{"), (1, "{"), (0, "}"), (1, "}")]
    ]
    begun = [added(0, **one | {"arguments": ""}), added(1, **two | {"arguments": ""})]
    assert heard(CREATED, *begun, *pieces, done(1, two), done(0, one), COMPLETED)[1:-1] == [
        ToolUseStarted(0, "c1", "f"),
        ToolUseStarted(1, "c2", "f"),
        ArgumentsDelta(0, "{"),
        ArgumentsDelta(1, "{"),
        ArgumentsDelta(0, "}"),
        ArgumentsDelta(1, "}"),
        BlockEnded(1),
        BlockEnded(0),
        Stopped("tool_use"),
    ]


@pytest.mark.parametrize(
    ("events", "meant"),
    [
        (  # nothing in pieces
            [*TEXT_ADDED, done(0, said("hi", annotations=[CITED]))],
            [TextDelta(0, "hi"), CitationDelta(0, CITATION), BlockEnded(0)],
        ),
        (
            [done(0, CALL)],
            [ToolUseStarted(0, "call_1", "f"), ArgumentsDelta(0, '{"a":1}'), BlockEnded(0)],
        ),
        (
            [added(0, **CALL), done(0, CALL)],  # all of it at once, at its beginning
            [ToolUseStarted(0, "call_1", "f"), ArgumentsDelta(0, '{"a":1}'), BlockEnded(0)],
        ),
        (
            [added(0, **CALL | {"arguments": ""}), done(0, CALL)],
            [ToolUseStarted(0, "call_1", "f"), ArgumentsDelta(0, '{"a":1}'), BlockEnded(0)],
        ),
        (
            [done(0, REASONING)],
            [
                ThinkingDelta(0, "hm", id="rs_1"),
                SealDelta(0, Seal("openai", "gA==")),
                BlockEnded(0),
            ],
        ),
        (
            [done(0, REASONING | {"summary": []})],
            [
                ThinkingDelta(0, "", redacted=True, id="rs_1"),
                SealDelta(0, Seal("openai", "gA==")),
                BlockEnded(0),
            ],
        ),
        ([done(0, {"type": "reasoning", "id": "rs", "summary": []})], []),
        (
            [done(0, {"type": "image_generation_call", "result": "AAAA"})],
            [WholeBlock(0, Media("image", "image/png", base64="AAAA")), BlockEnded(0)],
        ),
        ([*TEXT_ADDED, text(""), done(0, said(""))], []),
        (  # ends that are not told
            [*TEXT_ADDED, text("hi"), added(1, type="message", id="m2"), text("ho", 1)],
            [TextDelta(0, "hi"), TextDelta(1, "ho"), BlockEnded(0), BlockEnded(1)],
        ),
        (
            [
                event("refusal.delta", **of(0, 0), delta="n"),
                event("refusal.delta", **of(0, 0), delta="o"),
            ],
            [RefusalDelta(0, "n"), RefusalDelta(0, "o"), BlockEnded(0)],
        ),
        (
            [event("reasoning_text.delta", **of(0, 0), delta="so"), done(0, {"type": "reasoning"})],
            [ThinkingDelta(0, "so"), BlockEnded(0)],
        ),
        ([event("something.new", what=1), {"type": "keepalive"}], []),
    ],
)
def test_hosts_tell_a_block_in_more_ways_than_one(
    events: list[Json], meant: list[ReplyEvent]
) -> None:
    told = heard(CREATED, *events, COMPLETED)
    assert told[1:-2] == meant
    assert type(told[-1]) is Ended


def test_a_refusal_is_why_it_stopped() -> None:
    part = {"type": "refusal", "refusal": "no"}
    told = heard(CREATED, event("content_part.done", **of(0, 0), part=part), COMPLETED)
    assert told[1:-1] == [RefusalDelta(0, "no"), BlockEnded(0), Stopped("refusal")]


def test_probabilities_come_with_their_piece() -> None:
    token = {"token": "h", "logprob": -0.5, "top_logprobs": [{"token": "c", "logprob": -2}, {}]}
    told = heard(CREATED, text("x"), text("h") | {"logprobs": [token]}, COMPLETED)
    one = TokenLogprob("h", -0.5, None, (TokenLogprob("c", -2),))
    assert told[1:3] == [TextDelta(0, "x"), TextDelta(0, "h", logprobs=(one,))]


def test_what_comes_only_in_the_end_is_told_in_the_end() -> None:
    whole = {**BEGUN, "status": "completed", "usage": COUNTS, "output": [said("hi")]}
    assert heard(event("completed", response=whole)) == [
        START,
        TextDelta(0, "hi"),
        BlockEnded(0),
        Stopped("end"),
        Ended(USED),
    ]


def test_a_host_that_does_not_say_that_it_begins_has_begun() -> None:
    assert heard(text("hi"))[:2] == [Started("me", "", 5), TextDelta(0, "hi")]


def test_that_a_text_is_a_commentary_has_no_neutral_place() -> None:
    reader = RESPONSES_FORM.reader(ME)
    for one in (CREATED, done(0, said("hm") | {"phase": "final_answer"})):
        reader.feed(dumps(one))
    assert reader.dropped == set()
    reader.feed(dumps(done(1, said("hi") | {"phase": "commentary"})))
    assert reader.dropped == {"phase"}


@pytest.mark.parametrize("error", [{"message": "no", "code": 503}, "no"])
def test_an_error_without_a_type_is_the_providers(error: object) -> None:
    reader = RESPONSES_FORM.reader(ME)
    reader.feed(dumps(CREATED))
    with pytest.raises(UpstreamBroke) as broke:
        reader.feed(dumps({"error": error}))
    assert broke.value.message == "the provider failed while it answered: no"


def test_a_limit_leaves_it_incomplete() -> None:
    response = {**BEGUN, "incomplete_details": {"reason": "max_output_tokens"}}
    told = heard(CREATED, text("hi"), event("incomplete", response=response))
    assert told[-2:] == [Stopped("length"), Ended(Usage())]


@pytest.mark.parametrize(
    "failure",
    [
        event("failed", response={**BEGUN, "error": {"code": "server_error", "message": "no"}}),
        {"type": "error", "error": {"code": "server_error", "message": "no"}},
        {"type": "error", "code": "server_error", "message": "no", "param": None},
        event(
            "completed", response={**BEGUN, "status": "failed", "error": {"code": "server_error"}}
        ),
    ],
)
def test_a_failure_in_the_stream_is_the_providers(failure: Json) -> None:
    reader = RESPONSES_FORM.reader(ME)
    reader.feed(dumps(CREATED))
    with pytest.raises(UpstreamBroke) as broke:
        reader.feed(dumps(failure))
    assert (broke.value.status, broke.value.code, reader.ended) == (500, "server_error", False)


@pytest.mark.parametrize(
    "junk",
    [
        b"not json",
        b"[1]",
        dumps(event("created")),
        dumps(event("output_text.delta", delta="x")),
        dumps(event("output_text.delta", **of(0, 0))),
        dumps(event("output_text.delta", **of(0, 0), delta=5)),
        dumps(event("function_call_arguments.delta", **of(0), delta="x")),
        dumps(added(0, type="function_call", name="f")),
        dumps(done(0, {})),
        dumps(event("completed", response=5)),
    ],
)
def test_what_is_not_of_this_api_is_the_providers_fault(junk: bytes) -> None:
    with pytest.raises(UpstreamBroke):
        RESPONSES_FORM.reader(ME).feed(junk)


@pytest.mark.parametrize("beat", [b"{}", b'{"type":5}', b'{"sequence_number":3}'])
def test_an_event_without_a_type_says_nothing(beat: bytes) -> None:
    assert RESPONSES_FORM.reader(ME).feed(beat) == []


def test_an_item_does_not_change_its_kind() -> None:
    with pytest.raises(UpstreamBroke):
        heard(CREATED, text("a"), done(0, CALL))


@pytest.mark.parametrize(
    ("told", "whole", "expected"),
    [
        (["Got it"], "Got it, and more", ["Got it", ", and more"]),
        ([], "all at once", ["all at once"]),
        (["as ", "told"], "as told", ["as ", "told"]),
        (["not that."], "another text", ["not that."]),
    ],
)
def test_what_the_pieces_left_out_is_told_at_the_end(
    told: list[str], whole: str, expected: list[str]
) -> None:
    place = {"output_index": 0, "content_index": 0, "item_id": "m"}
    reader = RESPONSES_FORM.reader(Identity("i", 1))
    events = [
        event
        for piece in told
        for event in reader.feed(
            dumps({"type": "response.output_text.delta", **place, "delta": piece})
        )
    ]
    part = {"type": "output_text", "text": whole, "annotations": []}
    events += reader.feed(dumps({"type": "response.content_part.done", **place, "part": part}))
    assert [event.text for event in events if isinstance(event, TextDelta)] == expected

"""Streams of the Responses dialect, as a caller is told them, and what OpenAI's SDK makes of them."""

import itertools
from collections.abc import Iterator
from typing import Any

import httpx2
import openai
import pytest
from openai import BaseModel
from openai.types.responses import Response, ResponseStreamEvent

from gateway.chat.blocks import (
    Block,
    Citation,
    Foreign,
    Media,
    Refusal,
    Seal,
    Text,
    Thinking,
    ToolUse,
)
from gateway.chat.reply import (
    ArgumentsDelta,
    BlockEnded,
    ChatReply,
    Choice,
    CitationDelta,
    Ended,
    RefusalDelta,
    ReplyEvent,
    SealDelta,
    Started,
    Stopped,
    StopReason,
    TextDelta,
    ThinkingDelta,
    TokenLogprob,
    ToolUseStarted,
    WholeBlock,
)
from gateway.chat.seals import carried, with_seal
from gateway.dialects.forms import Asked, Identity
from gateway.dialects.openai_responses import RESPONSES_FORM
from gateway.dialects.openai_responses.output import events_of
from gateway.wire.json import Json, dumps, loads
from gateway.wire.sse import SseReader, events, name_of
from tests.dialects.test_responses_reading import MEANT, WHOLE
from tests.dialects.test_responses_replies import SEARCH, USED

BODY: Json = {"model": "m", "input": "hi"}
START = Started("a-1", "claude", 7)


def asked(**more: Any) -> Asked:
    body = BODY | more
    return Asked(body, RESPONSES_FORM.read_request(body))


def written(*told: ReplyEvent) -> bytes:
    writer = RESPONSES_FORM.writer(asked(stream=True))
    whole = b"".join(writer.feed(one) for one in told)
    assert writer.dropped == set()
    return whole


def sent(*told: ReplyEvent) -> list[Json]:
    return [loads(data) for data in SseReader().feed(written(*told))]


def ended(reason: StopReason = "end") -> list[ReplyEvent]:
    return [Stopped(reason), Ended(USED, "default")]


def kinds(sent: list[Json]) -> list[str]:
    return [one["type"].removeprefix("response.") for one in sent]


def in_pieces(reply: ChatReply) -> Iterator[ReplyEvent]:
    """A whole reply as a stream in which every text comes letter by letter."""
    yield Started(reply.id, reply.model, reply.created)
    for event in events_of(reply.choices[0]):
        match event:
            case TextDelta(block, text):
                yield from (TextDelta(block, letter) for letter in text)
            case ArgumentsDelta(block, json):
                yield from (ArgumentsDelta(block, letter) for letter in json)
            case ThinkingDelta(block, text, id=id) if text:
                yield from (ThinkingDelta(block, letter, id=id) for letter in text)
            case _:
                yield event
    yield Ended(reply.usage, reply.service_tier)


def test_a_text_is_told_in_the_apis_own_order() -> None:
    told = sent(
        START, TextDelta(0, "h"), TextDelta(0, "é\n"), TextDelta(0, ""), BlockEnded(0), *ended()
    )
    place = {"item_id": "msg_a1_0", "output_index": 0, "content_index": 0}
    empty = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
    part = {**empty, "text": "hé\n"}
    item = {"id": "msg_a1_0", "type": "message", "role": "assistant"}
    open_item = {**item, "status": "in_progress", "content": []}
    done_item = {**item, "status": "completed", "content": [part]}
    begun, finished = told[0]["response"], told[-1]["response"]
    assert begun["status"] == "in_progress"
    assert (begun["output"], begun["usage"]) == ([], None)
    assert finished == {
        **begun,
        "status": "completed",
        "output": [done_item],
        "usage": finished["usage"],
        "service_tier": "default",
    }
    bare = [{name: one[name] for name in one if name != "sequence_number"} for one in told]
    assert bare == [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
        {"type": "response.output_item.added", "output_index": 0, "item": open_item},
        {"type": "response.content_part.added", **place, "part": empty},
        {"type": "response.output_text.delta", **place, "delta": "h", "logprobs": []},
        {"type": "response.output_text.delta", **place, "delta": "é\n", "logprobs": []},
        {"type": "response.output_text.done", **place, "text": "hé\n", "logprobs": []},
        {"type": "response.content_part.done", **place, "part": part},
        {"type": "response.output_item.done", "output_index": 0, "item": done_item},
        {"type": "response.completed", "response": finished},
    ]
    assert [one["sequence_number"] for one in told] == list(range(10))


def test_every_event_is_named_as_it_says_itself() -> None:
    whole = written(START, TextDelta(0, "h"), TextDelta(0, "i"), BlockEnded(0), *ended())
    assert [name_of(one) for one in events(whole)] == [
        loads(data)["type"] for data in SseReader().feed(whole)
    ]


def test_a_thought_and_a_call_are_told_with_their_seals() -> None:
    told = sent(
        START,
        ThinkingDelta(0, "h"),
        SealDelta(0, Seal("anthropic", "s")),
        ThinkingDelta(0, "m"),
        BlockEnded(0),
        ToolUseStarted(1, "c1", "f", seal=Seal("gemini", "t")),
        ArgumentsDelta(1, '{"a"'),
        ArgumentsDelta(1, ":1}"),
        BlockEnded(1),
        *ended("tool_use"),
    )
    assert kinds(told)[2:-1] == [
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
    ]
    assert [one["delta"] for one in told if "delta" in one] == ["h", "m", '{"a"', ":1}"]
    assert told[-1]["response"]["output"] == [
        {
            "id": "rs_a1_0",
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": "hm"}],
            "encrypted_content": carried(Seal("anthropic", "s")),
        },
        {
            "id": "fc_a1_1",
            "type": "function_call",
            "status": "completed",
            "call_id": with_seal("c1", Seal("gemini", "t")),
            "name": "f",
            "arguments": '{"a":1}',
        },
    ]


def test_thoughts_have_names_of_their_own_where_the_provider_gives_one_to_several() -> None:
    told = sent(
        START,
        ThinkingDelta(0, "a", id="rs_7"),
        BlockEnded(0),
        ThinkingDelta(1, "b", id="rs_7"),
        BlockEnded(1),
        ThinkingDelta(2, "c", id="rs_8"),
        BlockEnded(2),
        *ended(),
    )
    assert [item["id"] for item in told[-1]["response"]["output"]] == ["rs_7", "rs_a1_1", "rs_8"]


def test_calls_that_come_in_turn_stay_apart() -> None:
    told = sent(
        START,
        ToolUseStarted(0, "c1", "f"),
        ToolUseStarted(1, "c2", "g"),
        ArgumentsDelta(0, "{"),
        ArgumentsDelta(1, "["),
        ArgumentsDelta(0, "}"),
        ArgumentsDelta(1, "]"),
        BlockEnded(1),
        BlockEnded(0),
        *ended("tool_use"),
    )
    deltas = [(one["output_index"], one["delta"]) for one in told if "delta" in one]
    assert deltas == [(0, "{"), (1, "["), (0, "}"), (1, "]")]
    output = told[-1]["response"]["output"]
    assert [(one["call_id"], one["arguments"]) for one in output] == [("c1", "{}"), ("c2", "[]")]


def test_arguments_that_never_come_are_an_empty_object() -> None:
    told = sent(START, ToolUseStarted(0, "c", "f"), BlockEnded(0), *ended("tool_use"))
    assert [one["delta"] for one in told if "delta" in one] == ["{}"]
    assert told[-1]["response"]["output"][0]["arguments"] == "{}"


def test_a_text_goes_on_until_something_else_begins() -> None:
    told = sent(
        START,
        TextDelta(0, "a"),
        BlockEnded(0),
        TextDelta(1, "b"),
        CitationDelta(1, Citation("https://x.example", "X")),
        BlockEnded(1),
        RefusalDelta(2, "no"),
        BlockEnded(2),
        ToolUseStarted(3, "c", "f"),
        BlockEnded(3),
        TextDelta(4, "c"),
        BlockEnded(4),
        *ended("tool_use"),
    )
    first, _, last = told[-1]["response"]["output"]
    assert [part.get("text", part.get("refusal")) for part in first["content"]] == ["ab", "no"]
    assert first["content"][0]["annotations"] == [
        {
            "type": "url_citation",
            "url": "https://x.example",
            "title": "X",
            "start_index": 1,
            "end_index": 2,
        }
    ]
    assert last["content"][0]["text"] == "c"
    added = [one["annotation"] for one in told if one["type"].endswith("annotation.added")]
    assert added == first["content"][0]["annotations"]


def test_a_citation_may_come_before_the_words_that_rest_on_it() -> None:
    citation = Citation("https://x.example", "X")
    told = sent(START, CitationDelta(0, citation), TextDelta(0, "abc"), BlockEnded(0), *ended())
    (part,) = told[-1]["response"]["output"][0]["content"]
    (annotation,) = part["annotations"]
    assert (part["text"], annotation["start_index"], annotation["end_index"]) == ("abc", 0, 3)


def test_probabilities_are_told_with_their_piece_and_again_in_the_end() -> None:
    told = sent(
        START,
        TextDelta(0, "a", logprobs=(TokenLogprob("a", -1, [97]),)),
        TextDelta(0, "b", logprobs=(TokenLogprob("b", -2, [98]),)),
        BlockEnded(0),
        *ended(),
    )
    tokens = [
        {"token": "a", "bytes": [97], "logprob": -1, "top_logprobs": []},
        {"token": "b", "bytes": [98], "logprob": -2, "top_logprobs": []},
    ]
    assert [one["logprobs"] for one in told if "delta" in one] == [tokens[:1], tokens[1:]]
    assert [one["logprobs"] for one in told if one["type"].endswith("text.done")] == [tokens]
    assert told[-1]["response"]["output"][0]["content"][0]["logprobs"] == tokens


def test_an_item_that_comes_whole_is_told_whole() -> None:
    told = sent(
        START,
        WholeBlock(0, Foreign("openai_responses", SEARCH)),
        BlockEnded(0),
        WholeBlock(1, Media("image", "image/png", base64="AAAA")),
        BlockEnded(1),
        *ended(),
    )
    assert kinds(told)[2:-1] == ["output_item.added", "output_item.done"] * 2
    assert told[4]["item"] == {
        "id": "ig_a1_1",
        "type": "image_generation_call",
        "status": "in_progress",
        "output_format": "png",
        "result": None,
    }
    assert told[5]["item"] == told[4]["item"] | {"status": "completed", "result": "AAAA"}
    assert [one["type"] for one in told[-1]["response"]["output"]] == [
        "web_search_call",
        "image_generation_call",
    ]


def test_a_limit_leaves_the_last_item_incomplete() -> None:
    told = sent(START, TextDelta(0, "a"), BlockEnded(0), *ended("length"))
    assert kinds(told)[-2:] == ["output_item.done", "incomplete"]
    response = told[-1]["response"]
    assert (response["status"], response["output"][0]["status"]) == ("incomplete", "incomplete")
    assert told[-2]["item"] == response["output"][0]


@pytest.mark.parametrize(
    ("events", "dropped"),
    [
        ([TextDelta(0, "a"), SealDelta(0, Seal("gemini", "s")), BlockEnded(0)], {"signature"}),
        (
            [ToolUseStarted(0, "c", "f"), SealDelta(0, Seal("gemini", "s")), BlockEnded(0)],
            {"signature"},
        ),
        (
            [WholeBlock(0, Foreign("gemini", {"executableCode": {}})), BlockEnded(0)],
            {"executableCode"},
        ),
        ([WholeBlock(0, Media("audio", "audio/wav", base64="A")), BlockEnded(0)], {"audio"}),
        ([TextDelta(0, "a", choice=1), BlockEnded(0, choice=1)], {"n"}),
        ([Stopped("stop_sequence", "END")], {"stop_sequence"}),
    ],
)
def test_what_a_caller_cannot_be_told_is_reported(
    events: list[ReplyEvent], dropped: set[str]
) -> None:
    writer = RESPONSES_FORM.writer(asked())
    for one in [START, *events, *ended()]:
        writer.feed(one)
    assert writer.dropped == dropped


def test_a_second_answer_takes_no_place() -> None:
    writer = RESPONSES_FORM.writer(asked())
    told: list[ReplyEvent] = [
        START,
        TextDelta(0, "a"),
        TextDelta(1, "b", choice=1),
        TextDelta(1, "b", choice=1),
        TextDelta(0, "a"),
        BlockEnded(0),
        BlockEnded(1, choice=1),
        Stopped("end"),
        Stopped("length", choice=1),
        Ended(USED),
    ]
    whole = b"".join(writer.feed(one) for one in told)
    last = [loads(data) for data in SseReader().feed(whole)][-1]["response"]
    assert (last["status"], len(last["output"])) == ("completed", 1)
    assert last["output"][0]["content"][0]["text"] == "aa"


def test_an_event_that_fits_no_block_changes_nothing() -> None:
    call: list[ReplyEvent] = [ToolUseStarted(0, "c", "f"), ArgumentsDelta(0, "{}")]
    odd: list[ReplyEvent] = [
        TextDelta(0, "a"),
        ThinkingDelta(0, "a"),
        CitationDelta(0, Citation("https://x.example")),
        BlockEnded(9),
        ArgumentsDelta(9, "{}"),
    ]
    plain = sent(START, *call, BlockEnded(0), *ended("tool_use"))[-1]["response"]
    strange = sent(START, ToolUseStarted(0, "c", "f"), *odd, call[1], *ended("tool_use"))
    assert strange[-1]["response"] == plain


# A reply for each kind of what can be told, whole and as a stream.
REPLIES: list[tuple[StopReason, list[Block]]] = [
    ("end", []),
    ("end", [Text("héllo\n")]),
    ("length", [Thinking("hm"), Text("hello")]),
    (
        "end",
        [Text("one "), Text("two", citations=[Citation("https://x.example", "X")]), Refusal("n")],
    ),
    (
        "tool_use",
        [
            Thinking("hm", Seal("anthropic", "s")),
            Thinking("", Seal("anthropic", "h"), redacted=True),
            Thinking("", Seal("anthropic", "e")),
            Text("let me see"),
            ToolUse("c1", "f", '{"a":1}', Seal("gemini", "t")),
            ToolUse("c2", "f", ""),
        ],
    ),
    (
        "end",
        [
            Media("image", "image/png", base64="AAAA"),
            Foreign("openai_responses", SEARCH),
            Text("x"),
        ],
    ),
    ("refusal", [Refusal("no")]),
    ("refusal", [Text("half")]),
]


@pytest.mark.parametrize(("stop", "content"), REPLIES)
def test_a_stream_ends_in_the_whole_reply(stop: StopReason, content: list[Block]) -> None:
    reply = ChatReply("a-1", "claude", 7, [Choice(content, stop)], USED, "default")
    whole = RESPONSES_FORM.write_reply(reply, asked(stream=True))
    told = sent(*in_pieces(reply))
    assert told[-1]["response"] == whole.body
    assert [one["sequence_number"] for one in told] == list(range(len(told)))


def test_what_is_read_of_a_stream_writes_the_same_reply_again() -> None:
    writer, reader = RESPONSES_FORM.writer(asked()), RESPONSES_FORM.reader(Identity("me", 5))
    told = b"".join(writer.feed(one) for event in WHOLE for one in reader.feed(dumps(event)))
    last = [loads(data) for data in SseReader().feed(told)][-1]["response"]
    again = RESPONSES_FORM.reader(Identity("me", 5))
    meant = [one for data in SseReader().feed(told) for one in again.feed(data)]
    assert [type(one) for one in meant] == [type(one) for one in MEANT]
    assert [item["type"] for item in last["output"]] == [
        "reasoning",
        "web_search_call",
        "message",
        "function_call",
    ]
    assert last["output"][0]["encrypted_content"] == "gA=="


# What OpenAI's SDK makes of it.


class Answering(httpx2.BaseTransport):
    """In the place of the network: one answer, whatever is asked."""

    def __init__(self, body: bytes, kind: str) -> None:
        self._body, self._kind = body, kind

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        del request
        return httpx2.Response(200, headers={"content-type": self._kind}, content=self._body)


def client(body: bytes, kind: str) -> openai.OpenAI:
    transport = httpx2.Client(transport=Answering(body, kind))
    return openai.OpenAI(api_key="k", base_url="http://127.0.0.1/v1", http_client=transport)


def streamed(reply: ChatReply) -> tuple[list[ResponseStreamEvent], Response]:
    sdk = client(written(*in_pieces(reply)), "text/event-stream")
    seen: list[Any] = []
    with sdk.responses.create(model="m", input="hi", stream=True) as stream:
        seen = [*stream]
    return seen, seen[-1].response


def strictly(told: BaseModel) -> None:
    """The SDK builds its models unchecked; checked, they hold all that its types require."""
    type(told).model_validate(told.to_dict(), strict=True)


@pytest.mark.parametrize(("stop", "content"), REPLIES)
def test_the_sdk_takes_every_reply_for_what_it_is(stop: StopReason, content: list[Block]) -> None:
    reply = ChatReply("a-1", "claude", 7, [Choice(content, stop)], USED, "default")
    whole = RESPONSES_FORM.write_reply(reply, asked()).body
    response = client(dumps(whole), "application/json").responses.create(model="m", input="hi")
    assert response.to_dict() == whole
    seen, last = streamed(reply)
    assert last.to_dict() == whole
    assert all(one.sequence_number == nth for nth, one in enumerate(seen))
    texts = [block.text for block in content if isinstance(block, Text)]
    assert (response.output_text, last.output_text) == ("".join(texts), "".join(texts))
    for one in (response, *seen):
        strictly(one)


@pytest.mark.parametrize(
    ("stop", "content"), [one for one in REPLIES if one[0] in ("end", "tool_use")]
)
def test_the_sdks_accumulation_is_the_whole_reply(stop: StopReason, content: list[Block]) -> None:
    reply = ChatReply("a-1", "claude", 7, [Choice(content, stop)], USED, "default")
    whole = RESPONSES_FORM.write_reply(reply, asked()).body
    sdk = client(written(*in_pieces(reply)), "text/event-stream")
    with sdk.responses.stream(model="m", input="hi") as stream:
        grown = [one.snapshot for one in stream if one.type == "response.output_text.delta"]
        final = stream.get_final_response()
    assert all(after.startswith(before) for before, after in itertools.pairwise(grown))
    told = [
        {name: item[name] for name in item if name != "parsed_arguments"}
        for item in (one.to_dict() for one in final.output)
    ]
    assert [one["type"] for one in told] == [one["type"] for one in whole["output"]]
    assert [one["id"] for one in told] == [one["id"] for one in whole["output"]]
    assert final.output_text == "".join(b.text for b in content if isinstance(b, Text))


def test_an_agent_sees_each_item_begin_before_it_ends() -> None:
    """Agents act on what is done: an item, its parts and its pieces lie within each other."""
    reply = ChatReply("a-1", "claude", 7, [Choice(REPLIES[4][1], "tool_use")], USED)
    open_items: set[int] = set()
    for one in streamed(reply)[0]:
        if one.type == "response.output_item.added":
            assert one.output_index not in open_items
            open_items.add(one.output_index)
        elif one.type == "response.output_item.done":
            open_items.remove(one.output_index)
        elif hasattr(one, "output_index"):
            assert one.output_index in open_items
    assert open_items == set()

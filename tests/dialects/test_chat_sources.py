"""What providers say beside the choices: sources, usage in odd places, and what nobody else has."""

from typing import Any

import pytest

from gateway.chat.blocks import Citation, Foreign, Refusal, Text, ToolUse
from gateway.chat.reply import (
    ArgumentsDelta,
    BlockEnded,
    CitationDelta,
    Ended,
    RefusalDelta,
    ReplyEvent,
    Started,
    Stopped,
    TextDelta,
    ToolUseStarted,
)
from gateway.dialects.forms import Identity
from gateway.dialects.openai_chat import CHAT_FORM, OPENAI_CHAT
from gateway.dialects.openai_chat.watch import ChatWatch
from gateway.usage import Usage
from gateway.wire.json import Json, dumps

IDENTITY = Identity("i", 9)
RESULTS: Json = {
    "citations": ["https://a", "https://b"],
    "search_results": [
        {"title": "A", "url": "https://a", "snippet": "so", "date": "2026-01-01"},
        {"title": "", "url": "https://b", "snippet": None},
    ],
}
RICH = [Citation("https://a", "A", "so"), Citation("https://b")]
PLAIN = [Citation("https://a"), Citation("https://b")]


def blocks(message: Json, finish: str = "stop", /, **more: Any) -> Any:
    choice = {"index": 0, "message": message, "finish_reason": finish}
    reply = CHAT_FORM.read_reply({"id": "c1", "created": 5, "choices": [choice], **more}, IDENTITY)
    return reply.choices[0].content


@pytest.mark.parametrize(
    ("more", "citations", "others"),
    [
        (RESULTS, RICH, []),
        ({"citations": RESULTS["citations"]}, PLAIN, []),
        ({"citations": [{"url": "https://a", "title": 5}]}, [Citation("https://a")], []),
        ({"citations": [], "search_results": None}, [], []),
        ({"citations": [5]}, [], [Foreign("openai_chat", {"citations": [5]})]),
        ({"citations": [{"url": 5}]}, [], [Foreign("openai_chat", {"citations": [{"url": 5}]})]),
        ({"search_results": 5, "citations": ["https://a"]}, [Citation("https://a")], []),
    ],
)
def test_what_an_answer_rests_on_is_cited(
    more: Json, citations: list[Citation], others: list[Foreign]
) -> None:
    assert blocks({"content": "a[1]"}, **more) == [Text("a[1]", citations=citations), *others]


def test_what_nobody_else_has_is_known_by_its_name() -> None:
    more = {"images": [{"image_url": "x"}], "videos": [], "system_fingerprint": "f", "usage": {}}
    assert blocks({"content": "a"}, **more) == [
        Text("a"),
        Foreign("openai_chat", {"images": [{"image_url": "x"}]}),
    ]


def chunk(delta: Json, finish: str | None = None, **more: Any) -> Json:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c1", "model": "m", "created": 5, "choices": [choice], **more}


def heard(*chunks: Json) -> tuple[list[ReplyEvent], set[str]]:
    reader = CHAT_FORM.reader(IDENTITY)
    events = [event for one in chunks for event in reader.feed(dumps(one))]
    return events + reader.feed(b"[DONE]"), reader.dropped


def test_a_stream_cites_at_its_end_what_it_said_last() -> None:
    assert heard(
        chunk({"content": "a"}, citations=["https://z"]),
        chunk({"content": "[1]"}, citations=["https://z"]),
        chunk({}, "stop", related_questions=["b?"], **RESULTS),
    ) == (
        [
            Started("c1", "m", 5),
            TextDelta(0, "a"),
            TextDelta(0, "[1]"),
            CitationDelta(0, RICH[0]),
            CitationDelta(0, RICH[1]),
            BlockEnded(0),
            Stopped("end"),
            Ended(Usage()),
        ],
        {"related_questions"},
    )


MOONSHOT: Json = {"prompt_tokens": 9, "completion_tokens": 2, "cached_tokens": 4}
USED = Usage(5, 2, cache_read_tokens=4)


@pytest.mark.parametrize(
    ("counts", "usage"),
    [
        (MOONSHOT, USED),
        ({**MOONSHOT, "cached_tokens": 0, "prompt_cache_hit_tokens": 4}, USED),
        ({**MOONSHOT, "prompt_tokens_details": {"cached_tokens": 4}, "cached_tokens": 3}, USED),
        ({**MOONSHOT, "cached_tokens": 99}, Usage(0, 2, cache_read_tokens=9)),
    ],
)
def test_what_came_from_a_cache_has_several_names(counts: Json, usage: Usage) -> None:
    assert OPENAI_CHAT.read_usage({"choices": [], "usage": counts}) == usage


def test_usage_may_stand_in_the_last_piece_of_a_choice() -> None:
    choice = {"index": 0, "delta": {}, "finish_reason": "stop", "usage": MOONSHOT}
    last = {"id": "c1", "choices": [choice]}
    events, _ = heard(chunk({"content": "a"}), last)
    assert events[-1] == Ended(USED)
    watch = ChatWatch({})
    assert watch.look(dumps(last)) is True
    assert watch.usage == USED


def call(id: str, name: str = "f", arguments: str = "{}") -> Json:
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


def test_every_call_has_an_id_of_its_own() -> None:
    assert blocks({"tool_calls": [call("t"), call("t", "g"), call("u")]}, "tool_calls") == [
        ToolUse("t", "f", "{}"),
        ToolUse("t_1", "g", "{}"),
        ToolUse("u", "f", "{}"),
    ]


def test_every_streamed_call_has_an_id_of_its_own() -> None:
    events, _ = heard(
        chunk({"tool_calls": [{"index": 0, **call("t", arguments="{")}]}),
        chunk({"tool_calls": [{"index": 1, **call("t", "g", "{")}]}),
        chunk({"tool_calls": [{"index": 0, **call("t", arguments="}")}]}),
        chunk({"tool_calls": [{"index": 1, **call("t", "g", "}")}]}, "tool_calls"),
    )
    assert events[1:-1] == [
        ToolUseStarted(0, "t", "f"),
        ArgumentsDelta(0, "{"),
        ToolUseStarted(1, "t_1", "g"),
        ArgumentsDelta(1, "{"),
        ArgumentsDelta(0, "}"),
        ArgumentsDelta(1, "}"),
        BlockEnded(0),
        BlockEnded(1),
        Stopped("tool_use"),
    ]


def test_an_answer_of_a_refusals_words_alone_is_refused() -> None:
    choice = {"index": 0, "message": {"refusal": "no"}, "finish_reason": "stop"}
    reply = CHAT_FORM.read_reply({"id": "c1", "choices": [choice]}, IDENTITY)
    assert (reply.choices[0].content, reply.choices[0].stop_reason) == ([Refusal("no")], "refusal")
    events, _ = heard(chunk({"refusal": "no"}), chunk({}, "stop"))
    assert events[1:-1] == [RefusalDelta(0, "no"), BlockEnded(0), Stopped("refusal")]


def test_a_stream_that_only_calls_has_nothing_that_rests_on_its_sources() -> None:
    """One more text, without a word, behind the calls would be refused when it comes back."""
    call = {"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}}
    events, dropped = heard(chunk({"tool_calls": [call]}), chunk({}, "tool_calls", **RESULTS))
    assert [type(event) for event in events] == [
        Started,
        ToolUseStarted,
        ArgumentsDelta,
        BlockEnded,
        Stopped,
        Ended,
    ]
    assert dropped == {"citations"}


ON_EVERY_CHUNK: list[Json] = [
    {"p": "abcdef"},  # Mistral
    {"code": 0, "message": "Success", "sid": "cha1"},  # Spark
    {"base_resp": {"status_code": 0, "status_msg": ""}},  # MiniMax
    {"note": "by a model"},  # Tencent
    {"metadata": {"weight_version": "default"}},  # SGLang
    {"usage_breakdown": {"models": []}},  # Groq
]


@pytest.mark.parametrize("aside", ON_EVERY_CHUNK)
def test_what_a_server_says_of_itself_is_no_loss(aside: Json) -> None:
    assert blocks({"content": "a"}, **aside) == [Text("a")]
    assert heard(chunk({"content": "a"}, **aside), chunk({}, "stop", **aside))[1] == set()

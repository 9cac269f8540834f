"""Streams in OpenAI's Chat dialect, written for a caller."""

from typing import Any

import pytest
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletionChunk

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
    StopReason,
    TextDelta,
    ThinkingDelta,
    TokenLogprob,
    ToolUseStarted,
    WholeBlock,
)
from gateway.chat.request import ChatRequest, Reasoning
from gateway.chat.seals import carried, with_seal
from gateway.dialects.forms import Asked
from gateway.dialects.openai_chat import CHAT_FORM
from gateway.usage import Usage
from gateway.wire.json import Json, loads
from gateway.wire.sse import SseReader

HEAD: Json = {"id": "c1", "object": "chat.completion.chunk", "created": 5, "model": "m"}
STARTED = Started("c1", "m", 5)
ROLE: Json = {"role": "assistant", "content": ""}
SEAL = Seal("gemini", "E")


def of(delta: Json, finish: str | None = None, index: int = 0, **more: Any) -> Json:
    choice = {"index": index, "delta": delta, **more, "finish_reason": finish}
    return HEAD | {"choices": [choice]}


def written(
    *events: ReplyEvent, reasoning: Reasoning | None = None, **asked: Any
) -> tuple[list[Any], set[str]]:
    """The chunks of an answer, without the first, and what could not be told."""
    writer = CHAT_FORM.writer(Asked(asked, ChatRequest("m", [], reasoning=reasoning)))
    stream = b"".join(writer.feed(event) for event in (STARTED, *events))
    chunks = [data if data == b"[DONE]" else loads(data) for data in SseReader().feed(stream)]
    assert chunks.pop(0) == of(ROLE)
    return chunks, writer.dropped


def deltas(*events: ReplyEvent, **more: Any) -> list[Json]:
    chunks, dropped = written(*events, **more)
    assert dropped == set()
    return [chunk["choices"][0]["delta"] for chunk in chunks]


def test_a_stream_is_written_whole() -> None:
    function = {"name": "f", "arguments": ""}
    chunks, dropped = written(
        ThinkingDelta(0, "h"),
        ThinkingDelta(0, "m"),
        SealDelta(0, Seal("anthropic", "S==")),
        BlockEnded(0),
        TextDelta(1, "a"),
        TextDelta(1, ""),
        TextDelta(1, "b"),
        BlockEnded(1),
        ToolUseStarted(2, "t", "f"),
        ArgumentsDelta(2, "{}"),
        ArgumentsDelta(2, ""),
        BlockEnded(2),
        RefusalDelta(3, "no", 1),
        BlockEnded(3, 1),
        Stopped("tool_use"),
        Stopped("end", choice=1),
        Ended(Usage(7, 2), "flex"),
        stream_options={"include_usage": True},
    )
    wrapped = carried(Seal("anthropic", "S=="))
    sealed = {"index": 0, "type": "thinking", "thinking": "hm", "signature": wrapped}
    assert dropped == set()
    assert chunks == [
        of({"reasoning_content": "h"}),
        of({"reasoning_content": "m"}),
        of({"thinking_blocks": [sealed]}),
        of({"content": "a"}),
        of({"content": "b"}),
        of({"tool_calls": [{"index": 0, "id": "t", "type": "function", "function": function}]}),
        of({"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]}),
        of(ROLE, index=1),
        of({"refusal": "no"}, index=1),
        of({}, "tool_calls"),
        of({}, "stop", index=1),
        HEAD
        | {
            "choices": [],
            "usage": {
                "prompt_tokens": 7,
                "completion_tokens": 2,
                "total_tokens": 9,
                "prompt_tokens_details": {"cached_tokens": 0},
                "completion_tokens_details": {"reasoning_tokens": 0},
            },
            "service_tier": "flex",
        },
        b"[DONE]",
    ]


def test_the_tier_is_told_beside_the_usage_only() -> None:
    assert written(Ended(Usage(), "flex")) == ([b"[DONE]"], {"service_tier"})
    told, dropped = written(Ended(Usage()), stream_options={"include_usage": True})
    assert "service_tier" not in told[0]
    assert dropped == set()


def test_seals_go_where_a_caller_will_bring_them_back_from() -> None:
    foreign = Seal("openai", "gAAAA")
    thought, redacted, call, _ = deltas(
        ThinkingDelta(0, "", id="rs_1"),
        SealDelta(0, foreign),
        BlockEnded(0),
        ThinkingDelta(1, "", redacted=True),
        SealDelta(1, Seal("anthropic", "R")),
        BlockEnded(1),
        ToolUseStarted(2, "t", "f", seal=SEAL),
        ArgumentsDelta(2, "{}"),
        BlockEnded(2),
    )
    assert thought["thinking_blocks"] == [
        {
            "index": 0,
            "type": "thinking",
            "thinking": "",
            "signature": carried(foreign),
            "id": "rs_1",
        }
    ]
    hidden = {"type": "redacted_thinking", "data": carried(Seal("anthropic", "R"))}
    assert redacted["thinking_blocks"] == [{"index": 1, **hidden}]
    assert call["tool_calls"][0]["id"] == with_seal("t", SEAL)


def test_a_thought_that_nobody_sealed_is_marked_after_its_words() -> None:
    first, more, mark, text = deltas(
        ThinkingDelta(0, "h"),
        ThinkingDelta(0, "m"),
        BlockEnded(0),
        ThinkingDelta(1, "", redacted=True),  # nothing is told of it
        BlockEnded(1),
        TextDelta(2, "a"),
    )
    block = {"index": 0, "type": "thinking", "thinking": "", "signature": carried(None)}
    assert [first, more] == [{"reasoning_content": "h"}, {"reasoning_content": "m"}]
    assert (mark, text) == ({"thinking_blocks": [block]}, {"content": "a"})


def test_a_seal_that_comes_after_its_call_stands_where_google_puts_it() -> None:
    _, late, _ = deltas(ToolUseStarted(0, "t", "f"), SealDelta(0, SEAL), BlockEnded(0))
    assert late == {
        "tool_calls": [
            {
                "index": 0,
                "function": {"arguments": ""},
                "extra_content": {"google": {"thought_signature": "E"}},
            }
        ]
    }


def test_a_call_without_arguments_has_the_empty_object() -> None:
    _, arguments = deltas(ToolUseStarted(0, "t", "f"), BlockEnded(0))
    assert arguments == {"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]}


def test_pieces_of_two_calls_may_come_in_turn() -> None:
    told = deltas(
        ToolUseStarted(0, "t", "f"),
        ToolUseStarted(1, "u", "g"),
        ArgumentsDelta(1, "1"),
        ArgumentsDelta(0, "2"),
        BlockEnded(0),
        BlockEnded(1),
    )
    assert [
        (delta["tool_calls"][0]["index"], delta["tool_calls"][0]["function"]["arguments"])
        for delta in told
    ] == [(0, ""), (1, ""), (1, "1"), (0, "2")]


def test_a_caller_of_functions_is_told_of_one_and_of_more_as_tools() -> None:
    chunks, _ = written(
        ToolUseStarted(0, "t", "f"),
        ArgumentsDelta(0, "{}"),
        Stopped("tool_use"),
        functions=[{"name": "f"}],
    )
    assert chunks == [
        of({"function_call": {"name": "f", "arguments": ""}}),
        of({"function_call": {"arguments": "{}"}}),
        of({}, "function_call"),
    ]
    chunks, _ = written(
        ToolUseStarted(0, "t", "f"),
        ToolUseStarted(1, "u", "f"),
        Stopped("tool_use"),
        functions=[{"name": "f"}],
    )
    assert chunks[1]["choices"][0]["delta"]["tool_calls"][0]["id"] == "u"
    assert chunks[-1] == of({}, "tool_calls")


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("end", "stop"),
        ("length", "length"),
        ("refusal", "content_filter"),
        ("stop_sequence", "stop"),
        ("pause", "stop"),
        ("tool_use", "stop"),  # where no call could be told
    ],
)
def test_every_stop_reason_is_written(reason: StopReason, finish: str) -> None:
    assert written(Stopped(reason)) == ([of({}, finish)], set())


def test_citations_count_from_the_start_of_the_whole_text() -> None:
    *_, first, second = deltas(
        TextDelta(0, "ab"),
        BlockEnded(0),
        TextDelta(1, "cde"),
        CitationDelta(1, Citation("u", "t", None, 0, 1)),
        CitationDelta(1, Citation("v")),
    )
    placed = {"url": "u", "title": "t", "start_index": 2, "end_index": 3}
    around = {"url": "v", "title": "", "start_index": 2, "end_index": 5}
    assert first == {"annotations": [{"index": 0, "type": "url_citation", "url_citation": placed}]}
    assert second == {"annotations": [{"index": 1, "type": "url_citation", "url_citation": around}]}


def test_pictures_and_a_recording_are_told_whole() -> None:
    assert deltas(
        WholeBlock(0, Media("image", url="u")),
        WholeBlock(1, Media("image", "image/png", base64="AA==")),
        WholeBlock(2, Media("audio", base64="AA==", transcript="said")),
    ) == [
        {"images": [{"index": 0, "type": "image_url", "image_url": {"url": "u"}}]},
        {
            "images": [
                {
                    "index": 1,
                    "type": "image_url",
                    "image_url": {"url": "data:image/png;base64,AA=="},
                }
            ]
        },
        {"audio": {"id": "audio_c1", "data": "AA==", "expires_at": 5, "transcript": "said"}},
    ]


def test_logprobs_are_told_with_their_text() -> None:
    tokens = (TokenLogprob("a", -1.0),)
    told = {"token": "a", "logprob": -1.0, "bytes": None, "top_logprobs": []}
    assert written(TextDelta(0, "a", 0, tokens)) == (
        [of({"content": "a"}, logprobs={"content": [told], "refusal": None})],
        set(),
    )


def test_thoughts_are_hidden_from_who_asked_for_that() -> None:
    told = deltas(
        ThinkingDelta(0, "h"),
        ThinkingDelta(0, "m"),
        SealDelta(0, Seal("anthropic", "S")),
        BlockEnded(0),
        TextDelta(1, "a"),
        reasoning=Reasoning(shown=False),
    )
    assert told == [{"content": "a"}]


def test_openais_sdk_puts_together_what_was_told() -> None:
    chunks, _ = written(
        ThinkingDelta(0, "h"),
        SealDelta(0, Seal("anthropic", "S")),
        BlockEnded(0),
        ThinkingDelta(1, "", redacted=True),
        SealDelta(1, Seal("anthropic", "R")),
        BlockEnded(1),
        TextDelta(2, "a"),
        CitationDelta(2, Citation("u", "t")),
        CitationDelta(2, Citation("v", "t")),
        WholeBlock(3, Media("image", url="u")),
        WholeBlock(4, Media("image", url="v")),
        ToolUseStarted(5, "t", "f", seal=SEAL),
        ToolUseStarted(6, "u", "g"),
        ArgumentsDelta(6, "{}"),
        SealDelta(6, SEAL),
        BlockEnded(5),
        BlockEnded(6),
        Stopped("tool_use"),
        Ended(Usage(1, 2)),
        stream_options={"include_usage": True},
    )
    state = ChatCompletionStreamState()
    for chunk in (of(ROLE), *chunks[:-1]):
        state.handle_chunk(ChatCompletionChunk.model_validate(chunk))
    whole = state.get_final_completion().model_dump(exclude_unset=True)
    message = whole["choices"][0]["message"]
    signatures = [block.get("signature") for block in message["thinking_blocks"]]
    assert signatures == [carried(Seal("anthropic", "S")), None]
    assert [one["url_citation"]["url"] for one in message["annotations"]] == ["u", "v"]
    assert [image["image_url"]["url"] for image in message["images"]] == ["u", "v"]
    assert [call["id"] for call in message["tool_calls"]] == [with_seal("t", SEAL), "u"]
    assert [call["function"]["arguments"] for call in message["tool_calls"]] == ["{}", "{}"]
    assert (message["content"], message["reasoning_content"]) == ("a", "h")
    assert whole["usage"]["total_tokens"] == 3


@pytest.mark.parametrize(
    ("events", "dropped"),
    [
        ([TextDelta(0, "a"), SealDelta(0, SEAL)], "signature"),
        ([ToolUseStarted(0, "t", "f"), SealDelta(0, Seal("x", "y"))], "signature"),
        ([WholeBlock(0, Media("image", url="u", seal=SEAL))], "signature"),
        ([TextDelta(0, "a"), CitationDelta(0, Citation(None, "t"))], "citations"),
        ([WholeBlock(0, Media("image", file_id="f"))], "image"),
        ([WholeBlock(0, Media("video", url="u"))], "video"),
        ([WholeBlock(0, Media("audio", url="u"))], "audio"),
        ([WholeBlock(0, Foreign("x", {"type": "server_tool_use"}))], "server_tool_use"),
        ([Stopped("stop_sequence", "END")], "stop_sequence"),
        ([WholeBlock(at, Media("audio", base64="AA==")) for at in range(2)], "audio"),
    ],
)
def test_what_a_caller_cannot_be_told_is_named(events: list[ReplyEvent], dropped: str) -> None:
    assert written(*events)[1] == {dropped}

"""Whole replies in the Responses dialect: what a provider's mean, and what a caller is told."""

from typing import Any

import pytest

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
from gateway.chat.reply import ChatReply, Choice, StopReason, TokenLogprob
from gateway.chat.seals import carried, with_seal
from gateway.dialects.forms import Asked, Identity
from gateway.dialects.openai_responses import OPENAI_INPUT_TOKENS, OPENAI_RESPONSES, RESPONSES_FORM
from gateway.dialects.openai_responses.count import read_count, write_count
from gateway.errors import UpstreamBroke
from gateway.usage import Usage
from gateway.wire.json import Json

ME = Identity("me", 5)

REASONING: Json = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [{"type": "summary_text", "text": "hm"}],
    "encrypted_content": "gA==",
}
CITED: Json = {
    "type": "url_citation",
    "url": "https://x.example",
    "title": "X",
    "start_index": 0,
    "end_index": 2,
}
MESSAGE: Json = {
    "type": "message",
    "id": "msg_1",
    "role": "assistant",
    "status": "completed",
    "content": [
        {
            "type": "output_text",
            "text": "ab",
            "annotations": [CITED],
            "logprobs": [
                {
                    "token": "ab",
                    "bytes": [97, 98],
                    "logprob": -0.5,
                    "top_logprobs": [{"token": "c", "bytes": [99], "logprob": -2}],
                }
            ],
        }
    ],
}
CALL: Json = {
    "type": "function_call",
    "id": "fc_1",
    "call_id": "call_1",
    "name": "f",
    "arguments": '{"a":1}',
    "status": "completed",
}
SEARCH: Json = {
    "type": "web_search_call",
    "id": "ws_1",
    "status": "completed",
    "action": {"type": "search", "query": "q"},
}
COUNTS: Json = {
    "input_tokens": 12,
    "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 3},
    "output_tokens": 6,
    "output_tokens_details": {"reasoning_tokens": 2},
    "total_tokens": 18,
}
USED = Usage(
    input_tokens=5,
    output_tokens=6,
    cache_read_tokens=4,
    cache_write_tokens=3,
    reasoning_tokens=2,
)


def answer(*output: Json, **more: Any) -> Json:
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 7,
        "model": "gpt",
        "status": "completed",
        "output": [*output],
        "usage": COUNTS,
        **more,
    }


def heard(*output: Json, **more: Any) -> Choice:
    (choice,) = RESPONSES_FORM.read_reply(answer(*output, **more), ME).choices
    return choice


def test_a_whole_reply_is_read_in_the_order_of_its_items() -> None:
    body = answer(REASONING, SEARCH, MESSAGE, CALL, service_tier="flex", created_at=7.9)
    text = Text("ab", citations=[Citation("https://x.example", "X", start=0, end=2)])
    assert RESPONSES_FORM.read_reply(body, ME) == ChatReply(
        id="resp_1",
        model="gpt",
        created=7,
        choices=[
            Choice(
                [
                    Thinking("hm", Seal("openai", "gA=="), id="rs_1"),
                    Foreign("openai_responses", SEARCH),
                    text,
                    ToolUse("call_1", "f", '{"a":1}'),
                ],
                "tool_use",
                logprobs=[TokenLogprob("ab", -0.5, [97, 98], (TokenLogprob("c", -2, [99]),))],
            )
        ],
        usage=USED,
        service_tier="flex",
    )


@pytest.mark.parametrize(
    ("item", "blocks"),
    [
        (
            {
                "type": "image_generation_call",
                "id": "ig",
                "result": "AAAA",
                "output_format": "webp",
            },
            [Media("image", "image/webp", base64="AAAA")],
        ),
        (
            {"type": "image_generation_call", "id": "ig", "result": "AAAA"},
            [Media("image", "image/png", base64="AAAA")],
        ),
        (
            {"type": "image_generation_call", "id": "ig", "result": None},
            [
                Foreign(
                    "openai_responses",
                    {"type": "image_generation_call", "id": "ig", "result": None},
                )
            ],
        ),
        ({"type": "reasoning", "id": "rs", "summary": []}, []),
        (
            {"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": "s"},
            [Thinking("", Seal("openai", "s"), redacted=True, id="rs")],
        ),
        ({"type": "message", "content": [{"type": "output_text", "text": ""}]}, []),
        ({"type": "message", "content": [{"type": "refusal", "refusal": "no"}]}, [Refusal("no")]),
        (
            {
                "type": "message",
                "content": [
                    {
                        "type": "output_text",
                        "text": "a",
                        "annotations": [
                            {
                                "type": "file_citation",
                                "file_id": "file-1",
                                "filename": "a.pdf",
                                "index": 1,
                            },
                            {
                                "type": "container_file_citation",
                                "container_id": "c",
                                "file_id": "file-1",
                                "filename": "b.pdf",
                                "start_index": 0,
                                "end_index": 1,
                            },
                            {"type": "file_path", "file_id": "file-2", "index": 0},
                        ],
                    }
                ],
            },
            [
                Text(
                    "a",
                    citations=[
                        Citation(title="a.pdf"),
                        Citation(title="b.pdf", start=0, end=1),
                        Citation(title="file-2"),
                    ],
                )
            ],
        ),
    ],
)
def test_every_kind_of_item_is_read(item: Json, blocks: list[Block]) -> None:
    assert heard(item).content == blocks


@pytest.mark.parametrize(
    ("output", "more", "reason"),
    [
        ([MESSAGE], {}, "end"),
        ([MESSAGE], {"status": None}, "end"),
        ([MESSAGE, CALL], {}, "tool_use"),
        ([{"type": "message", "content": [{"type": "refusal", "refusal": "no"}]}], {}, "refusal"),
        (
            [CALL],
            {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}},
            "length",
        ),
        (
            [],
            {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}},
            "refusal",
        ),
        ([], {"status": "incomplete", "incomplete_details": {"reason": "steered"}}, "pause"),
        ([], {"status": "incomplete"}, "length"),
    ],
)
def test_why_it_stopped_is_in_what_it_holds(
    output: list[Json], more: Json, reason: StopReason
) -> None:
    assert heard(*output, **more).stop_reason == reason


def test_a_failed_response_is_the_failure_that_it_tells() -> None:
    error = {"code": "rate_limit_exceeded", "message": "slow down"}
    with pytest.raises(UpstreamBroke) as broke:
        heard(status="failed", error=error)
    assert (broke.value.status, broke.value.kind, broke.value.code) == (
        429,
        "rate_limit",
        "rate_limit_exceeded",
    )


@pytest.mark.parametrize("status", ["queued", "in_progress", "cancelled"])
def test_a_response_that_is_not_finished_is_no_reply(status: str) -> None:
    with pytest.raises(UpstreamBroke):
        heard(status=status)


def test_that_a_text_is_a_commentary_has_no_neutral_place() -> None:
    text = {"type": "output_text", "text": "hm"}
    item = {"type": "message", "role": "assistant", "content": [text], "phase": "commentary"}
    response = {"id": "r", "model": "m", "created_at": 7, "status": "completed", "output": [item]}
    reply = RESPONSES_FORM.read_reply(response, ME)
    told = [Choice([Text("hm")], "end")]
    assert reply == ChatReply("r", "m", 7, told, dropped=frozenset({"phase"}))


def test_what_a_host_leaves_out_is_made_up_for() -> None:
    reply = RESPONSES_FORM.read_reply({"id": "resp_1", "model": "m", "output": []}, ME)
    assert (reply.created, reply.usage, reply.choices) == (5, Usage(), [Choice([], "end")])


# What a caller is told.


def told(
    *content: Block,
    asked: Json | None = None,
    stop: StopReason = "end",
    **more: Any,
) -> tuple[Json, frozenset[str]]:
    body = {"model": "m", "input": "hi"} | (asked or {})
    reply = ChatReply("a-1", "claude", 7, [Choice([*content], stop)], **more)
    written = RESPONSES_FORM.write_reply(reply, Asked(body, RESPONSES_FORM.read_request(body)))
    return written.body, written.dropped


def output_of(*content: Block, **more: Any) -> list[Json]:
    body, dropped = told(*content, **more)
    assert dropped == frozenset()
    return list(body["output"])


def test_a_response_is_whole_and_says_again_what_was_asked() -> None:
    body, dropped = told(
        Text("ab"),
        asked={
            "instructions": "i",
            "max_output_tokens": 5,
            "temperature": 0.5,
            "tools": [{"type": "function", "name": "f", "parameters": {}}],
            "tool_choice": "required",
            "parallel_tool_calls": False,
            "reasoning": {"effort": "low"},
            "text": {"verbosity": "low"},
            "metadata": {"a": "b"},
            "safety_identifier": "s",
        },
        usage=USED,
        service_tier="default",
    )
    assert dropped == frozenset()
    assert body == {
        "id": "resp_a-1",
        "object": "response",
        "created_at": 7,
        "status": "completed",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": "i",
        "max_output_tokens": 5,
        "max_tool_calls": None,
        "metadata": {"a": "b"},
        "model": "claude",
        "output": [
            {
                "id": "msg_a1_0",
                "type": "message",
                "status": "completed",
                "role": "assistant",
                "content": [
                    {"type": "output_text", "text": "ab", "annotations": [], "logprobs": []}
                ],
            }
        ],
        "parallel_tool_calls": False,
        "previous_response_id": None,
        "reasoning": {"effort": "low", "summary": None},
        "safety_identifier": "s",
        "service_tier": "default",
        "store": False,
        "temperature": 0.5,
        "text": {"format": {"type": "text"}, "verbosity": "low"},
        "tool_choice": "required",
        "tools": [{"type": "function", "name": "f", "parameters": {}}],
        "top_p": None,
        "truncation": "disabled",
        "usage": COUNTS,
    }


def test_every_block_becomes_an_item() -> None:
    assert output_of(
        Thinking("hm", Seal("anthropic", "s")),
        Thinking("", Seal("openai", "gA=="), redacted=True, id="rs_1"),
        Text("ab"),
        ToolUse("c1", "f", '{"a":1}', Seal("gemini", "t")),
        ToolUse("c2", "f", ""),
        Media("image", "image/webp", base64="AAAA"),
        Foreign("openai_responses", SEARCH),
        stop="tool_use",
    ) == [
        {
            "id": "rs_a1_0",
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": "hm"}],
            "encrypted_content": carried(Seal("anthropic", "s")),
        },
        {"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": "gA=="},
        {
            "id": "msg_a1_2",
            "type": "message",
            "status": "completed",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "ab", "annotations": [], "logprobs": []}],
        },
        {
            "id": "fc_a1_3",
            "type": "function_call",
            "status": "completed",
            "call_id": with_seal("c1", Seal("gemini", "t")),
            "name": "f",
            "arguments": '{"a":1}',
        },
        {
            "id": "fc_a1_4",
            "type": "function_call",
            "status": "completed",
            "call_id": "c2",
            "name": "f",
            "arguments": "{}",
        },
        {
            "id": "ig_a1_5",
            "type": "image_generation_call",
            "status": "completed",
            "output_format": "webp",
            "result": "AAAA",
        },
        SEARCH,
    ]


def test_what_comes_back_means_what_went_out() -> None:
    content: list[Block] = [
        Thinking("hm", Seal("anthropic", "s"), id="rs_1"),
        Thinking("", Seal("anthropic", "hidden"), redacted=True, id="rs_2"),
        Thinking("", Seal("anthropic", "brief"), id="rs_3"),
        Thinking("said openly", id="rs_4"),
        Text("ab"),
        Refusal("no"),
        ToolUse("c1", "f", "{}", Seal("gemini", "t")),
        Media("image", "image/png", base64="AAAA"),
    ]
    again = RESPONSES_FORM.read_request({"model": "m", "input": output_of(*content)})
    (message,) = again.messages
    assert (message.role, message.content, again.unread) == ("assistant", content, {})


def test_texts_in_a_row_are_one_part_whose_citations_say_where() -> None:
    """Agents take the last part for the answer, and SDKs parse each part as JSON."""
    body, dropped = told(
        Text("Hello "),
        Text("you", citations=[Citation("https://x.example", "X")]),
        Text("!!", citations=[Citation("https://y.example", start=1, end=2)]),
        Refusal("no"),
    )
    (message,) = body["output"]
    assert dropped == frozenset()
    assert message["content"] == [
        {
            "type": "output_text",
            "text": "Hello you!!",
            "annotations": [
                CITED | {"start_index": 6, "end_index": 9},
                CITED
                | {"url": "https://y.example", "title": "", "start_index": 10, "end_index": 11},
            ],
            "logprobs": [],
        },
        {"type": "refusal", "refusal": "no"},
    ]


@pytest.mark.parametrize(
    ("content", "stop", "status", "details", "item"),
    [
        ([Text("a")], "end", "completed", None, "completed"),
        ([Text("a")], "pause", "completed", None, "completed"),
        ([Text("a")], "stop_sequence", "completed", None, "completed"),
        ([Text("a")], "length", "incomplete", {"reason": "max_output_tokens"}, "incomplete"),
        (
            [ToolUse("c", "f", '{"a')],
            "length",
            "incomplete",
            {"reason": "max_output_tokens"},
            "incomplete",
        ),
        ([Text("a")], "refusal", "incomplete", {"reason": "content_filter"}, "incomplete"),
        ([Refusal("a")], "refusal", "completed", None, "completed"),
    ],
)
def test_how_it_ended_is_its_status(
    content: list[Block], stop: StopReason, status: str, details: Json | None, item: str
) -> None:
    body, _ = told(*content, stop=stop)
    assert (body["status"], body["incomplete_details"]) == (status, details)
    assert body["output"][-1]["status"] == item


@pytest.mark.parametrize(
    ("block", "dropped"),
    [
        (Text("a", seal=Seal("gemini", "s")), {"signature"}),
        (Text("a", citations=[Citation(title="a.pdf")]), {"citations"}),
        (Text("a", citations=[Citation("https://x.example", quote="q")]), {"citations"}),
        (Media("image", url="https://x.example/a"), {"image"}),
        (Media("audio", "audio/wav", base64="AAAA"), {"audio"}),
        (Media("image", base64="AAAA", seal=Seal("gemini", "s")), {"signature"}),
        (Foreign("gemini", {"executableCode": {}}), {"executableCode"}),
    ],
)
def test_what_a_caller_cannot_be_told_is_reported(block: Block, dropped: set[str]) -> None:
    assert told(block)[1] == dropped


def test_of_several_answers_one_is_told() -> None:
    body = {"model": "m", "input": "hi"}
    reply = ChatReply("a", "m", 1, [Choice([Text("a")], "end"), Choice([Text("b")], "end")])
    written = RESPONSES_FORM.write_reply(reply, Asked(body, RESPONSES_FORM.read_request(body)))
    assert [item["content"][0]["text"] for item in written.body["output"]] == ["a"]
    assert written.dropped == {"n"}


def test_the_text_that_stopped_it_has_no_place() -> None:
    body = {"model": "m", "input": "hi"}
    reply = ChatReply("a", "m", 1, [Choice([Text("a")], "stop_sequence", "END")])
    written = RESPONSES_FORM.write_reply(reply, Asked(body, RESPONSES_FORM.read_request(body)))
    assert written.dropped == {"stop_sequence"}


def test_probabilities_are_told_with_the_text() -> None:
    body = {"model": "m", "input": "hi"}
    tokens = [TokenLogprob("é", -0.5, None, (TokenLogprob("c", -2, [99]),))]
    reply = ChatReply("a", "m", 1, [Choice([Text("é")], "end", logprobs=tokens)])
    written = RESPONSES_FORM.write_reply(reply, Asked(body, RESPONSES_FORM.read_request(body)))
    assert written.body["output"][0]["content"][0]["logprobs"] == [
        {
            "token": "é",
            "bytes": [195, 169],
            "logprob": -0.5,
            "top_logprobs": [{"token": "c", "bytes": [99], "logprob": -2}],
        }
    ]


def test_ids_stay_short_enough_to_be_sent_back() -> None:
    body = {"model": "m", "input": "hi"}
    reply = ChatReply("x" * 200, "m", 1, [Choice([Text("a")], "end")])
    written = RESPONSES_FORM.write_reply(reply, Asked(body, RESPONSES_FORM.read_request(body)))
    assert len(written.body["output"][0]["id"]) <= 64


def test_a_count_is_read_and_written() -> None:
    assert read_count({"object": "response.input_tokens", "input_tokens": 11}) == 11
    assert write_count(11) == {"object": "response.input_tokens", "input_tokens": 11}


@pytest.mark.parametrize("body", [{}, {"input_tokens": "many"}, {"error": {"message": "no"}}])
def test_what_is_no_count_is_the_providers_fault(body: Json) -> None:
    with pytest.raises(UpstreamBroke):
        OPENAI_INPUT_TOKENS.check_reply(body)


def test_a_thought_that_nobody_sealed_is_marked() -> None:
    (item,) = output_of(Thinking("hm"))
    assert item == {
        "id": "rs_a1_0",
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": "hm"}],
        "encrypted_content": carried(None),
    }
    left, lost = OPENAI_RESPONSES.unseal({"input": ["hi", item]}, "m")
    assert (left, set(lost)) == ({"input": ["hi"]}, {"thinking"})

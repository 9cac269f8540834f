"""Whole replies in OpenAI's Chat dialect."""

import pytest

from gateway.chat.blocks import Block, Refusal, Seal, Text, Thinking, ToolUse
from gateway.chat.reply import ChatReply, StopReason
from gateway.dialects.openai_chat import OPENAI_CHAT, read_reply, write_reply
from gateway.errors import UpstreamBroke
from gateway.usage import Usage
from gateway.wire.json import Json

USAGE: Json = {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}


def reply(message: Json, finish: str = "stop", **more: object) -> Json:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    return {"id": "c1", "model": "m", "created": 5, "choices": [choice], **more}


def test_a_reply_of_every_kind_of_block_is_read_in_order() -> None:
    message: Json = {
        "reasoning_content": "hm",
        "content": "hello",
        "refusal": "but no",
        "tool_calls": [
            {"id": "t1", "type": "function", "function": {"name": "f", "arguments": "{}"}},
            {"id": "t2", "type": "function", "function": {"name": "g", "arguments": ""}},
        ],
    }
    assert read_reply(reply(message, "tool_calls", usage=USAGE)) == ChatReply(
        "c1",
        "m",
        5,
        [
            Thinking("hm"),
            Text("hello"),
            Refusal("but no"),
            ToolUse("t1", "f", "{}"),
            ToolUse("t2", "g", ""),
        ],
        "tool_use",
        Usage(input_tokens=7, output_tokens=2),
    )


def test_reasoning_has_two_names_in_the_wild() -> None:
    assert read_reply(reply({"reasoning": "hm"})).content == [Thinking("hm")]


@pytest.mark.parametrize(
    ("finish", "reason"),
    [
        ("stop", "end"),
        ("length", "length"),
        ("tool_calls", "tool_use"),
        ("function_call", "tool_use"),
        ("content_filter", "refusal"),
        ("eos", "end"),
    ],
)
def test_every_finish_reason_is_read(finish: str, reason: str) -> None:
    assert read_reply(reply({"content": "x"}, finish)).stop_reason == reason


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("end", "stop"),
        ("length", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "content_filter"),
        ("stop_sequence", "stop"),
        ("pause", "stop"),
    ],
)
def test_every_stop_reason_is_written(reason: StopReason, finish: str) -> None:
    written = write_reply(ChatReply("c", "m", 5, [Text("x")], reason))
    assert written["choices"][0]["finish_reason"] == finish


def test_a_reply_is_written_whole() -> None:
    content: list[Block] = [
        Thinking("hm", Seal("anthropic", "S==")),
        Text("a"),
        Text("b"),
        ToolUse("t", "f", ""),
    ]
    usage = Usage(5, 4, cache_read_tokens=2, reasoning_tokens=1)
    assert write_reply(ChatReply("c1", "m", 5, content, "tool_use", usage)) == {
        "id": "c1",
        "object": "chat.completion",
        "created": 5,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "ab",
                    "refusal": None,
                    "reasoning_content": "hm",
                    "thinking_blocks": [{"type": "thinking", "thinking": "hm", "signature": "S=="}],
                    "tool_calls": [
                        {"id": "t", "type": "function", "function": {"name": "f", "arguments": ""}}
                    ],
                },
                "logprobs": None,
                "finish_reason": "tool_calls",
            }
        ],
        "usage": {
            "prompt_tokens": 7,
            "completion_tokens": 4,
            "total_tokens": 11,
            "prompt_tokens_details": {"cached_tokens": 2},
            "completion_tokens_details": {"reasoning_tokens": 1},
        },
    }


def test_a_seal_comes_back_byte_for_byte() -> None:
    sealed = ChatReply("c", "m", 5, [Thinking("hm", Seal("anthropic", "S==")), Text("a")], "end")
    assert read_reply(write_reply(sealed)) == sealed


def test_tokens_written_to_the_cache_are_not_told_as_plain_input() -> None:
    used = ChatReply("c", "m", 5, [Text("a")], "end", Usage(input_tokens=1, cache_write_tokens=6))
    assert read_reply(write_reply(used)).usage == used.usage


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "the provider's answer has no choices: it is no chat completion"),
        ({"choices": None}, "the provider's answer has no choices: it is no chat completion"),
        ({"choices": {}}, "the provider's answer has no choices: it is no chat completion"),
        (
            {"error": {"message": "busy", "code": 429}},
            "the provider failed while it answered: busy",
        ),
        ({"error": "busy"}, "the provider failed while it answered: busy"),
    ],
)
def test_a_200_that_is_no_reply_is_the_providers_fault(body: Json, message: str) -> None:
    with pytest.raises(UpstreamBroke) as broke:
        OPENAI_CHAT.check_reply(body)
    assert broke.value.message == message
    with pytest.raises(UpstreamBroke):
        read_reply(body)


@pytest.mark.parametrize(
    "body",
    [
        {"id": "c", "model": "m", "created": 5, "choices": []},
        {"id": "c", "model": "m", "created": 5, "choices": [None]},
        reply({"tool_calls": [{"id": "t"}]}),
        reply({"tool_calls": 5}),
        {key: value for key, value in reply({"content": "a"}).items() if key != "id"},
    ],
)
def test_a_malformed_reply_is_the_providers_fault(body: Json) -> None:
    with pytest.raises(UpstreamBroke, match="the provider's answer is malformed"):
        read_reply(body)

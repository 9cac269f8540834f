"""Whole replies in OpenAI's Chat dialect."""

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
from gateway.chat.request import ChatRequest, Reasoning
from gateway.chat.seals import carried, with_seal
from gateway.dialects.forms import Asked, Identity
from gateway.dialects.openai_chat import CHAT_FORM, OPENAI_CHAT
from gateway.errors import UpstreamBroke
from gateway.usage import Usage
from gateway.wire.json import Json

USAGE: Json = {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}
CALL: Json = {"id": "t", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def reply(message: Json, finish: str | None = "stop", **more: object) -> Json:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    return {"id": "c1", "model": "m", "created": 5, "choices": [choice], **more}


def read(body: Json) -> ChatReply:
    return CHAT_FORM.read_reply(body, Identity("id", 9))


def content(message: Json) -> list[Block]:
    return read(reply(message)).choices[0].content


def written(
    *blocks: Block,
    reason: StopReason = "end",
    reasoning: Reasoning | None = None,
    **asked: Any,
) -> tuple[Json, set[str]]:
    """The only choice of a reply, and what could not be told."""
    whole = ChatReply("c", "m", 5, [Choice(list(blocks), reason)])
    request = ChatRequest("m", [], reasoning=reasoning)
    told = CHAT_FORM.write_reply(whole, Asked(asked, request))
    return told.body["choices"][0], set(told.dropped)


def message(*blocks: Block, **more: Any) -> Json:
    choice, dropped = written(*blocks, **more)
    assert dropped == set()
    told: Json = choice["message"]
    return told


def test_a_reply_of_every_kind_of_block_is_read_in_order() -> None:
    message: Json = {
        "reasoning_content": "hm",
        "content": "hello",
        "refusal": "but no",
        "annotations": [
            {"type": "url_citation", "url_citation": {"url": "u", "title": "", "content": "q"}},
            {"type": "file", "file": {"hash": "x"}},
        ],
        "images": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}],
        "audio": {"id": "a1", "data": "AA==", "transcript": "said", "expires_at": 9},
        "tool_calls": [
            {"id": "t1", "type": "function", "function": {"name": "f", "arguments": "{}"}},
            {"id": "t2", "type": "function", "function": {"name": "g", "arguments": ""}},
            {"id": "t3", "type": "custom", "custom": {"name": "h", "input": "x"}},
        ],
    }
    body = reply(message, "tool_calls", usage=USAGE, service_tier="flex")
    assert read(body) == ChatReply(
        "c1",
        "m",
        5,
        [
            Choice(
                [
                    Thinking("hm"),
                    Text("hello", citations=[Citation("u", None, "q")]),
                    Refusal("but no"),
                    Media("image", "image/png", base64="AA=="),
                    Media("audio", base64="AA==", file_id="a1", transcript="said"),
                    Foreign("openai_chat", {"type": "file", "file": {"hash": "x"}}),
                    ToolUse("t1", "f", "{}"),
                    ToolUse("t2", "g", ""),
                    ToolUse("t3", "h", '{"input":"x"}'),
                ],
                "tool_use",
            )
        ],
        Usage(input_tokens=7, output_tokens=2),
        "flex",
    )


GOOGLES = {"extra_content": {"google": {"thought_signature": "E"}}}


@pytest.mark.parametrize(
    ("message", "blocks"),
    [
        ({"reasoning": "hm"}, [Thinking("hm")]),
        ({"reasoning": "hm", "reasoning_content": "hm"}, [Thinking("hm")]),
        (
            {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]},
            [Thinking("hm")],
        ),
        (
            {"content": [{"type": "reference", "reference_ids": [1]}]},
            [Foreign("openai_chat", {"type": "reference", "reference_ids": [1]})],
        ),
        ({"function_call": {"name": "f", "arguments": "{}"}}, [ToolUse("call_id_0", "f", "{}")]),
        (
            {"tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}, "index": 0}]},
            [ToolUse("call_id_0_0", "f", '{"a":1}')],
        ),
        ({"tool_calls": [CALL | GOOGLES]}, [ToolUse("t", "f", "{}", Seal("gemini", "E"))]),
        ({"content": "a", **GOOGLES}, [Text("a", seal=Seal("gemini", "E"))]),
        (
            {
                "reasoning": "hm",
                "reasoning_details": [
                    {"type": "reasoning.text", "text": "h"},
                    {"type": "reasoning.text", "text": "m"},
                    {"type": "reasoning.text", "signature": "S", "text": None},
                ],
            },
            [Thinking("hm", Seal("anthropic", "S"))],
        ),
        (
            {
                "reasoning": "hm",
                "reasoning_details": [
                    {
                        "type": "reasoning.encrypted",
                        "data": "E",
                        "id": "r",
                        "format": "openai-responses-v1",
                    },
                    {"type": "reasoning.text"},
                ],
            },
            [Thinking("hm"), Thinking("", Seal("openai", "E"), redacted=True, id="r")],
        ),
        (
            {
                "reasoning_details": [
                    {
                        "type": "reasoning.encrypted",
                        "data": "E",
                        "id": "r",
                        "format": "google-gemini-v1",
                    }
                ],
                "content": "a",
            },
            [Thinking("", Seal("gemini", "E"), redacted=True), Text("a")],
        ),
        (
            {
                "content": [{"type": "text", "text": "ab"}, {"type": "text", "text": "cd"}],
                "annotations": [
                    {"type": "url_citation", "url_citation": {"url": "u", "start_index": 3}},
                    {"type": "url_citation", "url_citation": {"url": "v", "end_index": 1}},
                ],
            },
            [
                Text("ab", citations=[Citation("v", end=1)]),
                Text("cd", citations=[Citation("u", start=1)]),
            ],
        ),
        (
            {"annotations": [{"type": "url_citation", "url_citation": {"url": "u"}}]},
            [Text("", citations=[Citation("u")])],
        ),
    ],
)
def test_what_imitators_say_otherwise_is_read(message: Json, blocks: list[Block]) -> None:
    assert content(message) == blocks


@pytest.mark.parametrize(
    ("finish", "reason"),
    [
        ("stop", "end"),
        ("length", "length"),
        ("model_length", "length"),
        ("tool_calls", "tool_use"),
        ("function_call", "tool_use"),
        ("content_filter", "refusal"),
        ("eos", "end"),
        (None, "end"),
    ],
)
def test_every_finish_reason_is_read(finish: str | None, reason: str) -> None:
    assert read(reply({"content": "x"}, finish)).choices[0].stop_reason == reason


def test_who_calls_a_tool_has_stopped_for_it_whatever_he_says() -> None:
    assert read(reply({"tool_calls": [CALL]}, "stop")).choices[0].stop_reason == "tool_use"


@pytest.mark.parametrize(
    ("finish", "status"), [("error", 502), ("insufficient_system_resource", 503)]
)
def test_an_answer_that_stopped_with_an_error_is_none(finish: str, status: int) -> None:
    with pytest.raises(UpstreamBroke) as broke:
        read(reply({"content": "x"}, finish))
    assert (broke.value.status, broke.value.falls_back) == (status, True)


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("end", "stop"),
        ("length", "length"),
        ("refusal", "content_filter"),
        ("stop_sequence", "stop"),
        ("pause", "stop"),
        ("tool_use", "stop"),
    ],
)
def test_every_stop_reason_is_written(reason: StopReason, finish: str) -> None:
    assert written(Text("x"), reason=reason)[0]["finish_reason"] == finish


def test_a_stop_for_a_tool_is_written_where_there_is_a_call() -> None:
    choice, _ = written(ToolUse("t", "f", "{}"), reason="tool_use")
    assert choice["finish_reason"] == "tool_calls"


def test_a_caller_of_functions_is_told_of_a_function() -> None:
    asked: Json = {"functions": [{"name": "f"}]}
    choice, _ = written(ToolUse("t", "f", ""), reason="tool_use", **asked)
    assert choice["message"]["function_call"] == {"name": "f", "arguments": "{}"}
    assert choice["finish_reason"] == "function_call"
    two, _ = written(ToolUse("t", "f", ""), ToolUse("u", "f", ""), reason="tool_use", **asked)
    assert len(two["message"]["tool_calls"]) == 2
    assert two["finish_reason"] == "tool_calls"


def test_a_reply_is_written_whole() -> None:
    tokens = [TokenLogprob("a", -0.5, [97], (TokenLogprob("b", -1.0),))]
    first: list[Block] = [
        Thinking("hm", Seal("anthropic", "S==")),
        Text("a"),
        Text("b", citations=[Citation("u", None, "q", 0, 1), Citation("v", "t")]),
        Media("image", url="https://x/a.png"),
        Media("audio", base64="AA=="),
        ToolUse("t", "f", ""),
    ]
    usage = Usage(5, 4, cache_read_tokens=2, reasoning_tokens=1)
    choices = [Choice(first, "tool_use", logprobs=tokens), Choice([Refusal("no")], "end")]
    told = CHAT_FORM.write_reply(
        ChatReply("c1", "m", 5, choices, usage, "flex"), Asked({}, ChatRequest("m", []))
    )
    assert told.dropped == set()
    assert told.body == {
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
                    "thinking_blocks": [
                        {
                            "type": "thinking",
                            "thinking": "hm",
                            "signature": carried(Seal("anthropic", "S==")),
                        }
                    ],
                    "annotations": [
                        {
                            "type": "url_citation",
                            "url_citation": {
                                "url": "u",
                                "title": "",
                                "start_index": 1,
                                "end_index": 2,
                                "content": "q",
                            },
                        },
                        {
                            "type": "url_citation",
                            "url_citation": {
                                "url": "v",
                                "title": "t",
                                "start_index": 1,
                                "end_index": 2,
                            },
                        },
                    ],
                    "audio": {"id": "audio_c1", "data": "AA==", "expires_at": 5, "transcript": ""},
                    "images": [{"type": "image_url", "image_url": {"url": "https://x/a.png"}}],
                    "tool_calls": [CALL],
                },
                "logprobs": {
                    "content": [
                        {
                            "token": "a",
                            "logprob": -0.5,
                            "bytes": [97],
                            "top_logprobs": [{"token": "b", "logprob": -1.0, "bytes": None}],
                        }
                    ],
                    "refusal": None,
                },
                "finish_reason": "tool_calls",
            },
            {
                "index": 1,
                "message": {"role": "assistant", "content": None, "refusal": "no"},
                "logprobs": None,
                "finish_reason": "stop",
            },
        ],
        "usage": {
            "prompt_tokens": 7,
            "completion_tokens": 4,
            "total_tokens": 11,
            "prompt_tokens_details": {"cached_tokens": 2},
            "completion_tokens_details": {"reasoning_tokens": 1},
        },
        "service_tier": "flex",
    }


FOREIGN_SEAL = Seal("openai", "gAAAA")


def test_a_thought_that_nobody_sealed_is_marked_and_its_words_are_told_once() -> None:
    told = message(Thinking("hm"), Text("a"))
    mark = {"type": "thinking", "thinking": "", "signature": carried(None)}
    assert (told["reasoning_content"], told["thinking_blocks"]) == ("hm", [mark])
    assert content(told) == [Thinking("hm"), Text("a")]


def test_marked_and_sealed_thoughts_are_told_apart_again() -> None:
    blocks: list[Block] = [
        Thinking("one", FOREIGN_SEAL),
        Thinking("two"),
        Thinking("", FOREIGN_SEAL, redacted=True),
        Text("a"),
    ]
    assert content(message(*blocks)) == blocks


def test_a_mark_without_words_is_no_thought() -> None:
    mark = {"type": "thinking", "thinking": "", "signature": carried(None)}
    assert content({"thinking_blocks": [mark], "content": "a"}) == [Text("a")]
    assert message(Thinking(""), Text("a")) == {
        "role": "assistant",
        "content": "a",
        "refusal": None,
    }


def test_litellms_own_blocks_are_anthropics() -> None:
    block = {"type": "thinking", "thinking": "hm", "signature": "S=="}
    assert content({"reasoning_content": "hm", "thinking_blocks": [block]}) == [
        Thinking("hm", Seal("anthropic", "S=="))
    ]


def test_a_seal_of_any_issuer_goes_to_the_caller_in_anthropics_place() -> None:
    blocks: list[Block] = [
        Thinking("hm", FOREIGN_SEAL, id="rs_1"),
        Thinking("", Seal("anthropic", "R"), redacted=True),
        ToolUse("t", "f", "{}", Seal("gemini", "E")),
    ]
    assert message(*blocks) == {
        "role": "assistant",
        "content": None,
        "refusal": None,
        "reasoning_content": "hm",
        "thinking_blocks": [
            {
                "type": "thinking",
                "thinking": "hm",
                "signature": carried(FOREIGN_SEAL),
                "id": "rs_1",
            },
            {"type": "redacted_thinking", "data": carried(Seal("anthropic", "R"))},
        ],
        "tool_calls": [CALL | {"id": with_seal("t", Seal("gemini", "E"))}],
    }


def test_what_the_caller_brings_back_is_what_there_was() -> None:
    blocks: list[Block] = [
        Thinking("hm", FOREIGN_SEAL, id="rs_1"),
        Text("a"),
        ToolUse("t", "f", "{}", Seal("gemini", "E")),
    ]
    request = CHAT_FORM.read_request({"messages": [message(*blocks)]})
    assert request.messages[0].content == blocks
    assert request.unread == {}


def test_thoughts_are_hidden_from_who_asked_for_that() -> None:
    thought = Thinking("hm", Seal("anthropic", "S"))
    told = message(thought, Text("a"), reasoning=Reasoning(shown=False))
    assert told == {"role": "assistant", "content": "a", "refusal": None}


@pytest.mark.parametrize(
    ("block", "dropped"),
    [
        (Text("a", citations=[Citation(None, "t")]), "citations"),
        (Text("a", seal=Seal("gemini", "E")), "signature"),
        (Media("image", file_id="f"), "image"),
        (Media("image", url="u", seal=Seal("gemini", "E")), "signature"),
        (Media("audio", url="u"), "audio"),
        (Media("video", url="u"), "video"),
        (Foreign("other", {"type": "server_tool_use"}), "server_tool_use"),
    ],
)
def test_what_a_caller_cannot_be_told_is_named(block: Block, dropped: str) -> None:
    assert written(block)[1] == {dropped}


def test_a_second_recording_is_named_and_so_is_the_sequence_that_stopped_it() -> None:
    sound = Media("audio", base64="AA==")
    stopped = Choice([sound, sound], "stop_sequence", "END")
    told = CHAT_FORM.write_reply(ChatReply("c", "m", 5, [stopped]), Asked({}, ChatRequest("m", [])))
    assert told.dropped == {"audio", "stop_sequence"}


def test_tokens_written_to_the_cache_are_not_told_as_plain_input() -> None:
    usage = Usage(input_tokens=1, cache_write_tokens=6)
    used = ChatReply("c", "m", 5, [Choice([Text("a")], "end")], usage)
    told = CHAT_FORM.write_reply(used, Asked({}, ChatRequest("m", [])))
    assert read(told.body).usage == usage


def test_an_answer_without_name_or_date_gets_ours() -> None:
    body = {"choices": [{"message": {"content": "a"}}], "created": 5.5, "id": ""}
    found = read(body)
    assert (found.id, found.model, found.created) == ("id", "", 5)
    assert read({"choices": body["choices"]}).created == 9


def test_a_filter_that_let_nothing_pass_leaves_an_empty_answer() -> None:
    body = {"choices": [{"finish_reason": "content_filter", "logprobs": None}]}
    assert read(body).choices == [Choice([], "refusal")]


def test_logprobs_of_a_refusal_are_read_and_what_has_none_is_unlikely() -> None:
    rows: list[Json] = [{"token": "n", "logprob": None, "bytes": None, "top_logprobs": []}]
    body = reply({"refusal": "no"})
    body["choices"][0]["logprobs"] = {"content": None, "refusal": rows}
    assert read(body).choices[0].logprobs == [TokenLogprob("n", -9999.0)]


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
        read(body)


@pytest.mark.parametrize(
    "body",
    [
        {"id": "c", "model": "m", "created": 5, "choices": []},
        {"id": "c", "model": "m", "created": 5, "choices": [None]},
        reply({"tool_calls": [{"id": "t"}]}),
        reply({"tool_calls": 5}),
        reply({"content": 5}),
    ],
)
def test_a_malformed_reply_is_the_providers_fault(body: Json) -> None:
    with pytest.raises(UpstreamBroke, match="the provider's answer is malformed"):
        read(body)


def test_what_rests_on_no_text_is_told_as_lost() -> None:
    """A text without a word behind the calls would be refused when it comes back."""
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    body = {
        "id": "c",
        "model": "m",
        "choices": [{"message": message, "finish_reason": "tool_calls"}],
        "citations": ["http://a"],
    }
    (choice,) = CHAT_FORM.read_reply(body, Identity("r", 7)).choices
    assert choice.content == [
        ToolUse("a", "f", "{}"),
        Foreign("openai_chat", {"citations": 1}),
    ]

"""What only a provider that keeps it could answer: a thread, and what was made of a conversation that
grew too long."""

from typing import Any

import pytest

from gateway.chat.blocks import Seal, Text, Thinking, ToolResult, ToolUse
from gateway.chat.request import ChatRequest, Message
from gateway.dialects.anthropic_messages import ANTHROPIC_COUNT, ANTHROPIC_MESSAGES, read_request
from gateway.dialects.gemini import GEMINI
from gateway.dialects.openai_chat import CHAT_FORM
from gateway.errors import BadRequest
from gateway.wire.json import Json
from tests.dialects.messages import IDENTITY

HI: Json = {"role": "user", "content": "Hi"}
SUMMARY: Json = {"type": "compaction", "content": "She is Zoe."}
SO_FAR = Message("user", [Text("She is Zoe.")])


def read(*messages: Json, **fields: Any) -> ChatRequest:
    return read_request({"model": "e", "max_tokens": 9, "messages": list(messages), **fields})


def answered(*content: Json) -> Json:
    return {"role": "assistant", "content": list(content)}


def refusal(body: Json, *, counted: bool = False) -> BadRequest:
    form = ANTHROPIC_COUNT.count if counted else ANTHROPIC_MESSAGES.chat
    assert form is not None
    with pytest.raises(BadRequest) as refused:
        form.read_request({"model": "e", "messages": [HI], **body})
    return refused.value


@pytest.mark.parametrize("counted", [False, True])
@pytest.mark.parametrize(
    "thread",
    [{"type": "create"}, {"type": "continue", "previous_message_id": "msg_1"}, {}, "msg_1"],
)
def test_a_thread_is_refused_as_the_api_refuses_it(thread: Any, counted: bool) -> None:
    error = refusal({"thread": thread}, counted=counted)
    assert error.field == "thread"
    assert ANTHROPIC_MESSAGES.write_error(error, None) == {
        "type": "error",
        "error": {
            "type": "invalid_request_error",
            "message": "thread: names a conversation that nobody keeps: "
            "leave it out, and send all messages",
            "details": {"error_code": "thread_unsupported_request"},
        },
    }


def test_no_thread_is_none() -> None:
    assert read(HI, thread=None) == read(HI)


def test_no_summary_is_made_that_only_its_maker_reads() -> None:
    for asked in ({"type": "summarize"}, {}, "summarize"):
        assert refusal({"compaction": asked}).message == (
            "compaction: asks for a summary in a form that only its maker reads: "
            "leave it out, and ask in a message"
        )
    assert read(HI, compaction=None) == read(HI)


def test_a_count_is_of_the_conversation_that_would_be_summarized() -> None:
    assert ANTHROPIC_COUNT.count is not None
    body: Json = {"model": "e", "messages": [HI], "compaction": {"type": "summarize"}}
    counted = ANTHROPIC_COUNT.count.read_request(body)
    assert (counted.messages, counted.unread) == ([Message("user", [Text("Hi")])], {})


def test_a_summary_stands_for_what_was_before_it() -> None:
    told = read(HI, answered({"type": "text", "text": "Hello"}, SUMMARY), HI)
    assert (told.messages, told.unread) == ([SO_FAR, Message("user", [Text("Hi")])], {})


def test_what_was_said_after_it_in_its_turn_is_told() -> None:
    called = {"type": "tool_use", "id": "t", "name": "f", "input": {}}
    heard = {"type": "tool_result", "tool_use_id": "t", "content": "x"}
    told = read(HI, answered(SUMMARY, called), {"role": "user", "content": [heard]})
    assert told.messages == [
        SO_FAR,
        Message("assistant", [ToolUse("t", "f", "{}")]),
        Message("user", [ToolResult("t", (Text("x"),))]),
    ]


def test_of_several_the_last_that_says_something_counts() -> None:
    older, failed = {**SUMMARY, "content": "older"}, {**SUMMARY, "content": None}
    text = {"type": "text", "text": "Hello"}
    told = read(answered(older), HI, answered(SUMMARY, failed, text), HI, answered(failed, text))
    assert told.messages == [
        SO_FAR,
        Message("assistant", [Text("Hello")]),
        Message("user", [Text("Hi")]),
        Message("assistant", [Text("Hello")]),
    ]


def test_one_that_failed_says_nothing() -> None:
    for failed in (
        {"type": "compaction"},
        {**SUMMARY, "content": None},
        {**SUMMARY, "content": ""},
    ):
        assert read(HI, answered(failed, {"type": "text", "text": "Hello"})).messages == [
            Message("user", [Text("Hi")]),
            Message("assistant", [Text("Hello")]),
        ]


@pytest.mark.parametrize(
    ("more", "summary", "unread"),
    [
        ({"signature": "S"}, Text("She is Zoe.", seal=Seal("anthropic", "S")), {}),
        ({"encrypted_content": "E"}, Text("She is Zoe.", seal=Seal("anthropic", "E")), {}),
        ({"tool_changes": [], "signature": None}, Text("She is Zoe."), {}),
        (
            {"tool_changes": [{"type": "tool_removal"}]},
            Text("She is Zoe."),
            {"messages[].content[].tool_changes": [{"type": "tool_removal"}]},
        ),
        ({"cache_control": {"type": "ephemeral"}}, Text("She is Zoe.", "5m"), {}),
    ],
)
def test_what_goes_along_with_it_is_read(more: Json, summary: Text, unread: Json) -> None:
    told = read(answered({**SUMMARY, **more}), HI)
    assert (told.messages[0].content, told.unread) == ([summary], unread)


@pytest.mark.parametrize("name", ["content", "signature", "encrypted_content"])
def test_a_summary_that_is_no_text_is_refused(name: str) -> None:
    error = refusal({"messages": [HI, answered({**SUMMARY, name: 5})]})
    assert error.field == f"messages[1].content[0].{name}"


def test_others_are_told_it_and_its_signature_is_reported() -> None:
    request = read(HI, answered({**SUMMARY, "signature": "S"}), {"role": "user", "content": "Who?"})
    chat = CHAT_FORM.write_request(request)
    assert [one["role"] for one in chat.body["messages"]] == ["user"] * len(chat.body["messages"])
    assert "She is Zoe." in str(chat.body["messages"])
    assert "signature" in chat.dropped
    assert GEMINI.chat is not None
    gemini = GEMINI.chat.write_request(request)
    assert gemini.body["contents"] == [
        {"role": "user", "parts": [{"text": "She is Zoe."}, {"text": "Who?"}]}
    ]
    assert "signature" in gemini.dropped


def test_in_an_answer_it_is_the_apis_own() -> None:
    assert ANTHROPIC_MESSAGES.chat is not None
    whole = {"type": "message", "content": [SUMMARY], "stop_reason": "compaction"}
    told = ANTHROPIC_MESSAGES.chat.read_reply(whole, IDENTITY)
    assert not any(isinstance(one, Text | Thinking) for one in told.choices[0].content)

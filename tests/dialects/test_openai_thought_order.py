"""Thoughts between texts and calls, told to a caller of OpenAI's Chat dialect, come home in order."""

from typing import Any

import pytest
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from gateway.chat.blocks import Block, Media, Refusal, Seal, Text, Thinking, ToolUse
from gateway.chat.reply import (
    BlockEnded,
    ChatReply,
    Choice,
    Ended,
    ReplyEvent,
    SealDelta,
    Started,
    TextDelta,
    ThinkingDelta,
)
from gateway.chat.request import ChatRequest
from gateway.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from gateway.dialects.forms import Asked, Identity
from gateway.dialects.openai_chat import CHAT_FORM
from gateway.dialects.openai_chat.unsealing import unseal
from gateway.dialects.openai_responses.output import events_of
from gateway.errors import BadRequest
from gateway.usage import Usage
from gateway.wire.json import Json, dumps, loads
from gateway.wire.sse import SseReader

FIRST = Thinking("first", Seal("anthropic", "S1"))
THEN = Thinking("then", Seal("anthropic", "S2"))
HIDDEN = Thinking("", Seal("anthropic", "R"), redacted=True)
CALL, OTHER = ToolUse("t1", "f", "{}"), ToolUse("t2", "g", "{}")
TEXT, NO = Text("I look."), Refusal("No.")
CAT = Media("image", "image/png", base64="AAAA")

TURNS: dict[str, list[Block]] = {
    "before all": [FIRST, THEN, TEXT, CALL],
    "text between": [FIRST, TEXT, THEN, CALL],
    "a hidden one between": [FIRST, TEXT, HIDDEN, THEN, CALL],
    "calls between": [FIRST, CALL, THEN, OTHER],
    "between each": [FIRST, TEXT, THEN, CALL, HIDDEN, OTHER],
    "no first": [TEXT, THEN, CALL],
    "alone": [FIRST, THEN],
    "an image": [TEXT, FIRST, CAT, THEN, CALL],
    "a refusal": [FIRST, TEXT, THEN, NO],
}


def asked() -> Asked:
    return Asked({}, ChatRequest("m", []))


def told_whole(turn: list[Block]) -> Json:
    """The message as OpenAI's SDK has it, and would send it back."""
    reply = ChatReply("c", "m", 1, [Choice(turn, "tool_use")])
    written = CHAT_FORM.write_reply(reply, asked())
    assert written.dropped == set()
    message = ChatCompletion.model_validate(written.body).choices[0].message
    return message.model_dump(exclude_none=True)


def told_in_a_stream(turn: list[Block]) -> Json:
    writer = CHAT_FORM.writer(asked())
    happened: list[ReplyEvent] = [Started("c", "m", 1), *events_of(Choice(turn, "tool_use"))]
    stream = b"".join(writer.feed(event) for event in [*happened, Ended(Usage())])
    state = ChatCompletionStreamState()
    for data in SseReader().feed(stream):
        if data != b"[DONE]":
            state.handle_chunk(ChatCompletionChunk.model_validate(loads(data)))
    assert writer.dropped == set()
    return state.current_completion_snapshot.choices[0].message.model_dump(exclude_none=True)


def read_back(message: Json) -> list[Block]:
    body = {"messages": [{"role": "user", "content": "go"}, loads(dumps(message))]}
    request = CHAT_FORM.read_request(body)
    assert (request.unread.keys() & {"messages[].thinking_blocks[].at"}) == set()
    return request.messages[1].content


@pytest.mark.parametrize("turn", TURNS.values(), ids=TURNS)
def test_they_come_home_in_order(turn: list[Block]) -> None:
    assert read_back(told_whole(turn)) == turn
    assert read_back(told_in_a_stream(turn)) == turn


@pytest.mark.parametrize(
    ("turn", "home"),
    [
        ([TEXT, CALL, THEN], [TEXT, THEN, CALL]),  # cut short
        ([FIRST, TEXT, THEN, Text(" So.")], [FIRST, THEN, Text("I look. So.")]),
        ([TEXT, FIRST, Text(" So.")], [FIRST, Text("I look. So.")]),
    ],
)
def test_what_followed_them_follows_them_still(turn: list[Block], home: list[Block]) -> None:
    """Texts of a turn are one here, at the place of the first. A thought at the end would be
    refused, or be lost."""
    assert read_back(told_whole(turn)) == home
    assert read_back(told_in_a_stream(turn)) == home


def test_only_where_something_stands_before_them_is_it_said() -> None:
    usual = told_whole(TURNS["before all"])["thinking_blocks"]
    assert [block.get("at") for block in usual] == [None, None]
    between = told_whole(TURNS["between each"])["thinking_blocks"]
    assert [block.get("at") for block in between] == [None, 1, 2]
    streamed = told_in_a_stream(TURNS["between each"])["thinking_blocks"]
    assert [block.get("at") for block in streamed] == [None, 1, 2]


def test_claude_gets_them_in_the_order_in_which_it_thought_them() -> None:
    assert ANTHROPIC_MESSAGES.chat is not None
    request = CHAT_FORM.read_request(
        {
            "reasoning_effort": "high",
            "messages": [
                {"role": "user", "content": "go"},
                told_whole(TURNS["text between"]),
                {"role": "tool", "tool_call_id": "t1", "content": "x"},
            ],
        }
    )
    request.model = "claude-sonnet-4-5"
    turn = ANTHROPIC_MESSAGES.chat.write_request(request).body["messages"][1]["content"]
    assert [block["type"] for block in turn] == ["thinking", "text", "thinking", "tool_use"]
    assert [block.get("signature") for block in turn] == ["S1", None, "S2", None]


def test_texts_are_one_in_this_dialect_and_count_as_one() -> None:
    turn: list[Block] = [FIRST, Text("a"), THEN, Text("b"), HIDDEN, CALL]
    assert read_back(told_whole(turn)) == [FIRST, Text("ab"), THEN, HIDDEN, CALL]
    assert read_back(told_in_a_stream(turn)) == [FIRST, Text("ab"), THEN, HIDDEN, CALL]


def test_from_a_client_that_loses_the_member_thoughts_come_first() -> None:
    message = told_whole(TURNS["between each"])
    for block in message["thinking_blocks"]:
        block.pop("at", None)
    assert read_back(message) == [FIRST, THEN, HIDDEN, TEXT, CALL, OTHER]


@pytest.mark.parametrize(
    ("places", "order"),
    [
        ([9, 9], [TEXT, FIRST, THEN, CALL]),
        ([1, 0], [TEXT, FIRST, THEN, CALL]),
        ([-5, 2], [FIRST, TEXT, THEN, CALL]),
        ([None, 1], [FIRST, TEXT, THEN, CALL]),
    ],
)
def test_a_place_that_there_is_not_is_the_nearest(places: list[Any], order: list[Block]) -> None:
    message = told_whole([FIRST, THEN, TEXT, CALL])
    for block, place in zip(message["thinking_blocks"], places, strict=True):
        block["at"] = place
    assert read_back(message) == order


def test_a_place_that_is_no_number_is_refused() -> None:
    message = told_whole(TURNS["text between"])
    message["thinking_blocks"][1]["at"] = "x"
    with pytest.raises(BadRequest) as refused:
        read_back(message)
    assert refused.value.field == "messages[1].thinking_blocks[1].at"


def test_another_gateways_reply_is_read_in_order_too() -> None:
    reply = ChatReply("c", "m", 1, [Choice(TURNS["between each"], "tool_use")])
    body = CHAT_FORM.write_reply(reply, asked()).body
    assert CHAT_FORM.read_reply(body, Identity("i", 1)).choices[0].content == TURNS["between each"]


def test_who_did_not_make_them_never_sees_the_place() -> None:
    message = told_whole(TURNS["text between"])
    body, dropped = unseal({"messages": [message]}, "gpt-5")
    assert body["messages"][0].get("thinking_blocks", []) == []
    assert "reasoning_content" not in body["messages"][0]
    assert dropped == {"thinking"}


def test_each_answer_of_several_has_an_order_of_its_own() -> None:
    writer = CHAT_FORM.writer(asked())
    happened: list[ReplyEvent] = [
        Started("c", "m", 1),
        TextDelta(0, "a"),
        ThinkingDelta(1, "then", 1),
        SealDelta(1, Seal("anthropic", "S2"), 1),
        BlockEnded(1, 1),
    ]
    chunks = SseReader().feed(b"".join(writer.feed(event) for event in happened))
    deltas = [loads(chunk)["choices"][0]["delta"] for chunk in chunks]
    (block,) = [block for delta in deltas for block in delta.get("thinking_blocks", [])]
    assert "at" not in block

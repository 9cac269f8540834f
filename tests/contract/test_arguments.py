"""The arguments of calls: their text where text is carried, their meaning where an object is."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.chat.blocks import Text, ToolResult, ToolUse
from gateway.chat.reply import (
    ArgumentsDelta,
    BlockEnded,
    ChatReply,
    Choice,
    Ended,
    ReplyEvent,
    Started,
    Stopped,
    ToolUseStarted,
)
from gateway.chat.request import ChatRequest, Message
from gateway.dialects import CHAT_DIALECTS, Dialect
from gateway.errors import BadRequest, UpstreamError
from gateway.usage import Usage
from tests.contract.drawing import drawn
from tests.contract.holding import BOUNDS, IDENTITY, IDS, form_of, over_the_wire, read_back
from tests.contract.machines import MACHINES
from tests.contract.pieces import SPELLINGS, arguments
from tests.contract.told import gathered
from tests.contract.wires import PLAIN, plain_asked, read_stream, written

dialects = pytest.mark.parametrize("dialect", CHAT_DIALECTS, ids=IDS)
OBJECTS = (
    *SPELLINGS,
    '{"a":1,"a":2}',
    '{"id": 18446744073709551615, "f": 0.1000000000000000055511151231257827}',
    '{"\\u0000": "\\u0000"}',
)
# What a model says that has lost the thread, or had no room for the rest.
BROKEN = ('{"a":', "x", "[1]", '"s"', "null", "1", '{"a": NaN}', '{"a": "\\ud800"}', "{}{}")


def same(dialect: Dialect, before: str, after: str) -> bool:
    if not BOUNDS[dialect.name].objects:
        return before == after
    return bool(json.loads(before) == json.loads(after))


def asking(text: str) -> ChatRequest:
    call = ToolUse("call_1", "f", text)
    messages = [
        Message("user", [Text("hi")]),
        Message("assistant", [call]),
        Message("user", [ToolResult("call_1", (Text("ok"),))]),
    ]
    return ChatRequest("gpt-5.2", messages)


def saying(text: str) -> ChatReply:
    call = ToolUse("call_1", "f", text)
    return ChatReply("r", "m", 1_700_000_000, [Choice([call], "tool_use")], Usage(1, 1))


def streaming(*pieces: str) -> list[ReplyEvent]:
    return [
        Started("r", "m", 1_700_000_000),
        ToolUseStarted(0, "call_1", "f"),
        *(ArgumentsDelta(0, piece) for piece in pieces if piece),
        BlockEnded(0),
        Stopped("tool_use"),
        Ended(Usage(1, 1)),
    ]


def arguments_of(blocks: list[Any]) -> str:
    (call,) = [block for block in blocks if isinstance(block, ToolUse)]
    return call.arguments


@dialects
@pytest.mark.parametrize("text", OBJECTS)
def test_arguments_keep_their_meaning(dialect: Dialect, text: str) -> None:
    again = read_back(dialect, form_of(dialect).write_request(asking(text)))
    assert same(dialect, text, arguments_of(again.messages[1].content))
    body = form_of(dialect).write_reply(saying(text), plain_asked(dialect)).body
    reply = form_of(dialect).read_reply(over_the_wire(body), IDENTITY)
    assert same(dialect, text, arguments_of(reply.choices[0].content))


@dialects
@given(arguments | st.sampled_from(OBJECTS), st.integers(1, 4))
@drawn(30)
def test_however_they_are_cut_their_text_is_the_same(
    dialect: Dialect, text: str, size: int
) -> None:
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    stream = written(dialect, streaming(*pieces))
    (heard,) = MACHINES[dialect.name](PLAIN[dialect.name]).hear(stream)
    (told,) = [given for _, _, given in heard.calls]
    assert told == (json.loads(text) if dialect.name == "gemini" else text)
    again = gathered(read_stream(dialect, [stream])).choices[0].content
    assert same(dialect, text, arguments_of(again))


@dialects
@pytest.mark.parametrize("text", ["", "{}"])
def test_a_call_without_arguments_is_one_with_an_empty_object(dialect: Dialect, text: str) -> None:
    again = read_back(dialect, form_of(dialect).write_request(asking(text)))
    assert arguments_of(again.messages[1].content) in ("{}", text)
    body = over_the_wire(form_of(dialect).write_reply(saying(text), plain_asked(dialect)).body)
    reply = form_of(dialect).read_reply(body, IDENTITY)
    assert arguments_of(reply.choices[0].content) in ("{}", text)
    stream = written(dialect, streaming(text))
    MACHINES[dialect.name](PLAIN[dialect.name]).hear(stream)
    streamed = gathered(read_stream(dialect, [stream])).choices[0].content
    assert arguments_of(streamed) in ("{}", text)


@dialects
@pytest.mark.parametrize("text", BROKEN)
def test_broken_arguments_break_nothing(dialect: Dialect, text: str) -> None:
    """They are told as they are where there is a place for it, and reported where there is none."""
    try:
        again = read_back(dialect, form_of(dialect).write_request(asking(text)))
    except BadRequest as error:
        assert "arguments" in error.message  # noqa: PT017 - what it may say, if it says anything
    else:
        assert arguments_of(again.messages[1].content) == text
    told = form_of(dialect).write_reply(saying(text), plain_asked(dialect))
    try:
        reply = form_of(dialect).read_reply(over_the_wire(told.body), IDENTITY)
    except UpstreamError:  # it says itself that the call was spoilt
        assert told.dropped
    else:
        assert arguments_of(reply.choices[0].content) == text
    writer = form_of(dialect).writer(plain_asked(dialect))
    stream = b"".join(writer.feed(event) for event in streaming(text))
    try:
        streamed = gathered(read_stream(dialect, [stream])).choices[0].content
    except UpstreamError:
        assert writer.dropped
    else:
        assert arguments_of(streamed) == text

"""A watch asks for few events of a relayed stream, and overlooks none that matters."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dialects import ANTHROPIC_MESSAGES, OPENAI_CHAT, OPENAI_RESPONSES, Dialect
from gateway.dialects.anthropic_messages.watch import MessagesWatch
from gateway.dialects.base import Watch
from gateway.dialects.openai_chat.watch import ChatWatch
from gateway.dialects.openai_responses.watch import LIFECYCLE, TERMINAL, ResponsesWatch
from gateway.exchange.bridge import Relay
from gateway.exchange.exchange import Call
from gateway.wire.json import Json, dumps
from gateway.wire.sse import write_event
from tests.dialects.hostile import quickly
from tests.fakes import CALLER

COUNTS: Json = {"prompt_tokens": 7, "input_tokens": 7, "completion_tokens": 2}


class AllSeeing(Relay):
    """Looks at every event: what a relay must be told from in nothing but its speed."""

    def __init__(self, call: Call) -> None:
        super().__init__(call)
        assert call.dialect.watch is not None
        self._watch = Eyes(call.dialect.watch(call.body))


class Eyes:
    def __init__(self, watch: Watch) -> None:
        self.watch = watch

    def __getattr__(self, name: str) -> Any:
        return getattr(self.watch, name)

    def telling(self, whole: bytes, start: int) -> int:
        return start if start < len(whole) else -1


def call(dialect: Dialect, *, show: bool) -> Call:
    body: Json = {"stream": True, "stream_options": {"include_usage": show}}
    return Call("r", CALLER, dialect, "e", dumps(body), body)


def seen(relay: Relay, pieces: list[bytes]) -> object:
    out = [relay.feed(piece) for piece in pieces]
    failure = relay.failure and relay.failure.message
    return b"".join(out), relay.begun, relay.ended, failure, relay.usage


blanks = st.sampled_from(["", " ", "\t", "  "])
sayings = st.text(max_size=4) | st.sampled_from(
    ["usage", '"usage"', "[DONE]", '"error"', "error", '"usage":null', '"usage" : {}', "\\", "\n\n"]
)
usages = st.sampled_from([None, COUNTS, {}, 5, "usage", {"usage": None}])
failures = st.sampled_from([None, "", "busy", {"message": "busy"}, {}, {"usage": None}])
choices: st.SearchStrategy[Any] = (
    st.just([]) | st.just(None) | sayings.map(lambda said: [{"delta": {"content": said}}])
)
chunks = st.fixed_dictionaries(
    {"choices": choices},
    optional={
        "usage": usages,
        "error": failures,
        "x": sayings,
        "details": st.just({"usage": None}),
    },
)
kinds = st.sampled_from(["error", "response.output_text.delta", *sorted(LIFECYCLE | TERMINAL)])
plain = st.fixed_dictionaries(
    {"type": kinds},
    optional={
        "response": st.sampled_from([{}, None, {"usage": None}]),
        "error": st.sampled_from([None, {"message": "m"}]),
        "delta": sayings,
    },
)
ends = st.builds(
    lambda kind, usage: {"response": {"usage": usage}, "type": kind},
    st.sampled_from(sorted(TERMINAL)),  # no other event tells the usage
    st.sampled_from([None, COUNTS]),
)
told = plain | ends
said_of_a_message = st.fixed_dictionaries(
    {
        "type": st.sampled_from(
            ["ping", "content_block_start", "content_block_delta", "content_block_stop"]
        )
    },
    optional={
        "delta": st.fixed_dictionaries({"type": st.just("text_delta"), "text": sayings}),
        "content_block": st.sampled_from(
            [None, {"type": "text", "text": ""}, {"type": "tool_use"}]
        ),
    },
)
of_the_message = st.fixed_dictionaries(
    {"type": st.sampled_from(["message_start", "message_delta", "message_stop", "error"])},
    optional={
        "message": st.sampled_from([None, {"usage": {"input_tokens": 7}}]),
        "usage": st.sampled_from([None, COUNTS, {"output_tokens": None}]),
        "delta": st.sampled_from([None, {"stop_reason": None}, {"stop_reason": "end_turn"}]),
        "error": st.sampled_from([None, "busy", {"type": "api_error", "message": "m"}]),
    },
)
message_events = said_of_a_message | of_the_message


@st.composite
def streams(draw: st.DrawFn, bodies: st.SearchStrategy[Any]) -> list[bytes]:
    """Events with blanks, escapes and line ends wherever JSON and SSE allow them, in pieces."""
    ending = draw(st.sampled_from(["\n\n", "\r\n\r\n"]))
    out = b""
    for body in draw(st.lists(bodies, max_size=6)):
        comma = draw(blanks) + "," + draw(blanks)
        colon = draw(blanks) + ":" + draw(blanks)
        data = json.dumps(body, ensure_ascii=draw(st.booleans()), separators=(comma, colon))
        field = draw(st.sampled_from(["data: ", "data:", ": ping\n\ndata: ", "event: x\ndata: "]))
        out += (field + data + ending).encode()
    out += draw(st.sampled_from([b"", b"data: [DONE]\n\n", b"data:[DONE]\r\n\r\n"]))
    cuts = sorted(draw(st.lists(st.integers(0, len(out)), max_size=4)))
    return [out[a:b] for a, b in zip([0, *cuts], [*cuts, len(out)], strict=True)]


@given(streams(chunks), st.booleans())
@quickly
def test_no_event_of_a_chat_that_matters_is_overlooked(pieces: list[bytes], show: bool) -> None:
    asked = call(OPENAI_CHAT, show=show)
    assert seen(Relay(asked), pieces) == seen(AllSeeing(asked), pieces)


@given(streams(told))
@quickly
def test_no_event_of_a_response_that_matters_is_overlooked(pieces: list[bytes]) -> None:
    asked = call(OPENAI_RESPONSES, show=False)
    assert seen(Relay(asked), pieces) == seen(AllSeeing(asked), pieces)


@given(streams(message_events))
@quickly
def test_no_event_of_a_message_that_matters_is_overlooked(pieces: list[bytes]) -> None:
    asked = call(ANTHROPIC_MESSAGES, show=False)
    assert seen(Relay(asked), pieces) == seen(AllSeeing(asked), pieces)


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        'the words "usage" and "error"',
        '"usage":null',
        '{"error": {"message": "no"}}',
        '"usage" : {"prompt_tokens": 9}',
        '"response": {}',
    ],
)
def test_a_text_that_only_speaks_of_such_things_is_not_parsed(text: str) -> None:
    chat, response, message = ChatWatch({}), ResponsesWatch({}), MessagesWatch({})
    chat.begun = response.begun = message.begun = True
    chunk: Json = {"choices": [{"delta": {"content": text}}], "usage": None}
    event: Json = {"type": "response.output_text.delta", "delta": text}
    assert chat.telling(write_event(dumps(chunk)), 0) == -1
    assert response.telling(write_event(dumps(event)), 0) == -1
    delta: Json = {"type": "content_block_delta", "delta": {"type": "text_delta", "text": text}}
    assert message.telling(write_event(dumps(delta), "content_block_delta"), 0) == -1


@pytest.mark.parametrize(
    "null", ['"usage":null', '"usage": null', '"usage"\t:\tnull', '"usage" : null']
)
def test_a_usage_of_null_is_nothing_to_look_at(null: str) -> None:
    chat = ChatWatch({})
    chat.begun = True
    assert chat.telling(b'data: {"choices":[],' + null.encode() + b"}\n\n", 0) == -1


def test_until_it_has_begun_every_event_is_looked_at() -> None:
    for watch in (ChatWatch({}), ResponsesWatch({}), MessagesWatch({})):
        assert (watch.telling(b"data: 1\n\ndata: 2\n\n", 0), watch.telling(b"x" * 9, 9)) == (0, 9)

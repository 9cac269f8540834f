"""Ids and dates: each call its own id, whatever the provider gives; dates that can be."""

from typing import Any

import pytest

from gateway.chat.blocks import ToolUse
from gateway.chat.reply import ToolUseStarted
from gateway.dialects import (
    ANTHROPIC_MESSAGES,
    CHAT_DIALECTS,
    GEMINI,
    OPENAI_CHAT,
    Dialect,
)
from gateway.wire.json import Json, dumps
from tests.contract.holding import IDENTITY, IDS, form_of, over_the_wire
from tests.contract.machines import MACHINES
from tests.contract.told import gathered
from tests.contract.wires import PLAIN, plain_asked, read_stream

callers = pytest.mark.parametrize("caller", CHAT_DIALECTS, ids=IDS)
CALL: Json = {"functionCall": {"name": "f", "args": {"a": 1}}}


def candidate(*parts: Json, **more: Any) -> Json:
    content = {"role": "model", "parts": list(parts)}
    return {"candidates": [{"content": content, "index": 0, **more}]}


def completion(**call: Any) -> Json:
    function = {"type": "function", "function": {"name": "f", "arguments": "{}"}}
    calls = [{**function, **call}, {**function, **call}]
    message = {"role": "assistant", "content": None, "tool_calls": calls}
    return {"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}


# Two calls that nothing tells apart, of providers that give no ids, or the same ones.
ALIKE = {
    "gemini without ids": (GEMINI, candidate(CALL, CALL, finishReason="STOP")),
    "chat without ids": (OPENAI_CHAT, completion()),
    "chat with empty ids": (OPENAI_CHAT, completion(id="")),
}


def sse(*chunks: Json) -> bytes:
    return b"".join(b"data: " + dumps(chunk) + b"\n\n" for chunk in chunks)


def chunk(**call: Any) -> Json:
    function = {"type": "function", "function": {"name": "f", "arguments": "{}"}}
    delta = {"tool_calls": [{**function, **call}]}
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}


CHAT_END: Json = {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}
ALIKE_STREAMED = {
    "gemini in one chunk": (GEMINI, sse(candidate(CALL, CALL, finishReason="STOP"))),
    "gemini in two chunks": (GEMINI, sse(candidate(CALL), candidate(CALL, finishReason="STOP"))),
    "chat without ids": (
        OPENAI_CHAT,
        sse(chunk(index=0), chunk(index=1), CHAT_END) + b"data: [DONE]\n\n",
    ),
    "chat with empty ids": (
        OPENAI_CHAT,
        sse(chunk(index=0, id=""), chunk(index=1, id=""), CHAT_END) + b"data: [DONE]\n\n",
    ),
}


@callers
@pytest.mark.parametrize("name", ALIKE)
def test_calls_that_are_alike_have_ids_of_their_own(caller: Dialect, name: str) -> None:
    provider, body = ALIKE[name]
    reply = form_of(provider).read_reply(body, IDENTITY)
    ids = [block.id for block in reply.choices[0].content if isinstance(block, ToolUse)]
    assert len(set(ids)) == 2
    assert all(ids)
    told = over_the_wire(form_of(caller).write_reply(reply, plain_asked(caller)).body)
    again = form_of(caller).read_reply(told, IDENTITY)
    assert [b.id for b in again.choices[0].content if isinstance(b, ToolUse)] == ids


@callers
@pytest.mark.parametrize("name", ALIKE_STREAMED)
def test_streamed_calls_that_are_alike_have_ids_of_their_own(caller: Dialect, name: str) -> None:
    provider, stream = ALIKE_STREAMED[name]
    events = read_stream(provider, [stream])
    ids = [event.id for event in events if isinstance(event, ToolUseStarted)]
    assert len(set(ids)) == 2
    assert all(ids)
    writer = form_of(caller).writer(plain_asked(caller))
    (heard,) = MACHINES[caller.name](PLAIN[caller.name]).hear(
        b"".join(writer.feed(event) for event in events)
    )
    assert [one[0] for one in heard.calls] == ids


def test_who_gives_no_id_and_no_date_gets_ours() -> None:
    for dialect, body in (
        (GEMINI, candidate({"text": "hi"}, finishReason="STOP")),
        (OPENAI_CHAT, completion(id="call_1")),
        (ANTHROPIC_MESSAGES, {"type": "message", "role": "assistant", "content": []}),
    ):
        reply = form_of(dialect).read_reply(body, IDENTITY)
        assert (reply.id, reply.created) == (IDENTITY.id, IDENTITY.created)
    for provider, stream in ALIKE_STREAMED.values():
        reply = gathered(read_stream(provider, [stream]))
        assert (reply.id, reply.created) == (IDENTITY.id, IDENTITY.created)

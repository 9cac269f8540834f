"""Whatever JSON comes, a reader says whose fault it is: no other exception leaves it."""

import contextlib
from typing import Any

import pytest
from hypothesis import given

from gateway.chat.blocks import Block
from gateway.chat.reply import ReplyEvent
from gateway.dialects import OPENAI_CHAT
from gateway.dialects.openai_chat import ReplyReader, read_reply, read_request
from gateway.errors import BadRequest, UpstreamBroke
from gateway.wire.json import Json, dumps
from tests.dialects.hostile import anything, crashes, quickly, wounded

FUNCTION: Json = {"name": "f", "arguments": "{}"}
SCHEMA: Json = {"type": "object", "properties": {"a": {"type": "string"}}}
REQUEST: Json = {
    "model": "m",
    "messages": [
        {"role": "system", "content": [{"type": "text", "text": "be brief"}]},
        {
            "role": "user",
            "name": "ann",
            "content": [
                {"type": "text", "text": "a", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
                {
                    "type": "image_url",
                    "image_url": {"url": "data:image/png;base64,AA", "detail": "low"},
                },
                {"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}},
                {"type": "file", "file": {"file_data": "data:a/b;base64,AA", "filename": "a"}},
                {"type": "file", "file": {"file_id": "f"}},
                {"type": "video_url", "video_url": {"url": "v"}},
            ],
        },
        {
            "role": "assistant",
            "content": "a",
            "refusal": "no",
            "thinking_blocks": [{"type": "thinking", "thinking": "h", "signature": "S"}],
            "tool_calls": [{"id": "c", "type": "function", "function": FUNCTION}],
        },
        {"role": "tool", "tool_call_id": "c", "content": [{"type": "text", "text": "a"}]},
    ],
    "max_tokens": 5,
    "temperature": 1,
    "stop": ["END"],
    "seed": 1,
    "n": 1,
    "stream": True,
    "stream_options": {"include_usage": True},
    "parallel_tool_calls": True,
    "tools": [
        {
            "type": "function",
            "function": {"name": "f", "description": "d", "parameters": SCHEMA, "strict": True},
        },
        {"type": "custom", "custom": {"name": "g"}},
    ],
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "s", "description": "d", "schema": SCHEMA, "strict": True},
    },
}
USAGE: Json = {
    "prompt_tokens": 1,
    "completion_tokens": 1,
    "prompt_tokens_details": {"cached_tokens": 1},
    "completion_tokens_details": {"reasoning_tokens": 1},
    "cost": 0.1,
}
MESSAGE: Json = {
    "role": "assistant",
    "content": "a",
    "refusal": "no",
    "reasoning_content": "h",
    "tool_calls": [{"index": 0, "id": "c", "type": "function", "function": FUNCTION}],
}


def enveloped(key: str) -> Json:
    choice: Json = {"index": 0, key: MESSAGE, "finish_reason": "stop"}
    return {"id": "c", "model": "m", "created": 1, "choices": [choice], "usage": USAGE}


@pytest.mark.parametrize("read", [read_request, OPENAI_CHAT.check, OPENAI_CHAT.check_closely])
def test_no_wound_in_a_request_is_more_than_a_bad_request(read: Any) -> None:
    assert crashes(read, REQUEST, BadRequest) == []


def test_no_wound_in_a_reply_is_more_than_a_broken_upstream() -> None:
    assert crashes(read_reply, enveloped("message"), UpstreamBroke) == []


def test_no_wound_in_an_event_is_more_than_a_broken_upstream() -> None:
    found = crashes(
        lambda chunk: ReplyReader().feed(dumps(chunk)), enveloped("delta"), UpstreamBroke
    )
    assert found == []


@given(anything)
@quickly
def test_whatever_json_a_request_holds_only_a_bad_request_is_raised(value: Any) -> None:
    for field in ("messages", "tools", "tool_choice", "response_format", "stop"):
        body = {"model": "m", "messages": [{"role": "user"}], field: value}
        for read in (read_request, OPENAI_CHAT.check_closely):
            with contextlib.suppress(BadRequest):
                read(body)


@given(anything)
@quickly
def test_whatever_json_a_provider_sends_only_a_broken_upstream_is_raised(value: Any) -> None:
    try:
        ReplyReader().feed(dumps(value))
        ReplyReader().feed(dumps({"id": "c", "model": "m", "created": 1, "choices": value}))
    except UpstreamBroke:
        pass
    with contextlib.suppress(UpstreamBroke):
        read_reply({"choices": value})


def test_no_wounded_event_is_read_as_what_it_cannot_be() -> None:
    """A delta is text or the event is malformed: nobody downstream checks again."""
    wrong = []
    for path, odd, chunk in wounded(enveloped("delta")):
        try:
            deltas = ReplyReader().feed(dumps(chunk))[1:]
        except UpstreamBroke:
            continue
        wrong += [(path, odd, delta) for delta in deltas if not well_typed(delta)]
    assert wrong == []


def test_no_wounded_reply_is_read_as_what_it_cannot_be() -> None:
    wrong = []
    for path, odd, body in wounded(enveloped("message")):
        try:
            reply = read_reply(body)
        except UpstreamBroke:
            continue
        wrong += [(path, odd, block) for block in reply.content if not well_typed(block)]
    assert wrong == []


def well_typed(piece: ReplyEvent | Block) -> bool:
    """Every slot is a text, but for the numbers of blocks and what may be absent."""
    return all(
        isinstance(value, int if name == "block" else str)
        for name in piece.__slots__
        if (value := getattr(piece, name)) is not None or name in ("text", "id", "name")
    )

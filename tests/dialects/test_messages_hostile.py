"""Whatever JSON comes, it is somebody's fault by name: no other exception leaves a reader."""

import contextlib
from typing import Any

import pytest
from hypothesis import given

from gateway.chat.reply import ChatReply, Ended, Started
from gateway.chat.request import ChatRequest
from gateway.dialects.anthropic_messages import (
    MessagesReader,
    MessagesWriter,
    read_reply,
    read_request,
    write_reply,
    write_request,
)
from gateway.dialects.anthropic_messages.count import read_counted, write_count
from gateway.errors import BadRequest, UpstreamBroke
from gateway.wire.json import Json, dumps
from tests.dialects.hostile import anything, crashes, quickly
from tests.dialects.messages import IDENTITY, MESSAGE, OVERLOADED, asked

MARK: Json = {"type": "ephemeral", "ttl": "1h"}
SCHEMA: Json = {"type": "object", "properties": {"a": {"anyOf": [{"type": "string"}]}}}
CITATION: Json = {
    "type": "web_search_result_location",
    "url": "u",
    "title": "t",
    "cited_text": "q",
    "encrypted_index": "e",
}
CONTENT: list[Json] = [
    {"type": "text", "text": "a", "cache_control": MARK, "citations": [CITATION]},
    {"type": "thinking", "thinking": "h", "signature": "s"},
    {"type": "redacted_thinking", "data": "d"},
    {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}, "caller": {"type": "direct"}},
    {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
]
TOLD: list[Json] = [
    {"type": "tool_result", "tool_use_id": "t", "content": [CONTENT[0]], "is_error": True},
    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA"}},
    {"type": "image", "source": {"type": "url", "url": "u"}},
    {"type": "document", "source": {"type": "file", "file_id": "f"}, "title": "t"},
    {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "a"}},
    {"type": "document", "source": {"type": "content", "content": [CONTENT[0]]}},
    {"type": "search_result", "source": "s", "title": "t", "content": [CONTENT[0]]},
]
REQUEST: Json = {
    "model": "m",
    "max_tokens": 5,
    "system": [{"type": "text", "text": "be brief", "cache_control": MARK}],
    "messages": [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": CONTENT},
        {"role": "user", "content": TOLD},
        {"role": "system", "content": "be kind"},
    ],
    "temperature": 1,
    "top_p": 0.5,
    "top_k": 3,
    "stop_sequences": ["END"],
    "stream": True,
    "tools": [
        {"name": "f", "description": "d", "input_schema": SCHEMA, "strict": True},
        {"type": "bash_20250124", "name": "bash"},
    ],
    "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": True},
    "thinking": {"type": "enabled", "budget_tokens": 2000, "display": "omitted"},
    "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": SCHEMA}},
    "output_format": {"type": "json_schema", "schema": SCHEMA},
    "metadata": {"user_id": "u"},
    "service_tier": "auto",
    "cache_control": MARK,
}
USAGE: Json = {
    "input_tokens": 1,
    "output_tokens": 2,
    "cache_creation": {"ephemeral_5m_input_tokens": 1},
    "output_tokens_details": {"thinking_tokens": 1},
    "iterations": [{"input_tokens": 1}],
    "service_tier": "standard",
}
REPLY: Json = {
    **MESSAGE,
    "content": CONTENT,
    "stop_reason": "refusal",
    "stop_details": {"type": "refusal", "explanation": "no"},
    "usage": USAGE,
}


def told_on(body: Json) -> None:
    """Read, and written for a provider again: what can be read can be written."""
    request = read_request(body)
    dumps(write_request(request).body)
    dumps(write_count(request).body)


def told_back(body: Json) -> None:
    dumps(write_reply(read_reply(body, IDENTITY), asked()).body)


def test_no_wound_in_a_request_is_more_than_a_bad_request() -> None:
    told_on(REQUEST)
    assert crashes(told_on, REQUEST, BadRequest) == []


def test_no_wound_in_a_reply_is_more_than_a_broken_upstream() -> None:
    told_back(REPLY)
    assert crashes(told_back, REPLY, UpstreamBroke) == []


EVENTS: tuple[Json, ...] = (
    {"type": "message_start", "message": {**MESSAGE, "usage": USAGE}},
    *[
        {"type": "content_block_start", "index": nth, "content_block": block}
        for nth, block in enumerate(CONTENT)
    ],
    {"type": "content_block_start", "index": 9, "content_block": {"type": "thinking"}},
    {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "text_delta", "text": "x"},
    },
    {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "citations_delta", "citation": CITATION},
    },
    {
        "type": "content_block_delta",
        "index": 3,
        "delta": {"type": "input_json_delta", "partial_json": "{}"},
    },
    {
        "type": "content_block_delta",
        "index": 4,
        "delta": {"type": "input_json_delta", "partial_json": "{}"},
    },
    {"type": "content_block_delta", "index": 4, "delta": {"type": "new_delta", "x": 1}},
    {
        "type": "content_block_delta",
        "index": 1,
        "delta": {"type": "signature_delta", "signature": "s"},
    },
    {"type": "content_block_stop", "index": 0},
    {
        "type": "message_delta",
        "delta": {
            "stop_reason": "refusal",
            "stop_sequence": "E",
            "stop_details": {"explanation": "no"},
        },
        "usage": USAGE,
    },
    {"type": "message_stop"},
    {"type": "ping"},
    {"type": "error", "error": OVERLOADED},
)


def relayed(*told: Any) -> None:
    """Read, and written for a caller."""
    reader, writer = MessagesReader(IDENTITY), MessagesWriter(asked())
    for one in told:
        for event in reader.feed(dumps(one)):
            writer.feed(event)


@pytest.mark.parametrize("nth", range(len(EVENTS)))
def test_no_wound_in_an_event_is_more_than_a_broken_upstream(nth: int) -> None:
    before, after = EVENTS[:nth], EVENTS[nth + 1 :]

    def wounded(event: Json) -> None:
        relayed(*before, event, *after)

    assert crashes(wounded, EVENTS[nth], UpstreamBroke) == []


@given(anything)
@quickly
def test_whatever_json_comes_somebody_is_to_blame(value: Any) -> None:
    body = value if isinstance(value, dict) else {"messages": value, "content": value}
    with contextlib.suppress(BadRequest):
        assert isinstance(read_request(body), ChatRequest)
    with contextlib.suppress(BadRequest):
        told_on({"messages": [{"role": "user", "content": value}]})
    with contextlib.suppress(UpstreamBroke):
        assert isinstance(read_reply(body, IDENTITY), ChatReply)
    with contextlib.suppress(UpstreamBroke):
        told_back({"content": value})
    with contextlib.suppress(UpstreamBroke):
        assert isinstance(read_counted(body), int)
    with contextlib.suppress(UpstreamBroke):
        relayed(*EVENTS[:3], value)


def test_what_was_not_wounded_is_told_to_its_end() -> None:
    reader = MessagesReader(IDENTITY)
    told = [event for one in EVENTS[:-1] for event in reader.feed(dumps(one))]
    assert (type(told[0]), type(told[-1])) == (Started, Ended)

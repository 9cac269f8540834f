"""Whatever JSON comes, a reader says whose fault it is: no other exception leaves it."""

import contextlib
from typing import Any

import pytest
from hypothesis import given

from gateway.chat.reply import ChatReply, ReplyEvent
from gateway.dialects import OPENAI_CHAT
from gateway.dialects.forms import Identity, ReplyReader
from gateway.dialects.openai_chat import CHAT_FORM
from gateway.errors import BadRequest, UpstreamBroke
from gateway.wire.json import Json, dumps
from tests.dialects.hostile import anything, crashes, quickly, wounded

read_request = CHAT_FORM.read_request


def read_reply(body: Json) -> ChatReply:
    return CHAT_FORM.read_reply(body, Identity("id", 9))


def reader() -> ReplyReader:
    return CHAT_FORM.reader(Identity("id", 9))


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
            "reasoning_content": "h",
            "thinking_blocks": [{"type": "thinking", "thinking": "h", "signature": "S"}],
            "annotations": [{"type": "url_citation", "url_citation": {"url": "u", "title": "t"}}],
            "audio": {"id": "x"},
            "function_call": FUNCTION,
            "tool_calls": [
                {
                    "id": "c",
                    "type": "function",
                    "function": FUNCTION,
                    "extra_content": {"google": {"thought_signature": "S"}},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "c", "content": [{"type": "text", "text": "a"}]},
        {"role": "function", "name": "f", "content": "a"},
        {"role": "system", "content": "s", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
    ],
    "functions": [{"name": "f", "parameters": SCHEMA}],
    "function_call": "auto",
    "reasoning_effort": "low",
    "reasoning": {"effort": "low", "max_tokens": 5, "exclude": True, "enabled": True},
    "thinking": {"type": "enabled", "budget_tokens": 5, "display": "omitted"},
    "modalities": ["text"],
    "logit_bias": {"1": 2},
    "user": "u",
    "safety_identifier": "s",
    "metadata": {"a": "b"},
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
    "reasoning_details": [
        {"type": "reasoning.text", "text": "h", "signature": "S", "format": "x", "id": "r"},
        {"type": "reasoning.encrypted", "data": "E", "format": "google-gemini-v1", "id": "c"},
    ],
    "annotations": [
        {"type": "url_citation", "url_citation": {"url": "u", "start_index": 0, "end_index": 1}}
    ],
    "images": [{"type": "image_url", "image_url": {"url": "u"}}],
    "audio": {"id": "x", "data": "AA==", "transcript": "s", "expires_at": 1},
    "function_call": FUNCTION,
    "tool_calls": [{"index": 0, "id": "c", "type": "function", "function": FUNCTION}],
}
# The same in Mistral's words.
PARTS: Json = {
    "role": "assistant",
    "content": [
        {"type": "thinking", "thinking": [{"type": "text", "text": "h"}]},
        {"type": "text", "text": "a"},
        {"type": "reference", "reference_ids": [1]},
    ],
    "thinking_blocks": [{"type": "redacted_thinking", "data": "R", "id": "r"}],
    "tool_calls": [{"id": "c", "function": FUNCTION}],
}
LOGPROBS: Json = {
    "content": [{"token": "a", "logprob": -1, "bytes": [97], "top_logprobs": [{"token": "b"}]}]
}


def enveloped(key: str, message: Json = MESSAGE) -> Json:
    choice: Json = {"index": 0, key: message, "finish_reason": "stop", "logprobs": LOGPROBS}
    return {"id": "c", "model": "m", "created": 1, "choices": [choice], "usage": USAGE}


@pytest.mark.parametrize("read", [read_request, OPENAI_CHAT.check, OPENAI_CHAT.check_closely])
def test_no_wound_in_a_request_is_more_than_a_bad_request(read: Any) -> None:
    assert crashes(read, REQUEST, BadRequest) == []


@pytest.mark.parametrize("message", [MESSAGE, PARTS], ids=["OpenAI's", "Mistral's"])
def test_no_wound_in_a_reply_is_more_than_a_broken_upstream(message: Json) -> None:
    assert crashes(read_reply, enveloped("message", message), UpstreamBroke) == []


def streamed(chunk: Json) -> list[ReplyEvent]:
    """What an event says after a good one, and what the end says."""
    reading = reader()
    events = reading.feed(dumps(enveloped("delta", {"content": "a"}))) + reading.feed(dumps(chunk))
    return events + reading.feed(b"[DONE]")


@pytest.mark.parametrize("message", [MESSAGE, PARTS], ids=["OpenAI's", "Mistral's"])
def test_no_wound_in_an_event_is_more_than_a_broken_upstream(message: Json) -> None:
    assert crashes(streamed, enveloped("delta", message), UpstreamBroke) == []
    assert crashes(streamed, enveloped("delta", {"content": "b"}), UpstreamBroke) == []


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
        reader().feed(dumps(value))
        streamed({"id": "c", "model": "m", "created": 1, "choices": value})
        streamed({"id": "c", "choices": [{"index": 0, "delta": value}]})
    except UpstreamBroke:
        pass
    with contextlib.suppress(UpstreamBroke):
        read_reply({"choices": value})


@pytest.mark.parametrize("message", [MESSAGE, PARTS], ids=["OpenAI's", "Mistral's"])
def test_no_wounded_event_is_read_as_what_it_cannot_be(message: Json) -> None:
    """A delta is text or the event is malformed: nobody downstream checks again."""
    wrong = []
    for path, odd, chunk in wounded(enveloped("delta", message)):
        try:
            events = streamed(chunk)
        except UpstreamBroke:
            continue
        wrong += [(path, odd, event) for event in events if not well_typed(event)]
    assert wrong == []


@pytest.mark.parametrize("message", [MESSAGE, PARTS], ids=["OpenAI's", "Mistral's"])
def test_no_wounded_reply_is_read_as_what_it_cannot_be(message: Json) -> None:
    wrong: list[Any] = []
    for path, odd, body in wounded(enveloped("message", message)):
        try:
            (choice,) = read_reply(body).choices
        except UpstreamBroke:
            continue
        wrong += [(path, odd, block) for block in choice.content if not well_typed(block)]
        wrong += [(path, odd, token) for token in choice.logprobs if not well_typed(token)]
    assert wrong == []


NUMBERS = ("block", "choice", "start", "end", "created")
TEXTS = frozenset(("text", "json", "id", "name", "token", "value", "url", "title", "base64"))


def well_typed(piece: Any) -> bool:
    """What is a text is one, and what is a number, however deep."""
    for name in getattr(piece, "__slots__", ()):
        value = getattr(piece, name)
        if name in NUMBERS:
            if value is not None and type(value) is not int:
                return False
        elif name in TEXTS:
            if value is not None and not isinstance(value, str):
                return False
        elif not all(well_typed(one) for one in (value if isinstance(value, list) else [value])):
            return False
    return True

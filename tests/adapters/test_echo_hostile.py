"""Whatever is sent to the echo, it answers: at worst with a 400 in OpenAI's shape."""

import asyncio
from typing import Any

import pytest

from gateway.adapters.echo import EchoTransport
from gateway.wire.json import Json, dumps, loads
from tests.adapters.echo_world import answered, ask, refusal
from tests.dialects.hostile import crashes
from tests.fakes import run

SCHEMA: Json = {
    "type": "object",
    "properties": {
        "a": {"type": ["string", "null"], "maxLength": 3},
        "b": {"type": "array", "items": {"$ref": "#/$defs/c"}, "minItems": 1},
        "d": {"anyOf": [{"enum": ["x"]}]},
        "e": {"type": "integer", "minimum": 1},
    },
    "$defs": {"c": {"const": 1}},
}
FUNCTION: Json = {"name": "f", "description": "d", "parameters": SCHEMA, "strict": True}
CHAT: Json = {
    "model": "echo",
    "messages": [
        {"role": "system", "content": "s"},
        {"role": "user", "content": [{"type": "text", "text": "call f"}]},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f"}}],
        },
        {"role": "user", "content": "call f"},
    ],
    "max_tokens": 50,
    "stop": ["END"],
    "n": 1,
    "tools": [{"type": "function", "function": FUNCTION}],
    "tool_choice": "auto",
    "parallel_tool_calls": False,
}
FORMED: Json = {
    "model": "echo",
    "messages": [{"role": "user", "content": "x"}],
    "response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": SCHEMA}},
    "stream": True,
    "stream_options": {"include_usage": True},
}
RESPONSE: Json = {
    "model": "echo",
    "input": [
        {"role": "user", "content": [{"type": "input_text", "text": "call f"}]},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "x"},
        {"role": "user", "content": "call f"},
    ],
    "instructions": "i",
    "tools": [{"type": "function", **FUNCTION}],
    "tool_choice": {"type": "function", "name": "f"},
    "text": {"format": {"type": "json_schema", "name": "s", "schema": SCHEMA}},
    "max_output_tokens": 50,
    "parallel_tool_calls": True,
    "metadata": {"a": "b"},
    "stream": True,
}
EMBEDDING: Json = {
    "model": "echo",
    "input": [[1]],
    "dimensions": 8,
    "encoding_format": "base64",
}


class NothingMayBeRaised(Exception):
    """No exception is allowed."""


def survives(path: str, body: Any) -> None:
    """Read to its end without a loop: the echo has nothing to wait for when it is read whole."""
    status, _, text = finished(answered(path, dumps(body)))
    assert status in (200, 400)
    assert status == 200 or loads(text)["error"]["type"] == "invalid_request_error"


def finished(work: Any) -> tuple[int, str, bytes]:
    try:
        work.send(None)
    except StopIteration as end:
        result: tuple[int, str, bytes] = end.value
        return result
    raise AssertionError("the echo waits")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/chat/completions", CHAT),
        ("/chat/completions", FORMED),
        ("/responses", RESPONSE),
        ("/responses", RESPONSE | {"tools": [], "stream": False}),
        ("/embeddings", EMBEDDING),
    ],
    ids=["chat", "formed chat", "response", "whole response", "embedding"],
)
def test_no_wound_in_a_request_is_more_than_a_400(path: str, body: Json) -> None:
    survives(path, body)
    assert crashes(lambda wounded: survives(path, wounded), body, NothingMayBeRaised) == []


PATHS = ("/chat/completions", "/responses", "/embeddings")


@pytest.mark.parametrize("body", [b"", b"{", b"not json", b"\xff", b"[" * 2000, b'{"a":NaN}'])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    for path in PATHS:
        refusal(path, body)


@pytest.mark.parametrize("body", [None, 5, "x", [], [1], {}])
def test_what_is_no_request_is_refused(body: Any) -> None:
    for path in PATHS:
        refusal(path, body)


def test_a_path_it_does_not_offer_is_a_404_of_openais_shape() -> None:
    status, kind, text = run(answered("/audio/speech", b"{}"))
    assert (status, kind) == (404, "application/json")
    assert loads(text)["error"]["message"] == "the echo does not offer /audio/speech"


def test_a_stream_flows_at_reading_speed_unless_it_is_asked_not_to() -> None:
    async def parts(model: str) -> tuple[int, float]:
        body = {"model": model, "messages": [{"role": "user", "content": "a"}], "stream": True}
        transport = EchoTransport()
        upstream = await transport.open(
            "echo://built-in/chat/completions", {}, dumps(body), patience=1
        )
        started, count = asyncio.get_running_loop().time(), 0
        while await upstream.next(1):
            count += 1
        await transport.close()
        return count, asyncio.get_running_loop().time() - started

    slow, took = run(parts("echo"))
    quick, took_none = run(parts("echo-instant"))
    assert (slow, quick) == (13, 13)
    assert took > 0.15 > took_none


def test_a_stream_that_is_closed_says_no_more() -> None:
    async def rest() -> bytes | None:
        body = dumps({"model": "echo", "messages": [{"role": "user"}], "stream": True})
        url = "echo://built-in/chat/completions"
        upstream = await EchoTransport().open(url, {}, body, patience=1)
        await upstream.next(1)
        await upstream.close()
        return await upstream.next(1)

    assert run(rest()) == b""


def test_a_text_of_a_megabyte_is_echoed() -> None:
    said = "word " * 200_000
    body = {"model": "echo", "messages": [{"role": "user", "content": said}]}
    content = ask("/chat/completions", body)["choices"][0]["message"]["content"]
    assert content.endswith(said)

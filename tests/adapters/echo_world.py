"""Asking the echo: what its transport answers, read whole."""

from typing import Any

from gateway.adapters.echo import EchoTransport
from gateway.wire.json import Json, dumps, loads
from gateway.wire.sse import SseReader
from tests.fakes import run


async def answered(path: str, body: bytes) -> tuple[int, str, bytes]:
    upstream = await EchoTransport().open(f"echo://built-in{path}", {}, body, patience=1)
    whole = await upstream.read(1)
    await upstream.close()
    return upstream.status, upstream.headers["content-type"], whole


def ask(path: str, body: Any) -> Json:
    """A whole answer of 200."""
    status, kind, text = run(answered(path, dumps(body)))
    assert (status, kind) == (200, "application/json"), text
    answer: Json = loads(text)
    return answer


def stream(path: str, body: Json) -> list[Any]:
    """The events of a streamed answer; [DONE] stands for itself."""
    status, kind, text = run(answered(path, dumps(body | {"stream": True})))
    assert (status, kind) == (200, "text/event-stream"), text
    return ["[DONE]" if data == b"[DONE]" else loads(data) for data in SseReader().feed(text)]


def refusal(path: str, body: Any) -> Json:
    """The error of a 400 in OpenAI's shape."""
    text = body if isinstance(body, bytes) else dumps(body)
    status, kind, answer = run(answered(path, text))
    assert (status, kind) == (400, "application/json"), answer
    error: Json = loads(answer)["error"]
    assert sorted(error) == ["code", "message", "param", "type"]
    assert error["type"] == "invalid_request_error"
    return error

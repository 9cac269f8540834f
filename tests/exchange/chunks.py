"""A Chat Completions stream, piece by piece."""

from gateway.exchange.answer import Stream
from gateway.exchange.stream import ReplyStream
from gateway.wire.json import Json, dumps
from tests.fakes import HI

ASK = HI | {"stream": True}
PING = b": heartbeat\n\n"


def chunk(delta: Json, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return b"data: " + dumps({"id": "c1", "choices": [choice]}) + b"\n\n"


ROLE = chunk({"role": "assistant", "content": ""})
HELLO = chunk({"content": "Hello"})
WORLD = chunk({"content": " world"})
STOP = chunk({}, "stop")
USAGE = b'data: {"id":"c1","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":2}}\n\n'
DONE = b"data: [DONE]\n\n"
BUSY = b'data: {"error":{"message":"overloaded","code":503}}\n\n'


def error_event(message: str, type: str = "upstream_error", code: str | None = None) -> bytes:
    body = {"error": {"message": message, "type": type, "param": None, "code": code}}
    return b"data: " + dumps(body) + b"\n\n"


def stream_of(answer: object) -> Stream:
    body = getattr(answer, "body", None)
    assert isinstance(body, ReplyStream)
    return body

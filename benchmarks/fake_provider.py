"""An OpenAI-compatible provider that answers from ready bytes, so that it is never the bottleneck.

python -m benchmarks.fake_provider --port 9000
"""

import argparse
import asyncio
import functools
import re
from collections.abc import Iterator
from typing import cast

import httptools
import orjson
import uvloop

from benchmarks.payloads import (
    Json,
    chat_answer,
    embeddings_answer,
    error_answer,
    stream_events,
)
from benchmarks.raw_http import no_delay

_PACED = re.compile(r"paced-(\d+)")
_MOST_EVENTS = 100_000
_STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    b"cache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9000)
    chosen = parser.parse_args()
    uvloop.run(_serve(chosen.host, chosen.port))


async def _serve(host: str, port: int) -> None:
    server = await asyncio.get_running_loop().create_server(ProviderConnection, host, port)
    await server.serve_forever()


class ProviderConnection(asyncio.Protocol):
    """One keep-alive connection of a client that awaits each answer before it asks again."""

    def __init__(self) -> None:
        self._parser = httptools.HttpRequestParser(self)
        self._url = b""
        self._body = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        no_delay(self._transport)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._transport.write(_refusal(400, str(error)))
            self._transport.close()

    def on_message_begin(self) -> None:
        self._url = self._body = b""

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        try:
            asked = orjson.loads(self._body or b"{}")
            self._answer(self._url.partition(b"?")[0], asked)
        except (ValueError, TypeError, AttributeError) as error:
            self._transport.write(_refusal(400, str(error)))

    def _answer(self, path: bytes, asked: Json) -> None:
        if path.endswith(b"/chat/completions"):
            self._answer_chat(asked)
        elif path.endswith(b"/embeddings"):
            given = asked.get("input", "")
            inputs = len(given) if isinstance(given, list) else 1
            in_base64 = asked.get("encoding_format") == "base64"
            self._transport.write(_whole(200, embeddings_answer(inputs, in_base64=in_base64)))
        else:
            self._transport.write(_refusal(404, f"nothing at {path.decode()}"))

    def _answer_chat(self, asked: Json) -> None:
        if not asked.get("messages"):
            self._transport.write(_refusal(400, "messages: give at least one"))
            return
        if not asked.get("stream"):
            self._transport.write(_chat())
            return
        events = int(asked.get("max_tokens") or asked.get("max_completion_tokens") or 20)
        if not 1 <= events <= _MOST_EVENTS:
            raise ValueError(f"max_tokens: {events} is not between 1 and {_MOST_EVENTS}")
        with_usage = bool((asked.get("stream_options") or {}).get("include_usage"))
        paced = _PACED.fullmatch(asked.get("model", ""))
        if paced is None:
            self._transport.write(_stream(events, with_usage=with_usage))
            return
        frames = map(_frame, stream_events(events, with_usage=with_usage))
        self._transport.write(_STREAM_HEAD + next(frames))
        self._write_paced(frames, int(paced[1]) / 1000)

    def _write_paced(self, frames: Iterator[bytes], seconds: float) -> None:
        """One write an event, as a provider does that makes its answer while it sends it."""

        def write_next() -> None:
            if self._transport.is_closing():
                return
            frame = next(frames, None)
            self._transport.write(frame or b"0\r\n\r\n")
            if frame is not None:
                loop.call_later(seconds, write_next)

        loop = asyncio.get_running_loop()
        loop.call_later(seconds, write_next)


@functools.cache
def _chat() -> bytes:
    return _whole(200, chat_answer())


@functools.lru_cache(maxsize=64)
def _stream(events: int, *, with_usage: bool) -> bytes:
    frames = map(_frame, stream_events(events, with_usage=with_usage))
    return _STREAM_HEAD + b"".join(frames) + b"0\r\n\r\n"


def _frame(event: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(event), event)


def _refusal(status: int, message: str) -> bytes:
    return _whole(status, error_answer(message))


def _whole(status: int, body: bytes) -> bytes:
    reason = {200: b"OK", 400: b"Bad Request", 404: b"Not Found"}[status]
    head = b"HTTP/1.1 %d %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    return head % (status, reason, len(body)) + body


if __name__ == "__main__":
    main()

"""A Lambda Runtime API that costs next to nothing: it hands out one event, so many times.

It checks no rule of the protocol; `examples.local_lambda` has the one that checks them all.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal, cast

import httptools

from benchmarks.raw_http import no_delay

HOST = "127.0.0.1"
_DEADLINE_MS = 300_000
_ACCEPTED = b"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n"
_ACCEPTED += b'{"status":"OK"}'
_REFUSED = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"
_TOLD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    b"Lambda-Runtime-Aws-Request-Id: 00000000-0000-4000-8000-%012d\r\n"
    b"Lambda-Runtime-Deadline-Ms: %d\r\n"
    b"Lambda-Runtime-Invoked-Function-Arn: "
    b"arn:aws:lambda:us-east-1:123456789012:function:sluicegate:live\r\n"
    b"Lambda-Runtime-Trace-Id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0\r\n"
    b"Content-Length: %d\r\n\r\n"
)


class FakeRuntime:
    """``wanted``: what every answer holds, or it is counted as `wrong`. ``at_end``: the poll after
    the last event is left waiting, or refused so that the loop under measure ends.

    `polls` and `answers`: when each poll came, and the last byte of each answer (perf_counter).
    """

    def __init__(
        self,
        event: bytes = b"",
        times: int = 0,
        *,
        wanted: bytes = b"",
        at_end: Literal["wait", "refuse"] = "wait",
    ) -> None:
        self._event, self._left, self._wanted = event, times, wanted
        self._at_end = at_end
        self.polls: list[float] = []
        self.answers: list[float] = []
        self.wrong: list[bytes] = []
        self.through = asyncio.Event()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        """Its address, as AWS_LAMBDA_RUNTIME_API has it."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Line(self), HOST, 0)
        try:
            yield f"{HOST}:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()

    def polled(self) -> bytes:
        """What is said to it; nothing yet when it is to wait."""
        self.polls.append(time.perf_counter())
        if self._left:
            self._left -= 1
            deadline = int(time.time() * 1000) + _DEADLINE_MS
            return _TOLD % (self._left, deadline, len(self._event)) + self._event
        self.through.set()
        return _REFUSED if self._at_end == "refuse" else b""

    def posted(self, path: bytes, body: bytes) -> None:
        self.answers.append(time.perf_counter())
        if not path.endswith(b"/response") or self._wanted not in body:
            self.wrong.append(path + b": " + body[:300])


class _Line(asyncio.Protocol):
    def __init__(self, runtime: FakeRuntime) -> None:
        self._runtime = runtime
        self._parser = httptools.HttpRequestParser(self)
        self._url = b""
        self._body: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        no_delay(self._transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        self._url = b""
        self._body.clear()

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        if self._url.endswith(b"/next"):
            self._transport.write(self._runtime.polled())
        else:
            self._runtime.posted(self._url, b"".join(self._body))
            self._transport.write(_ACCEPTED)

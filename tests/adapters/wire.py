"""A provider on a real socket that says exactly the bytes it is told to."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import uvloop

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
LENGTH = re.compile(rb"content-length: (\d+)\r\n")

Runner = Callable[[Coroutine[Any, Any, None]], None]
Story = Callable[[], Coroutine[Any, Any, None]]


def on_both_loops(story: Story) -> Callable[[Runner], None]:
    """Lambda runs asyncio's own event loop, uvicorn uvloop."""

    @pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
    def test(run: Runner) -> None:
        run(in_time(story))

    test.__name__ = story.__name__
    told: Callable[[Runner], None] = test
    return told


async def in_time(story: Story) -> None:
    """What waits for ever fails here, and says where."""
    async with asyncio.timeout(5):
        await story()


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


class Line:
    """One accepted connection, seen from the provider."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, requests: list[bytes]
    ) -> None:
        self.reader, self.writer, self.requests = reader, writer, requests
        self.say = writer.write

    async def request(self) -> bytes:
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = LENGTH.search(head)
        request = head + await self.reader.readexactly(int(length[1]) if length else 0)
        self.requests.append(request)
        return request

    async def hung_up(self) -> None:
        """Returns when the other side is gone."""
        with suppress(ConnectionError):
            assert await self.reader.read() == b""

    def hang_up(self) -> None:
        self.writer.close()

    def reset(self) -> None:
        self.writer.transport.abort()


Part = Callable[[Line], Awaitable[None]]


class Provider:
    """Plays its parts, one for each connection, in order; the last again and again."""

    def __init__(self, parts: tuple[Part, ...]) -> None:
        self.parts = parts
        self.connections = 0
        self.port = 0
        self.gone = asyncio.Event()  # a connection was closed by the other side
        self.requests: list[bytes] = []
        self.lines: list[Line] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1/chat"

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = Line(reader, writer, self.requests)
        self.lines.append(line)
        part = self.parts[min(self.connections, len(self.parts) - 1)]
        self.connections += 1
        try:
            await part(line)
            await line.hung_up()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # it hung up before it asked
        self.gone.set()
        writer.transport.abort()


@asynccontextmanager
async def provider(*parts: Part, tls: ssl.SSLContext | None = None) -> AsyncIterator[Provider]:
    stage = Provider(parts)
    server = await asyncio.start_server(stage.accept, "127.0.0.1", 0, ssl=tls)
    stage.port = server.sockets[0].getsockname()[1]
    try:
        yield stage
    finally:
        for line in stage.lines:
            line.reset()
        server.close()
        await server.wait_closed()
        await asyncio.sleep(0)


def says(*answers: bytes) -> Part:
    """One answer to each request; then it waits for the other side to go."""

    async def part(line: Line) -> None:
        for answer in answers:
            await line.request()
            line.say(answer)

    return part


def says_and_closes(*answers: bytes) -> Part:
    async def part(line: Line) -> None:
        await says(*answers)(line)
        line.hang_up()

    return part

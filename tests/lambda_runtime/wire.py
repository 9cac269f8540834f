"""A Runtime API made of raw bytes: it says what it is told to, and keeps what it hears."""

import asyncio
from collections.abc import Sequence
from enum import Enum
from typing import Self

ACCEPTED = b'HTTP/1.1 202 Accepted\r\nContent-Length: 16\r\n\r\n{"status":"OK"}\n'
STILL = 10.0  # seconds that anything here waits at most


class Act(Enum):
    """What is done rather than said."""

    CLOSE = "in good order"
    HOLD = "say nothing until all is over"


Step = bytes | Act


def invocation(event: bytes, *, id: str = "id-1", more: bytes = b"") -> bytes:
    """The answer to a poll. ``more``: more headers."""
    return (
        b"HTTP/1.1 200 OK\r\n"
        b"Lambda-Runtime-Aws-Request-Id: %b\r\n"
        b"Lambda-Runtime-Deadline-Ms: 99999999999999\r\n"
        b"%b"
        b"Content-Length: %d\r\n\r\n%b" % (id.encode(), more, len(event), event)
    )


class Wire:
    """``polls``: for each poll in order, what is said. After the last, polls wait.

    `heard` has each post, byte for byte; `lines` tells how many connections polled.
    """

    def __init__(self, *polls: Sequence[Step], posted: bytes = ACCEPTED) -> None:
        self.address = ""
        self.heard: list[bytes] = []
        self.asked: list[bytes] = []
        self.lines = 0
        self.through = asyncio.Event()  # all has been said, and a poll waits
        self._polls, self._posted = list(polls), posted
        self._over = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.address = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._over.set()
        self._server.close()
        await asyncio.gather(*self._tasks)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(STILL):
                await self._talk(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        polled = False
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            if head.startswith(b"POST "):
                self.heard.append(head + await _body(reader, head))
                writer.write(self._posted)
                return
            self.lines += not polled
            polled = True
            self.asked.append(head)
            for step in self._next():
                if step is Act.CLOSE:
                    return
                await self._say(step, writer)

    def _next(self) -> Sequence[Step]:
        if self._polls:
            return self._polls.pop(0)
        self.through.set()
        return [Act.HOLD, Act.CLOSE]

    async def _say(self, step: Step, writer: asyncio.StreamWriter) -> None:
        if isinstance(step, bytes):
            writer.write(step)
            await writer.drain()
        else:
            await self._over.wait()


async def _body(reader: asyncio.StreamReader, head: bytes) -> bytes:
    fields = head.lower()
    if b"content-length: " in fields:
        length = fields.partition(b"content-length: ")[2].partition(b"\r\n")[0]
        return await reader.readexactly(int(length))
    text = b""
    while not text.endswith(b"\r\n0\r\n"):
        text += await reader.readuntil(b"\r\n")
    while not text.endswith(b"\r\n\r\n"):
        text += await reader.readuntil(b"\r\n")
    return text

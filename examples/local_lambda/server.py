"""Listens on loopback; each connection is served in a task of its own."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

from examples.local_lambda.connection import Connection

HOST = "127.0.0.1"
RECEIVE_BUFFER = 128 * 1024  # small and fixed: who is not read from soon cannot write either


class Server:
    """On any free port, from `open` until `close`."""

    def __init__(self, serve: Callable[[Connection], Awaitable[None]]) -> None:
        self._serve = serve
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> str:
        """Its address, as ``127.0.0.1:PORT``."""
        own = socket.create_server((HOST, 0))
        own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        self._server = await asyncio.start_server(self._accept, sock=own)
        return f"{HOST}:{own.getsockname()[1]}"

    async def close(self) -> None:
        """Whatever is still being said is cut off."""
        self._server.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._server.wait_closed()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._connected(Connection(reader, writer)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connected(self, line: Connection) -> None:
        try:
            await self._serve(line)
        finally:
            line.close()

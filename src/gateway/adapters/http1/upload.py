"""A request's body on its way out, piece by piece as it comes."""

import asyncio
from collections.abc import AsyncIterable

from gateway.adapters.http1.connection import Connection
from gateway.errors import BadRequest, UpstreamTimedOut


class Upload:
    """Sends in a task of its own, since an answer may begin, or be over, before the body is.

    ``done``: all of it is sent. ``failure``: why it never will be; what the pieces raised, or that
    they are more or fewer than ``length`` said, which would garble the connection.
    """

    def __init__(
        self, connection: Connection, pieces: AsyncIterable[bytes], length: int | None
    ) -> None:
        self.done = False
        self.failure: Exception | None = None
        self._connection, self._pieces, self._left = connection, pieces, length
        self._chunked = length is None
        self._loop = asyncio.get_running_loop()
        self._since: float | None = None  # when it became the provider's turn to do something
        self._sending = asyncio.ensure_future(self._send())

    async def answered(self, patience: float) -> None:
        """Returns when the status and the headers are in. ``patience``: seconds in which the
        provider must take what is there, or answer when all is."""
        connection = self._connection
        while not connection.answered:
            if failure := self.failure or connection.failure:
                raise failure
            left = patience if self._since is None else self._since + patience - self._loop.time()
            if left <= 0:
                done = "did not answer" if self.done else "stopped taking the request's body"
                raise UpstreamTimedOut(f"{connection.host} {done} in time")
            await connection.wait(left)

    async def stop(self) -> None:
        self._sending.cancel()
        await asyncio.wait({self._sending})

    async def _send(self) -> None:
        try:
            self.done = await self._all_sent()
        except Exception as error:  # noqa: BLE001 -- raised where somebody waits for the answer
            self.failure = error
            self._connection.wake()

    async def _all_sent(self) -> bool:
        connection = self._connection
        async for piece in self._pieces:
            self._since = self._loop.time()
            if piece:
                connection.send(self._framed(piece))
                await connection.drain()
            if connection.failure or connection.ended:  # nobody reads on
                return False
            self._since = None
        if self._left:
            raise BadRequest(None, "the body is shorter than its content-length")
        if self._chunked:
            connection.send(b"0\r\n\r\n")
        self._since = self._loop.time()
        return True

    def _framed(self, piece: bytes) -> bytes:
        if self._left is None:
            return b"%x\r\n%b\r\n" % (len(piece), piece)
        self._left -= len(piece)
        if self._left < 0:
            raise BadRequest(None, "the body is longer than its content-length")
        return piece

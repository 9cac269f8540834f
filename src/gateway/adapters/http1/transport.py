"""The Transport of the query path, on our own HTTP/1.1 connections."""

import asyncio
import ssl
from collections.abc import AsyncIterable, Mapping
from typing import NamedTuple

from gateway.adapters.encodings import EncodingError
from gateway.adapters.http1.connection import Connection
from gateway.adapters.http1.dialing import Dialer, Origin, Refuses
from gateway.adapters.http1.pool import Pool, PoolLimits
from gateway.adapters.http1.request import announced_length, destination, request_head
from gateway.adapters.http1.upload import Upload
from gateway.adapters.reading import READ_LIMIT, decoding, read_whole
from gateway.errors import UpstreamBroke, UpstreamError

DEFAULT_LIMITS = PoolLimits()


class Http1Transport:
    """One for the whole process; connections are shared by all that call the same origin.

    ``refuses`` is asked about every address that is to be connected to; a connection that is open
    stays so. ``tls`` stands in for the context that trusts what the machine trusts. Proxies named
    in the environment are not used, and redirects are not followed: a 3xx is a status.
    """

    def __init__(
        self,
        *,
        refuses: Refuses,
        connect_timeout: float = 5.0,
        read_limit: int = READ_LIMIT,
        limits: PoolLimits = DEFAULT_LIMITS,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._dialer = Dialer(refuses=refuses, connect_timeout=connect_timeout, tls=tls)
        self._read_limit, self._limits = read_limit, limits
        self._pools: dict[Origin, Pool] = {}
        self._loop: asyncio.AbstractEventLoop | None = None  # the one that the pools belong to

    async def open(
        self,
        url: str,
        headers: Mapping[str, str],
        body: bytes | AsyncIterable[bytes],
        *,
        patience: float,
        method: str = "POST",
    ) -> "Http1Upstream":
        """``patience`` covers waiting for a free connection and connecting as well."""
        place = destination(url)
        if isinstance(body, bytes):
            length: int | None = len(body)
        else:
            length = announced_length(place.origin.host, headers)
        request = Request(request_head(method, place, headers, length), length, method == "HEAD")
        loop = asyncio.get_running_loop()
        pool, upload = self._pool(place.origin, loop), None
        if isinstance(body, bytes):
            connection = await ask(pool, request, body, loop.time() + patience)
        else:
            connection, upload = await hand_on(pool, request, body, patience)
        try:
            return Http1Upstream(connection, pool, self._read_limit, upload)
        except UpstreamError:
            pool.discard(connection)
            if upload:
                await upload.stop()
            raise

    async def close(self) -> None:
        """Idle connections close now, those in use when their answers are closed."""
        self._leave_pools()
        await asyncio.sleep(0)  # the sockets close in the loop's next turn

    def _pool(self, origin: Origin, loop: asyncio.AbstractEventLoop) -> Pool:
        if loop is not self._loop:
            self._leave_pools()
            self._loop = loop
        pool = self._pools.get(origin)
        if pool is None:
            pool = self._pools[origin] = Pool(origin, self._dialer, self._limits)
        return pool

    def _leave_pools(self) -> None:
        for pool in self._pools.values():
            pool.close()
        self._pools = {}


class Request(NamedTuple):
    """``length``: of the body, where it is known. ``head_only``: what HEAD asks for."""

    head: bytes
    length: int | None
    head_only: bool


async def ask(pool: Pool, request: Request, body: bytes, deadline: float) -> Connection:
    """A connection on which the answer has begun.

    A pooled connection may have been closed at the very moment that we wrote to it. Nothing was
    answered then, and the request goes out once more, on a new connection that cannot be stale.
    """
    connection = await pool.acquire(deadline)
    while True:
        try:
            await connection.ask(request.head, body, deadline, head_only=request.head_only)
        except BaseException as error:
            if not (isinstance(error, UpstreamBroke) and connection.stale):
                pool.discard(connection)
                raise
        else:
            return connection
        connection = await pool.replace(connection, deadline)


async def hand_on(
    pool: Pool, request: Request, body: AsyncIterable[bytes], patience: float
) -> tuple[Connection, Upload]:
    """The same where the body is still to come. It could not be sent once more, so the connection
    is a new one, which cannot be stale."""
    deadline = asyncio.get_running_loop().time() + patience
    connection = await pool.acquire(deadline, fresh=True)
    connection.begin(request.head, head_only=request.head_only)
    upload = Upload(connection, body, request.length)
    try:
        await upload.answered(patience)
    except BaseException:
        pool.discard(connection)
        await upload.stop()
        raise
    return connection, upload


class Http1Upstream:
    """``upload``: the request's body, where that may still be on its way."""

    __slots__ = (
        "_connection",
        "_inflater",
        "_open",
        "_pool",
        "_read_limit",
        "_upload",
        "headers",
        "status",
    )

    headers: Mapping[str, str]

    def __init__(
        self, connection: Connection, pool: Pool, read_limit: int, upload: Upload | None = None
    ) -> None:
        self.status, self._upload = connection.status, upload
        self.headers, self._inflater = decoding(connection.headers, connection.host)
        self._connection, self._pool, self._read_limit = connection, pool, read_limit
        self._open = True

    async def read(self, patience: float) -> bytes:
        """What fails or is cancelled here also closes the upstream."""
        host = self._connection.host
        return await read_whole(self, host, patience=patience, limit=self._read_limit)

    async def next(self, patience: float) -> bytes | None:
        connection = self._connection
        if not self._open:  # it may carry another's answer by now
            raise UpstreamBroke(f"the answer of {connection.host} was closed before")
        while True:
            if connection.buffered or (self._inflater and self._inflater.more):
                if self._inflater and self._inflater.more:
                    await asyncio.sleep(0)  # little may unfold to very much: others have their turn
                if piece := self._take():
                    return piece
            elif connection.failure:
                raise connection.failure
            elif connection.ended:
                self._check_whole()
                return b""
            elif self._upload and self._upload.failure:
                raise self._upload.failure
            elif not await connection.wait(patience):
                return None

    async def close(self) -> None:
        if not self._open:
            return
        self._open = False
        upload = self._upload
        if self._connection.ended and (upload is None or upload.done):
            self._connection.take()
            self._pool.release(self._connection)
        else:
            self._pool.discard(self._connection)
        if upload:
            await upload.stop()

    def _take(self) -> bytes:
        if self._inflater is None:
            return self._connection.take()
        data = b"" if self._inflater.more else self._connection.take()
        try:
            return self._inflater.feed(data)
        except EncodingError as error:
            raise UpstreamBroke(f"{self._connection.host}: {error}") from error

    def _check_whole(self) -> None:
        if self._inflater is None:
            return
        try:
            self._inflater.finish()
        except EncodingError as error:
            raise UpstreamBroke(f"{self._connection.host}: {error}") from error

"""The Transport port over any httpx transport: a proxy's, a mock's, another library's."""

import asyncio
from collections.abc import Mapping
from typing import cast

import httpx

from gateway.adapters.encodings import EncodingError, Inflater
from gateway.adapters.http1.request import USER_AGENT, destination, header_block
from gateway.adapters.reading import READ_LIMIT, decoding, read_whole
from gateway.errors import (
    UpstreamBroke,
    UpstreamError,
    UpstreamTimedOut,
    UpstreamUnreachable,
)

# The first that fits says what httpx's error is to us.
MEANINGS: tuple[tuple[type[Exception], type[UpstreamError]], ...] = (
    (httpx.ConnectError, UpstreamUnreachable),
    (httpx.ConnectTimeout, UpstreamUnreachable),
    (httpx.ProxyError, UpstreamUnreachable),
    (httpx.UnsupportedProtocol, UpstreamUnreachable),
    (httpx.TimeoutException, UpstreamTimedOut),
    (httpx.HTTPError, UpstreamBroke),
)


class HttpxTransport:
    """Http1Transport's stand-in where its own connections do not reach, such as behind a proxy.

    The carrier's ``handle_async_request`` is called directly: no redirects, cookies or environment.
    Which addresses may be connected to is the carrier's to check: a proxy resolves names itself.
    """

    def __init__(
        self,
        carrier: httpx.AsyncBaseTransport,
        *,
        connect_timeout: float = 5.0,
        read_limit: int = READ_LIMIT,
    ) -> None:
        self._carrier, self._connect_timeout = carrier, connect_timeout
        self._read_limit = read_limit

    async def open(
        self, url: str, headers: Mapping[str, str], body: bytes, *, patience: float
    ) -> "HttpxUpstream":
        host = destination(url).origin.host
        header_block(host, headers)
        request = httpx.Request("POST", url, headers=headers, content=body)
        request.headers.setdefault("user-agent", USER_AGENT)
        connect = min(self._connect_timeout, patience)
        request.extensions["timeout"] = {"connect": connect, "pool": patience}
        try:
            async with asyncio.timeout(patience):
                response = await self._carrier.handle_async_request(request)
        except TimeoutError as error:
            raise UpstreamTimedOut(f"{host} did not answer in time") from error
        except httpx.HTTPError as error:
            raise renamed(error, host) from error
        try:
            return HttpxUpstream(response, host, self._read_limit)
        except UpstreamError:
            await response.aclose()
            raise

    async def close(self) -> None:
        await self._carrier.aclose()


class HttpxUpstream:
    headers: Mapping[str, str]

    def __init__(self, response: httpx.Response, host: str, read_limit: int) -> None:
        self.status = response.status_code
        self.headers, self._inflater = decoding(dict(response.headers), host)
        self._response, self._host, self._read_limit = response, host, read_limit
        self._pieces = aiter(cast("httpx.AsyncByteStream", response.stream))
        self._coming: asyncio.Task[bytes] | None = None
        self._failure: UpstreamError | None = None

    async def read(self, patience: float) -> bytes:
        """What fails or is cancelled here also closes the upstream."""
        return await read_whole(self, self._host, patience=patience, limit=self._read_limit)

    async def next(self, patience: float) -> bytes | None:
        if self._failure:
            raise self._failure
        # The read goes on in a task of its own: neither silence nor a cancelled caller ends it.
        if self._coming is None:
            self._coming = asyncio.ensure_future(self._piece())
        await asyncio.wait({self._coming}, timeout=patience)
        if not self._coming.done():
            return None
        done, self._coming = self._coming, None
        return done.result()

    async def close(self) -> None:
        if self._failure is None:
            self._failure = UpstreamBroke(f"the answer of {self._host} was closed before")
        coming, self._coming = self._coming, None
        if coming is not None:
            coming.cancel()
            await asyncio.wait({coming})
            if not coming.cancelled():
                coming.exception()  # asked for, lest asyncio report that nobody did
        await self._response.aclose()

    async def _piece(self) -> bytes:
        try:
            if self._inflater is None:
                return await self._raw() or b""
            return await self._inflated(self._inflater)
        except httpx.HTTPError as error:
            self._failure = renamed(error, self._host)
            raise self._failure from error
        except EncodingError as error:
            self._failure = UpstreamBroke(f"{self._host}: {error}")
            raise self._failure from error

    async def _inflated(self, inflate: Inflater) -> bytes:
        while True:
            raw = b"" if inflate.more else await self._raw()
            if raw is None:
                inflate.finish()
                return b""
            if piece := inflate.feed(raw):
                return piece

    async def _raw(self) -> bytes | None:
        async for piece in self._pieces:
            if piece:
                return piece
        return None


def renamed(error: httpx.HTTPError, host: str) -> UpstreamError:
    kind = next(ours for theirs, ours in MEANINGS if isinstance(error, theirs))
    return kind(f"{host}: {str(error) or type(error).__name__}")

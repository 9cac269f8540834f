"""The Transport port over httpx: for a proxy, which our own connections do not know."""

import asyncio
import ssl
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping
from typing import cast

import httpcore
import httpx

from gateway.adapters.encodings import EncodingError, Inflater
from gateway.adapters.http1.dialing import Refuses, Resolver
from gateway.adapters.http1.request import (
    PORTS,
    USER_AGENT,
    announced_length,
    destination,
    request_head,
)
from gateway.adapters.reading import READ_LIMIT, decoding, read_whole
from gateway.errors import (
    BadRequest,
    UpstreamBroke,
    UpstreamError,
    UpstreamTimedOut,
    UpstreamUnreachable,
)
from gateway.providers.addresses import refused_host, spelled_address

CONNECT_TIMEOUT = 5.0
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
    """Http1Transport's stand-in where its own connections do not reach: behind a proxy.

    The carrier's ``handle_async_request`` is called directly: no redirects, cookies or environment.
    ``refuses`` is asked about every address that is to be connected to. But a proxy resolves names
    itself: behind one, only an address which the URL spells out is asked about, and the names are
    the proxy's to judge. ``tls`` stands in for the context that trusts what the machine trusts,
    ``carrier`` for httpx's own transport.
    """

    def __init__(
        self,
        *,
        refuses: Refuses,
        proxy: str | None,
        connect_timeout: float = CONNECT_TIMEOUT,
        read_limit: int = READ_LIMIT,
        tls: ssl.SSLContext | None = None,
        carrier: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._refuses, self._proxied = refuses, proxy is not None
        self._connect_timeout, self._read_limit = connect_timeout, read_limit
        if carrier is None:
            trusted = tls or ssl.create_default_context()
            carrier = through(proxy, trusted) if proxy else guarded(refuses, trusted)
        self._carrier = carrier

    async def open(
        self,
        url: str,
        headers: Mapping[str, str],
        body: bytes | AsyncIterable[bytes],
        *,
        patience: float,
        method: str = "POST",
    ) -> "HttpxUpstream":
        """A body that comes piece by piece is sent before httpx looks for the answer."""
        host = destination(url).origin.host
        if isinstance(body, bytes):
            pieces, request = None, made(method, url, headers, body)
        else:
            pieces = Pieces(body, announced_length(host, headers), patience)
            request = made(method, url, headers, pieces)
        if self._proxied and (reason := refused_as_spelled(request.url, self._refuses)):
            raise UpstreamUnreachable(f"cannot connect to {host}: {reason}")
        request.headers.setdefault("user-agent", USER_AGENT)
        connect = min(self._connect_timeout, patience)
        request.extensions["timeout"] = {"connect": connect, "pool": patience}
        try:
            async with asyncio.timeout(patience) as limit:
                if pieces:
                    pieces.limit = limit
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


class Pieces:
    """A request's body. The time that it takes to come is not the provider's; more or less of it
    than ``length`` says would garble the connection."""

    def __init__(self, pieces: AsyncIterable[bytes], length: int | None, patience: float) -> None:
        self._pieces, self.length, self._patience = pieces, length, patience
        self.limit: asyncio.Timeout | None = None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = self.length
        self._reschedule(None)
        async for piece in self._pieces:
            left = None if left is None else left - len(piece)
            if left is not None and left < 0:
                raise BadRequest(None, "the body is longer than its content-length")
            self._reschedule(self._patience)
            yield piece
            self._reschedule(None)
        if left:
            raise BadRequest(None, "the body is shorter than its content-length")
        self._reschedule(self._patience)

    def _reschedule(self, seconds: float | None) -> None:
        if self.limit and not self.limit.expired():
            now = asyncio.get_running_loop().time()
            self.limit.reschedule(None if seconds is None else now + seconds)


def made(method: str, url: str, headers: Mapping[str, str], body: bytes | Pieces) -> httpx.Request:
    """Raises UpstreamUnreachable where our own connections would."""
    length = body.length if isinstance(body, Pieces) else len(body)
    request_head(method, destination(url), headers, length)
    try:
        return httpx.Request(method, url, headers=headers, content=body)
    except httpx.InvalidURL as error:  # httpx is stricter with some than we are
        raise UpstreamUnreachable(f"the provider's URL is malformed: {error}") from error


def through(proxy: str, tls: ssl.SSLContext) -> httpx.AsyncBaseTransport:
    return httpx.AsyncHTTPTransport(verify=tls, trust_env=False, proxy=proxy)


def guarded(refuses: Refuses, tls: ssl.SSLContext) -> httpx.AsyncBaseTransport:
    carrier = httpx.AsyncHTTPTransport(verify=tls, trust_env=False)
    # httpx 0.28 has no public hook for how a connection is made; httpcore, beneath it, has.
    carrier._pool._network_backend = Guard(refuses)  # noqa: SLF001 -- the tests would miss it
    return carrier


class Guard(httpcore.AsyncNetworkBackend):
    """Connects to what it has checked. TLS is begun later, by httpcore, with the URL's host."""

    def __init__(self, refuses: Refuses) -> None:
        self._resolver, self._network = Resolver(refuses), httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 -- httpcore's own signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + (CONNECT_TIMEOUT if timeout is None else timeout)
        addresses, problems = await self._resolver.find(host, port, deadline)
        for place, address in enumerate(addresses):
            share = (deadline - loop.time()) / (len(addresses) - place)
            try:
                return await self._network.connect_tcp(
                    address, port, share, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                problems.append(f"{address}: {str(error) or 'did not answer in time'}")
        raise httpcore.ConnectError("; ".join(problems))


def refused_as_spelled(url: httpx.URL, refuses: Refuses) -> str | None:
    """As httpx reads the URL, since that is what the proxy gets to see."""
    host, port = url.raw_host.decode("ascii"), url.port or PORTS[url.scheme]
    if f".{host.rstrip('.')}".endswith(".localhost"):  # RFC 6761: the proxy itself
        return refuses(host, port, "127.0.0.1")
    address = spelled_address(host)
    return refuses(host, port, str(address)) if address else refused_host(host)


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

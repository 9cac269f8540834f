"""Who could carry the query path: each candidate as two functions, post and stream."""

import asyncio
import functools
import importlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import httptools
import httpx

from gateway.adapters.http1.connection import Connection
from gateway.adapters.http1.dialing import Dialer
from gateway.adapters.http1.pool import Pool, PoolLimits
from gateway.adapters.http1.request import destination, request_head
from gateway.adapters.http1.transport import Http1Transport

REQUEST = b'{"model":"m","messages":[{"role":"user","content":"' + b"x" * 960 + b'"}]}'
HEADERS = {
    "accept": "*/*",
    "accept-encoding": "identity",
    "authorization": "Bearer sk-0123456789abcdef0123456789abcdef",
    "content-type": "application/json",
    "user-agent": "bench",
}


@dataclass
class Client:
    """``post`` reads a whole answer; ``stream`` counts the bytes of one read as it comes."""

    post: Callable[[str], Awaitable[bytes]]
    stream: Callable[[str], Awaitable[int]]


# Each enters what it must close into the stack.


async def floor(stack: AsyncExitStack) -> Client:
    """One connection, no pool, no time-out, no error handling: what no client can beat."""
    loop = asyncio.get_running_loop()
    raw: dict[str, RawConnection] = {}

    async def ask(url: str) -> bytes:
        if url not in raw:
            parts = httpx.URL(url)
            _, raw[url] = await loop.create_connection(RawConnection, parts.host, parts.port or 80)
            stack.callback(raw[url].transport.close)
        head = request_head("POST", destination(url), HEADERS, len(REQUEST))
        return await raw[url].ask(head + REQUEST)

    async def stream(url: str) -> int:
        return len(await ask(url))

    return Client(ask, stream)


class RawConnection(asyncio.Protocol):
    transport: asyncio.Transport

    def __init__(self) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.body: list[bytes] = []

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def ask(self, request: bytes) -> asyncio.Future[bytes]:
        self.done: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self.done

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self.body.append(body)

    def on_message_complete(self) -> None:
        self.done.set_result(b"".join(self.body))
        self.body.clear()


async def own(stack: AsyncExitStack) -> Client:
    transport = Http1Transport(refuses=lambda *_: None)
    stack.push_async_callback(transport.close)

    async def post(url: str) -> bytes:
        upstream = await transport.open(url, HEADERS, REQUEST, patience=30)
        try:
            return await upstream.read(30)
        finally:
            await upstream.close()

    async def stream(url: str) -> int:
        upstream = await transport.open(url, HEADERS, REQUEST, patience=30)
        total = 0
        while piece := await upstream.next(30):
            total += len(piece)
        await upstream.close()
        return total

    return Client(post, stream)


class OwnUnderHttpx(httpx.AsyncBaseTransport):
    """Our carrier behind httpx's seam: an httpx.Request in, an httpx.Response out."""

    def __init__(self) -> None:
        self.pools: dict[Any, Pool] = {}
        self.dialer = Dialer(refuses=lambda *_: None, connect_timeout=5)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        loop = asyncio.get_running_loop()
        url = str(request.url)
        place = destination(url)
        pool = self.pools.get(place.origin)
        if pool is None:
            pool = self.pools[place.origin] = Pool(place.origin, self.dialer, PoolLimits())
        body = request.content
        head = [f"{k.decode('latin-1')}: {v.decode('latin-1')}\r\n" for k, v in request.headers.raw]
        deadline = loop.time() + request.extensions["timeout"]["read"]
        connection = await pool.acquire(deadline)
        start = f"POST {place.target} HTTP/1.1\r\n{''.join(head)}\r\n".encode("latin-1")
        await connection.ask(start, body, deadline)
        return httpx.Response(
            connection.status,
            headers=connection.headers,
            stream=OwnStream(connection, pool),
        )

    async def aclose(self) -> None:
        for pool in self.pools.values():
            pool.close()


class OwnStream(httpx.AsyncByteStream):
    def __init__(self, connection: Connection, pool: Pool) -> None:
        self.connection, self.pool = connection, pool

    async def __aiter__(self) -> AsyncIterator[bytes]:
        connection = self.connection
        while True:
            if connection.buffered:
                yield connection.take()
            elif connection.ended:
                return
            else:
                await connection.wait(30)

    async def aclose(self) -> None:
        self.pool.release(self.connection)


def under_httpx(client: httpx.AsyncBaseTransport) -> Client:
    """Calls the transport itself, without the AsyncClient above it; URLs are parsed once."""
    url_of = functools.cache(httpx.URL)
    time_out = {"timeout": {"connect": 5, "read": 30, "write": 30, "pool": 5}}

    async def opened(url: str) -> httpx.Response:
        request = httpx.Request(
            "POST", url_of(url), headers=HEADERS, content=REQUEST, extensions=time_out
        )
        return await client.handle_async_request(request)

    async def post(url: str) -> bytes:
        response = await opened(url)
        body = b"".join([piece async for piece in stream_of(response)])
        await response.stream.aclose()  # type: ignore[union-attr]
        return body

    async def stream(url: str) -> int:
        response = await opened(url)
        total = 0
        async for piece in stream_of(response):
            total += len(piece)
        await response.stream.aclose()  # type: ignore[union-attr]
        return total

    return Client(post, stream)


def stream_of(response: httpx.Response) -> AsyncIterator[bytes]:
    assert isinstance(response.stream, httpx.AsyncByteStream)
    return response.stream.__aiter__()


async def own_under_httpx(stack: AsyncExitStack) -> Client:
    carrier = OwnUnderHttpx()
    stack.push_async_callback(carrier.aclose)
    return under_httpx(carrier)


async def httpx_transport(stack: AsyncExitStack) -> Client:
    carrier = await stack.enter_async_context(httpx.AsyncHTTPTransport())
    return under_httpx(carrier)


def with_client(client: httpx.AsyncClient) -> Client:
    async def post(url: str) -> bytes:
        return (await client.post(url, headers=HEADERS, content=REQUEST)).content

    async def stream(url: str) -> int:
        total = 0
        async with client.stream("POST", url, headers=HEADERS, content=REQUEST) as response:
            async for piece in response.aiter_raw():
                total += len(piece)
        return total

    return Client(post, stream)


async def plain_httpx(stack: AsyncExitStack) -> Client:
    return with_client(await stack.enter_async_context(httpx.AsyncClient(timeout=30)))


async def httpx_over_aiohttp(stack: AsyncExitStack) -> Client:
    carrier = importlib.import_module("httpx_aiohttp").AiohttpTransport()
    client = httpx.AsyncClient(timeout=30, transport=carrier)
    return with_client(await stack.enter_async_context(client))


async def aiohttp(stack: AsyncExitStack) -> Client:
    library = importlib.import_module("aiohttp")
    session = await stack.enter_async_context(library.ClientSession())

    async def post(url: str) -> bytes:
        async with session.post(url, headers=HEADERS, data=REQUEST) as response:
            body: bytes = await response.read()
            return body

    async def stream(url: str) -> int:
        total = 0
        async with session.post(url, headers=HEADERS, data=REQUEST) as response:
            async for piece in response.content.iter_any():
                total += len(piece)
        return total

    return Client(post, stream)


async def pyreqwest(stack: AsyncExitStack) -> Client:
    builder = importlib.import_module("pyreqwest.client").ClientBuilder()
    client = await stack.enter_async_context(builder.build())

    def request(url: str) -> Any:
        return client.post(url).headers(HEADERS).body_bytes(REQUEST)

    async def post(url: str) -> bytes:
        response = await request(url).build().send()
        return bytes(await response.bytes())

    async def stream(url: str) -> int:
        total = 0
        built = request(url).streamed_read_buffer_limit(0).build_streamed()
        async with built as response:
            while piece := await response.body_reader.read_chunk():
                total += len(piece)
        return total

    return Client(post, stream)


@dataclass(frozen=True)
class Candidate:
    enter: Callable[[AsyncExitStack], Awaitable[Client]]
    imports: str  # what a cold start pays for, after FastAPI


CANDIDATES: Mapping[str, Candidate] = {
    "floor": Candidate(floor, "httptools"),
    "own": Candidate(own, "gateway.adapters.http1.transport"),
    "own under httpx": Candidate(own_under_httpx, "httpx, gateway.adapters.http1.transport"),
    "pyreqwest": Candidate(pyreqwest, "pyreqwest.client"),
    "aiohttp": Candidate(aiohttp, "aiohttp"),
    "httpx over aiohttp": Candidate(httpx_over_aiohttp, "httpx_aiohttp"),
    "httpx transport": Candidate(httpx_transport, "httpx, httpcore"),
    "httpx": Candidate(plain_httpx, "httpx, httpcore"),
}

"""The floors: the thinnest pass-through that FastAPI allows, over three HTTP clients.

BENCH_UPSTREAM=http://127.0.0.1:9000/v1/chat/completions \
    python -m uvicorn --factory benchmarks.floors:through_raw
"""

import asyncio
import contextlib
import importlib
import os
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any, Protocol
from urllib.parse import urlsplit

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse

from benchmarks.payloads import MODELS
from benchmarks.raw_http import Connection, connect, post_request


class Client(Protocol):
    """Sends a body to the one URL that it was made with."""

    async def post(self, body: bytes) -> tuple[int, bytes]: ...
    def stream(self, body: bytes) -> AsyncIterator[bytes]: ...
    async def close(self) -> None: ...


def through_raw() -> FastAPI:
    return _floor(RawClient)


def through_httpx() -> FastAPI:
    return _floor(HttpxClient)


def through_aiohttp() -> FastAPI:
    return _floor(AiohttpClient)


def _floor(client_to: Callable[[str], Client]) -> FastAPI:
    client: Client

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        nonlocal client
        client = client_to(os.environ["BENCH_UPSTREAM"])
        yield
        await client.close()

    app = FastAPI(lifespan=lifespan)

    @app.post("/v1/chat/completions")
    async def chat(request: Request) -> Response:
        call = orjson.loads(await request.body())
        call["model"] = MODELS[call["model"]]
        body = orjson.dumps(call)
        if call.get("stream"):
            return StreamingResponse(client.stream(body), media_type="text/event-stream")
        status, answer = await client.post(body)
        return Response(answer, status, media_type="application/json")

    return app


class RawClient:
    """Keep-alive connections on asyncio and httptools, the last used first, and nothing else."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._authority, self._path = parts.netloc, parts.path
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._idle: list[Connection] = []

    async def post(self, body: bytes) -> tuple[int, bytes]:
        answer = await self._send(body)
        pieces = [piece async for piece in answer]
        return answer.status, b"".join(pieces)

    async def stream(self, body: bytes) -> AsyncIterator[bytes]:
        async for piece in await self._send(body):
            yield piece

    async def close(self) -> None:
        for connection in self._idle:
            connection.close()

    async def _send(self, body: bytes) -> "RawAnswer":
        while self._idle and not self._idle[-1].reusable:
            self._idle.pop()
        connection = self._idle.pop() if self._idle else await connect(self._host, self._port)
        answer = RawAnswer(connection, self._idle)
        connection.send(post_request(self._authority, self._path, body), answer)
        return answer


class RawAnswer:
    """The pieces of one answer as they come; gives the connection back to `idle` at the end."""

    def __init__(self, connection: Connection, idle: list[Connection]) -> None:
        self.status = 0
        self._connection = connection
        self._idle = idle
        self._pieces: deque[bytes] = deque()
        self._ended: Exception | bool = False
        self._waiter: asyncio.Future[None] | None = None

    def head(self, status: int) -> None:
        self.status = status

    def piece(self, body: bytes) -> None:
        self._pieces.append(body)
        self._wake()

    def finished(self) -> None:
        self._ended = True
        self._idle.append(self._connection)
        self._wake()

    def failed(self, error: Exception) -> None:
        self._ended = error
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            while True:
                while self._pieces:
                    yield self._pieces.popleft()
                if isinstance(self._ended, Exception):
                    raise self._ended
                if self._ended:
                    return
                self._waiter = asyncio.get_running_loop().create_future()
                await self._waiter
        finally:
            if not self._ended:
                self._connection.close()


class HttpxClient:
    def __init__(self, url: str) -> None:
        import httpx  # here, so that a floor's cold start pays for its own client alone

        self._url = url
        # No cap on connections: a floor is httpx at its best, not at its defaults.
        self._client = httpx.AsyncClient(limits=httpx.Limits(), timeout=None)  # noqa: S113

    async def post(self, body: bytes) -> tuple[int, bytes]:
        answer = await self._client.post(self._url, content=body, headers=_HEADERS)
        return answer.status_code, answer.content

    async def stream(self, body: bytes) -> AsyncIterator[bytes]:
        asked = self._client.stream("POST", self._url, content=body, headers=_HEADERS)
        async with asked as answer:
            async for piece in answer.aiter_raw():
                yield piece

    async def close(self) -> None:
        await self._client.aclose()


class AiohttpClient:
    def __init__(self, url: str) -> None:
        aiohttp: Any = importlib.import_module("aiohttp")  # optional: it comes with bench.txt
        self._url = url
        self._session: Any = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))

    async def post(self, body: bytes) -> tuple[int, bytes]:
        async with self._session.post(self._url, data=body, headers=_HEADERS) as answer:
            return answer.status, await answer.read()

    async def stream(self, body: bytes) -> AsyncIterator[bytes]:
        async with self._session.post(self._url, data=body, headers=_HEADERS) as answer:
            async for piece in answer.content.iter_any():
                yield piece

    async def close(self) -> None:
        await self._session.close()


_HEADERS = {"content-type": "application/json"}

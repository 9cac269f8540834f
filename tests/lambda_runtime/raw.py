"""A runtime made of raw bytes: it says what it is told to, right or wrong."""

import asyncio
import base64
import json
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Self

from examples.local_lambda.posted import Invocation, Terms
from examples.local_lambda.runtime_api import RuntimeApi

PATIENCE = 10.0  # seconds that anything here waits at most
PREFIX = "/2018-06-01/runtime"
STREAMING = {
    "Content-Type": "application/vnd.awslambda.http-integration-response",
    "Lambda-Runtime-Function-Response-Mode": "streaming",
    "Transfer-Encoding": "chunked",
    "Trailer": "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body",
}
JSON = {"Content-Type": "application/json"}
ERROR = {**JSON, "Lambda-Runtime-Function-Error-Type": "Runtime.Broken"}
TOLD = {"errorMessage": "it broke", "errorType": "RuntimeError", "stackTrace": []}
PRELUDE = {"statusCode": 200, "headers": {"content-type": "text/plain"}}
NULS = b"\0" * 8
EVENT = {"hello": "world"}
END = b"0\r\n\r\n"


@dataclass(frozen=True)
class Answer:
    """What the Runtime API said."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Line:
    """One connection to the Runtime API."""

    address: str
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def to(cls, address: str) -> Self:
        host, _, port = address.partition(":")
        return cls(address, *await asyncio.open_connection(host, int(port)))

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """A request with the headers that all have, the length of the body among them."""
        await self.say(head(self.address, method, path, headers, body) + body)
        return await self.heard()

    async def poll(self) -> Answer:
        return await self.ask("GET", f"{PREFIX}/invocation/next", {}, b"")

    async def heard(self) -> Answer:
        async with asyncio.timeout(PATIENCE):
            first, *lines = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[:-2]
            headers = {
                name.lower(): value for name, value in (line.split(": ", 1) for line in lines)
            }
            if "chunked" in headers.get("transfer-encoding", ""):
                body = await self._chunks()
            else:
                body = await self.reader.readexactly(int(headers.get("content-length", 0)))
        return Answer(int(first.split()[1]), headers, body)

    async def closed(self) -> bool:
        """Whether the other side hangs up, having said no more."""
        async with asyncio.timeout(PATIENCE):
            try:
                return await self.reader.read() == b""
            except ConnectionResetError:
                return True

    async def _chunks(self) -> bytes:
        body = b""
        while size := int(await self.reader.readline(), 16):
            body += await self.reader.readexactly(size)
            await self.reader.readline()
        await self.reader.readline()
        return body

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()


def head(address: str, method: str, path: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """`headers` stand in for the usual ones, too; an empty one is left out."""
    usual = {"Host": address, "User-Agent": "raw/1", "Connection": "keep-alive"}
    if method == "POST" and not headers.get("Transfer-Encoding"):
        usual["Content-Length"] = str(len(body))
    fields = "".join(
        f"{name}: {value}\r\n" for name, value in {**usual, **headers}.items() if value
    )
    return f"{method} {path} HTTP/1.1\r\n{fields}\r\n".encode("latin-1")


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def prelude(told: Any = PRELUDE) -> bytes:
    return (told if isinstance(told, bytes) else json.dumps(told).encode()) + NULS


def streamed(*pieces: bytes, told: Any = PRELUDE) -> bytes:
    """A whole stream, framed."""
    return b"".join(map(chunk, (prelude(told), *pieces))) + END


def trailers(kind: str = "Runtime.StreamError", told: Any = TOLD) -> bytes:
    """The end of a stream that failed."""
    text = told if isinstance(told, bytes) else base64.b64encode(json.dumps(told).encode())
    return (
        b"0\r\nLambda-Runtime-Function-Error-Type: %b\r\n"
        b"Lambda-Runtime-Function-Error-Body: %b\r\n\r\n" % (kind.encode(), text)
    )


def run(test: Callable[[RuntimeApi], Coroutine[Any, Any, None]], concurrency: int = 1) -> None:
    async def main() -> None:
        async with asyncio.timeout(6 * PATIENCE), RuntimeApi(concurrency=concurrency) as api:
            await test(api)

    asyncio.run(main())


async def given(api: RuntimeApi, terms: Terms | None = None) -> tuple[Invocation, Answer]:
    """An invocation that a runtime has taken."""
    invocation = await api.invoke(EVENT, terms=terms or Terms())
    async with await Line.to(api.address) as line:
        return invocation, await line.poll()


async def post(
    api: RuntimeApi,
    invocation: Invocation,
    body: bytes,
    headers: Mapping[str, str],
    what: str = "response",
) -> Answer:
    """What the runtime posts, on a connection of its own."""
    echo = {"Lambda-Runtime-Invocation-Id": invocation.invocation_id or ""}
    async with await Line.to(api.address) as line:
        path = f"{PREFIX}/invocation/{invocation.id}/{what}"
        return await line.ask("POST", path, {**echo, "Connection": "close", **headers}, body)

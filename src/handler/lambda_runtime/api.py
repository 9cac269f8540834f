"""The Runtime API's operations."""

import asyncio
import base64
import logging
from collections.abc import Mapping

from gateway.wire.json import dumps
from handler.lambda_runtime.connection import Connection, Reply
from handler.lambda_runtime.invocation import Invocation, invocation_of

VERSION = "/2018-06-01/runtime"
HTTP_INTEGRATION = "application/vnd.awslambda.http-integration-response"
ERROR_TYPE = "Lambda-Runtime-Function-Error-Type"
ERROR_BODY = "Lambda-Runtime-Function-Error-Body"
# Go's server takes trailers below 4 KiB: with more it resets the connection, and the environment
# is lost. Base64 makes four characters of three bytes, JSON up to six bytes of one character.
LONGEST_MESSAGE = 256
LONGEST_TYPE = 64
TOLD = 10.0  # seconds for AWS to take note of an answer

logger = logging.getLogger("sluicegate.lambda")


class RuntimeLost(Exception):
    """The Runtime API hands out no more invocations: the process has to end."""


class RuntimeApi:
    """``address``: HOST:PORT, from AWS_LAMBDA_RUNTIME_API."""

    def __init__(self, address: str) -> None:
        self._address = address

    def connection(self) -> Connection:
        return Connection(self._address)

    async def next(self, connection: Connection) -> Invocation:
        """Waits as long as it takes. Raises RuntimeLost."""
        reply = await self._get(connection, f"{VERSION}/invocation/next")
        try:
            return invocation_of(reply)
        except (KeyError, ValueError) as error:
            raise RuntimeLost(f"/next handed out no invocation: {error!r}") from error

    async def restored(self) -> None:
        """Waits while the snapshot is taken, kept and restored. Raises RuntimeLost."""
        connection = self.connection()
        try:
            await self._get(connection, f"{VERSION}/restore/next")
        finally:
            connection.close()

    async def answer(self, invocation: Invocation, body: bytes) -> None:
        """A whole answer. Raises OSError."""
        headers = {"Content-Type": "application/json", **_echoed(invocation)}
        await self._post(_path(invocation, "response"), body, headers)

    async def failed(self, invocation: Invocation, error: Exception) -> None:
        """Only while no byte of an answer has been sent. Raises OSError."""
        body, headers = _fault(error, "Runtime.HandlerError")
        path = _path(invocation, "error")
        await self._post(path, body, {**headers, **_echoed(invocation)})

    async def failed_to_start(self, error: BaseException, kind: str, phase: str = "init") -> None:
        """``phase``: ``init`` or ``restore``. Raises OSError."""
        body, headers = _fault(error, kind)
        await self._post(f"{VERSION}/{phase}/error", body, headers)

    async def stream(self, invocation: Invocation) -> "StreamedPost":
        """Raises OSError."""
        connection = self.connection()
        await connection.open()
        return StreamedPost(connection, invocation)

    async def _get(self, connection: Connection, path: str) -> Reply:
        request = connection.head("GET", path, {})
        try:
            reply = await _ask(connection, request)
        except OSError as error:
            raise RuntimeLost(f"{path}: {error}") from error
        if reply.status != 200:
            raise RuntimeLost(f"{path} answered {reply.status}: {reply.body[:200]!r}")
        return reply

    async def _post(self, path: str, body: bytes, headers: Mapping[str, str]) -> None:
        connection = self.connection()
        length = {"Content-Length": str(len(body)), "Connection": "close"}
        try:
            async with asyncio.timeout(TOLD):
                await connection.open()
                await connection.send(connection.head("POST", path, {**headers, **length}) + body)
                _check(path, await connection.reply())
        finally:
            connection.close()


class StreamedPost:
    """An answer in pieces: HTTP chunks, whose bounds mean nothing to AWS."""

    def __init__(self, connection: Connection, invocation: Invocation) -> None:
        self._connection = connection
        self._path = _path(invocation, "response")
        headers = {
            "Content-Type": HTTP_INTEGRATION,
            "Lambda-Runtime-Function-Response-Mode": "streaming",
            "Transfer-Encoding": "chunked",
            "Trailer": f"{ERROR_TYPE}, {ERROR_BODY}",
            **_echoed(invocation),
            "Connection": "close",
        }
        self._head = connection.head("POST", self._path, headers)

    async def begin(self, prelude: bytes, body: bytes) -> None:
        """The prelude in a chunk of its own, and the first of the body right behind it."""
        await self._connection.send(self._head + _chunk(prelude) + _chunk(body))

    async def write(self, body: bytes) -> None:
        """``body``: at least a byte, since an empty chunk would be the end."""
        await self._connection.send(_chunk(body))

    async def end(self, trailers: bytes = b"") -> None:
        try:
            async with asyncio.timeout(TOLD):  # the sending too: AWS may have stopped to read
                await self._connection.send(b"0\r\n" + trailers + b"\r\n")
                _check(self._path, await self._connection.reply())
        finally:
            self._connection.close()

    async def fail(self, kind: str, message: str) -> None:
        """What went wrong after the first byte, for AWS' metrics: callers do not see it."""
        told = {"errorMessage": _words(message), "errorType": kind, "stackTrace": []}
        body = base64.b64encode(dumps(told)).decode()
        await self.end(f"{ERROR_TYPE}: {kind}\r\n{ERROR_BODY}: {body}\r\n".encode())

    def abandon(self) -> None:
        self._connection.close()


def _chunk(data: bytes) -> bytes:
    return b"%X\r\n%b\r\n" % (len(data), data)


async def _ask(connection: Connection, request: bytes) -> Reply:
    """On a connection that was kept open, once more if it had been closed meanwhile."""
    await connection.open()
    stale = not connection.fresh
    try:
        await connection.send(request)
        return await connection.reply()
    except ConnectionError:
        connection.close()
        if not stale:
            raise
    await connection.open()
    await connection.send(request)
    return await connection.reply()


def _check(path: str, reply: Reply) -> None:
    """What AWS did not take is lost whatever we do; the next poll tells whether to go on."""
    if reply.status == 410:
        logger.warning("%s: too late, Lambda has given up the invocation", path)
    elif reply.status >= 300:
        logger.error("%s: answered %d, %r", path, reply.status, reply.body[:200])


def _path(invocation: Invocation, what: str) -> str:
    return f"{VERSION}/invocation/{invocation.aws_request_id}/{what}"


def _echoed(invocation: Invocation) -> dict[str, str]:
    if invocation.invocation_id is None:
        return {}
    return {"Lambda-Runtime-Invocation-Id": invocation.invocation_id}


def _fault(error: BaseException, kind: str) -> tuple[bytes, dict[str, str]]:
    """The name of the error and its words, and no trace: it may quote anything."""
    told = {
        "errorMessage": _words(str(error)),
        "errorType": type(error).__name__[:LONGEST_TYPE],
        "stackTrace": [],
    }
    return dumps(told), {"Content-Type": "application/json", ERROR_TYPE: kind}


def _words(text: str) -> str:
    """Short, and without halves of characters: there is no JSON of those."""
    return text[:LONGEST_MESSAGE].encode("utf-8", "replace").decode()

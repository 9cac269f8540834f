"""A keep-alive HTTP/1.1 client connection on asyncio and httptools: the least that one can cost."""

import asyncio
import socket
from typing import Protocol, cast

import httptools


class Receiver(Protocol):
    """Is told of an answer as it comes in: head, any number of pieces, then finished or failed."""

    def head(self, status: int) -> None: ...
    def piece(self, body: bytes) -> None: ...
    def finished(self) -> None: ...
    def failed(self, error: Exception) -> None: ...


class Connection(asyncio.Protocol):
    """Carries one exchange at a time; free for the next when its receiver is told `finished`."""

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._receiver: Receiver | None = None
        self._pieces: list[bytes] = []
        self._complete = False
        self._keep_alive = True

    def send(self, request: bytes, receiver: Receiver) -> None:
        self._receiver = receiver
        self._complete = False
        self._transport.write(request)

    def close(self) -> None:
        self._receiver = None
        self._transport.close()

    @property
    def reusable(self) -> bool:
        return self._keep_alive and not self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        no_delay(self._transport)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(error)
            return
        receiver = self._receiver
        if receiver is None:
            return
        if self._pieces:
            # One piece for each read, however many HTTP chunks came in it.
            body = b"".join(self._pieces)
            self._pieces.clear()
            receiver.piece(body)
        if self._complete:
            self._receiver = None
            receiver.finished()

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(exc or ConnectionResetError("closed before the answer was complete"))

    def on_headers_complete(self) -> None:
        self._keep_alive = self._parser.should_keep_alive()
        if self._receiver is not None:
            self._receiver.head(self._parser.get_status_code())

    def on_body(self, body: bytes) -> None:
        self._pieces.append(body)

    def on_message_complete(self) -> None:
        self._complete = True

    def _fail(self, error: Exception) -> None:
        receiver, self._receiver = self._receiver, None
        self._transport.close()
        if receiver is not None:
            receiver.failed(error)


async def connect(host: str, port: int) -> Connection:
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(Connection, host, port)
    return connection


def post_request(authority: str, path: str, body: bytes, headers: tuple[str, ...] = ()) -> bytes:
    """The bytes of a POST; `headers` are whole lines, such as "authorization: Bearer …"."""
    lines = (
        f"POST {path} HTTP/1.1",
        f"host: {authority}",
        "content-type: application/json",
        f"content-length: {len(body)}",
        *headers,
    )
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def no_delay(transport: asyncio.Transport) -> None:
    """Small writes leave at once: Nagle with delayed ACK would show as a 40 ms plateau."""
    transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

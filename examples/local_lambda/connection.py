"""One HTTP/1.1 connection as a server sees it: h11 reads every byte, and nothing is forgiven."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import h11

READ = 64 * 1024
LONGEST_HEAD = 64 * 1024  # room for trailers that are too long, so that they can be told
LINGER = 0.5  # seconds, as Go's server does
NO_LINGER = struct.pack("ii", 1, 0)

Headers = Sequence[tuple[str, str]]


class Gone(Exception):
    """The other side closed, or was cut off."""


class Malformed(Exception):
    """Not HTTP/1.1; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class Dribble:
    """How an answer is written: so many bytes at a time, with a pause in between."""

    size: int
    pause: float = 0.0


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a request. Names of headers are lower-case, and a repeated one is joined."""

    method: str
    target: str
    version: str
    raw_headers: Headers
    bare_newlines: bool

    @property
    def headers(self) -> dict[str, str]:
        return joined((name.lower(), value) for name, value in self.raw_headers)


def joined(fields: Iterable[tuple[str, str]]) -> dict[str, str]:
    """A repeated field's values in one, as HTTP allows."""
    found: dict[str, str] = {}
    for name, value in fields:
        found[name] = f"{found[name]},{value}" if name in found else value
    return found


class Connection:
    """Requests in, answers out, one after the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._h11 = h11.Connection(h11.SERVER, max_incomplete_event_size=LONGEST_HEAD)
        self.trailers: Headers = ()
        self.trailer_bytes = 0

    @property
    def ended(self) -> bool:
        """All of the request has been read."""
        return self._h11.their_state in (h11.DONE, h11.MUST_CLOSE, h11.CLOSED)

    async def request(self) -> Head | None:
        """The next one; None when the other side is through."""
        received: list[bytes] = [self._h11.trailing_data[0]]
        try:
            while (event := self._next_event()) is h11.NEED_DATA:
                received.append(await self._receive())
        except Gone as error:
            if b"".join(received):
                raise Malformed(f"broken off in a head: {error}") from error
            raise
        if not isinstance(event, h11.Request):
            return None
        unread = len(self._h11.trailing_data[0])
        raw = b"".join(received)
        raw = raw[: len(raw) - unread]
        return Head(
            event.method.decode(),
            event.target.decode("latin-1"),
            event.http_version.decode(),
            _decoded(event.headers.raw_items()),
            bare_newlines=raw.count(b"\n") != raw.count(b"\r\n"),
        )

    async def body(self) -> AsyncIterator[bytes]:
        """Pieces as they arrive. Afterwards `trailers` has what came behind the last chunk."""
        while not self.ended:
            event = self._next_event()
            if event is h11.NEED_DATA:
                if self._h11.they_are_waiting_for_100_continue:
                    await self._write(h11.InformationalResponse(status_code=100, headers=[]))
                await self._receive()
            elif isinstance(event, h11.Data):
                yield bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                raw = event.headers.raw_items()
                self.trailers = _decoded(raw)
                self.trailer_bytes = sum(len(name) + len(value) + 4 for name, value in raw) + 2
            else:
                raise Gone("closed in the middle of a request")

    async def left(self) -> bytes:
        """Wait for the other side to go (b""), or for what it sends though nobody asked for it."""
        if early := self._h11.trailing_data[0]:
            return early
        try:
            return await self._reader.read(1)
        except ConnectionError:
            return b""

    async def start(self, status: int, headers: Headers) -> None:
        await self._write(h11.Response(status_code=status, headers=_encoded(headers)))

    async def send(self, data: bytes) -> None:
        await self._write(h11.Data(data=data))

    async def end(self) -> None:
        await self._write(h11.EndOfMessage())

    async def reply(
        self, status: int, headers: Headers, body: bytes, dribble: Dribble | None = None
    ) -> None:
        """A whole answer; its length is told unless the headers say that it is chunked."""
        if not any(name.lower() == "transfer-encoding" for name, _ in headers):
            headers = [*headers, ("Content-Length", str(len(body)))]
        parts: list[h11.Event] = [h11.Response(status_code=status, headers=_encoded(headers))]
        parts += [h11.Data(data=body[at : at + READ]) for at in range(0, len(body), READ)]
        text = b"".join(self._h11.send(part) or b"" for part in [*parts, h11.EndOfMessage()])
        size = dribble.size if dribble else len(text)
        for at in range(0, len(text), size):
            await self._flush(text[at : at + size])
            await asyncio.sleep(dribble.pause if dribble else 0)

    def goes_on(self) -> bool:
        """Make ready for the next request; false when there can be none."""
        if self._h11.our_state is h11.DONE and self._h11.their_state is h11.DONE:
            self._h11.start_next_cycle()
            return True
        return False

    def abort(self) -> None:
        """Tear it down: the other side gets a reset."""
        own: socket.socket | None = self._writer.get_extra_info("socket")
        if own is not None and own.fileno() >= 0:
            own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        self._writer.transport.abort()

    async def linger(self) -> None:
        """Say no more, and give the other side a moment to read what was said."""
        with suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(LINGER):
                self._writer.write_eof()
                while await self._reader.read(READ):
                    pass

    def close(self) -> None:
        self._writer.close()

    def _next_event(self) -> object:
        try:
            return self._h11.next_event()
        except h11.RemoteProtocolError as error:
            if self._reader.at_eof():
                raise Gone(str(error)) from error
            raise Malformed(str(error)) from error

    async def _receive(self) -> bytes:
        try:
            data = await self._reader.read(READ)
        except ConnectionError as error:
            raise Gone(str(error)) from error
        self._h11.receive_data(data)
        return data

    async def _write(self, event: h11.Event) -> None:
        await self._flush(self._h11.send(event) or b"")

    async def _flush(self, data: bytes) -> None:
        try:
            self._writer.write(data)
            await self._writer.drain()
        except ConnectionError as error:
            raise Gone(str(error)) from error


def _decoded(raw: Iterable[tuple[bytes, bytes]]) -> Headers:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in raw]


def _encoded(headers: Headers) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]

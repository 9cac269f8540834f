"""HTTP/1.1 to the Runtime API: plain TCP on this machine, and trailers, which no client offers."""

import asyncio
import socket
from dataclasses import dataclass

USER_AGENT = "sluicegate-runtime"
# What reading raises when the other side has gone, or speaks no HTTP.
BROKEN_OFF = (asyncio.IncompleteReadError, asyncio.LimitOverrunError, IndexError, ValueError)


@dataclass(frozen=True, slots=True)
class Reply:
    """``headers`` have lower-case names."""

    status: int
    headers: dict[str, str]
    body: bytes


class Connection:
    """One at a time: request out, reply in. Raises OSError when the other side is gone."""

    def __init__(self, address: str) -> None:
        """``address``: HOST:PORT, as AWS_LAMBDA_RUNTIME_API has it."""
        self._address = address
        self._host, _, port = address.rpartition(":")
        self._port = int(port)
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self.fresh = True  # nothing was asked on it before

    async def open(self) -> None:
        if self._writer is None or self._writer.is_closing():
            self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
            made: socket.socket = self._writer.get_extra_info("socket")
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.fresh = True

    def head(self, method: str, path: str, headers: dict[str, str]) -> bytes:
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self._address}", f"User-Agent: {USER_AGENT}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    async def send(self, data: bytes) -> None:
        """Returns when there is room for more: the reader's pace is ours."""
        if self._writer is None:
            raise ConnectionError("not connected")
        self._writer.write(data)
        await self._writer.drain()

    async def reply(self) -> Reply:
        if self._reader is None:
            raise ConnectionError("not connected")
        try:
            reply = await _read(self._reader)
        except BROKEN_OFF as error:
            self.close()
            raise ConnectionError(f"the Runtime API broke off: {error}") from error
        self.fresh = False
        if reply.headers.get("connection", "").lower() == "close":
            self.close()
        return reply

    def close(self) -> None:
        """At once: what the other side has not read by now, it does not want."""
        if self._writer is not None:
            self._writer.transport.abort()
        self._reader = self._writer = None


async def _read(reader: asyncio.StreamReader) -> Reply:
    """The head in one piece: to wait for each of its lines costs more than all else here."""
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head[:-4].decode("latin-1").split("\r\n")
    status = int(first.split(" ", 2)[1])
    headers = _headers(lines)
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return Reply(status, headers, await _chunks(reader))
    length = int(headers.get("content-length", "0"))
    return Reply(status, headers, await reader.readexactly(length))


def _headers(lines: list[str]) -> dict[str, str]:
    fields = (line.partition(":") for line in lines)
    return {name.strip().lower(): value.strip() for name, _, value in fields}


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while size := int((await reader.readline()).partition(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    while (line := await reader.readline()) != b"\r\n":  # trailers, which say nothing to us
        if not line.endswith(b"\n"):
            raise ValueError("cut in the trailers")
    return bytes(body)

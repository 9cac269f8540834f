"""HTTP/1.1 to the Runtime API: plain TCP on this machine, and trailers, which no client offers."""

import asyncio
import socket
from dataclasses import dataclass

MOST_HEADERS = 256
USER_AGENT = "sluicegate-runtime"


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
        except (asyncio.IncompleteReadError, ValueError) as error:  # cut, or no HTTP
            self.close()
            raise ConnectionError(f"the Runtime API broke off: {error}") from error
        self.fresh = False
        if reply.headers.get("connection", "").lower() == "close":
            self.close()
        return reply

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None


async def _read(reader: asyncio.StreamReader) -> Reply:
    line = await reader.readline()
    if not line:
        raise ConnectionResetError("the Runtime API closed the connection")
    status = int(line.split(b" ", 2)[1])
    headers = await _headers(reader)
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return Reply(status, headers, await _chunks(reader))
    length = int(headers.get("content-length", "0"))
    return Reply(status, headers, await reader.readexactly(length))


async def _headers(reader: asyncio.StreamReader) -> dict[str, str]:
    headers: dict[str, str] = {}
    for _ in range(MOST_HEADERS):
        line = (await reader.readline()).decode("latin-1")
        if not line.strip():
            break
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    else:
        raise ValueError("headers without end")
    return headers


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while size := int((await reader.readline()).partition(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    await _headers(reader)  # trailers, which say nothing to us
    return bytes(body)

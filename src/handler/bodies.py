"""A request's body: read within bounds, unpacked within bounds, and made a JSON object."""

import asyncio
import sys
import zlib
from collections.abc import Awaitable, Callable, Collection, Mapping, MutableMapping
from typing import Any, Protocol

from gateway.errors import BadRequest, BodyTooLarge, UnsupportedEncoding
from gateway.exchange.proxied.call import stalled
from gateway.wire.json import Json, loads

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

ENCODINGS = "gzip, deflate, zstd"
PATIENCE = 60.0  # seconds for the next part of a body


class CallerGone(Exception):
    """The caller hung up before the request was in."""


class Unpacker(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = ..., /) -> bytes: ...


async def read_body(receive: Receive, headers: Mapping[str, str], limit: int) -> bytes:
    """The body, unpacked, at most ``limit`` bytes of it.

    Raises BodyTooLarge before more than that is held, whatever the headers said or left out.
    """
    if _announced(headers.get("content-length", "")) > limit:
        raise _too_large(limit)
    try:
        body = await _received(receive, limit)
    except TimeoutError:
        raise stalled(PATIENCE) from None
    for encoding in reversed(_encodings(headers)):
        body = _unpacked(body, encoding, limit)
    return body


def _announced(length: str) -> int:
    """What the header says, 0 where it says nothing usable: the server frames the body anyway."""
    return int(length) if length.isascii() and length.isdigit() and len(length) < 20 else 0


def refuse_upgrade(headers: Collection[tuple[bytes, bytes]]) -> None:
    """A server that is asked for another protocol (``Upgrade: h2c``, as Java's HttpClient does of
    itself over plain HTTP) gives no body on, and nothing else would tell."""
    given = dict(headers)
    encloses = given.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in given
    if b"upgrade" in given and encloses and _asks_to_upgrade(headers):
        problem = "the header Upgrade takes the body away: speak HTTP/1.1 without it"
        raise BadRequest(None, problem, code="upgrade")


def _asks_to_upgrade(headers: Collection[tuple[bytes, bytes]]) -> bool:
    """Without the word in ``Connection`` the header means nothing, as behind a proxy (RFC 9110,
    section 7.8), and the body comes."""
    said = b",".join(value for name, value in headers if name == b"connection")
    return b"upgrade" in (word.strip() for word in said.lower().split(b","))


async def _received(receive: Receive, limit: int) -> bytes:
    async with asyncio.timeout(PATIENCE) as patience:
        return await _all_of(receive, limit, patience)


async def _all_of(receive: Receive, limit: int, patience: asyncio.Timeout) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    if message["type"] == "http.request" and not message.get("more_body"):
        if len(body) > limit:
            raise _too_large(limit)
        return body
    parts = bytearray()
    while True:
        if message["type"] == "http.disconnect":
            raise CallerGone
        parts += message.get("body", b"")
        if len(parts) > limit:
            raise _too_large(limit)
        if not message.get("more_body"):
            return bytes(parts)
        patience.reschedule(asyncio.get_running_loop().time() + PATIENCE)
        message = await receive()


def _encodings(headers: Mapping[str, str]) -> list[str]:
    named = [one.strip().lower() for one in headers.get("content-encoding", "").split(",")]
    named = [one for one in named if one not in ("", "identity")]
    if len(named) > 2:
        raise UnsupportedEncoding("content-encoding: at most two encodings, one upon the other")
    return named


def _unpacked(body: bytes, encoding: str, limit: int) -> bytes:
    unpacker = _unpacker(encoding)
    try:
        unpacked = unpacker.decompress(body, limit + 1)
    except (zlib.error, zstd.ZstdError) as error:
        raise BadRequest(None, f"the body is not valid {encoding}") from error
    if len(unpacked) > limit:
        raise _too_large(limit)
    if not unpacker.eof:
        raise BadRequest(None, f"the {encoding} body is cut short")
    if unpacker.unused_data:
        raise BadRequest(None, f"the {encoding} body goes on after its end; send it in one piece")
    return unpacked


def _unpacker(encoding: str) -> Unpacker:
    match encoding:
        case "gzip" | "x-gzip":
            return zlib.decompressobj(16 + zlib.MAX_WBITS)
        case "deflate":
            return zlib.decompressobj()
        case "zstd":
            return zstd.ZstdDecompressor()
    raise UnsupportedEncoding(f"content-encoding {encoding!r} is not one of {ENCODINGS}")


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(f"the request body is larger than {limit} bytes", code="body_too_large")


def read_object(text: bytes) -> Json:
    if not text.strip():
        raise BadRequest(None, "Invalid JSON payload: the body is empty; send a JSON object")
    try:
        body = loads(text)
    except ValueError as error:
        raise BadRequest(None, f"Invalid JSON payload: {error}", code="invalid_json") from error
    if not isinstance(body, dict):
        raise BadRequest(
            None,
            "Invalid request: payload format must be a JSON object, such as chat or embeddings",
        )
    return body

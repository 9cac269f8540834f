"""Undoes a body's content-encoding as it arrives, a bounded piece at a time."""

import zlib
from typing import Final

# One piece at most: a small body may unfold a thousandfold.
PIECE: Final = 256 * 1024
GZIP, ZLIB, RAW = 31, 15, -15  # zlib's words for the three wrappers


class EncodingError(Exception):
    """The body is not in the encoding that its header names."""


class Inflater:
    """gzip and deflate: ``feed``, then ``b""`` while there is ``more``; ``finish`` at the end."""

    def __init__(self, *, gzip: bool) -> None:
        self._gzip = gzip
        self._stream = zlib.decompressobj(GZIP) if gzip else None
        self._rest = b""
        self._begun = False
        self.more = False

    def feed(self, data: bytes) -> bytes:
        data = self._rest + data if self._rest else data
        if self._stream is None:
            if len(data) < 2:
                self._rest = data
                return b""
            self._stream = zlib.decompressobj(deflate_wrapper(data))
        try:
            piece = self._stream.decompress(data, PIECE)
        except zlib.error as error:
            raise EncodingError(f"malformed compressed body: {error}") from error
        self._begun = self._begun or bool(data)
        self._rest = self._stream.unconsumed_tail
        if self._stream.eof and self._stream.unused_data:
            self._next_member(self._stream.unused_data)
        self.more = bool(self._rest) or len(piece) == PIECE
        return piece

    def finish(self) -> None:
        """Raises EncodingError when the compressed stream is not whole."""
        if (self._begun or self._rest) and not (self._stream and self._stream.eof):
            raise EncodingError("the compressed body was cut short")

    def _next_member(self, rest: bytes) -> None:
        if not self._gzip:
            raise EncodingError("bytes follow the end of the compressed body")
        self._stream, self._rest = zlib.decompressobj(GZIP), rest


def deflate_wrapper(start: bytes) -> int:
    """Some servers say deflate and send it bare, without the zlib header that RFC 9110 asks for."""
    wrapped = start[0] & 0x0F == 8 and (start[0] << 8 | start[1]) % 31 == 0
    return ZLIB if wrapped else RAW


def inflater(encoding: str) -> Inflater | None:
    """``None`` when there is nothing to undo; EncodingError when we cannot."""
    match encoding.strip().lower():
        case "" | "identity":
            return None
        case "gzip" | "x-gzip":
            return Inflater(gzip=True)
        case "deflate":
            return Inflater(gzip=False)
        case _:
            raise EncodingError(f"content-encoding {encoding!r} is not understood")

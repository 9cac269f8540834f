"""What every transport's answer does alike: undo the encoding, gather the pieces of a body."""

from collections.abc import Mapping

from gateway.adapters.encodings import EncodingError, Inflater, inflater
from gateway.errors import UpstreamBroke, UpstreamTimedOut
from gateway.ports import Upstream

READ_LIMIT = 64 * 1024 * 1024


async def read_whole(upstream: Upstream, host: str, *, patience: float, limit: int) -> bytes:
    """Whatever goes wrong, the upstream is closed: half of a body is of no use to anybody."""
    try:
        return await gather(upstream, host, patience, limit)
    except BaseException:
        await upstream.close()
        raise


async def gather(upstream: Upstream, host: str, patience: float, limit: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while piece := await upstream.next(patience):
        size += len(piece)
        if size > limit:
            raise UpstreamBroke(f"{host} answered with more than {limit} bytes")
        pieces.append(piece)
    if piece is None:
        raise UpstreamTimedOut(f"{host} fell silent for {patience:g} s in the middle of its answer")
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def decoding(headers: Mapping[str, str], host: str) -> tuple[Mapping[str, str], Inflater | None]:
    """The headers as they fit the decoded body, and what decodes it, if anything must."""
    encoding = headers.get("content-encoding")
    if encoding is None:
        return headers, None
    try:
        inflate = inflater(encoding)
    except EncodingError as error:
        raise UpstreamBroke(f"{host}: {error}") from error
    gone = {"content-encoding", "content-length"} if inflate else {"content-encoding"}
    return {name: value for name, value in headers.items() if name not in gone}, inflate

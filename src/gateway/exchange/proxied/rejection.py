"""What a provider says when it refuses a raw call."""

import asyncio
import contextlib

from gateway.errors import UpstreamError
from gateway.exchange.attempt import ERROR_PATIENCE, LARGEST_ERROR, hidden_in
from gateway.exchange.proxied.call import PROXY, Reached
from gateway.wire.json import loads
from gateway.wire.patch import patch


async def error_of(reached: Reached, method: str) -> tuple[bytes, bool]:
    """As much of an error's body as soon came, and whether that is all of it; then it is as a
    caller may have it."""
    if method == "HEAD":
        return b"", False
    body, over = bytearray(), False
    with contextlib.suppress(TimeoutError, UpstreamError):
        async with asyncio.timeout(ERROR_PATIENCE):
            while len(body) <= LARGEST_ERROR and not over:
                part = await reached.upstream.next(ERROR_PATIENCE)
                if part is None:
                    break
                body += part
                over = part == b""
    if not over:
        return bytes(body), False
    return _with_detail(hidden_in(bytes(body), reached.place.key)), True


def _with_detail(body: bytes) -> bytes:
    """A provider's error in JSON, with its message said once more where MLflow's clients read it:
    one more member, and every byte beside it as it was. Other bodies stay as they are."""
    try:
        parsed = loads(body)
    except ValueError:
        return body
    message = PROXY.read_error(parsed)
    if not isinstance(parsed, dict) or "detail" in parsed or message is None:
        return body
    return patch(body, parsed, {"detail": message})

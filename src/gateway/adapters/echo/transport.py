"""The Transport behind ``echo://``: calls that never leave the process."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterable, Callable, Iterable, Mapping
from urllib.parse import urlsplit

from gateway.adapters.echo.chat import answer_chat
from gateway.adapters.echo.embeddings import answer_embeddings
from gateway.adapters.echo.responses import answer_input_tokens, answer_responses
from gateway.dialects.base import Fields
from gateway.dialects.forms import Identity
from gateway.dialects.openai_errors import write_error
from gateway.errors import BadRequest, BodyTooLarge, CallerError, MethodNotAllowed, NotFound
from gateway.wire.json import Json, dumps, loads

SCHEME = "echo"
PAUSE = 0.02  # seconds between the events of a stream: a person should see it flow
INSTANT = "echo-instant"  # the model name that does without
LARGEST = 4 * 1024 * 1024  # bytes of a body that comes piece by piece, which is gathered here

Answer = Callable[[Json, Identity], bytes | Iterable[bytes]]

PATHS: Mapping[str, Answer] = {
    "/chat/completions": answer_chat,
    "/embeddings": answer_embeddings,
    "/responses": answer_responses,
    "/responses/input_tokens": answer_input_tokens,
}


class EchoTransport:
    async def open(
        self,
        url: str,
        headers: Mapping[str, str],
        body: bytes | AsyncIterable[bytes],
        *,
        patience: float,
        method: str = "POST",
    ) -> "EchoUpstream":
        del headers, patience
        path = urlsplit(url).path.removeprefix("/v1")  # as it is written by the raw proxy's callers
        try:
            if path not in PATHS:
                raise NotFound(f"the echo does not offer {path}")
            if method != "POST":
                raise MethodNotAllowed(f"the echo takes POST at {path}, not {method}")
            asked = _object(body if isinstance(body, bytes) else await _gathered(body))
            answer = PATHS[path](asked, Identity(uuid.uuid4().hex, int(time.time())))
        except CallerError as error:
            said = [] if method == "HEAD" else [dumps(write_error(error))]
            return EchoUpstream(error.status, "application/json", said, 0)
        if isinstance(answer, bytes):
            return EchoUpstream(200, "application/json", [answer], 0)
        pause = 0 if asked.get("model") == INSTANT else PAUSE
        return EchoUpstream(200, "text/event-stream", answer, pause)

    async def close(self) -> None:
        """Nothing is held."""


async def _gathered(pieces: AsyncIterable[bytes]) -> bytes:
    body = bytearray()
    async for piece in pieces:
        body += piece
        if len(body) > LARGEST:
            raise BodyTooLarge(f"the echo takes no body of more than {LARGEST} bytes")
    return bytes(body)


def _object(body: bytes) -> Json:
    try:
        return Fields(loads(body)).rest
    except ValueError as error:
        raise BadRequest(None, f"the body is not JSON: {error}") from error


class EchoUpstream:
    def __init__(self, status: int, kind: str, parts: Iterable[bytes], pause: float) -> None:
        self.status = status
        self.headers: Mapping[str, str] = {"content-type": kind}
        self._parts, self._pause = iter(parts), pause
        self._first = True

    async def read(self, patience: float) -> bytes:
        del patience
        return b"".join(self._parts)

    async def next(self, patience: float) -> bytes | None:
        del patience
        if self._pause and not self._first:
            await asyncio.sleep(self._pause)
        self._first = False
        return next(self._parts, b"")

    async def close(self) -> None:
        self._parts = iter(())

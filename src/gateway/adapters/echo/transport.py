"""The Transport behind ``echo://``: calls that never leave the process."""

import asyncio
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import urlsplit

from gateway.adapters.echo.chat import answer_chat
from gateway.adapters.echo.embeddings import answer_embeddings
from gateway.adapters.echo.responses import answer_responses
from gateway.adapters.echo.speech import Identity
from gateway.dialects.base import Fields
from gateway.dialects.openai_errors import write_error
from gateway.errors import BadRequest, CallerError, NotFound
from gateway.wire.json import Json, dumps, loads

SCHEME = "echo"
PAUSE = 0.02  # seconds between the events of a stream: a person should see it flow
INSTANT = "echo-instant"  # the model name that does without

Answer = Callable[[Json, Identity], bytes | Iterable[bytes]]

PATHS: Mapping[str, Answer] = {
    "/chat/completions": answer_chat,
    "/embeddings": answer_embeddings,
    "/responses": answer_responses,
}


class EchoTransport:
    async def open(
        self, url: str, headers: Mapping[str, str], body: bytes, *, patience: float
    ) -> "EchoUpstream":
        del headers, patience
        path = urlsplit(url).path
        try:
            if path not in PATHS:
                raise NotFound(f"the echo does not offer {path}")
            asked = _object(body)
            answer = PATHS[path](asked, Identity(uuid.uuid4().hex, int(time.time())))
        except CallerError as error:
            return EchoUpstream(error.status, "application/json", [dumps(write_error(error))], 0)
        if isinstance(answer, bytes):
            return EchoUpstream(200, "application/json", [answer], 0)
        pause = 0 if asked.get("model") == INSTANT else PAUSE
        return EchoUpstream(200, "text/event-stream", answer, pause)

    async def close(self) -> None:
        """Nothing is held."""


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

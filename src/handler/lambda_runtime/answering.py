"""How what an app sends gets to AWS: piece by piece, or whole."""

import asyncio
from typing import Any, Protocol

from mangum.handlers import ALB, APIGateway

from gateway.errors import GatewayError
from gateway.wire.json import dumps
from handler.errors import early_answer
from handler.lambda_runtime.api import RuntimeApi, StreamedPost
from handler.lambda_runtime.invocation import Invocation
from handler.lambda_runtime.prelude import RawHeaders, prelude

LARGEST_WHOLE = 6 * 1024 * 1024  # bytes that AWS takes in one piece
LARGEST_AT_BALANCER = 1024 * 1024
FILLER = b"\n"  # a stream without a byte hangs at some front doors


class Answering(Protocol):
    """``posted``: whether AWS may have seen a byte."""

    posted: bool

    async def start(self, status: int, headers: RawHeaders) -> None: ...
    async def body(self, piece: bytes) -> None: ...
    async def end(self) -> None: ...
    async def fail(self, kind: str, error: GatewayError) -> None:
        """After ``start``, in place of ``end``; ``kind`` is AWS' word for it."""
        ...


class Streaming:
    """Status and headers wait for the first of the body, so that they need no packet of their own,
    and so that an answer without a body is known as such."""

    def __init__(self, api: RuntimeApi, invocation: Invocation, *, several: bool) -> None:
        self._api, self._invocation, self._several = api, invocation, several
        self._status, self._headers = 200, list[tuple[bytes, bytes]]()
        self._prelude = b""
        self._post: StreamedPost | None = None
        self.posted = False

    async def start(self, status: int, headers: RawHeaders) -> None:
        """Raises PreludeTooLarge."""
        self._status, self._headers = status, list(headers)
        self._prelude = prelude(status, self._headers, several=self._several)

    async def body(self, piece: bytes) -> None:
        if not piece:
            return
        if self._post is None:
            await self._begin(self._prelude, piece)
            return
        try:
            await self._post.write(piece)
        except OSError:
            self._post.abandon()
            raise

    async def end(self) -> None:
        if self._post is None:
            bare = prelude(self._status, self._headers, several=self._several, empty=True)
            await self._begin(bare, FILLER)
        if self._post is not None:
            await self._post.end()

    async def fail(self, kind: str, error: GatewayError) -> None:
        if self._post is None:
            await self._begin(self._prelude, FILLER)
        if self._post is not None:
            await self._post.fail(kind, error.message)

    async def _begin(self, told: bytes, piece: bytes) -> None:
        post = await self._api.stream(self._invocation)
        self._post, self.posted = post, True
        try:
            await post.begin(told, piece)
        except OSError:
            post.abandon()
            raise


class AnswerTooLarge(GatewayError):
    status = 502

    def __init__(self, largest: int) -> None:
        super().__init__(
            f"the answer is larger than the {largest} bytes that Lambda hands over in one piece "
            "here: ask for a stream, at the function URL",
            code="answer_too_large",
        )


class Whole:
    """Mangum makes the answer that this kind of event wants."""

    def __init__(self, api: RuntimeApi, invocation: Invocation, shape: Any, path: str) -> None:
        """``shape``: Mangum's handler of the event. ``path``: what was asked for."""
        self._api, self._invocation, self._shape, self._path = api, invocation, shape, path
        self._status, self._headers = 200, list[list[bytes]]()
        self._body = bytearray()
        self._largest = LARGEST_AT_BALANCER if isinstance(shape, ALB) else LARGEST_WHOLE
        self._posting: asyncio.Task[None] | None = None
        self.posted = False

    async def start(self, status: int, headers: RawHeaders) -> None:
        # Mangum reads them as UTF-8; on the wire they are Latin-1.
        self._status = status
        self._headers = [
            [name.lower(), value.decode("latin-1").encode()] for name, value in headers
        ]

    async def body(self, piece: bytes) -> None:
        """Raises AnswerTooLarge: what nobody can be told need not be waited for."""
        self._body += piece
        if len(self._body) > self._largest:
            raise AnswerTooLarge(self._largest)

    async def end(self) -> None:
        """Raises AnswerTooLarge: as JSON, perhaps in base64, it takes more than it did."""
        answer = {"status": self._status, "headers": self._headers, "body": bytes(self._body)}
        text = dumps(self._shape(answer))
        if len(text) > self._largest:
            raise AnswerTooLarge(self._largest)
        self.posted = True
        self._posting = asyncio.ensure_future(self._api.answer(self._invocation, text))
        # Who is cancelled while it is posted, its time being up, leaves no half of an answer.
        await asyncio.shield(self._posting)

    async def fail(self, kind: str, error: GatewayError) -> None:
        """What has not been said yet can still be said with a true status. Raises OSError."""
        del kind
        if self._posting is not None:  # the answer itself is on its way, or was lost: no second one
            await self._posting
            return
        answer = early_answer(error, self._path)
        self._body = bytearray(answer.body if isinstance(answer.body, bytes) else b"")
        self._status, self._headers = answer.status, [[b"content-type", b"application/json"]]
        await self.end()


def has_several_values(shape: Any) -> bool:
    """Whether this kind of event's answers may repeat a header: a REST API's may."""
    return isinstance(shape, APIGateway)

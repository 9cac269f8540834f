"""One request of an ASGI app, and what the app may say to it."""

import asyncio
from typing import Any

from starlette.types import Message

from gateway.errors import GatewayError
from handler.lambda_runtime.answering import Answering


class Cycle:
    """The two channels of an ASGI app. ``done`` is set once the answer is with AWS. ``path``: what
    was asked for, which tells how errors are said."""

    def __init__(self, body: bytes | GatewayError, answering: Answering, path: str) -> None:
        self.path = path
        self._body: bytes | GatewayError | None = body
        self._answering = answering
        self.started = False
        self.done = asyncio.Event()

    async def receive(self) -> Message:
        """The body, then nothing until all is said: Lambda never tells that a caller has gone."""
        if isinstance(body := self._body, GatewayError):
            raise body
        if body is not None:
            self._body = None
            return {"type": "http.request", "body": body, "more_body": False}
        await self.done.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Raises OSError when AWS takes no more of it."""
        kind: Any = message["type"]
        if self.done.is_set():
            raise RuntimeError(f"{kind} after the answer was complete")
        if kind == "http.response.start" and not self.started:
            await self._answering.start(message["status"], message.get("headers", ()))
            self.started = True
        elif kind == "http.response.body" and self.started:
            await self._answering.body(message.get("body", b""))
            if not message.get("more_body"):
                await self._answering.end()
                self.done.set()
        else:
            raise RuntimeError(f"{kind} is out of turn")

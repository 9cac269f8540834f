"""An app's start and end: once in a process, however many calls come between."""

import asyncio
from typing import Any

from starlette.types import ASGIApp, Message

STOPPING = 0.3  # seconds; Lambda gives half a second


class Lifespan:
    """``state`` is what the app wants every request to see."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.state: dict[str, Any] = {}
        self._messages: asyncio.Queue[Message] = asyncio.Queue()
        self._said: asyncio.Queue[Message] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Raises what the app raised, or RuntimeError when it says that it cannot start."""
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}}
        running = self._app(scope | {"state": self.state}, self._messages.get, self._said.put)
        self._task = asyncio.ensure_future(running)
        said = await self._ask("lifespan.startup")
        if said["type"] == "lifespan.startup.failed":
            raise RuntimeError(f"the app did not start: {said.get('message', '')}")

    async def stop(self) -> None:
        if self._task is not None and not self._task.done():
            async with asyncio.timeout(STOPPING):
                await self._ask("lifespan.shutdown")

    async def _ask(self, kind: str) -> Message:
        if self._task is None:
            raise RuntimeError("not started")
        await self._messages.put({"type": kind})
        saying = asyncio.ensure_future(self._said.get())
        await asyncio.wait({saying, self._task}, return_when=asyncio.FIRST_COMPLETED)
        if saying.done():
            return saying.result()
        saying.cancel()
        self._task.result()
        raise RuntimeError(f"the app ended at {kind}")

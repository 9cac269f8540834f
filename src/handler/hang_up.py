"""Notices that the caller has hung up, and stops what was being done for it."""

import asyncio
from types import TracebackType
from typing import Self

from starlette.types import Receive

from handler.bodies import CallerGone


class HangUp:
    """Within it, a caller who goes cancels the current task, and CallerGone is raised.

    ``watch`` begins once the request has been read: from then on the only message to come is that
    the caller has gone.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._task: asyncio.Task[object] | None = None
        self._listening: asyncio.Task[None] | None = None
        self._gone = False

    def watch(self) -> None:
        self._task = asyncio.current_task()
        self._listening = asyncio.ensure_future(self._listen())

    def stop(self) -> None:
        """From here on, that the caller goes is no news."""
        if self._listening is not None:
            self._listening.cancel()

    async def _listen(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._gone = True
        if self._task is not None:
            self._task.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        if self._gone and self._task is not None:
            self._task.uncancel()
            if isinstance(error, asyncio.CancelledError):
                raise CallerGone from error

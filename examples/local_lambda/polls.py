"""Polls of the runtime on one side, invocations on the other: who came first is served first."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from examples.local_lambda.connection import Connection, Gone, Malformed
from examples.local_lambda.posted import Bell, Invocation

PATIENCE = 30.0  # seconds that anything here waits at most

Given = Invocation | int  # an int is a status to answer the poll with


class Polls:
    """`most` is how many have waited at once."""

    def __init__(self) -> None:
        self.most = 0
        self._waiting: deque[asyncio.Future[Given]] = deque()
        self._offered: deque[Given] = deque()
        self._bell = Bell()

    def __len__(self) -> int:
        return len(self._waiting)

    def offer(self, what: Given) -> None:
        self._offered.append(what)
        self._match()

    def withdraw(self, what: Given) -> None:
        with suppress(ValueError):
            self._offered.remove(what)

    async def take(self, line: Connection) -> Given:
        """Wait for what is offered; Gone when the runtime hangs up before."""
        poll: asyncio.Future[Given] = asyncio.get_running_loop().create_future()
        left = asyncio.ensure_future(line.left())
        self._waiting.append(poll)
        self.most = max(self.most, len(self))
        self._match()
        try:
            await asyncio.wait((poll, left), return_when=asyncio.FIRST_COMPLETED)
        finally:
            left.cancel()
            with suppress(ValueError):
                self._waiting.remove(poll)
            self._bell.ring()
        if poll.done():
            return poll.result()
        if left.result():
            raise Malformed("more was sent while a poll was unanswered")
        raise Gone("went while it polled")

    async def wait(self, true: Callable[[], bool], what: Callable[[], str]) -> None:
        """Until it is true. It is looked at when a poll comes or goes, or at `look`."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not true():
                    await self._bell.wait()
        except TimeoutError:
            raise TimeoutError(f"waited in vain for {what()}") from None

    def look(self) -> None:
        self._bell.ring()

    def _match(self) -> None:
        while self._waiting and self._offered:
            self._waiting.popleft().set_result(self._offered.popleft())
        self._bell.ring()

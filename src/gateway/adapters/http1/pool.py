"""The connections to one origin: kept alive while idle, counted, handed out in turn."""

import asyncio
import contextlib
from collections import deque
from dataclasses import dataclass

from gateway.adapters.http1.connection import Connection
from gateway.adapters.http1.dialing import Dialer, Origin
from gateway.errors import UpstreamTimedOut


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """Per origin. ``idle_seconds`` stays below the 60 after which many a server hangs up."""

    connections: int = 256
    idle: int = 64
    idle_seconds: float = 50.0


class Pool:
    """Bound to the event loop that it is first used on.

    ``acquire`` is paired with one ``release`` or ``discard``.
    """

    def __init__(self, origin: Origin, dialer: Dialer, limits: PoolLimits) -> None:
        self._origin, self._dialer, self._limits = origin, dialer, limits
        self._loop = asyncio.get_running_loop()
        self._idle: deque[tuple[Connection, float]] = deque()  # the oldest first
        self._waiting: deque[asyncio.Future[Connection | None]] = deque()
        self._slots = 0  # taken: idle, in use, or being dialled
        self._closed = False

    async def acquire(self, deadline: float, *, fresh: bool = False) -> Connection:
        """An idle connection, else a new one, else the next that comes free.

        ``fresh``: a new one in any case, for what could not be sent once more.
        """
        full = self._slots >= self._limits.connections
        connection = self._take_idle() if full or not fresh else None
        if connection is None and self._slots >= self._limits.connections:
            connection = await self._turn(deadline)
        elif connection is None:
            self._slots += 1
        if connection is None:
            return await self._dial(deadline)
        return await self.replace(connection, deadline) if fresh else connection

    async def replace(self, stale: Connection, deadline: float) -> Connection:
        """A new connection in the place of one that lay idle."""
        stale.drop()
        return await self._dial(deadline)

    def release(self, connection: Connection) -> None:
        """Give back a connection whose answer was read to its end."""
        if self._closed or not connection.fit:
            self.discard(connection)
            return
        connection.reused = True
        if self._hand_on(connection):
            return
        now = self._loop.time()
        self._idle.append((connection, now))
        while self._idle and (
            len(self._idle) > self._limits.idle
            or now - self._idle[0][1] > self._limits.idle_seconds
        ):
            self.discard(self._idle.popleft()[0])

    def discard(self, connection: Connection) -> None:
        # A transport of a loop that has ended can no longer be spoken to, only left.
        with contextlib.suppress(RuntimeError):
            connection.drop()
        self._free_slot()

    def close(self) -> None:
        """Drops what is idle now, and what is in use as soon as it comes back."""
        self._closed = True
        while self._idle:
            self.discard(self._idle.popleft()[0])

    def _take_idle(self) -> Connection | None:
        while self._idle:
            connection, since = self._idle.pop()
            if connection.fit and self._loop.time() - since <= self._limits.idle_seconds:
                return connection
            self.discard(connection)
        return None

    async def _turn(self, deadline: float) -> Connection | None:
        """A connection, or ``None``: a slot to dial with."""
        waiter: asyncio.Future[Connection | None] = self._loop.create_future()
        self._waiting.append(waiter)
        timer = self._loop.call_at(deadline, self._give_up, waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            # Cancelled after its turn had come: the turn goes to the next.
            if waiter.done() and not waiter.cancelled() and not waiter.exception():
                self._pass_on(waiter.result())
            raise
        finally:
            timer.cancel()

    def _give_up(self, waiter: asyncio.Future[Connection | None]) -> None:
        if not waiter.done():
            problem = f"all {self._limits.connections} connections are in use"
            waiter.set_exception(UpstreamTimedOut(f"{self._origin.host}: {problem}"))

    def _pass_on(self, turn: Connection | None) -> None:
        if turn is None:
            self._free_slot()
        else:
            self.release(turn)

    async def _dial(self, deadline: float) -> Connection:
        try:
            return await self._dialer.dial(self._origin, deadline)
        except BaseException:
            self._free_slot()
            raise

    def _free_slot(self) -> None:
        if not self._hand_on(None):
            self._slots -= 1

    def _hand_on(self, turn: Connection | None) -> bool:
        """False when nobody waits."""
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(turn)
                return True
        return False

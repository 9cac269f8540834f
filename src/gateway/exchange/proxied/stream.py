"""A provider's raw answer on its way to the caller, byte for byte."""

import asyncio
from collections.abc import Awaitable, Callable

from gateway.errors import GatewayError, OutOfTime, UpstreamTimedOut
from gateway.exchange.attempt import hide
from gateway.exchange.background import Background
from gateway.exchange.exchange import Exchange
from gateway.exchange.proxied.call import Reached

SHORTEST_KEY = 16  # characters; a shorter one may be a word of any text, and is left in


class KeyMask:
    """Takes a provider's key out of what it says, wherever it is cut in two: a path that repeats a
    request's headers would else show it. Stars stand in its place, so that no length changes."""

    def __init__(self, key: str | None) -> None:
        self._key = (key or "").encode() if key and len(key) >= SHORTEST_KEY else b""
        self._held = b""  # what may be the beginning of the key

    def feed(self, data: bytes) -> bytes:
        key = self._key
        if not key:
            return data
        data = (self._held + data).replace(key, b"*" * len(key))
        start = max(len(data) - len(key) + 1, 0)
        at = data.find(key[:1], start)
        while at >= 0 and not key.startswith(data[at:]):
            at = data.find(key[:1], at + 1)
        if at < 0:
            self._held = b""
            return data
        self._held = data[at:]
        return data[:at]

    def finish(self) -> bytes:
        held, self._held = self._held, b""
        return held


class ProxiedStream:
    """Unlike other streams, ``next`` raises what goes wrong: nothing that could be said of it would
    be in the provider's format. Whoever sends this must leave the answer unfinished then, which
    every client sees. ``start``: what has been read of it already.
    """

    def __init__(
        self,
        exchange: Exchange,
        reached: Reached,
        start: bytes,
        *,
        settle: Callable[[Exchange], Awaitable[None]],
        background: Background,
        clock: Callable[[], float],
    ) -> None:
        self._exchange, self._reached, self._start = exchange, reached, start
        self._settle, self._background, self._clock = settle, background, clock
        self._mask = KeyMask(reached.place.key)
        self.patience = exchange.endpoint.timeouts.idle
        self._over = False
        self._closing: asyncio.Task[None] | None = None

    async def next(self) -> bytes:
        while not self._over:
            try:
                part = await self._part()
            except Exception as error:
                self._over, self._exchange.error = True, error
                if isinstance(error, GatewayError):
                    hide(error, self._reached.place.key)
                raise
            self._over = part == b""
            if out := self._mask.finish() if self._over else self._mask.feed(part):
                return out
        return b""

    async def _part(self) -> bytes:
        if self._start:
            start, self._start = self._start, b""
            return start
        call, idle = self._exchange.call, self._exchange.endpoint.timeouts.idle
        now = self._clock()
        if call.over(now):
            raise OutOfTime
        part = await self._reached.upstream.next(max(call.within(now + idle) - now, 0))
        if part is None:
            if call.over(self._clock()):
                raise OutOfTime
            raise UpstreamTimedOut(f"the provider fell silent for {idle:g} seconds")
        return part

    async def close(self) -> None:
        """Close the upstream and settle the exchange, also when cancelled meanwhile."""
        if self._closing is None:
            self._closing = self._background.start(self._close())
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        if not self._over and self._exchange.error is None:
            self._exchange.error = asyncio.CancelledError("the caller hung up")
        await self._reached.upstream.close()
        await self._settle(self._exchange)

"""A streamed answer on its way to the caller."""

import asyncio
from collections.abc import Awaitable, Callable

from gateway.errors import GatewayError, UpstreamBroke, UpstreamTimedOut
from gateway.exchange.attempt import Opened
from gateway.exchange.background import Background
from gateway.exchange.exchange import Exchange

DRAIN = 0.05  # seconds to wait for the end of a body whose last event is in: a connection saved


class ReplyStream:
    """Hands on what a provider sends, keeps a silent line open, and never lies about the end.

    It may begin before any provider has (``opening`` not done yet): then it sends heartbeats until
    one has, or one error event when none will. A failure after the first content becomes an error
    event too, and no terminal event follows it.
    """

    def __init__(
        self,
        exchange: Exchange,
        opening: asyncio.Task[Opened],
        settle: Callable[[Exchange], Awaitable[None]],
        background: Background,
    ) -> None:
        self._exchange, self._opening, self._settle = exchange, opening, settle
        self._background = background
        self._timeouts = exchange.endpoint.timeouts
        self._opened: Opened | None = None
        self._waiting = False  # the caller has been shown that the line is open
        self._silence = 0.0
        self._finished = False
        self._closing: asyncio.Task[None] | None = None

    async def next(self) -> bytes:
        if self._finished:
            return b""
        try:
            return await (self._go_on(self._opened) if self._opened else self._begin())
        except GatewayError as error:
            return self._end(error)
        except Exception as error:  # ours: the caller is told, the log gets the rest
            self._end(error)
            raise

    async def _begin(self) -> bytes:
        if self._waiting:
            await asyncio.wait({self._opening}, timeout=self._timeouts.heartbeat)
        if not self._opening.done():
            self._waiting = True
            return self._exchange.call.dialect.heartbeat
        self._opened = opened = self._opening.result()
        return opened.head + self._end_if_over(opened)

    async def _go_on(self, opened: Opened) -> bytes:
        while True:
            patience = min(self._timeouts.heartbeat, self._timeouts.idle - self._silence)
            chunk = await opened.upstream.next(patience)
            if chunk is None:
                return self._kept_open(patience)
            self._silence = 0.0
            if chunk == b"":
                return self._last(opened)
            out = opened.crossing.feed(chunk) + self._end_if_over(opened)
            if out or self._finished:
                return out

    def _last(self, opened: Opened) -> bytes:
        out = opened.crossing.finish()
        if not opened.crossing.ended:
            raise UpstreamBroke("the provider's stream ended without its last event")
        return out + self._end_if_over(opened)

    def _kept_open(self, waited: float) -> bytes:
        self._silence += waited
        if self._silence >= self._timeouts.idle:
            raise UpstreamTimedOut(f"the provider fell silent for {self._silence:g} seconds")
        return self._exchange.call.dialect.heartbeat

    def _end_if_over(self, opened: Opened) -> bytes:
        if failure := opened.crossing.failure:
            return self._end(failure)
        self._finished = opened.crossing.ended
        self._exchange.error = opened.crossing.admitted
        return b""

    def _end(self, error: Exception) -> bytes:
        self._finished = True
        self._exchange.error = error
        if not isinstance(error, GatewayError):
            return b""
        return self._exchange.call.dialect.write_stream_error(error)

    async def close(self) -> None:
        """Close the upstream and settle the exchange, also when cancelled meanwhile."""
        if self._closing is None:
            self._closing = self._background.start(self._close())
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        if not self._finished and self._exchange.error is None:
            self._exchange.error = asyncio.CancelledError("the caller hung up")
        try:
            opened = self._opened or await self._abandoned()
            if opened:
                self._exchange.usage = opened.crossing.usage
                if opened.crossing.ended:
                    await _drained(opened)
                await opened.upstream.close()
        finally:
            await self._settle(self._exchange)

    async def _abandoned(self) -> Opened | None:
        self._opening.cancel()
        await asyncio.wait({self._opening})
        if self._opening.cancelled() or self._opening.exception():
            return None
        return self._opening.result()


async def _drained(opened: Opened) -> None:
    try:
        while await opened.upstream.next(DRAIN):
            pass
    except GatewayError:
        pass  # the answer was complete; only the connection is lost

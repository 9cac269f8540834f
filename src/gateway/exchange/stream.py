"""A streamed answer on its way to the caller."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from gateway.errors import GatewayError, OutOfTime, UpstreamBroke, UpstreamTimedOut
from gateway.exchange.attempt import Opened, hidden_in, hide
from gateway.exchange.background import Background
from gateway.exchange.exchange import Exchange
from gateway.wire.sse import data_of, events, name_of, write_event

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
        clock: Callable[[], float],
    ) -> None:
        self._exchange, self._opening, self._settle = exchange, opening, settle
        self._background, self._clock = background, clock
        self._timeouts = exchange.endpoint.timeouts
        self.patience = self._timeouts.idle
        self._opened: Opened | None = None
        self._waiting = False  # the caller has been shown that the line is open
        self._heard = self._sent = 0.0  # when an event came last, and when the caller got a byte
        self._told: tuple[bytes, bytes] = (b"", b"")  # what the caller got first, and last
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
            now = self._clock()
            due = self._exchange.call.within(now + self._timeouts.heartbeat)
            await asyncio.wait({self._opening}, timeout=max(due - now, 0))
        if not self._opening.done():
            self._check_time()
            self._waiting = True
            return self._exchange.call.dialect.heartbeat
        self._opened = opened = self._opening.result()
        self._heard = self._sent = self._clock()
        out = self._tell(opened, opened.start)
        return out if out or self._finished else await self._go_on(opened)

    async def _go_on(self, opened: Opened) -> bytes:
        """Only whole events count as heard: a provider may drip half of one for ever. What is heard
        need not be told yet: a call of a tool may have to be told in one piece."""
        bridge = opened.bridge
        while True:
            self._check_time()
            chunk = await opened.upstream.next(self._patience())
            if chunk == b"":
                return self._last(opened)
            now, heard = self._clock(), bridge.heard
            if chunk is not None:
                out = self._tell(opened, bridge.feed(chunk))
                if out or self._finished:
                    self._heard = self._sent = now
                    return out
                if bridge.heard > heard:
                    self._heard = now
            if now - self._heard >= self._timeouts.idle:
                silence = now - self._heard
                raise UpstreamTimedOut(
                    f"the provider fell silent for {round(silence, 1):g} seconds"
                )
            if now - self._sent >= self._timeouts.heartbeat:
                self._sent = now
                return self._exchange.call.dialect.heartbeat

    def _patience(self) -> float:
        """Seconds until something must be done about the silence."""
        due = min(self._sent + self._timeouts.heartbeat, self._heard + self._timeouts.idle)
        return max(self._exchange.call.within(due) - self._clock(), 0)

    def _check_time(self) -> None:
        if self._exchange.call.over(self._clock()):
            raise OutOfTime

    def _last(self, opened: Opened) -> bytes:
        out = opened.bridge.finish()
        if not (opened.bridge.ended or opened.bridge.failure):
            raise UpstreamBroke("the provider's stream ended without its last event")
        return self._tell(opened, out)

    def _tell(self, opened: Opened, out: bytes) -> bytes:
        """What the caller sees of it, and the end, if this was that."""
        out = _shown(opened, out)
        if out:
            self._told = (self._told[0] or out, out)
        if failure := opened.bridge.failure:
            return out + self._end(failure)
        self._finished = opened.bridge.ended
        self._exchange.error = opened.bridge.admitted
        return out

    def _end(self, error: Exception) -> bytes:
        self._finished = True
        self._exchange.error = error
        if not isinstance(error, GatewayError):
            return b""
        if self._opened:
            hide(error, self._opened.key)
        first, last = self._told
        sent = first if first is last else first + last
        return self._exchange.call.dialect.write_stream_error(error, sent)

    async def close(self) -> None:
        """Close the upstream and settle the exchange, also when cancelled meanwhile."""
        if self._closing is None:
            self._closing = self._background.start(self._close())
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        if not self._finished and self._exchange.error is None:
            self._exchange.error = asyncio.CancelledError("the caller hung up")
        opened = self._opened or await self._abandoned()
        if opened:
            self._exchange.usage = opened.bridge.usage
            self._exchange.dropped = frozenset(opened.bridge.dropped)
            if not opened.bridge.ended:  # the provider should stop at once
                await opened.upstream.close()
        await self._settle(self._exchange)
        if opened and opened.bridge.ended:
            await _left(opened)

    async def _abandoned(self) -> Opened | None:
        self._opening.cancel()
        await asyncio.wait({self._opening})
        if self._opening.cancelled() or self._opening.exception():
            return None
        return self._opening.result()


def _shown(opened: Opened, out: bytes) -> bytes:
    """What the caller sees; an event in which the provider admits a failure may quote its key."""
    if not (opened.bridge.admitted and opened.key):
        return out
    *before, last = events(out)
    name, said = name_of(last), hidden_in(data_of(last), opened.key)
    return b"".join(before) + (last if said == data_of(last) else write_event(said, name or None))


async def _left(opened: Opened) -> None:
    """Close the upstream of a complete answer, once its body has ended too or soon without."""
    with contextlib.suppress(TimeoutError, GatewayError):
        async with asyncio.timeout(DRAIN):
            while await opened.upstream.next(DRAIN):
                pass
    await opened.upstream.close()

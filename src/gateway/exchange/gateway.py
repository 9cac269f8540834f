"""The life of a call, top to bottom."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from random import Random

from gateway.admission.admission import Admission
from gateway.errors import (
    GatewayError,
    LoopDetected,
    OutOfTime,
    UpstreamRejected,
    UpstreamTimedOut,
)
from gateway.exchange.answer import Answer
from gateway.exchange.attempt import Opened, Outbound, hidden
from gateway.exchange.background import Background
from gateway.exchange.exchange import Call, Exchange, told
from gateway.exchange.stream import ReplyStream
from gateway.metering.records import Record
from gateway.ports import EndpointStore, Ledger
from gateway.routing.endpoint import Target
from gateway.routing.plan import Attempt, attempts

MOST_HOPS = 4
SETTLING = 10.0  # seconds that a stopping server gives to what is still being settled

logger = logging.getLogger("sluicegate")


@dataclass(frozen=True, slots=True)
class Hours:
    """How time passes for people: ``now`` in seconds since 1970, and waiting for seconds."""

    now: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class Gateway:
    def __init__(
        self,
        *,
        admission: Admission,
        endpoints: EndpointStore,
        outbound: Outbound,
        ledger: Ledger,
        random: Random,
        hours: Hours | None = None,
    ) -> None:
        self.admission, self.endpoints = admission, endpoints
        self.outbound, self._ledger = outbound, ledger
        self.random, self.hours = random, hours or Hours()
        self._clock = outbound.clock
        self.background = Background()

    async def answer(self, call: Call) -> Answer:
        """Raises GatewayError. A stream in the answer must be closed by whoever sends it."""
        if call.hops >= MOST_HOPS:
            raise LoopDetected(f"the call has come through {call.hops} gateways: is one its own?")
        self.admission.admit(call.caller, call.endpoint)
        endpoint = await self.endpoints.find(call.endpoint)
        exchange = Exchange(call, endpoint, started=self._clock())
        try:
            return await (self._streamed(exchange) if call.stream else self._whole(exchange))
        except BaseException as error:
            exchange.error = error
            if isinstance(error, GatewayError):
                error.headers |= _who(exchange, exchange.latest)
            await self.settle(exchange)
            raise

    @property
    def clock(self) -> Callable[[], float]:
        """What a call's deadline is a reading of."""
        return self._clock

    async def close(self) -> None:
        """Let what is still being settled be settled."""
        await self.background.finish(SETTLING)

    async def _whole(self, exchange: Exchange) -> Answer:
        opened = await self._open(exchange)
        await opened.upstream.close()
        exchange.usage = opened.bridge.usage
        exchange.dropped = frozenset(opened.bridge.dropped)
        await self.settle(exchange)
        return Answer(200, _headers(exchange, opened, "application/json"), opened.start)

    async def _streamed(self, exchange: Exchange) -> Answer:
        """Wait for the first content, so that a failure before it is a true status."""
        opening = asyncio.ensure_future(self._open(exchange))
        try:
            await asyncio.wait({opening}, timeout=exchange.endpoint.timeouts.commit_after)
        except asyncio.CancelledError:
            await self._stream(exchange, opening).close()
            raise
        opened = opening.result() if opening.done() else None
        headers = _headers(exchange, opened, "text/event-stream; charset=utf-8")
        return Answer(200, headers, self._stream(exchange, opening))

    def _stream(self, exchange: Exchange, opening: asyncio.Task[Opened]) -> ReplyStream:
        return ReplyStream(exchange, opening, self.settle, self.background, self._clock)

    async def _open(self, exchange: Exchange) -> Opened:
        """Try the planned targets until one begins to answer."""
        hopeless: Target | None = None
        for attempt in attempts(exchange.endpoint, self.random):
            if attempt.target is hopeless:
                continue
            if exchange.call.over(self._clock() + attempt.pause):
                break
            if attempt.pause:
                await self.hours.sleep(attempt.pause)
            exchange.tried.append(attempt)
            try:
                opened = await self.outbound.open(exchange.call, attempt.target, exchange.endpoint)
            except GatewayError as error:
                if isinstance(error, UpstreamTimedOut) and exchange.call.over(self._clock()):
                    raise OutOfTime from error  # our time was up, not the provider's
                exchange.failed.append((attempt, error))
                if not error.falls_back:
                    break
                hopeless = None if error.retryable else attempt.target
            else:
                exchange.serving, exchange.first_content = attempt, self._clock()
                return opened
        raise _told(exchange.failed)

    async def settle(self, exchange: Exchange) -> None:
        """Write the exchange down, once, however it ended; who is cancelled meanwhile may go."""
        if not exchange.settled:
            exchange.settled = True
            record = exchange.record(self._clock(), self.hours.now())
            await asyncio.shield(self.background.start(self._write(record)))

    async def _write(self, record: Record) -> None:
        """A ledger that fails takes nobody's answer away."""
        try:
            await self._ledger.write(record)
        except Exception:
            logger.exception("request %s could not be written down", record.request_id)


def _told(failed: list[tuple[Attempt, GatewayError]]) -> GatewayError:
    """The last failure, which is the answer's, with the words of those before it."""
    if not failed:  # there was no time for any
        return OutOfTime()
    *before, (_, last) = failed
    if before and not isinstance(last, UpstreamRejected):
        said = "; ".join(f"{attempt.target}: {error.message}" for attempt, error in before)
        last.message = f"{last.message} (before that, {said})"
    return last


PASSED_BACK = (
    "x-request-id",
    "request-id",
    "x-should-retry",
    "openai-processing-ms",
    "openai-version",
)
LIMITS = ("x-ratelimit-", "anthropic-ratelimit-", "retry-after")


def _headers(exchange: Exchange, opened: Opened | None, content_type: str) -> Mapping[str, str]:
    headers = {
        "content-type": content_type,
        "x-gateway-request-id": exchange.call.request_id,
        **_who(exchange, exchange.serving),
    }
    if content_type.startswith("text/event-stream"):
        headers["cache-control"] = "no-cache"
        headers["x-accel-buffering"] = "no"  # nginx would hold the events back
    if opened is not None:
        if lost := opened.bridge.dropped:
            headers["x-gateway-dropped"] = ", ".join(told(lost))
        headers |= {
            name: hidden(value, opened.key)
            for name, value in passed_back(opened.upstream.headers).items()
        }
    return headers


def _who(exchange: Exchange, attempt: Attempt | None) -> dict[str, str]:
    """Who served, or was tried last, and how many tries it took."""
    headers = {"x-gateway-endpoint": exchange.endpoint.name}
    if attempt:
        headers["x-gateway-target"] = str(attempt.target)
    if exchange.attempts > 1:
        headers["x-gateway-attempts"] = str(exchange.attempts)
    return headers


def passed_back(upstream: Mapping[str, str]) -> dict[str, str]:
    """The provider's headers that a caller can use: its request id, its rate limits."""
    return {
        name: value
        for name, value in upstream.items()
        if name in PASSED_BACK or name.startswith(LIMITS)
    }

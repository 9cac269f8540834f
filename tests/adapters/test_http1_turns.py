"""How callers share the connections that there may be: turns, slots, cancellation."""

import asyncio
from functools import partial

import pytest

from gateway.adapters.http1.pool import PoolLimits
from gateway.adapters.http1.transport import Http1Transport, Http1Upstream
from gateway.errors import UpstreamBroke, UpstreamTimedOut, UpstreamUnreachable
from tests.adapters.wire import (
    CHUNKED,
    OK,
    on_both_loops,
    provider,
    says,
    says_and_closes,
)

CLOSING = OK.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")
to_loopback = partial(Http1Transport, refuses=lambda *_: None)


async def opened(transport: Http1Transport, url: str, patience: float = 5) -> Http1Upstream:
    return await transport.open(url, {}, b"{}", patience=patience)


async def read(transport: Http1Transport, url: str) -> bytes:
    upstream = await opened(transport, url)
    try:
        return await upstream.read(5)
    finally:
        await upstream.close()


async def cancel(task: "asyncio.Future[Http1Upstream]") -> None:
    task.cancel()
    await asyncio.wait({task})


@on_both_loops
async def test_at_the_limit_callers_wait_their_turn() -> None:
    transport = to_loopback(limits=PoolLimits(connections=1))
    async with provider(says(OK, OK, CLOSING), says(OK)) as stage:
        first = await opened(transport, stage.url)
        order: list[int] = []

        async def next_caller(number: int) -> None:
            await read(transport, stage.url)
            order.append(number)

        callers = [asyncio.ensure_future(next_caller(number)) for number in range(3)]
        await asyncio.sleep(0)
        await first.read(5)
        await first.close()
        await asyncio.gather(*callers)
        assert order == [0, 1, 2]
        assert stage.connections == 2  # the third said it would close
        await transport.close()


@on_both_loops
async def test_waiting_for_a_turn_ends_with_patience() -> None:
    transport = to_loopback(limits=PoolLimits(connections=1))
    async with provider(says(OK)) as stage:
        first = await opened(transport, stage.url)
        with pytest.raises(UpstreamTimedOut, match="all 1 connections are in use"):
            await opened(transport, stage.url, patience=0.005)
        await first.close()
        await transport.close()


@on_both_loops
async def test_whoever_is_cancelled_leaves_the_turn_to_the_next() -> None:
    transport = to_loopback(limits=PoolLimits(connections=1))
    async with provider(says(OK, OK)) as stage:
        first = await opened(transport, stage.url)
        gives_up, turned_away, served = (
            asyncio.ensure_future(opened(transport, stage.url)) for _ in range(3)
        )
        await asyncio.sleep(0)
        await cancel(gives_up)
        await first.close()  # the turn is now turned_away's, who is cancelled before it can know
        await cancel(turned_away)
        assert await (await served).read(5) == b"ok"
        assert stage.connections == 1
        await served.result().close()
        await transport.close()


@on_both_loops
async def test_a_turn_passes_on_when_the_connection_before_it_is_dropped() -> None:
    transport = to_loopback(limits=PoolLimits(connections=1))
    async with provider(says(CHUNKED), says(OK)) as stage:
        first = await opened(transport, stage.url)
        turned_away, served = (
            asyncio.ensure_future(opened(transport, stage.url)) for _ in range(2)
        )
        await asyncio.sleep(0)
        await first.close()
        await cancel(turned_away)
        assert await (await served).read(5) == b"ok"
        await served.result().close()
        await transport.close()


@on_both_loops
async def test_a_cancelled_open_hangs_up_and_frees_its_slot() -> None:
    transport = to_loopback(limits=PoolLimits(connections=1))
    async with provider(says()) as stage:
        for turns in range(25):  # at every point on the way
            opening = asyncio.ensure_future(opened(transport, stage.url))
            for _ in range(turns):
                await asyncio.sleep(0)
            await cancel(opening)
        stage.parts = (says(OK),)
        assert await read(transport, stage.url) == b"ok"
        (pool,) = transport._pools.values()
        assert (pool._slots, len(pool._idle), len(pool._waiting)) == (1, 1, 0)
        await transport.close()


def test_what_cannot_be_opened_frees_its_slot() -> None:
    async def story() -> None:
        transport = to_loopback(limits=PoolLimits(connections=1))
        async with provider(
            says_and_closes(b"nonsense\r\n"), says(b"HTTP/1.1 100 \r\n\r\n")
        ) as stage:
            with pytest.raises(UpstreamBroke):
                await opened(transport, stage.url)
            with pytest.raises(UpstreamTimedOut):
                await opened(transport, stage.url, patience=0.1)
        for _ in range(2):
            with pytest.raises(UpstreamUnreachable, match=r"refused|Connect call failed"):
                await opened(transport, stage.url)
        await transport.close()

    asyncio.run(story())

"""Silence, impatience and hanging up: what is lost, and what the provider sees of it."""

import asyncio
from functools import partial

import pytest

from gateway.adapters.http1.transport import Http1Transport, Http1Upstream
from gateway.errors import UpstreamBroke, UpstreamTimedOut
from tests.adapters.wire import (
    CHUNKED,
    Line,
    chunk,
    on_both_loops,
    provider,
    says,
)

HEADERS = {"content-type": "application/json"}
to_loopback = partial(Http1Transport, refuses=lambda *_: None)


async def opened(transport: Http1Transport, url: str, patience: float = 5) -> Http1Upstream:
    return await transport.open(url, HEADERS, b"{}", patience=patience)


@on_both_loops
async def test_silence_and_cancellation_lose_nothing() -> None:
    async def slow(line: Line) -> None:
        await line.request()
        line.say(CHUNKED)
        for word in (b"one", b"two"):
            await go.wait()
            go.clear()
            line.say(chunk(word))
        line.say(chunk(b""))

    go = asyncio.Event()
    transport = to_loopback()
    async with provider(slow) as stage:
        upstream = await opened(transport, stage.url)
        assert await upstream.next(0.001) is None
        assert await upstream.next(0) is None
        go.set()
        assert await upstream.next(5) == b"one"
        waiting = asyncio.ensure_future(upstream.next(5))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait({waiting})
        go.set()
        assert await upstream.read(5) == b"two"
        assert await upstream.next(5) == b""
        await upstream.close()
        await transport.close()


@on_both_loops
async def test_an_answer_that_does_not_begin_in_time_is_hung_up_on() -> None:
    transport = to_loopback()
    async with provider(says(b"HTTP/1.1 100 Continue\r\n\r\n")) as stage:
        with pytest.raises(UpstreamTimedOut, match=r"127\.0\.0\.1 did not answer in time"):
            await opened(transport, stage.url, patience=0.1)
        await stage.gone.wait()


@on_both_loops
async def test_a_read_that_falls_silent_is_hung_up_on() -> None:
    transport = to_loopback()
    async with provider(says(CHUNKED + chunk(b"half"))) as stage:
        upstream = await opened(transport, stage.url)
        with pytest.raises(UpstreamTimedOut, match=r"127\.0\.0\.1 fell silent for 0.01 s"):
            await upstream.read(0.01)
        await stage.gone.wait()
        with pytest.raises(UpstreamBroke, match="was closed before"):
            await upstream.next(5)


@on_both_loops
async def test_a_cancelled_read_is_hung_up_on() -> None:
    transport = to_loopback()
    async with provider(says(CHUNKED + chunk(b"half"))) as stage:
        upstream = await opened(transport, stage.url)
        reading = asyncio.ensure_future(upstream.read(5))
        await asyncio.sleep(0.001)
        reading.cancel()
        await asyncio.wait({reading})
        await stage.gone.wait()


@on_both_loops
async def test_an_answer_closed_before_its_end_is_hung_up_on_at_once() -> None:
    transport = to_loopback()
    async with provider(says(CHUNKED + chunk(b"one"))) as stage:
        upstream = await opened(transport, stage.url)
        assert await upstream.next(5) == b"one"
        await upstream.close()
        await upstream.close()
        await stage.gone.wait()

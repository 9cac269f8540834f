"""Which connection carries a request: kept, made new, waited for, given up."""

import asyncio
import gc
import os
import socket
from functools import partial

import pytest

from gateway.adapters.http1 import connection
from gateway.adapters.http1.connection import Connection
from gateway.adapters.http1.pool import PoolLimits
from gateway.adapters.http1.transport import Http1Transport, Http1Upstream
from gateway.errors import UpstreamBroke
from tests.adapters.wire import (
    CHUNKED,
    OK,
    Line,
    chunk,
    on_both_loops,
    provider,
    says,
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


async def closes_unanswered(line: Line) -> None:
    await line.request()
    line.hang_up()


async def answers_one_and_closes_at_the_next(line: Line) -> None:
    await says(OK)(line)
    await closes_unanswered(line)


@on_both_loops
async def test_a_connection_serves_one_request_after_the_other() -> None:
    transport = to_loopback()
    answers = (OK, CHUNKED + chunk(b"a") + chunk(b""), b"HTTP/1.1 204 None\r\n\r\n", OK)
    async with provider(says(*answers)) as stage:
        bodies = [await read(transport, stage.url) for _ in answers]
        assert bodies == [b"ok", b"a", b"", b"ok"]
        assert stage.connections == 1
        await transport.close()
        await stage.gone.wait()


@pytest.mark.parametrize(
    "raw",
    [
        CLOSING,
        OK.replace(b"1.1", b"1.0"),
        OK + b"HTTP/1.1 200 OK\r\n",  # a second answer to the first question
        OK + b"stray",
    ],
)
def test_a_connection_that_is_not_clean_serves_nobody_else(raw: bytes) -> None:
    async def story() -> None:
        transport = to_loopback()
        async with provider(says(raw)) as stage:
            assert [await read(transport, stage.url) for _ in range(2)] == [b"ok", b"ok"]
            assert stage.connections == 2
            await transport.close()

    asyncio.run(story())


@on_both_loops
async def test_an_answer_that_came_whole_keeps_its_connection_though_unread() -> None:
    transport = to_loopback()
    async with provider(says(OK, OK)) as stage:
        await (await opened(transport, stage.url)).close()
        assert await read(transport, stage.url) == b"ok"
        assert stage.connections == 1
        await transport.close()


@on_both_loops
async def test_an_answer_before_the_whole_question_ends_the_connection() -> None:
    async def cannot_wait(line: Line) -> None:
        await line.reader.readuntil(b"\r\n\r\n")
        line.say(OK)
        line.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await line.hung_up()

    transport = to_loopback()
    async with provider(cannot_wait, says(OK)) as stage:
        upstream = await transport.open(stage.url, {}, bytes(16_000_000), patience=5)
        assert await upstream.read(5) == b"ok"
        await upstream.close()
        assert await read(transport, stage.url) == b"ok"
        assert stage.connections == 2
        await transport.close()


@on_both_loops
async def test_a_request_is_sent_again_when_its_idle_connection_was_closed() -> None:
    transport = to_loopback()
    async with provider(answers_one_and_closes_at_the_next, says(OK)) as stage:
        assert [await read(transport, stage.url) for _ in range(2)] == [b"ok", b"ok"]
        assert stage.connections == 2
        assert len(stage.requests) == 3
        await transport.close()


@on_both_loops
async def test_a_request_is_sent_again_once_and_no_more() -> None:
    transport = to_loopback()
    async with provider(answers_one_and_closes_at_the_next, closes_unanswered) as stage:
        await read(transport, stage.url)
        with pytest.raises(UpstreamBroke, match="closed the connection without answering"):
            await opened(transport, stage.url)
        assert (stage.connections, len(stage.requests)) == (2, 3)


@on_both_loops
async def test_a_new_connection_that_closes_unanswered_is_not_tried_again() -> None:
    transport = to_loopback()
    async with provider(closes_unanswered) as stage:
        with pytest.raises(UpstreamBroke, match="closed the connection without answering"):
            await opened(transport, stage.url)
        assert stage.connections == 1


@on_both_loops
async def test_a_request_is_not_sent_again_once_a_byte_came_back() -> None:
    async def begins_and_closes(line: Line) -> None:
        await says(OK, b"H")(line)
        line.hang_up()

    transport = to_loopback()
    async with provider(begins_and_closes) as stage:
        await read(transport, stage.url)
        with pytest.raises(UpstreamBroke, match="in the middle of its answer"):
            await opened(transport, stage.url)
        assert stage.connections == 1


@pytest.mark.parametrize("word", [b"", b"HTTP/1.1 408 Too slow\r\ncontent-length: 0\r\n\r\n"])
def test_a_connection_closed_while_idle_is_not_used(word: bytes) -> None:
    async def story() -> None:
        async def tires(line: Line) -> None:
            await says(OK)(line)
            await tired.wait()
            line.say(word)
            line.hang_up()

        tired = asyncio.Event()
        transport = to_loopback()
        async with provider(tires, says(OK)) as stage:
            await read(transport, stage.url)
            tired.set()
            await stage.gone.wait()
            assert await read(transport, stage.url) == b"ok"
            assert (stage.connections, len(stage.requests)) == (2, 2)
            await transport.close()

    asyncio.run(story())


@pytest.mark.parametrize("limits", [PoolLimits(idle=0), PoolLimits(idle_seconds=-1)])
def test_too_many_or_too_old_idle_connections_are_closed(limits: PoolLimits) -> None:
    async def story() -> None:
        transport = to_loopback(limits=limits)
        async with provider(says(OK)) as stage:
            await read(transport, stage.url)
            await stage.gone.wait()
            await read(transport, stage.url)
            assert stage.connections == 2
            await transport.close()

    asyncio.run(story())


def test_an_idle_connection_that_grew_old_meanwhile_is_not_used() -> None:
    async def story() -> None:
        transport = to_loopback(limits=PoolLimits(idle_seconds=0.002))
        async with provider(says(OK)) as stage:
            await read(transport, stage.url)
            await asyncio.sleep(0.004)
            await read(transport, stage.url)
            assert stage.connections == 2
            await transport.close()

    asyncio.run(story())


@on_both_loops
async def test_closing_the_transport_spares_what_is_in_use_until_it_is_read() -> None:
    transport = to_loopback()
    async with provider(says(OK)) as stage:
        upstream = await opened(transport, stage.url)
        await transport.close()
        assert await upstream.read(5) == b"ok"
        assert not stage.gone.is_set()
        await upstream.close()
        await stage.gone.wait()


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the first loop ends with it still open
def test_serves_a_new_event_loop_after_the_first_has_ended() -> None:
    transport = to_loopback()

    async def story() -> None:
        async with provider(says(OK, OK)) as stage:
            assert [await read(transport, stage.url) for _ in range(2)] == [b"ok", b"ok"]
            left.append(await opened(transport, stage.url.replace("127.0.0.1", "localhost")))

    left: list[Http1Upstream] = []
    asyncio.run(story())
    asyncio.run(story())
    asyncio.run(left[0].close())
    asyncio.run(transport.close())
    gc.collect()


def test_small_writes_do_not_wait_for_acknowledgement() -> None:
    async def story() -> None:
        transport = to_loopback()
        async with provider(says(OK)) as stage:
            upstream = await opened(transport, stage.url)
            line = upstream._connection._transport.get_extra_info("socket")
            assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            await upstream.close()
            await transport.close()

    asyncio.run(story())


def test_the_environment_names_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setitem(os.environ, name, "http://127.0.0.1:1")

    async def story() -> None:
        transport = to_loopback()
        async with provider(says(OK)) as stage:
            assert await read(transport, stage.url) == b"ok"
            await transport.close()

    asyncio.run(story())


class Gone(asyncio.Transport):
    """A transport whose other side has left already."""

    def is_closing(self) -> bool:
        return True

    def write(self, _data: object) -> None:
        raise AssertionError("written to nobody")


def test_a_connection_that_closed_before_the_question_is_not_waited_for() -> None:
    async def story() -> None:
        connection = Connection("name.test")
        connection.connection_made(Gone())
        with pytest.raises(UpstreamBroke, match=r"name\.test closed the connection without"):
            await connection.ask(b"", b"", deadline=5)

    asyncio.run(story())


def test_what_a_provider_may_have_worked_on_is_not_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Closed long after we wrote: that was no connection that had died while it lay idle."""
    monkeypatch.setattr(connection, "STALE_WITHIN", 0)

    async def story() -> None:
        transport = to_loopback()
        async with provider(answers_one_and_closes_at_the_next) as stage:
            await read(transport, stage.url)
            with pytest.raises(UpstreamBroke, match="without answering"):
                await read(transport, stage.url)
            assert (stage.connections, len(stage.requests)) == (1, 2)
        await transport.close()

    asyncio.run(story())

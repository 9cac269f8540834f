"""Callers who go before the end."""

import asyncio

import pytest

from gateway.metering.records import Record
from gateway.wire.json import Json
from tests.exchange.chunks import (
    ASK,
    DONE,
    HELLO,
    ROLE,
    STOP,
    stream_of,
)
from tests.fakes import HI, FakeUpstream, Hang, World, endpoint, run


def test_a_caller_who_hangs_up_closes_the_upstream_and_is_settled() -> None:
    async def hang_up() -> tuple[World, FakeUpstream]:
        upstream = FakeUpstream(ROLE, HELLO, Hang())
        world = World(endpoint(), upstream)
        body = stream_of(await world.answer(ASK))
        await body.next()
        reading = asyncio.ensure_future(body.next())
        await asyncio.sleep(0)
        reading.cancel()
        await asyncio.wait({reading})
        await body.close()
        return world, upstream

    world, upstream = run(hang_up())
    assert upstream.closed == 1
    assert (world.record.outcome, world.record.status) == ("hung_up", 499)


def test_a_caller_who_hangs_up_before_reading_is_settled_too() -> None:
    async def hang_up() -> tuple[World, FakeUpstream]:
        upstream = FakeUpstream(ROLE, HELLO, Hang())
        world = World(endpoint(), upstream)
        await stream_of(await world.answer(ASK)).close()
        return world, upstream

    world, upstream = run(hang_up())
    assert upstream.closed == 1
    assert world.record.outcome == "hung_up"


@pytest.mark.parametrize("ask", [ASK, HI])
def test_a_caller_who_hangs_up_while_the_provider_thinks_is_settled_too(ask: Json) -> None:
    async def hang_up() -> tuple[World, FakeUpstream]:
        thinking = Hang()
        upstream = FakeUpstream(thinking)
        world = World(endpoint(), upstream)
        answering = asyncio.ensure_future(world.answer(ask))
        await thinking.reached.wait()
        answering.cancel()
        await asyncio.wait({answering})
        assert answering.cancelled()
        return world, upstream

    world, upstream = run(hang_up())
    assert upstream.closed == 1
    assert (world.record.outcome, world.record.provider) == ("hung_up", "openai")
    assert world.record.attempts == 1


def test_a_stream_is_settled_once_however_often_it_is_closed() -> None:
    async def twice() -> World:
        world = World(endpoint(), FakeUpstream(HELLO, STOP, DONE))
        body = stream_of(await world.answer(ASK))
        await asyncio.gather(body.close(), body.close())
        return world

    assert len(run(twice()).ledger.records) == 1


def test_closing_waits_for_what_is_still_being_settled() -> None:
    async def closing() -> list[str]:
        world = World(endpoint(), FakeUpstream(HELLO, STOP, DONE))
        write, going = world.ledger.write, asyncio.Event()

        async def slowly(record: Record) -> None:
            going.set()
            await asyncio.sleep(0.01)
            await write(record)

        world.ledger.write = slowly  # type: ignore[method-assign]
        leaving = asyncio.ensure_future(stream_of(await world.answer(ASK)).close())
        await going.wait()
        leaving.cancel()
        await world.gateway.close()
        return [record.outcome for record in world.ledger.records]

    assert run(closing()) == ["hung_up"]


def test_a_slow_ledger_does_not_keep_the_provider_at_work() -> None:
    async def closed_when_written() -> list[int]:
        upstream = FakeUpstream(ROLE, HELLO, Hang())
        world = World(endpoint(), upstream)
        seen: list[int] = []

        async def write(record: Record) -> None:
            seen.append(upstream.closed)
            world.ledger.records.append(record)

        world.ledger.write = write  # type: ignore[method-assign]
        await stream_of(await world.answer(ASK)).close()
        return seen

    assert run(closed_when_written()) == [1]

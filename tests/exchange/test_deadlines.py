"""A call that must be answered by a certain time, as Lambda wants it."""

import asyncio

import pytest

from gateway.errors import OutOfTime, UpstreamRejected
from gateway.wire.json import loads
from tests.exchange.chunks import ASK, DONE, HELLO, ROLE, STOP, WORLD
from tests.fakes import (
    GPT,
    GROQ,
    HI,
    FakeUpstream,
    Hang,
    Retries,
    Silence,
    Timeouts,
    World,
    endpoint,
    run,
)

LATE = b'"code":"out_of_time"'


def test_a_stream_that_falls_silent_is_ended_at_the_deadline() -> None:
    world = World(endpoint(), FakeUpstream(ROLE, HELLO, Silence(50), STOP, DONE))
    world.deadline = world.clock.now + 8
    said = run(world.ask(ASK))
    assert said.startswith(ROLE + HELLO)
    assert loads(said.removeprefix(ROLE + HELLO + b"data: "))["error"] == {
        "message": "the time that the gateway has for one call is up",
        "type": "timeout_error",
        "param": None,
        "code": "out_of_time",
    }
    assert world.clock.now == 1008
    assert (world.record.outcome, world.record.status, world.record.error) == (
        "failed",
        504,
        "OutOfTime",
    )


def test_a_stream_that_talks_without_end_is_ended_too() -> None:
    part = (WORLD, Silence(3))
    world = World(endpoint(), FakeUpstream(ROLE, HELLO, *part * 5, STOP, DONE))
    world.deadline = world.clock.now + 8
    said = run(world.ask(ASK))
    assert said.count(b"world") == 3
    assert LATE in said
    assert not said.endswith(DONE)


def test_a_stream_that_is_done_in_time_is_left_alone() -> None:
    world = World(endpoint(), FakeUpstream(ROLE, HELLO, Silence(7), STOP, DONE))
    world.deadline = world.clock.now + 8
    assert run(world.ask(ASK)) == ROLE + HELLO + STOP + DONE


def test_a_provider_that_begins_nothing_is_given_up_at_the_deadline() -> None:
    world = World(endpoint(GPT, GROQ), FakeUpstream(Silence(50), ROLE))
    world.deadline = world.clock.now + 8
    with pytest.raises(OutOfTime):  # our time was up, not the provider's
        run(world.ask(ASK))
    assert world.clock.now == 1008
    assert len(world.transport.sent) == 1  # there was no time for another


def test_nobody_is_asked_when_there_is_no_time_left() -> None:
    world = World(endpoint(), FakeUpstream(HELLO))
    world.deadline = world.clock.now
    with pytest.raises(OutOfTime):
        run(world.ask(HI))
    assert world.transport.sent == []
    assert world.record.status == 504


def test_a_retry_whose_pause_would_take_too_long_is_not_made() -> None:
    served = endpoint(retries=Retries(3, first_pause=100, longest_pause=100))
    world = World(served, FakeUpstream(b"{}", status=503), FakeUpstream(HELLO))
    world.deadline = world.clock.now + 8
    with pytest.raises(UpstreamRejected, match="503"):
        run(world.ask(HI))
    assert (len(world.transport.sent), world.pauses) == (1, [])


def test_a_stream_that_was_committed_without_content_ends_at_the_deadline() -> None:
    hang = Hang()
    served = endpoint(timeouts=Timeouts(commit_after=0.01, heartbeat=0.02))
    world = World(served, hang)

    async def ask() -> bytes:
        world.deadline = world.clock.now + 8
        answer = await world.answer(ASK)
        assert not isinstance(answer.body, bytes)
        said = await answer.body.next()  # a heartbeat
        world.clock.now += 8
        said += await asyncio.wait_for(answer.body.next(), 5)
        assert await answer.body.next() == b""
        await answer.body.close()
        return said

    assert LATE in run(ask())
    assert world.record.error == "OutOfTime"

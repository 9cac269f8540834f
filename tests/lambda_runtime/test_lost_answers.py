"""Answers that AWS does not take: nothing can be done for them, and the loop goes on."""

import asyncio
import logging

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from examples.local_lambda.posted import Hold, Terms
from tests.fakes import run
from tests.lambda_runtime.looping import (
    BUFFERED,
    STREAMING,
    asked,
    loop_of,
    looping,
    lost,
    say,
    saying,
    start,
)
from tests.lambda_runtime.test_streamed import EVENT
from tests.lambda_runtime.wire import Wire, invocation

MODES = {"streamed": STREAMING, "whole": BUFFERED}
HELLO = saying(b"hello")


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def served(app: ASGIApp, mode: str, posted: bytes) -> list[bytes]:
    """Two invocations, to whose answers this is said; what was heard of them."""
    polls = [[invocation(EVENT)], [invocation(EVENT)]]
    async with Wire(*polls, posted=posted) as wire:
        running = asyncio.ensure_future(loop_of(app, wire.address, environment=MODES[mode]).run())
        await asyncio.wait(
            {running, asyncio.ensure_future(wire.through.wait())}, return_when="FIRST_COMPLETED"
        )
        assert not running.done()
    await lost(running)
    return wire.heard


REFUSALS = {
    "too late": (b"HTTP/1.1 410 Gone\r\nContent-Length: 2\r\n\r\n{}", "too late"),
    "too large": (b"HTTP/1.1 413 Large\r\nContent-Length: 2\r\n\r\n{}", "answered 413, b'{}'"),
    "out of turn": (b"HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\n{}", "answered 403, b'{}'"),
    "wrong": (b"HTTP/1.1 400 Bad\r\nContent-Length: 2\r\n\r\n{}", "answered 400, b'{}'"),
    "broken": (b"HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\n{}", "answered 500, b'{}'"),
    "silence": (b"", "did not reach Lambda"),
    "half an answer": (b"HTTP/1.1 202 Acc", "did not reach Lambda"),
    "no HTTP": (b"junk\r\n\r\n", "did not reach Lambda"),
}


@pytest.mark.parametrize(("posted", "said"), REFUSALS.values(), ids=REFUSALS)
def test_an_answer_that_is_refused_is_logged_and_the_next_call_is_served(
    posted: bytes, said: str, mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        heard = run(served(HELLO, mode, posted))
    assert len(heard) == 2
    assert said in caplog.text


def test_an_answer_after_the_deadline_is_refused_and_the_next_call_is_served(mode: str) -> None:
    """As when the process was frozen meanwhile."""

    async def work() -> None:
        async with looping(HELLO, environment=MODES[mode]) as aws:
            assert (await (await aws.invoke(asked(), seconds=0)).finished()).how == "timed out"
            posted = await (await aws.invoke(asked())).finished()
            assert (posted.how, posted.body) == ("whole", b"hello")

    run(work())


def test_a_stream_that_aws_holds_beyond_the_deadline_is_given_up() -> None:
    """A caller who does not read: the process must not wait for it until Lambda ends it."""

    async def app(_: Scope, __: Receive, send: Send) -> None:
        await start(send)
        while True:
            await say(send, b"x" * 65_536)

    async def work() -> None:
        async with looping(app) as aws:
            never = Terms(hold=Hold(1000, asyncio.Event()))
            posted = await (await aws.invoke(asked(), seconds=1.6, terms=never)).finished()
            assert posted.how == "timed out"
            await aws.idle()

    run(work())


@pytest.mark.parametrize("concurrency", [1, 2])
def test_an_app_is_told_that_aws_broke_off_and_may_clean_up(concurrency: int) -> None:
    told: list[str] = []

    async def app(_: Scope, __: Receive, send: Send) -> None:
        await start(send)
        try:
            while True:
                await say(send, b"x" * 1000)
                await asyncio.sleep(0)
        except OSError as error:
            told.append(type(error).__name__)
            raise
        finally:
            await asyncio.sleep(0)
            told.append("cleaned")

    async def work() -> None:
        async with looping(app, concurrency=concurrency) as aws:
            for _ in range(2):
                terms = Terms(drop_after=5000)
                posted = await (await aws.invoke(asked(), terms=terms)).finished()
                assert posted.how == "cut"
                await aws.idle(concurrency)

    run(work())
    assert told[1::2] == ["cleaned"] * 2
    assert {*told[::2]} <= {"ConnectionResetError", "BrokenPipeError"}


def test_an_app_that_does_not_listen_when_aws_broke_off_hears_it_again() -> None:
    refused: list[OSError] = []

    async def app(_: Scope, __: Receive, send: Send) -> None:
        await start(send)
        while len(refused) < 3:
            try:
                await say(send, b"x" * 1000)
            except OSError as error:
                refused.append(error)

    async def work() -> None:
        async with looping(app) as aws:
            posted = await (await aws.invoke(asked(), terms=Terms(drop_after=5000))).finished()
            assert posted.how == "cut"
            await aws.idle()

    run(work())
    assert len(refused) == 3


def test_a_stream_above_the_limit_is_refused_and_the_loop_goes_on() -> None:
    async def work() -> None:
        async with looping(saying(*[b"x" * 100_000] * 20)) as aws:
            invoked = await aws.invoke(asked(), terms=Terms(most_streamed=1_000_000))
            assert (await invoked.finished()).how == "too large"
            await aws.idle()
            assert aws.faults.pop() == "streams more than 1000000 bytes"

    run(work())

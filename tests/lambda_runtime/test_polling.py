"""Polls: how an invocation gets here, and when there can be no more."""

import asyncio
import json
from collections.abc import Sequence

import pytest
from starlette.types import Receive, Scope, Send

from examples.local_lambda.connection import Dribble
from examples.local_lambda.posted import Terms
from examples.local_lambda.runtime_api import RuntimeApi as Aws
from tests.fakes import run
from tests.lambda_runtime.looping import (
    asked,
    loop_of,
    looping,
    lost,
    polling,
    say,
    saying,
    start,
)
from tests.lambda_runtime.wire import Act, Step, Wire, invocation

HELLO = saying(b"hello")
BODY = b"Zo\xc3\xab " * 20_000
# As load balancers have it: it does not stream, whatever the setting.
EVENT = json.dumps(asked("GET", door="alb")).encode()


async def echo(_: Scope, receive: Receive, send: Send) -> None:
    message = await receive()
    await start(send)
    await say(send, message["body"], more=bool(message["more_body"]))


@pytest.mark.parametrize("chunked", [True, False])
@pytest.mark.parametrize("dribble", [None, Dribble(1000), Dribble(65_537)])
def test_an_event_arrives_whole_however_it_is_sent(chunked: bool, dribble: Dribble | None) -> None:
    async def work() -> None:
        async with looping(echo) as aws:
            event = asked(headers=[("content-type", "text/plain")], body=BODY)
            terms = Terms(chunked=chunked, dribble=dribble)
            assert (await (await aws.invoke(event, terms=terms)).finished()).body == BODY

    run(work())


@pytest.mark.parametrize("chunked", [True, False])
def test_an_event_arrives_whole_byte_by_byte(chunked: bool) -> None:
    async def work() -> None:
        async with looping(echo) as aws:
            event = asked(headers=[("content-type", "text/plain")], body=b"Hello")
            terms = Terms(chunked=chunked, dribble=Dribble(1))
            assert (await (await aws.invoke(event, terms=terms)).finished()).body == b"Hello"

    run(work())


@pytest.mark.parametrize("hang_up", ["told", "untold"])
@pytest.mark.parametrize("concurrency", [1, 4])
def test_a_kept_connection_that_was_closed_meanwhile_is_made_anew(
    hang_up: str, concurrency: int
) -> None:
    terms = Terms(hang_up="told" if hang_up == "told" else "untold")

    async def work() -> None:
        async with looping(HELLO, concurrency=concurrency) as aws:
            for _ in range(10):
                posted = await (await aws.invoke(asked(), terms=terms)).finished()
                assert posted.body == b"hello"

    run(work())


def test_polls_share_one_connection_as_long_as_it_lasts() -> None:
    async def work() -> None:
        async with Wire(*[[invocation(EVENT)]] * 3) as wire:
            running = asyncio.ensure_future(loop_of(HELLO, wire.address).run())
            await wire.through.wait()
        await lost(running)
        assert (len(wire.heard), len(wire.asked), wire.lines) == (3, 4, 1)
        assert set(wire.asked) == {
            b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n"
            b"Host: %b\r\nUser-Agent: sluicegate-runtime\r\n\r\n" % wire.address.encode()
        }

    run(work())


@pytest.mark.parametrize("status", [400, 403, 500])
def test_a_poll_that_is_refused_is_the_end(status: int) -> None:
    async def work() -> None:
        async with Aws() as aws:
            running = asyncio.ensure_future(loop_of(HELLO, aws.address).run())
            assert (await (await aws.invoke(asked())).finished()).body == b"hello"
            await polling(aws, running)
            aws.refuse(status)
            assert f"/invocation/next answered {status}" in await lost(running)
            assert aws.faults == []

    run(work())


OK = b"HTTP/1.1 200 OK\r\n"
ID = b"Lambda-Runtime-Aws-Request-Id: id-1\r\n"
DEADLINE = b"Lambda-Runtime-Deadline-Ms: 99999999999999\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
NO_ANSWERS: dict[str, Sequence[Step]] = {
    "nothing": [],
    "no HTTP": [b"junk\r\n\r\n"],
    "no line": [b"\r\n\r\n"],
    "no status": [b"HTTP/1.1 OK\r\n\r\n"],
    "a line without end": [b"HTTP/1.1 200 " + b"x" * 100_000],
    "headers without end": [OK, b"a: b\r\n" * 300],
    "cut in the headers": [OK + ID + DEADLINE + b"X-Cut: he"],
    "cut before the body": [OK + ID + DEADLINE + b"Content-Length: 2\r\n\r\n"],
    "cut in the body": [OK + ID + DEADLINE + b"Content-Length: 4\r\n\r\n{}"],
    "a length that is none": [OK + ID + DEADLINE + b"Content-Length: two\r\n\r\n{}"],
    "a negative length": [OK + ID + DEADLINE + b"Content-Length: -2\r\n\r\n{}"],
    "cut in a chunk": [OK + ID + DEADLINE + CHUNKED + b"\r\n4\r\n{}"],
    "cut between chunks": [OK + ID + DEADLINE + CHUNKED + b"\r\n2\r\n{}\r\n"],
    "cut before the last line": [OK + ID + DEADLINE + CHUNKED + b"\r\n2\r\n{}\r\n0\r\n"],
    "a chunk's size that is none": [OK + ID + DEADLINE + CHUNKED + b"\r\nzz\r\n{}\r\n"],
    "no id": [OK + DEADLINE + b"Content-Length: 2\r\n\r\n{}"],
    "no deadline": [OK + ID + b"Content-Length: 2\r\n\r\n{}"],
    "a deadline that is none": [
        OK + ID + b"Lambda-Runtime-Deadline-Ms: soon\r\nContent-Length: 2\r\n\r\n{}"
    ],
}


@pytest.mark.parametrize("steps", NO_ANSWERS.values(), ids=NO_ANSWERS)
def test_what_is_no_invocation_is_the_end_and_nothing_is_answered(steps: Sequence[Step]) -> None:
    async def work() -> None:
        async with Wire([*steps, Act.CLOSE]) as wire:
            running = asyncio.ensure_future(loop_of(HELLO, wire.address).run())
            assert await lost(running)
        assert wire.heard == []

    run(work())


def test_nobody_at_the_address_is_the_end() -> None:
    async def work() -> None:
        async with Wire() as wire:
            address = wire.address
        assert "/invocation/next" in await lost(
            asyncio.ensure_future(loop_of(HELLO, address).run())
        )

    run(work())


def test_as_many_polls_wait_as_invocations_may_come_and_never_more() -> None:
    held, release = [asyncio.Event() for _ in range(8)], asyncio.Event()
    begun = iter(held)

    async def app(_: Scope, __: Receive, send: Send) -> None:
        next(begun).set()
        await release.wait()
        await HELLO(_, __, send)

    async def work() -> None:
        async with looping(app, concurrency=8) as aws:
            await aws.idle(8)
            invoked = [await aws.invoke(asked(), terms=Terms(at_once=True)) for _ in held]
            for one in held:
                await one.wait()
            assert aws.polls == 0
            release.set()
            assert {(await one.finished()).body for one in invoked} == {b"hello"}
            await aws.idle(8)
            assert aws.most_polls == 8

    run(work())


def test_alone_it_polls_only_when_it_has_answered() -> None:
    release = asyncio.Event()

    async def app(_: Scope, __: Receive, send: Send) -> None:
        await start(send)
        await say(send, b"so far")
        await release.wait()
        await say(send, b".", more=False)

    async def work() -> None:
        async with looping(app) as aws:
            first, second = await aws.invoke(asked()), await aws.invoke(asked())
            async for piece in first:
                if type(piece).__name__ == "Body":
                    assert (aws.polls, second.handed_at) == (0, None)
                    release.set()
            assert (await second.finished()).body == b"so far."
            assert aws.most_polls == 1

    run(work())

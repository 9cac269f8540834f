"""What an app does once its answer is out: alone before the next poll, among several meanwhile."""

import asyncio
import logging

import pytest
from starlette.background import BackgroundTask
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from examples.local_lambda.posted import Terms
from tests.fakes import run
from tests.lambda_runtime.looping import BUFFERED, STREAMING, asked, looping, say, settled, start

MODES = {"streamed": STREAMING, "whole": BUFFERED}


class Works:
    """An app that goes on after its answer until it is let go."""

    def __init__(self) -> None:
        self.release, self.over = asyncio.Event(), asyncio.Event()

    async def __call__(self, _: Scope, __: Receive, send: Send) -> None:
        await start(send)
        await say(send, b"done", more=False)
        await self.release.wait()
        self.over.set()


@pytest.mark.parametrize("mode", MODES)
def test_alone_it_is_done_before_the_next_poll_and_delays_no_caller(mode: str) -> None:
    async def work() -> None:
        app = Works()
        async with looping(app, environment=MODES[mode]) as aws:
            assert (await (await aws.invoke(asked())).finished()).body == b"done"
            await settled()
            assert aws.polls == 0
            app.release.set()
            await aws.idle()
            assert app.over.is_set()

    run(work())


@pytest.mark.parametrize("mode", MODES)
def test_among_several_the_next_poll_does_not_wait_for_it(mode: str) -> None:
    """An invocation that finds no poll is refused, and the process is never frozen."""

    async def work() -> None:
        app = Works()
        async with looping(app, environment=MODES[mode], concurrency=2) as aws:
            await aws.idle(2)
            for _ in range(8):
                invoked = await aws.invoke(asked(), terms=Terms(at_once=True))
                assert (await invoked.finished()).body == b"done"
                await aws.idle(2)
            assert not app.over.is_set()
            app.release.set()
            await app.over.wait()

    run(work())


def test_a_background_task_of_starlette_runs_after_the_answer() -> None:
    done: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        answer = PlainTextResponse("now", background=BackgroundTask(done.append, "later"))
        await answer(scope, receive, send)

    async def work() -> None:
        async with looping(app) as aws:
            assert (await (await aws.invoke(asked("GET"))).finished()).body == b"now"
            await aws.idle()
            assert done == ["later"]

    run(work())


@pytest.mark.parametrize("concurrency", [1, 2])
def test_what_fails_after_the_answer_is_logged_and_the_loop_goes_on(
    concurrency: int, caplog: pytest.LogCaptureFixture
) -> None:
    async def app(_: Scope, __: Receive, send: Send) -> None:
        await start(send)
        await say(send, b"done", more=False)
        await asyncio.sleep(0)
        raise ValueError("too bad")

    async def work() -> None:
        async with looping(app, concurrency=concurrency) as aws:
            for _ in range(3):
                posted = await (await aws.invoke(asked())).finished()
                assert (posted.how, posted.body) == ("whole", b"done")
            await aws.idle(concurrency)
            await settled()

    with caplog.at_level(logging.ERROR):
        run(work())
    assert caplog.text.count("ValueError: too bad") == 3


def test_alone_what_takes_too_long_is_cut_off_and_may_clean_up_before_the_next_poll() -> None:
    """Or Lambda would end the process, and from the poll on it may be frozen."""
    cleaned = asyncio.Event()

    async def app(_: Scope, __: Receive, send: Send) -> None:
        await start(send)
        await say(send, b"done", more=False)
        try:
            await asyncio.Event().wait()
        finally:
            await settled()
            cleaned.set()

    async def work() -> None:
        async with looping(app) as aws:
            invoked = await aws.invoke(asked(), seconds=1.6)
            assert (await invoked.finished()).body == b"done"
            await aws.idle()
            assert cleaned.is_set()

    run(work())

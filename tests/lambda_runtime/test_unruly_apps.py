"""Whatever an app does, its caller gets an answer and the next call is served."""

import asyncio
import logging
from contextlib import suppress

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from examples.local_lambda.posted import Posted
from tests.fakes import run
from tests.lambda_runtime.looping import (
    BUFFERED,
    FAILED,
    STREAMING,
    TEXT,
    asked,
    looping,
    say,
    start,
)

CANARY = "sk-canary"
MODES = {"streamed": STREAMING, "whole": BUFFERED}
START: Message = {"type": "http.response.start", "status": 200, "headers": TEXT}
BODY: Message = {"type": "http.response.body", "body": b"so far", "more_body": True}
END: Message = {"type": "http.response.body", "body": b""}


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def answers(app: ASGIApp, mode: str, *, seconds: float = 60, times: int = 2) -> list[Posted]:
    """Of one loop, which must be there again after each."""

    async def work() -> list[Posted]:
        async with looping(app, environment=MODES[mode]) as aws:
            told = []
            for _ in range(times):
                told.append(await (await aws.invoke(asked(), seconds=seconds)).finished())
                await aws.idle()
            return told

    return run(work())


async def returns(_: Scope, __: Receive, ___: Send) -> None:
    """Without a word."""


async def raises(_: Scope, __: Receive, ___: Send) -> None:
    raise ValueError(CANARY)


async def cancels_itself(_: Scope, __: Receive, ___: Send) -> None:
    raise asyncio.CancelledError


async def loses_a_file(_: Scope, __: Receive, ___: Send) -> None:
    """As if the line to AWS were broken, which it is not."""
    raise FileNotFoundError(CANARY)


async def body_first(_: Scope, __: Receive, send: Send) -> None:
    await send(END)


async def sends_push(_: Scope, __: Receive, send: Send) -> None:
    await send({"type": "http.response.push"})


async def speaks_websocket(_: Scope, __: Receive, send: Send) -> None:
    await send({"type": "websocket.accept"})


async def sends_no_type(_: Scope, __: Receive, send: Send) -> None:
    await send({})


async def sends_no_status(_: Scope, __: Receive, send: Send) -> None:
    await send({"type": "http.response.start"})


async def sends_text_as_a_header(_: Scope, __: Receive, send: Send) -> None:
    await send({**START, "headers": [("x-a", "1")]})


BEFORE_THE_START = (
    returns,
    raises,
    cancels_itself,
    loses_a_file,
    body_first,
    sends_push,
    speaks_websocket,
    sends_no_type,
    sends_no_status,
    sends_text_as_a_header,
)


@pytest.mark.parametrize("app", BEFORE_THE_START)
def test_who_fails_before_the_start_is_answered_with_a_500(app: ASGIApp, mode: str) -> None:
    for posted in answers(app, mode):
        assert (posted.how, posted.status) == ("whole", 500)
        assert posted.json["error"] == {
            "message": FAILED,
            "type": "server_error",
            "param": None,
            "code": None,
        }


async def breaks(_: Scope, __: Receive, send: Send) -> None:
    await send(START)
    await send(BODY)
    raise ValueError(CANARY)


async def starts_twice(_: Scope, __: Receive, send: Send) -> None:
    await send(START)
    await send(BODY)
    await send(START)


async def sends_trailers(_: Scope, __: Receive, send: Send) -> None:
    await send(START)
    await send(BODY)
    await send({"type": "http.response.trailers", "headers": []})


async def stops(_: Scope, __: Receive, send: Send) -> None:
    await send(START)
    await send(BODY)


AFTER_THE_START = (breaks, starts_twice, sends_trailers, stops)


@pytest.mark.parametrize("app", AFTER_THE_START)
def test_who_fails_in_the_middle_of_a_stream_ends_it_as_failed(app: ASGIApp) -> None:
    for posted in answers(app, "streamed"):
        assert (posted.how, posted.status, posted.body) == ("failed", 200, b"so far")
        kind = "Runtime.IncompleteResponse" if app is stops else "Runtime.StreamError"
        assert posted.error_type == kind
        assert posted.error["errorMessage"] == FAILED


@pytest.mark.parametrize("app", AFTER_THE_START)
def test_who_fails_in_the_middle_of_a_whole_answer_is_answered_with_a_500(app: ASGIApp) -> None:
    for posted in answers(app, "whole"):
        assert (posted.how, posted.status) == ("whole", 500)
        assert posted.headers["content-type"] == "application/json"
        assert posted.json["error"]["message"] == FAILED


async def goes_on_after_its_end(_: Scope, __: Receive, send: Send) -> None:
    await send(START)
    await send({**BODY, "more_body": False})
    await send(BODY)


async def raises_after_its_end(_: Scope, __: Receive, send: Send) -> None:
    await send(START)
    await send({**BODY, "more_body": False})
    raise ValueError


@pytest.mark.parametrize("app", [goes_on_after_its_end, raises_after_its_end])
def test_what_comes_after_the_end_takes_nothing_from_the_answer(app: ASGIApp, mode: str) -> None:
    for posted in answers(app, mode):
        assert (posted.how, posted.status, posted.body) == ("whole", 200, b"so far")


def test_an_app_of_the_wrong_kind_is_an_error_of_the_function(mode: str) -> None:
    def app(_: Scope) -> None: ...

    for posted in answers(app, mode):  # type: ignore[arg-type] # that is the point
        assert (posted.mode, posted.how) == ("error", "failed")
        assert posted.error_type == "Runtime.HandlerError"


async def hangs(_: Scope, __: Receive, ___: Send) -> None:
    await asyncio.Event().wait()


async def hangs_in_its_body(_: Scope, __: Receive, send: Send) -> None:
    await send(START)
    await send(BODY)
    await asyncio.Event().wait()


SHORT = 1.6  # seconds that a function has


def test_who_never_begins_is_answered_before_lambda_ends_the_process(mode: str) -> None:
    for posted in answers(hangs, mode, seconds=SHORT, times=1):
        assert (posted.how, posted.status) == ("whole", 504)
        assert posted.json["error"]["code"] == "out_of_time"


def test_who_never_ends_is_cut_off_before_lambda_ends_the_process() -> None:
    (posted,) = answers(hangs_in_its_body, "streamed", seconds=SHORT, times=1)
    assert (posted.how, posted.body) == ("failed", b"so far")
    assert posted.error_type == "Runtime.OutOfTime"


def test_who_minds_no_cancelling_is_left_behind_and_can_say_no_more() -> None:
    told = []

    async def work() -> None:
        release, over = asyncio.Event(), asyncio.Event()

        async def app(_: Scope, __: Receive, send: Send) -> None:
            await send(START)
            await send(BODY)
            with suppress(asyncio.CancelledError):
                await release.wait()
            await release.wait()
            with pytest.raises(RuntimeError) as refused:
                await send(BODY)
            told.append(str(refused.value))
            over.set()

        async with looping(app) as aws:
            posted = await (await aws.invoke(asked(), seconds=SHORT)).finished()
            assert (posted.how, posted.body) == ("failed", b"so far")
            assert posted.error_type == "Runtime.OutOfTime"
            await aws.idle()
            release.set()
            await over.wait()

    run(work())
    assert told == ["http.response.body after the answer was complete"]


def test_who_never_ends_a_whole_answer_is_told_with_a_true_status() -> None:
    (posted,) = answers(hangs_in_its_body, "whole", seconds=SHORT, times=1)
    assert (posted.how, posted.status) == ("whole", 504)


def test_who_is_cut_off_may_still_clean_up(mode: str) -> None:
    cleaned = []

    async def app(_: Scope, __: Receive, ___: Send) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.append(1)

    answers(app, mode, seconds=SHORT, times=1)
    assert cleaned == [1]


def test_a_call_without_any_time_left_is_still_answered(mode: str) -> None:
    """The deadline is not ours to choose: a function's timeout may be one second."""

    async def app(_: Scope, __: Receive, send: Send) -> None:
        await start(send)
        await say(send, b"in time", more=False)

    for posted in answers(app, mode, seconds=0.5, times=1):
        assert (posted.how, posted.body) == ("whole", b"in time")


@pytest.mark.parametrize("app", [raises, breaks])
def test_the_log_says_what_the_caller_is_not_told(
    app: ASGIApp, mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        for posted in answers(app, mode):
            assert CANARY.encode() not in posted.raw
    assert "the app failed" in caplog.text
    assert "ValueError" in caplog.text


def test_receive_gives_the_body_and_then_nothing_until_all_is_said(mode: str) -> None:
    """A disconnect before that would look as if the caller had gone."""
    heard: list[str] = []

    async def app(_: Scope, receive: Receive, send: Send) -> None:
        heard.append((await receive())["type"])
        listening = asyncio.ensure_future(receive())
        await start(send)
        await say(send, b"x")
        heard.append(str(listening.done()))
        await say(send, b"", more=False)
        heard.append((await listening)["type"])
        heard.append((await receive())["type"])

    answers(app, mode, times=1)
    assert heard == ["http.request", "False", "http.disconnect", "http.disconnect"]

"""The faults that the emulated Runtime API can be told to have."""

import asyncio
import time

import pytest

from examples.local_lambda.posted import MIB, Hold, Terms, Throttle
from examples.local_lambda.runtime_api import RuntimeApi, Unavailable
from tests.lambda_runtime.raw import (
    END,
    EVENT,
    PREFIX,
    STREAMING,
    Line,
    chunk,
    given,
    head,
    post,
    prelude,
    run,
    streamed,
)

CLOSED = "peer closed connection without sending complete message body (incomplete chunked read)"
BAD_CHUNK = r"illegal chunk header: bytearray(b'boo\r\n')"


def test_a_poll_can_be_refused() -> None:
    async def test(api: RuntimeApi) -> None:
        async with await Line.to(api.address) as line:
            asked = asyncio.ensure_future(line.poll())
            await api.idle()
            api.refuse(500)
            answer = await asked
        assert (answer.status, answer.json["errorType"]) == (500, "InternalServerError")
        assert api.faults == []

    run(test)


def test_with_no_poll_an_invocation_can_be_refused() -> None:
    async def test(api: RuntimeApi) -> None:
        with pytest.raises(Unavailable):
            await api.invoke(EVENT, terms=Terms(at_once=True))

    run(test)


@pytest.mark.parametrize("notice", ["told", "untold"])
def test_the_connection_can_be_closed_between_two_invocations(notice: str) -> None:
    async def test(api: RuntimeApi) -> None:
        await api.invoke(EVENT, terms=Terms(hang_up="told" if notice == "told" else "untold"))
        async with await Line.to(api.address) as line:
            answer = await line.poll()
            assert ("connection" in answer.headers) is (notice == "told")
            assert await line.closed()

    run(test)


def test_the_connection_of_an_answer_can_be_torn_down() -> None:
    async def test(api: RuntimeApi) -> None:
        invocation, _ = await given(api, Terms(drop_after=len(prelude()) + 3))
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await post(api, invocation, streamed(b"123", b"4"), STREAMING)
        posted = await invocation.finished()
        assert (posted.how, posted.body, api.faults) == ("cut", b"123", [])

    run(test)


@pytest.mark.parametrize(("end", "reason"), [(b"", CLOSED), (b"boo\r\n", BAD_CHUNK)])
def test_a_runtime_that_breaks_off_is_noticed_and_stuck(end: bytes, reason: str) -> None:
    async def test(api: RuntimeApi) -> None:
        invocation, _ = await given(api)
        echo = {"Lambda-Runtime-Invocation-Id": invocation.invocation_id or ""}
        path = f"{PREFIX}/invocation/{invocation.id}/response"
        async with await Line.to(api.address) as line:
            await line.say(head(api.address, "POST", path, {**STREAMING, **echo}, b""))
            await line.say(chunk(prelude()) + end)
        assert (await invocation.finished()).how == "cut"
        assert api.faults == [f"breaks off in the middle of a post: {reason}"]
        async with await Line.to(api.address) as line:
            assert (await line.poll()).status == 403
            api.exited()
            again = asyncio.ensure_future(line.poll())
            await api.idle()
        await asyncio.gather(again, return_exceptions=True)

    run(test)


def test_reading_can_stop_for_a_while() -> None:
    async def test(api: RuntimeApi) -> None:
        go_on = asyncio.Event()
        invocation, _ = await given(api, Terms(hold=Hold(1, go_on)))
        much = chunk(prelude()) + chunk(b"x" * MIB) * 16 + END
        posting = asyncio.ensure_future(post(api, invocation, much, STREAMING))
        done, _ = await asyncio.wait({posting}, timeout=0.3)
        assert not done
        go_on.set()
        assert (await posting).status == 202
        assert len((await invocation.finished()).body) == 16 * MIB

    run(test)


def test_a_stream_can_be_throttled() -> None:
    async def test(api: RuntimeApi) -> None:
        invocation, _ = await given(api, Terms(throttle=Throttle(burst=1000, per_second=10_000)))
        begun = time.monotonic()
        await post(api, invocation, streamed(b"x" * 3000), STREAMING)
        assert time.monotonic() - begun >= 0.2
        assert (await invocation.finished()).how == "whole"

    run(test)


def test_a_stream_over_the_limit_is_cut() -> None:
    async def test(api: RuntimeApi) -> None:
        invocation, _ = await given(api, Terms(most_streamed=10))
        answer = await post(api, invocation, streamed(b"x" * 11, b"y"), STREAMING)
        assert answer.status == 413
        assert (await invocation.finished()).how == "too large"
        assert api.faults == ["streams more than 10 bytes"]

    run(test)


def test_of_a_refused_body_little_is_read() -> None:
    async def test(api: RuntimeApi) -> None:
        invocation, _ = await given(api)
        wrong = {**STREAMING, "Lambda-Runtime-Function-Response-Mode": "no"}
        answer = await post(api, invocation, chunk(b"x" * MIB) + END, wrong)
        assert (answer.status, answer.headers["connection"]) == (400, "close")

    run(test)


def test_what_the_runtime_was_given_ends_with_its_process() -> None:
    async def test(api: RuntimeApi) -> None:
        invocation, _ = await given(api)
        api.exited()
        posted = await invocation.finished()
        assert (posted.how, posted.error_type) == ("cut", "Runtime.ExitError")

    run(test)

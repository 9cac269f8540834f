"""What the emulated Runtime API allows when."""

import asyncio
import json
import time
from collections.abc import Awaitable
from contextlib import suppress
from functools import partial

import pytest

from examples.local_lambda.connection import Dribble
from examples.local_lambda.posted import Body, Terms
from examples.local_lambda.runtime_api import RuntimeApi, ToldError
from tests.lambda_runtime.raw import (
    END,
    ERROR,
    EVENT,
    JSON,
    PREFIX,
    STREAMING,
    TOLD,
    Line,
    chunk,
    given,
    head,
    post,
    prelude,
    run,
    streamed,
    trailers,
)

FAILED = json.dumps(TOLD).encode()
STATE = "InvalidStateTransition"


def test_a_poll_gets_what_aws_tells_of_an_invocation() -> None:
    async def test(api: RuntimeApi) -> None:
        terms = Terms(headers=[("Lambda-Runtime-Aws-Tenant-Id", "blue")])
        invocation, answer = await given(api, terms)
        told = {name: answer.headers[f"lambda-runtime-{name}"] for name in TELLS}
        assert (answer.status, answer.json) == (200, EVENT)
        assert told == {
            "aws-request-id": invocation.id,
            "invocation-id": invocation.invocation_id,
            "deadline-ms": str(invocation.deadline_ms),
            "invoked-function-arn": "arn:aws:lambda:us-east-1:123456789012:function:sluicegate:live",
            "aws-tenant-id": "blue",
        }
        assert 0 < invocation.deadline_ms / 1000 - time.time() <= 60

    run(test)


TELLS = ("aws-request-id", "invocation-id", "deadline-ms", "invoked-function-arn", "aws-tenant-id")


@pytest.mark.parametrize("chunked", [True, False, None])
@pytest.mark.parametrize("dribble", [None, Dribble(3)])
def test_an_event_comes_as_the_terms_say(*, chunked: bool | None, dribble: Dribble | None) -> None:
    event = {"text": "x" * 3000}

    async def test(api: RuntimeApi) -> None:
        await api.invoke(event, terms=Terms(chunked=chunked, dribble=dribble))
        async with await Line.to(api.address) as line:
            answer = await line.poll()
        assert answer.json == event
        assert ("content-length" in answer.headers) is (chunked is False)

    run(test)


def test_an_invocation_id_is_echoed_only_if_given() -> None:
    async def test(api: RuntimeApi) -> None:
        invocation, answer = await given(api, Terms(invocation_id=False))
        assert "lambda-runtime-invocation-id" not in answer.headers
        await post(
            api, invocation, streamed(b"x"), {**STREAMING, "Lambda-Runtime-Invocation-Id": "a"}
        )
        assert api.faults == ["sends lambda-runtime-invocation-id, which it was not given"]
        other, _ = await given(api)
        await post(api, other, streamed(b"x"), {**STREAMING, "Lambda-Runtime-Invocation-Id": "a"})
        assert api.faults[1:] == [
            f"echoes the lambda-runtime-invocation-id 'a', and was given {other.invocation_id!r}"
        ]

    run(test)


def test_polls_are_counted_and_bounded() -> None:
    async def test(api: RuntimeApi) -> None:
        lines = [await Line.to(api.address) for _ in range(3)]
        polls: list[Awaitable[object]] = [asyncio.ensure_future(one.poll()) for one in lines[:2]]
        await api.idle(2)
        refused = await lines[2].poll()
        assert (refused.status, refused.json["errorType"]) == (500, "TooManyIdleRuntimes")
        assert api.faults == ["polls more than 2 times at once"]
        lines[0].writer.close()
        await api._polls.wait(lambda: api.polls == 1, lambda: "one to be noticed as gone")
        await api.invoke(EVENT)
        await polls[1]
        assert (api.polls, api.most_polls) == (0, 2)
        for line in lines:
            line.writer.close()
        await asyncio.gather(*polls, return_exceptions=True)

    run(test, concurrency=2)


def test_who_has_not_answered_may_not_poll_unless_several_run() -> None:
    async def poll_again(api: RuntimeApi) -> None:
        await given(api)
        async with await Line.to(api.address) as line:
            if api.concurrency == 2:
                await api.invoke(EVENT)
            answer = await line.poll()
        expected = (200, []) if api.concurrency == 2 else (403, ["polls before it has answered"])
        assert (answer.status, api.faults) == expected

    run(poll_again)
    run(poll_again, concurrency=2)


@pytest.mark.parametrize(
    ("concurrency", "status", "kind"), [(1, 403, STATE), (2, 400, "InvalidRequestID")]
)
@pytest.mark.parametrize("what", ["response", "error"])
def test_an_invocation_is_answered_once(
    concurrency: int, status: int, kind: str, what: str
) -> None:
    async def test(api: RuntimeApi) -> None:
        invocation, _ = await given(api)
        await post(api, invocation, streamed(b"x"), STREAMING)
        answer = await post(api, invocation, FAILED, ERROR, what)
        assert (answer.status, answer.json["errorType"]) == (status, kind)
        assert api.faults == [
            f"posts to /{what} of an invocation that it has answered, or is answering"
        ]
        assert (await invocation.finished()).body == b"x"

    run(test, concurrency)


def test_no_error_may_be_posted_after_the_first_byte() -> None:
    async def test(api: RuntimeApi) -> None:
        invocation, _ = await given(api)
        path = f"{PREFIX}/invocation/{invocation.id}/response"
        echo = {"Lambda-Runtime-Invocation-Id": invocation.invocation_id or ""}
        async with await Line.to(api.address) as line:
            await line.say(head(api.address, "POST", path, {**STREAMING, **echo}, b""))
            await line.say(chunk(prelude()) + chunk(b"x"))
            async for piece in invocation:
                if isinstance(piece, Body):
                    break
            answer = await post(api, invocation, FAILED, ERROR, "error")
            assert (answer.status, answer.json["errorType"]) == (403, STATE)
            await line.say(END)
            assert (await line.heard()).status == 202
            assert len(api.faults) == 1
            await line.say(head(api.address, "GET", f"{PREFIX}/invocation/next", {}, b""))
            assert await line.closed()  # a streamed answer has a connection to itself
        assert api.faults[1:] == ["uses a connection again after it has streamed an answer"]

    run(test)


def test_an_unknown_invocation_cannot_be_answered() -> None:
    async def test(api: RuntimeApi) -> None:
        path = f"{PREFIX}/invocation/abc/response"
        async with await Line.to(api.address) as line:
            answer = await line.ask("POST", path, JSON, b"{}")
        assert (answer.status, answer.json) == (
            400,
            {"errorMessage": "Invalid request ID", "errorType": "InvalidRequestID"},
        )
        assert api.faults == ["posts to /response of an invocation that it was not given: abc"]

    run(test)


def test_trailers_of_more_than_4_kib_kill_the_connection_and_leave_the_runtime_stuck() -> None:
    async def test(api: RuntimeApi, size: int) -> None:
        invocation, _ = await given(api)
        rest = size - len(trailers(told=b"")) + len(b"0\r\n")
        end = trailers(told=b"A" * rest)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await post(api, invocation, chunk(prelude()) + chunk(b"x") + end, STREAMING)
        posted = await invocation.finished()
        async with await Line.to(api.address) as line:
            poll = asyncio.ensure_future(line.poll())
            if size == 4096:
                await api.idle()
                assert posted.how == "failed"
            else:
                assert (posted.how, (await poll).status) == ("cut", 403)
                assert api.faults == ["sends 4097 bytes of trailers, more than 4 KiB"]
                assert (await post(api, invocation, FAILED, ERROR, "error")).status == 403
        await asyncio.gather(poll, return_exceptions=True)

    run(partial(test, size=4096))
    run(partial(test, size=4097))


def test_an_answer_after_the_deadline_is_gone() -> None:
    async def test(api: RuntimeApi) -> None:
        invocation, _ = await given(api)
        api._time_out(invocation)
        assert (await invocation.finished()).how == "timed out"
        answer = await post(api, invocation, b"{}", JSON)
        assert (answer.status, answer.json["errorType"]) == (410, "InvokeTimeout")
        assert api.faults == []

    run(test)


def test_an_invocation_that_nobody_takes_ends_at_its_deadline() -> None:
    async def test(api: RuntimeApi) -> None:
        invocation = await api.invoke(EVENT, seconds=0.01)
        assert (await invocation.finished()).how == "timed out"
        other, answer = await given(api)
        assert answer.headers["lambda-runtime-aws-request-id"] == other.id

    run(test)


def test_a_stream_under_way_at_the_deadline_is_told_gone() -> None:
    async def test(api: RuntimeApi) -> None:
        invocation, _ = await given(api)
        echo = {"Lambda-Runtime-Invocation-Id": invocation.invocation_id or ""}
        path = f"{PREFIX}/invocation/{invocation.id}/response"
        async with await Line.to(api.address) as line:
            await line.say(head(api.address, "POST", path, {**STREAMING, **echo}, b""))
            await line.say(chunk(prelude()) + chunk(b"x"))
            async for piece in invocation:
                if isinstance(piece, Body):
                    api._time_out(invocation)
            await line.say(chunk(b"y") + END)
            assert (await line.heard()).status == 410

    run(test)


def test_an_error_of_the_start_is_kept_and_the_last_that_is_heard() -> None:
    async def test(api: RuntimeApi) -> None:
        async with await Line.to(api.address) as line:
            answer = await line.ask("POST", f"{PREFIX}/init/error", ERROR, FAILED)
            assert (answer.status, api.faults) == (202, [])
            assert api.init_errors == [ToldError("Runtime.Broken", TOLD)]
            assert (await line.poll()).status == 403
        assert api.faults == ["polls when all is over"]

    run(test)


def test_a_snapshot_is_taken_while_the_runtime_waits_to_be_restored() -> None:
    async def test(api: RuntimeApi) -> None:
        async with await Line.to(api.address) as line, await Line.to(api.address) as other:
            early = await other.ask("POST", f"{PREFIX}/restore/error", ERROR, FAILED)
            asked = asyncio.ensure_future(line.ask("GET", f"{PREFIX}/restore/next", {}, b""))
            await api.snapshot()
            assert (early.status, (await other.poll()).status, asked.done()) == (403, 403, False)
            api.restore()
            assert ((await asked).status, (await asked).body) == (200, b"")
            again = await line.ask("GET", f"{PREFIX}/restore/next", {}, b"")
            failed = await line.ask("POST", f"{PREFIX}/restore/error", ERROR, FAILED)
            assert (again.status, failed.status) == (403, 202)
        assert api.restore_errors == [ToldError("Runtime.Broken", TOLD)]
        assert api.faults == [
            f"posts to {PREFIX}/restore/error when it is too late, or too early",
            "polls while it waits to be restored",
            "asks to be restored when it is too late",
        ]

    run(test)

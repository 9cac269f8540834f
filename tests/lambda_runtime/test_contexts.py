"""What belongs to one invocation stays with it."""

import asyncio
import os
from contextvars import ContextVar

import pytest
from starlette.types import Receive, Scope, Send

from examples.local_lambda.posted import Terms
from handler.lambda_runtime.invocation import CURRENT
from tests.fakes import run
from tests.lambda_runtime.looping import asked, looping, say, start
from tests.lambda_runtime.wire import Wire, invocation

TRACE = "_X_AMZN_TRACE_ID"
MINE: ContextVar[str] = ContextVar("mine")


@pytest.fixture(autouse=True)
def untraced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TRACE, "before")


def current() -> str:
    invocation = CURRENT.get()
    assert invocation is not None
    return invocation.aws_request_id


def test_concurrent_calls_know_their_own_invocation_throughout() -> None:
    """Also in what they start, and after they have waited for one another."""
    all_here = asyncio.Barrier(8)

    async def app(scope: Scope, _: Receive, send: Send) -> None:
        mine, fresh = current(), MINE.get("unset")
        MINE.set(mine)
        await all_here.wait()
        inner = await asyncio.gather(asyncio.to_thread(current), asyncio.create_task(later()))
        told = {mine, current(), MINE.get(), *inner, scope["aws.context"].aws_request_id}
        await start(send)
        await say(send, f"{' '.join(told)} {fresh}".encode(), more=False)

    async def later() -> str:
        await asyncio.sleep(0)
        return current()

    async def work() -> None:
        async with looping(app, concurrency=8) as aws:
            for _ in range(2):  # what a call has set, the next one of the same poll does not see
                await aws.idle(8)
                invoked = [await aws.invoke(asked()) for _ in range(8)]
                for one in invoked:
                    assert (await one.finished()).body.decode() == f"{one.id} unset"

    run(work())


def test_what_a_call_starts_still_knows_it_when_it_is_over() -> None:
    told = asyncio.Queue[str]()

    async def app(_: Scope, __: Receive, send: Send) -> None:
        await start(send)
        await say(send, b".", more=False)
        await release.wait()
        told.put_nowait(current())

    async def work() -> None:
        async with looping(app, concurrency=2) as aws:
            await aws.idle(2)
            invoked = [await aws.invoke(asked()) for _ in range(4)]
            for one in invoked:
                await one.finished()
            release.set()
            assert {await told.get() for _ in invoked} == {one.id for one in invoked}

    release = asyncio.Event()
    run(work())


async def traces(_: Scope, __: Receive, send: Send) -> None:
    await start(send)
    await say(send, os.environ.get(TRACE, "none").encode(), more=False)


def test_alone_the_trace_is_where_xrays_sdk_looks_for_it() -> None:
    async def work() -> None:
        async with looping(traces) as aws:
            for _ in range(2):
                invoked = await aws.invoke(asked())
                digits = invoked.id.replace("-", "")[:24]
                told = (await invoked.finished()).body.decode()
                assert told.startswith("Root=1-")
                assert digits in told

    run(work())


def test_among_several_no_call_is_traced_as_another() -> None:
    async def work() -> None:
        async with looping(traces, concurrency=2) as aws:
            assert (await (await aws.invoke(asked())).finished()).body == b"before"

    run(work())


def test_a_call_that_is_not_traced_is_not_traced_as_the_one_before() -> None:
    from tests.lambda_runtime.looping import loop_of, lost
    from tests.lambda_runtime.test_streamed import EVENT

    async def work() -> None:
        traced = invocation(EVENT, more=b"Lambda-Runtime-Trace-Id: Root=1-a-b\r\n")
        async with Wire([traced], [invocation(EVENT)]) as wire:
            running = asyncio.ensure_future(loop_of(traces, wire.address).run())
            await wire.through.wait()
        await lost(running)
        assert [b"Root=1-a-b" in heard for heard in wire.heard] == [True, False]

    run(work())


def test_the_context_is_what_a_handler_of_aws_own_loop_gets() -> None:
    headers = (
        ("Lambda-Runtime-Client-Context", '{"custom":{"a":"b"}}'),
        ("Lambda-Runtime-Cognito-Identity", '{"cognitoIdentityId":"1"}'),
        ("Lambda-Runtime-Aws-Tenant-Id", "tenant-1"),
    )
    seen = []

    async def app(scope: Scope, __: Receive, send: Send) -> None:
        seen.append(scope["aws.context"])
        await start(send)
        await say(send, b".", more=False)

    async def work() -> None:
        async with looping(app) as aws:
            invoked = await aws.invoke(asked(), seconds=30, terms=Terms(headers=headers))
            await invoked.finished()
            (context,) = seen
            assert context.aws_request_id == invoked.id
            assert context.invoked_function_arn.startswith("arn:aws:lambda:")
            assert context.client_context == {"custom": {"a": "b"}}
            assert context.identity == {"cognitoIdentityId": "1"}
            assert context.tenant_id == "tenant-1"
            assert 25_000 < context.get_remaining_time_in_millis() <= 30_000

    run(work())


@pytest.mark.parametrize("said", ["{", "not JSON", '"\\ud800"', "[" * 3000])
def test_a_context_that_is_no_json_is_none_and_the_call_is_served(said: str) -> None:
    """Whoever may call Invoke may write anything there."""

    async def app(scope: Scope, __: Receive, send: Send) -> None:
        await start(send)
        await say(send, repr(scope["aws.context"].client_context).encode(), more=False)

    async def work() -> None:
        async with looping(app) as aws:
            terms = Terms(headers=(("Lambda-Runtime-Client-Context", said),))
            assert (await (await aws.invoke(asked(), terms=terms)).finished()).body == b"None"

    run(work())

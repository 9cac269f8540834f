"""The loop in this very process, between a strict Runtime API and an app of the test's own."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from mangum import Mangum
from starlette.types import ASGIApp, Receive, Scope, Send

from examples.local_lambda import events
from examples.local_lambda.connection import Headers
from examples.local_lambda.events import Event, Request, Stamp
from examples.local_lambda.posted import Body, Invocation, Posted
from examples.local_lambda.runtime_api import RuntimeApi as Aws
from handler.lambda_runtime.api import RuntimeApi, RuntimeLost
from handler.lambda_runtime.loop import Loop

STREAMING = {"GATEWAY_INVOKE_MODE": "RESPONSE_STREAM"}
BUFFERED = {"GATEWAY_INVOKE_MODE": "BUFFERED"}
STAMP = Stamp("00000000-0000-4000-8000-000000000000", 1_700_000_000_000)
TEXT = [(b"content-type", b"text/plain")]
FAILED = "the gateway failed; its log says why"


def asked(
    method: str = "POST",
    target: str = "/",
    headers: Headers = (),
    body: bytes = b"",
    *,
    door: str = "function_url",
) -> Event:
    """The event that a front door makes of a request."""
    return events.FRONT_DOORS[door](Request(method, target, headers, body), STAMP)


def loop_of(
    app: ASGIApp,
    address: str,
    *,
    concurrency: int = 1,
    environment: Mapping[str, str] = STREAMING,
    state: Mapping[str, Any] | None = None,
) -> Loop:
    return Loop(
        RuntimeApi(address),
        Mangum(app, lifespan="off"),  # type: ignore[arg-type] # it wants a coroutine by name
        state or {},
        environment=environment,
        concurrency=concurrency,
    )


@asynccontextmanager
async def looping(
    app: ASGIApp,
    *,
    concurrency: int = 1,
    environment: Mapping[str, str] = STREAMING,
    state: Mapping[str, Any] | None = None,
) -> AsyncIterator[Aws]:
    """When the test is through, all the polls must be there again, and no rule may be broken."""
    async with Aws(concurrency=concurrency) as aws:
        loop = loop_of(
            app, aws.address, concurrency=concurrency, environment=environment, state=state
        )
        running = asyncio.ensure_future(loop.run())
        try:
            yield aws
            await polling(aws, running, concurrency)
        except BaseException:
            running.cancel()
            await asyncio.wait({running})
            raise
    await lost(running)
    assert aws.faults == [], aws.faults


async def answered(
    method: str, app: ASGIApp, door: str = "function_url", mode: Mapping[str, str] = STREAMING
) -> Posted:
    """What AWS gets for one request."""
    async with looping(app, environment=mode) as aws:
        return await (await aws.invoke(asked(method, door=door))).finished()


async def polling(aws: Aws, running: "asyncio.Future[None]", count: int = 1) -> None:
    """Wait for so many polls; at once to fail when the loop has ended."""
    idle = asyncio.ensure_future(aws.idle(count))
    await asyncio.wait({idle, running}, return_when=asyncio.FIRST_COMPLETED)
    if running.done():
        idle.cancel()
        running.result()
    await idle


async def lost(running: "asyncio.Future[None]") -> str:
    """Wait for the loop's end, which must be of one kind; the words that it had for it."""
    with pytest.raises(ExceptionGroup) as raised:
        await asyncio.wait_for(running, 10)
    told, rest = raised.value.split(RuntimeLost)
    assert told is not None
    assert rest is None
    return str(told.exceptions[0])


def saying(
    *pieces: bytes, status: int = 200, headers: Sequence[tuple[bytes, bytes]] = TEXT
) -> ASGIApp:
    """An app that sends each piece in a message of its own, and then the end."""

    async def app(_: Scope, __: Receive, send: Send) -> None:
        await start(send, status, headers)
        for piece in pieces:
            await say(send, piece)
        await say(send, b"", more=False)

    return app


async def start(
    send: Send, status: int = 200, headers: Sequence[tuple[bytes, bytes]] = TEXT
) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def say(send: Send, piece: bytes, *, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": piece, "more_body": more})


async def said(invocation: Invocation, text: bytes) -> None:
    """Wait until AWS has so much of the body."""
    heard = b""
    async for piece in invocation:
        if isinstance(piece, Body):
            heard += piece.data
        if text in heard:
            return
    raise AssertionError(f"the answer ended with {heard!r}, without {text!r}")


async def settled() -> None:
    """Let everything in this event loop come as far as it can without anybody's doing."""
    for _ in range(200):
        await asyncio.sleep(0)

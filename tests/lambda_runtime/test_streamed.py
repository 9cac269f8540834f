"""A streamed answer on its way to AWS."""

import asyncio

import pytest
from starlette.types import Receive, Scope, Send

from examples.local_lambda.posted import Hold, Terms
from tests.fakes import run
from tests.lambda_runtime.looping import (
    answered,
    asked,
    loop_of,
    looping,
    lost,
    said,
    say,
    saying,
    settled,
    start,
)
from tests.lambda_runtime.wire import Wire, invocation

EVENT = (
    b'{"version":"2.0","rawPath":"/","requestContext":{"domainName":"x.lambda-url.y.on.aws",'
    b'"http":{"method":"GET","path":"/","sourceIp":"192.0.2.1"}},"headers":{}}'
)
ANSWER = (
    b"POST /2018-06-01/runtime/invocation/id-1/response HTTP/1.1\r\n"
    b"Host: %b\r\n"
    b"User-Agent: sluicegate-runtime\r\n"
    b"Content-Type: application/vnd.awslambda.http-integration-response\r\n"
    b"Lambda-Runtime-Function-Response-Mode: streaming\r\n"
    b"Transfer-Encoding: chunked\r\n"
    b"Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n"
    b"%b"
    b"Connection: close\r\n"
    b"\r\n"
    b"42\r\n"
    b'{"statusCode":201,"headers":{"content-type":"text/plain"}}\0\0\0\0\0\0\0\0\r\n'
    b"9\r\n"
    b"data: 1\n\n\r\n"
    b"E\r\n"
    b"data: [DONE]\n\n\r\n"
    b"0\r\n"
    b"\r\n"
)


@pytest.mark.parametrize(
    "echo", [b"Lambda-Runtime-Invocation-Id: inv-1\r\n", b""], ids=["given", "none"]
)
def test_a_stream_is_these_bytes(echo: bytes) -> None:
    """What there is no byte in makes no chunk; an invocation id is said back if there was one."""
    app = saying(b"", b"data: 1\n\n", b"", b"data: [DONE]\n\n", status=201)

    async def work() -> None:
        async with Wire([invocation(EVENT, more=echo)]) as wire:
            running = asyncio.ensure_future(loop_of(app, wire.address).run())
            await wire.through.wait()
        await lost(running)
        assert wire.heard == [ANSWER % (wire.address.encode(), echo)]

    run(work())


def test_each_piece_leaves_before_the_app_has_the_next() -> None:
    seen = {b"one": asyncio.Event(), b"two": asyncio.Event()}

    async def app(_: Scope, __: Receive, send: Send) -> None:
        await start(send)
        for piece, by_aws in seen.items():
            await say(send, piece)
            await by_aws.wait()
        await say(send, b"three", more=False)

    async def work() -> None:
        async with looping(app) as aws:
            invocation = await aws.invoke(asked())
            for piece, by_aws in seen.items():
                await said(invocation, piece)
                by_aws.set()
            posted = await invocation.finished()
            assert [data for _, data in posted.chunks] == [b"one", b"two", b"three"]

    run(work())


def test_who_is_not_read_from_waits() -> None:
    """A caller who reads slowly, or AWS itself after 6 MB: it is the app that must not go on."""
    piece, whole = b"x" * 65_536, 64 * 1024 * 1024
    sent = 0

    async def app(_: Scope, __: Receive, send: Send) -> None:
        nonlocal sent
        await start(send)
        while sent < whole:
            await say(send, piece)
            sent += len(piece)
        await say(send, b"", more=False)

    async def work() -> None:
        reads = asyncio.Event()
        async with looping(app) as aws:
            invocation = await aws.invoke(asked(), terms=Terms(hold=Hold(1000, reads)))
            await said(invocation, piece[:1])
            before = -1
            while sent != before:
                before = sent
                await settled()
            assert 0 < sent < 16 * 1024 * 1024  # what the two sockets hold
            reads.set()
            posted = await invocation.finished()
            assert (posted.how, len(posted.body)) == ("whole", whole)

    run(work())


@pytest.mark.parametrize(
    ("method", "status", "length"),
    [("GET", 200, b"0"), ("HEAD", 200, b"1234"), ("DELETE", 204, b"0"), ("GET", 304, b"99")],
)
@pytest.mark.parametrize("door", ["function_url", "rest_api"])
def test_no_stream_is_without_a_byte_or_tells_a_length_that_it_has_not(
    method: str, status: int, length: bytes, door: str
) -> None:
    """A stream of no bytes may hang at the front door."""
    app = saying(status=status, headers=[(b"content-length", length), (b"etag", b"1")])
    posted = run(answered(method, app, door))
    assert (posted.status, posted.headers) == (status, {"etag": "1"})
    assert len(posted.body) == 1


def test_a_length_that_holds_is_kept() -> None:
    app = saying(b"Hello", headers=[(b"Content-Length", b"5")])
    posted = run(answered("GET", app))
    assert (posted.headers, posted.body) == ({"content-length": "5"}, b"Hello")


REPEATED = [(b"set-cookie", b"a=1; Path=/"), (b"x", b"1"), (b"Set-Cookie", b"b=2"), (b"X", b"2")]


def test_cookies_and_repeated_headers_at_a_function_url() -> None:
    posted = run(answered("GET", saying(b"x", headers=REPEATED)))
    assert (posted.headers, posted.multi_value_headers) == ({"x": "1,2"}, {})
    assert posted.cookies == ("a=1; Path=/", "b=2")


def test_cookies_and_repeated_headers_at_a_rest_api() -> None:
    posted = run(answered("GET", saying(b"x", headers=REPEATED), "rest_api"))
    assert (posted.headers, posted.cookies) == ({}, ())
    assert posted.multi_value_headers == {"set-cookie": ["a=1; Path=/", "b=2"], "x": ["1", "2"]}


@pytest.mark.parametrize("door", ["function_url", "rest_api"])
@pytest.mark.parametrize(
    "headers",
    [
        [(b"x-large", b"x" * 16_384)],
        [(b"x-%d" % nth, b"x" * 30) for nth in range(1000)],
        [(b"set-cookie", b"a=" + b"x" * 4000)] * 5,
    ],
    ids=["large", "many", "cookies"],
)
def test_headers_that_aws_does_not_take_are_told_and_the_loop_goes_on(
    headers: list[tuple[bytes, bytes]], door: str
) -> None:
    async def work() -> None:
        async with looping(saying(b"x", headers=headers)) as aws:
            for _ in range(2):
                posted = await (await aws.invoke(asked(door=door))).finished()
                assert (posted.mode, posted.how, posted.status) == ("streaming", "whole", 502)
                assert posted.headers["content-type"] == "application/json"
                assert posted.json["error"]["code"] == "headers_too_large"
                assert "Lambda takes 16384" in posted.json["error"]["message"]

    run(work())

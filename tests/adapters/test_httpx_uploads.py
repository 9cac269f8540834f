"""The same of httpx: bodies that come piece by piece, other methods, answers without a body."""

import asyncio
from collections.abc import Coroutine
from functools import partial
from typing import Any

import pytest

from gateway.adapters.httpx_transport import HttpxTransport
from gateway.errors import BadRequest, UpstreamTimedOut, UpstreamUnreachable
from tests.adapters.test_http1_uploads import Body, reads
from tests.adapters.wire import OK, Line, in_time, provider, says

to_loopback = partial(HttpxTransport, refuses=lambda *_: None, proxy=None)


def told(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(in_time(lambda: story))


@pytest.mark.parametrize(
    ("headers", "sent"),
    [
        ({}, b"2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n"),
        ({"content-length": "4"}, b"abcd"),
    ],
)
def test_a_body_is_sent_as_it_comes(headers: dict[str, str], sent: bytes) -> None:
    async def story() -> None:
        arrived, heard = asyncio.Event(), bytearray()

        async def answer(line: Line, request: bytes) -> None:
            heard.extend(request)
            arrived.set()
            heard.extend(await line.reader.readexactly(len(sent) - 2))
            line.say(OK)

        transport = to_loopback()
        async with provider(reads(2, answer)) as stage:
            body = Body(b"ab", arrived, b"cd")
            upstream = await transport.open(stage.url, headers, body, patience=5, method="PUT")
            assert await upstream.read(5) == b"ok"
            await upstream.close()
            await transport.close()
        assert bytes(heard).startswith(b"PUT /v1/chat HTTP/1.1\r\n")
        assert bytes(heard).partition(b"\r\n\r\n")[2] == sent

    told(story())


def test_the_time_that_the_body_takes_to_come_is_not_the_providers() -> None:
    async def story() -> None:
        transport, go_on = to_loopback(), asyncio.Event()

        async def answer(line: Line, _: bytes) -> None:
            asyncio.get_running_loop().call_later(0.3, go_on.set)  # three times its patience
            await line.reader.readexactly(2)
            line.say(OK)

        async with provider(reads(2, answer), reads(2, lambda line, _: line.hung_up())) as stage:
            length = {"content-length": "4"}
            body = Body(b"ab", go_on, b"cd")
            upstream = await transport.open(stage.url, length, body, patience=0.1)
            assert await upstream.read(5) == b"ok"
            stage.lines[0].hang_up()
            await upstream.close()
            await stage.gone.wait()
            with pytest.raises(UpstreamTimedOut, match="did not answer in time"):
                await transport.open(stage.url, length, Body(b"abcd"), patience=0.1)
        await transport.close()

    told(story())


@pytest.mark.parametrize(("length", "problem"), [("1", "longer"), ("9", "shorter")])
def test_a_body_of_another_length_than_said_garbles_no_connection(
    length: str, problem: str
) -> None:
    async def story() -> None:
        transport = to_loopback()
        async with provider(says(OK)) as stage:
            with pytest.raises(BadRequest, match=f"the body is {problem} than its content-length"):
                await transport.open(stage.url, {"content-length": length}, Body(b"ab"), patience=5)
            await stage.gone.wait()
        await transport.close()

    told(story())


def test_what_the_body_raises_is_raised_and_the_connection_dropped() -> None:
    async def story() -> None:
        transport = to_loopback()
        async with provider(reads(2, lambda line, _: line.hung_up())) as stage:
            body = Body(b"ab", LookupError("the caller's own"))
            with pytest.raises(LookupError, match="the caller's own"):
                await transport.open(stage.url, {"content-length": "4"}, body, patience=5)
            await stage.gone.wait()
        await transport.close()

    told(story())


def test_an_answer_without_a_body_is_known_as_such() -> None:
    async def story() -> None:
        transport = to_loopback()
        length = b"HTTP/1.1 %d OK\r\ncontent-length: 1000\r\n\r\n"
        async with provider(says(length % 200, length % 304, OK)) as stage:
            for method, status in (("HEAD", 200), ("GET", 304)):
                upstream = await transport.open(stage.url, {}, b"", patience=5, method=method)
                assert (upstream.status, await upstream.next(5)) == (status, b"")
                await upstream.close()
        await transport.close()

    told(story())


def test_a_method_that_is_none_is_refused() -> None:
    async def story() -> None:
        transport = to_loopback()
        with pytest.raises(UpstreamUnreachable, match="is no method of HTTP"):
            await transport.open("http://127.0.0.1:1/", {}, b"", patience=5, method="GE T")
        await transport.close()

    told(story())

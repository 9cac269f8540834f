"""Requests whose bodies come piece by piece, and answers that have none."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

import pytest

from gateway.adapters.http1.pool import PoolLimits
from gateway.adapters.http1.transport import Http1Transport
from gateway.errors import BadRequest, UpstreamBroke, UpstreamTimedOut, UpstreamUnreachable
from tests.adapters.wire import CHUNKED, OK, Line, chunk, on_both_loops, provider, says

to_loopback = partial(Http1Transport, refuses=lambda *_: None)
Step = bytes | asyncio.Event | Exception
EMPTY = b"HTTP/1.1 204 No Content\r\ncontent-length: 7\r\n\r\n"


class Body:
    """Its pieces, each as it is taken; an event is waited for, an error raised."""

    def __init__(self, *steps: Step) -> None:
        self.steps, self.taken = steps, 0
        self.left = asyncio.Event()  # nobody asks for the next one any more

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            for step in self.steps:
                self.taken += 1
                if isinstance(step, Exception):
                    raise step
                if isinstance(step, asyncio.Event):
                    await step.wait()
                else:
                    yield step
        finally:
            self.left.set()


def reads(
    count: int, then: Callable[[Line, bytes], Awaitable[None]]
) -> Callable[[Line], Awaitable[None]]:
    """A provider that reads the head and so many bytes more, and then does something."""

    async def part(line: Line) -> None:
        head = await line.reader.readuntil(b"\r\n\r\n")
        await then(line, head + await line.reader.readexactly(count))

    return part


@on_both_loops
async def test_a_body_of_unknown_length_goes_in_chunks() -> None:
    heard: list[bytes] = []

    async def answer(line: Line, request: bytes) -> None:
        heard.append(request)
        line.say(OK)

    transport, whole = to_loopback(), b"2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n"
    async with provider(reads(len(whole), answer)) as stage:
        upstream = await transport.open(stage.url, {"a": "b"}, Body(b"ab", b"", b"cde"), patience=5)
        assert await upstream.read(5) == b"ok"
        await upstream.close()
        await transport.close()
        host = f"127.0.0.1:{stage.port}".encode()
    assert heard == [
        b"POST /v1/chat HTTP/1.1\r\nhost: " + host + b"\r\na: b\r\nuser-agent: sluicegate\r\n"
        b"transfer-encoding: chunked\r\n\r\n" + whole
    ]


@on_both_loops
async def test_a_body_of_known_length_goes_as_it_is_while_it_still_comes() -> None:
    arrived = asyncio.Event()

    async def answer(line: Line, request: bytes) -> None:
        assert request.endswith(b"content-length: 5\r\nuser-agent: sluicegate\r\n\r\nab")
        arrived.set()
        assert await line.reader.readexactly(3) == b"cde"
        line.say(OK)

    transport = to_loopback()
    async with provider(reads(2, answer)) as stage:
        body = Body(b"ab", arrived, b"cde")
        upstream = await transport.open(
            stage.url, {"content-length": "5"}, body, patience=5, method="PUT"
        )
        assert await upstream.read(5) == b"ok"
        await upstream.close()
        assert stage.connections == 1
        await transport.close()


@on_both_loops
async def test_a_connection_that_has_carried_an_upload_is_kept() -> None:
    async def answer(line: Line, _: bytes) -> None:
        line.say(OK)
        await line.request()
        line.say(OK)

    transport = to_loopback()
    async with provider(reads(len(b"1\r\na\r\n0\r\n\r\n"), answer)) as stage:
        for body in (Body(b"a"), b"{}"):
            upstream = await transport.open(stage.url, {}, body, patience=5)
            assert await upstream.read(5) == b"ok"
            await upstream.close()
        assert stage.connections == 1
        await transport.close()


@on_both_loops
async def test_an_upload_takes_no_connection_that_may_be_stale() -> None:
    """Not even where no more than one connection may be open."""
    for most in (1, 8):
        transport = to_loopback(limits=PoolLimits(connections=most))

        async def second(line: Line, _: bytes) -> None:
            line.say(OK)

        async with provider(says(OK), reads(11, second)) as stage:
            for body in (b"{}", Body(b"a")):
                upstream = await transport.open(stage.url, {}, body, patience=5)
                assert await upstream.read(5) == b"ok"
                await upstream.close()
            assert stage.connections == 2
            await transport.close()


@on_both_loops
async def test_an_answer_may_begin_before_the_body_is_sent() -> None:
    heard = asyncio.Event()

    async def converse(line: Line, _: bytes) -> None:
        line.say(CHUNKED + chunk(b"one"))
        assert await line.reader.readexactly(2) == b"cd"
        line.say(chunk(b"two") + b"0\r\n\r\n")

    transport = to_loopback()
    async with provider(reads(2, converse)) as stage:
        body = Body(b"ab", heard, b"cd")
        upstream = await transport.open(stage.url, {"content-length": "4"}, body, patience=5)
        assert await upstream.next(5) == b"one"
        heard.set()
        assert await upstream.next(5) == b"two"
        assert await upstream.next(5) == b""
        await upstream.close()
        await transport.close()


@on_both_loops
async def test_an_answer_that_is_over_before_the_body_is_sent_ends_the_sending() -> None:
    async def refuse(line: Line, _: bytes) -> None:
        line.say(b"HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\n\r\nbig")

    transport = to_loopback()
    async with provider(reads(2, refuse)) as stage:
        body = Body(b"ab", asyncio.Event(), b"cd")
        upstream = await transport.open(stage.url, {"content-length": "4"}, body, patience=5)
        assert (upstream.status, await upstream.read(5)) == (413, b"big")
        await upstream.close()
        await body.left.wait()
        await stage.gone.wait()  # half a request was sent: nothing else may follow it
        await transport.close()


@on_both_loops
async def test_what_the_body_raises_is_raised_and_the_connection_dropped() -> None:
    transport = to_loopback()
    for when in ("before the answer", "after it has begun"):

        async def begin(line: Line, _: bytes, when: str = when) -> None:
            if when == "after it has begun":
                line.say(CHUNKED + chunk(b"one"))
            await line.hung_up()

        async with provider(reads(2, begin)) as stage:
            go_on = asyncio.Event()
            body = Body(b"ab", go_on, LookupError("the caller's own"))
            opening = asyncio.ensure_future(
                transport.open(stage.url, {"content-length": "4"}, body, patience=5)
            )
            if when == "after it has begun":
                upstream = await opening
                assert await upstream.next(5) == b"one"
                coming = asyncio.ensure_future(upstream.next(5))
                go_on.set()
                with pytest.raises(LookupError, match="the caller's own"):
                    await coming
                await upstream.close()
            else:
                go_on.set()
                with pytest.raises(LookupError, match="the caller's own"):
                    await opening
            await stage.gone.wait()
    await transport.close()


@on_both_loops
async def test_a_body_of_another_length_than_said_garbles_no_connection() -> None:
    transport = to_loopback()
    for length, problem in (("1", "longer"), ("9", "shorter")):
        seen: list[bytes] = []

        async def listen(line: Line, seen: list[bytes] = seen) -> None:
            seen.append(await line.reader.read(-1))

        async with provider(listen) as stage:
            with pytest.raises(BadRequest, match=f"the body is {problem} than its content-length"):
                await transport.open(stage.url, {"content-length": length}, Body(b"ab"), patience=5)
            await stage.gone.wait()
        assert b"".join(seen).count(b"ab") == (problem == "shorter")
    await transport.close()


@on_both_loops
async def test_a_provider_that_takes_no_more_is_given_up() -> None:
    transport = to_loopback()
    big = b"x" * 1024 * 1024

    async def deaf(line: Line, _: bytes) -> None:
        line.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.Event().wait()

    async with provider(reads(1, deaf)) as stage:
        body = Body(*[big] * 64)
        with pytest.raises(UpstreamTimedOut, match="stopped taking the request's body in time"):
            await transport.open(stage.url, {}, body, patience=0.2)
        assert body.taken < 64  # what it does not take is not asked for
    await transport.close()


@on_both_loops
async def test_the_time_that_the_body_takes_to_come_is_not_the_providers() -> None:
    transport, go_on = to_loopback(), asyncio.Event()

    async def answer(line: Line, _: bytes) -> None:
        asyncio.get_running_loop().call_later(0.3, go_on.set)  # three times its patience
        await line.reader.readexactly(2)
        line.say(OK)

    async with provider(reads(2, answer)) as stage:
        body = Body(b"ab", go_on, b"cd")
        upstream = await transport.open(stage.url, {"content-length": "4"}, body, patience=0.1)
        assert await upstream.read(5) == b"ok"
        await upstream.close()
    async with provider(reads(2, lambda line, _: line.hung_up())) as stage:
        with pytest.raises(UpstreamTimedOut, match="did not answer in time"):
            await transport.open(stage.url, {"content-length": "2"}, Body(b"ab"), patience=0.1)
    await transport.close()


@on_both_loops
async def test_a_provider_that_hangs_up_in_the_middle_of_the_body_is_told_of() -> None:
    transport = to_loopback()

    async def leave(line: Line, _: bytes) -> None:
        line.reset()

    async with provider(reads(2, leave)) as stage:
        body = Body(b"ab", asyncio.Event())
        with pytest.raises(UpstreamBroke, match="closed the connection without answering"):
            await transport.open(stage.url, {}, body, patience=5)
        await body.left.wait()
    await transport.close()


@on_both_loops
async def test_no_piece_is_asked_for_before_there_is_a_connection() -> None:
    transport = to_loopback()
    async with provider(says(OK)) as stage:
        port = stage.port
    body = Body(b"ab")
    with pytest.raises(UpstreamUnreachable):
        await transport.open(f"http://127.0.0.1:{port}/", {}, body, patience=5)
    assert body.taken == 0
    await transport.close()


@on_both_loops
async def test_who_is_cancelled_meanwhile_leaves_nothing_behind() -> None:
    transport, reached = to_loopback(), asyncio.Event()

    async def listen(line: Line, _: bytes) -> None:
        reached.set()
        await line.hung_up()

    async with provider(reads(2, listen)) as stage:
        body = Body(b"ab", asyncio.Event())
        opening = asyncio.ensure_future(
            transport.open(stage.url, {"content-length": "9"}, body, patience=5)
        )
        await reached.wait()
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        assert body.left.is_set()
        await stage.gone.wait()
    await transport.close()


@on_both_loops
async def test_an_answer_without_a_body_is_known_as_such() -> None:
    """Whatever its headers say: to HEAD they tell what GET would have brought. Where they announce
    a body, one might come all the same, so the connection is not asked again."""
    length = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n"
    for method, answer, status, connections in (
        ("HEAD", length, 200, 2),
        ("HEAD", CHUNKED, 200, 2),
        ("HEAD", b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", 200, 1),
        ("GET", b"HTTP/1.1 304 Not Modified\r\ncontent-length: 1000\r\n\r\n", 304, 2),
        ("DELETE", EMPTY, 204, 2),
        ("DELETE", b"HTTP/1.1 204 No Content\r\n\r\n", 204, 1),
    ):
        transport = to_loopback()
        script = [says(answer, OK)] if connections == 1 else [says(answer), says(OK)]
        async with provider(*script) as stage:
            upstream = await transport.open(stage.url, {}, b"", patience=5, method=method)
            assert (upstream.status, await upstream.next(5)) == (status, b"")
            await upstream.close()
            upstream = await transport.open(stage.url, {}, b"", patience=5)
            assert await upstream.read(5) == b"ok"
            await upstream.close()
            assert (stage.connections, len(stage.requests)) == (connections, 2)
            await transport.close()


@on_both_loops
async def test_a_body_where_there_can_be_none_is_no_answer_to_what_follows() -> None:
    for late in (b"", b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil"):
        transport = to_loopback()
        garbled = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n" + (late or b"evil")
        async with provider(says(garbled), says(OK)) as stage:
            upstream = await transport.open(stage.url, {}, b"", patience=5, method="HEAD")
            assert await upstream.next(5) == b""
            await upstream.close()
            upstream = await transport.open(stage.url, {}, b"", patience=5)
            assert await upstream.read(5) == b"ok"
            await upstream.close()
            assert stage.connections == 2
        await transport.close()


@on_both_loops
async def test_a_method_is_sent_as_it_is_and_an_empty_body_only_announced_where_it_matters() -> (
    None
):
    transport = to_loopback()
    methods = ("GET", "DELETE", "HEAD", "POST", "PUT", "PATCH")
    async with provider(says(*[b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"] * 6)) as stage:
        for method in methods:
            upstream = await transport.open(stage.url, {}, b"", patience=5, method=method)
            await upstream.read(5)
            await upstream.close()
        assert [one.partition(b" ")[0].decode() for one in stage.requests] == [*methods]
        assert [b"content-length: 0\r\n" in one for one in stage.requests] == [False] * 3 + [
            True
        ] * 3
    await transport.close()


def test_what_would_break_the_request_line_is_refused() -> None:
    async def story() -> None:
        transport = to_loopback()
        for method in ("", "get", "GET /x HTTP/1.1\r\na:", "GET "):
            with pytest.raises(UpstreamUnreachable, match="is no method of HTTP"):
                await transport.open("http://127.0.0.1:1/", {}, b"", patience=5, method=method)
        for length in ("-1", "1_0", "", "9" * 19):
            with pytest.raises(UpstreamUnreachable, match="content-length is no number"):
                await transport.open(
                    "http://127.0.0.1:1/", {"content-length": length}, Body(b"a"), patience=5
                )

    asyncio.run(story())

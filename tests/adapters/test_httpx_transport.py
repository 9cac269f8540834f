"""The Transport port over an httpx transport: the same claims, on what httpx brings."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from gateway.adapters.httpx_transport import HttpxTransport
from gateway.errors import UpstreamBroke, UpstreamError, UpstreamTimedOut, UpstreamUnreachable
from tests.adapters.wire import CHUNKED, OK, chunk, provider, says

URL = "https://provider.test/v1/chat"


class Pieces(httpx.AsyncByteStream):
    """A body that comes piece by piece; an error among them is raised, None waits for ``go``."""

    def __init__(self, *pieces: bytes | httpx.HTTPError | None) -> None:
        self.pieces = pieces
        self.go = asyncio.Event()
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            if isinstance(piece, httpx.HTTPError):
                raise piece
            if piece is None:
                await self.go.wait()
            else:
                yield piece

    async def aclose(self) -> None:
        self.closed = True


def carrying(
    answer: Callable[[httpx.Request], httpx.Response] | httpx.Response, *, read_limit: int = 1000
) -> HttpxTransport:
    answers = answer if callable(answer) else lambda _: answer
    return HttpxTransport(httpx.MockTransport(answers), read_limit=read_limit)


def test_sends_the_request_as_given_and_adds_what_is_missing() -> None:
    async def story() -> None:
        heard: list[httpx.Request] = []

        def answers(request: httpx.Request) -> httpx.Response:
            heard.append(request)
            return httpx.Response(302, headers={"Location": "/x"}, content=b"moved")

        transport = carrying(answers)
        upstream = await transport.open(URL, {"x-api-key": "k"}, b"{}", patience=5)
        assert (upstream.status, upstream.headers["location"]) == (302, "/x")
        assert await upstream.read(5) == b"moved"
        await upstream.close()
        await transport.close()
        assert dict(heard[0].headers) == {
            "host": "provider.test",
            "x-api-key": "k",
            "content-length": "2",
            "user-agent": "sluicegate",
        }
        assert (heard[0].method, str(heard[0].url), heard[0].content) == ("POST", URL, b"{}")

    asyncio.run(story())


def test_reads_over_a_real_connection_and_hangs_up_when_closed_early() -> None:
    async def story() -> None:
        transport = HttpxTransport(httpx.AsyncHTTPTransport(trust_env=False))
        async with provider(says(OK, CHUNKED + chunk(b"one"))) as stage:
            upstream = await transport.open(stage.url, {}, b"", patience=5)
            assert await upstream.read(5) == b"ok"
            await upstream.close()
            upstream = await transport.open(stage.url, {}, b"", patience=5)
            assert await upstream.next(5) == b"one"
            assert await upstream.next(0.001) is None
            await upstream.close()
            await stage.gone.wait()
            assert stage.connections == 1
            await transport.close()

    asyncio.run(story())


def test_decodes_the_body_and_drops_the_header_that_says_so() -> None:
    async def story() -> None:
        body = gzip.compress(b"hello", mtime=0)
        headers = {"content-encoding": "gzip", "content-length": str(len(body)), "x": "y"}
        pieces = Pieces(*(body[i : i + 1] for i in range(len(body))))
        transport = carrying(httpx.Response(200, headers=headers, stream=pieces))
        upstream = await transport.open(URL, {}, b"", patience=5)
        assert upstream.headers == {"x": "y"}
        assert await upstream.read(5) == b"hello"
        await upstream.close()

    asyncio.run(story())


def test_silence_and_cancellation_lose_nothing() -> None:
    async def story() -> None:
        body = Pieces(b"one", None, b"", b"two")
        upstream = await carrying(httpx.Response(200, stream=body)).open(URL, {}, b"", patience=5)
        assert await upstream.next(5) == b"one"
        assert await upstream.next(0) is None
        waiting = asyncio.ensure_future(upstream.next(5))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait({waiting})
        body.go.set()
        assert await upstream.read(5) == b"two"
        assert await upstream.next(5) == b""

    asyncio.run(story())


def test_a_cut_body_is_never_passed_off_as_whole() -> None:
    async def story() -> None:
        body = Pieces(b"half", httpx.RemoteProtocolError("peer closed connection"))
        upstream = await carrying(httpx.Response(200, stream=body)).open(URL, {}, b"", patience=5)
        assert await upstream.next(5) == b"half"
        for _ in range(2):
            with pytest.raises(UpstreamBroke, match=r"provider\.test: peer closed connection"):
                await upstream.next(5)
        await upstream.close()

    asyncio.run(story())


@pytest.mark.parametrize(
    ("pieces", "problem"),
    [
        ((gzip.compress(b"x" * 99, mtime=0)[:-9],), "cut short"),
        ((b"not gzip",), "malformed compressed body"),
        ((gzip.compress(bytes(1001), mtime=0),), "more than 1000 bytes"),
    ],
)
def test_a_body_that_cannot_be_read_closes_the_answer(
    pieces: tuple[bytes, ...], problem: str
) -> None:
    async def story() -> None:
        body = Pieces(*pieces)
        response = httpx.Response(200, headers={"content-encoding": "gzip"}, stream=body)
        upstream = await carrying(response).open(URL, {}, b"", patience=5)
        with pytest.raises(UpstreamBroke, match=problem):
            await upstream.read(5)
        assert body.closed

    asyncio.run(story())


def test_an_encoding_that_we_cannot_undo_closes_the_answer() -> None:
    async def story() -> None:
        body = Pieces(b"?")
        response = httpx.Response(200, headers={"content-encoding": "br"}, stream=body)
        with pytest.raises(UpstreamBroke, match="'br' is not understood"):
            await carrying(response).open(URL, {}, b"", patience=5)
        assert body.closed

    asyncio.run(story())


def test_a_read_that_falls_silent_closes_the_answer() -> None:
    async def story() -> None:
        body = Pieces(b"half", None)
        upstream = await carrying(httpx.Response(200, stream=body)).open(URL, {}, b"", patience=5)
        with pytest.raises(UpstreamTimedOut, match=r"provider\.test fell silent for 0.001 s"):
            await upstream.read(0.001)
        assert body.closed
        with pytest.raises(UpstreamBroke, match="was closed before"):
            await upstream.next(5)

    asyncio.run(story())


def test_an_answer_closed_with_its_failure_untold_is_closed_quietly() -> None:
    async def story() -> None:
        body = Pieces(None, httpx.ReadError("reset"))
        upstream = await carrying(httpx.Response(200, stream=body)).open(URL, {}, b"", patience=5)
        assert await upstream.next(0.001) is None
        body.go.set()
        await asyncio.sleep(0.001)
        await upstream.close()
        assert body.closed

    asyncio.run(story())


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (httpx.ConnectError("refused"), UpstreamUnreachable),
        (httpx.ConnectTimeout("slow"), UpstreamUnreachable),
        (httpx.ProxyError("407"), UpstreamUnreachable),
        (httpx.ReadTimeout(""), UpstreamTimedOut),
        (httpx.PoolTimeout("busy"), UpstreamTimedOut),
        (httpx.RemoteProtocolError("no HTTP"), UpstreamBroke),
        (httpx.ReadError("reset"), UpstreamBroke),
    ],
)
def test_every_error_of_httpx_is_one_of_ours(
    theirs: httpx.HTTPError, ours: type[UpstreamError]
) -> None:
    def fails(_: httpx.Request) -> httpx.Response:
        raise theirs

    with pytest.raises(ours, match=r"provider\.test: \w+") as raised:
        asyncio.run(carrying(fails).open(URL, {}, b"", patience=5))
    assert type(raised.value) is ours


def test_an_answer_that_does_not_begin_in_time_is_given_up() -> None:
    class Mute(httpx.AsyncBaseTransport):
        async def handle_async_request(self, _request: httpx.Request) -> httpx.Response:
            await asyncio.Event().wait()
            raise AssertionError

    with pytest.raises(UpstreamTimedOut, match=r"provider\.test did not answer in time"):
        asyncio.run(HttpxTransport(Mute()).open(URL, {}, b"", patience=0.001))


def test_a_header_that_cannot_be_sent_stops_the_request() -> None:
    with pytest.raises(UpstreamUnreachable, match="the header 'a' cannot be sent"):
        asyncio.run(carrying(httpx.Response(200)).open(URL, {"a": "b\r\nc: d"}, b"", patience=5))

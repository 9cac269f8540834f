"""The Transport port over an httpx transport: the same claims, on what httpx brings."""

import asyncio
import gzip
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.adapters.http1.dialing import Refuses
from gateway.adapters.httpx_transport import HttpxTransport
from gateway.errors import UpstreamBroke, UpstreamError, UpstreamTimedOut, UpstreamUnreachable
from gateway.providers.egress import AllowList, EgressGuard
from tests.adapters.test_http1_requests import CERTIFICATE, KEY
from tests.adapters.wire import CHUNKED, OK, chunk, in_time, provider, says, says_and_closes

URL = "https://provider.test/v1/chat"
to_loopback = partial(HttpxTransport, refuses=lambda *_: None, proxy=None)


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
    carrier = httpx.MockTransport(answers)
    return to_loopback(read_limit=read_limit, carrier=carrier)


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
        transport = to_loopback()
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
        asyncio.run(to_loopback(carrier=Mute()).open(URL, {}, b"", patience=0.001))


def test_a_header_that_cannot_be_sent_stops_the_request() -> None:
    with pytest.raises(UpstreamUnreachable, match="the header 'a' cannot be sent"):
        asyncio.run(carrying(httpx.Response(200)).open(URL, {"a": "b\r\nc: d"}, b"", patience=5))


def guard(*allowed: str) -> Refuses:
    return EgressGuard((), lambda: AllowList.parse(allowed)).refuses


async def reach(transport: HttpxTransport, url: str) -> tuple[int, bytes]:
    try:
        upstream = await transport.open(url, {}, b"", patience=5)
        body = await upstream.read(5)
        await upstream.close()
        return upstream.status, body
    finally:
        await transport.close()


def resolve_to(monkeypatch: pytest.MonkeyPatch, *answers: tuple[str, ...]) -> list[str]:
    """One answer for each look-up; returns the names asked for, which grow."""
    coming, asked = list(answers), list[str]()

    def getaddrinfo(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        family, kind = socket.AF_INET, socket.SOCK_STREAM
        return [(family, kind, 6, "", (each, port)) for each in coming.pop(0)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "127.1", "0x7f000001", "[::1]", "[::ffff:7f00:1]", "0.0.0.0"],
)
def test_no_connection_of_its_own_goes_where_it_may_not(host: str) -> None:
    async def story() -> None:
        async with provider(says(OK)) as stage:
            transport = HttpxTransport(refuses=guard(), proxy=None)
            with pytest.raises(UpstreamUnreachable, match="no address of it may be connected to"):
                await reach(transport, f"http://{host}:{stage.port}/")
            assert stage.connections == 0

    asyncio.run(in_time(story))


def test_a_name_is_looked_up_once_and_what_was_checked_is_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def story() -> None:
        async with provider(says_and_closes(OK)) as stage:
            asked = resolve_to(monkeypatch, ("10.0.0.1", "127.0.0.1"), ("127.0.0.2",))
            url, refuses = f"http://name.test:{stage.port}/", guard("127.0.0.1")
            assert await reach(HttpxTransport(refuses=refuses, proxy=None), url) == (200, b"ok")
            with pytest.raises(UpstreamUnreachable, match=r"name\.test is at 127\.0\.0\.2"):
                await reach(HttpxTransport(refuses=refuses, proxy=None), url)
            assert (asked, stage.connections) == (["name.test"] * 2, 1)

    asyncio.run(in_time(story))


def test_the_next_address_is_tried_and_every_failure_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        async with provider(says_and_closes(OK)) as stage:
            resolve_to(monkeypatch, ("127.0.0.2", "127.0.0.1"), ("127.0.0.2", "127.0.0.3"))
            url = f"http://name.test:{stage.port}/"
            assert await reach(to_loopback(), url) == (200, b"ok")
            with pytest.raises(UpstreamUnreachable, match=r"127\.0\.0\.2: .*; 127\.0\.0\.3: "):
                await reach(to_loopback(), url)

    asyncio.run(in_time(story))


def test_the_certificate_must_be_for_the_host_of_the_url(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "identity.pem"
    path.write_text(KEY + CERTIFICATE)
    identity = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    identity.load_cert_chain(path)
    shown: list[str | None] = []
    identity.sni_callback = lambda _line, name, _context: shown.append(name)

    async def story() -> None:
        async with provider(says_and_closes(OK), tls=identity) as stage:
            resolve_to(monkeypatch, ("127.0.0.1",), ("127.0.0.1",))
            for host in ("localhost", "name.test"):
                trusted = ssl.create_default_context(cadata=CERTIFICATE)
                transport = HttpxTransport(refuses=guard("127.0.0.1"), proxy=None, tls=trusted)
                await reach(transport, f"https://{host}:{stage.port}/")

    with pytest.raises(UpstreamUnreachable, match=r"certificate is not valid for 'name\.test'"):
        asyncio.run(in_time(story))
    assert shown == ["localhost", "name.test"]


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        async with provider(says(OK)) as stage, provider(says(OK)) as proxy:
            for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
                monkeypatch.setenv(name, proxy.url)
            assert await reach(to_loopback(), stage.url) == (200, b"ok")
            assert (stage.connections, proxy.connections) == (1, 0)

    asyncio.run(in_time(story))


def test_a_redirect_to_a_metadata_service_is_not_followed() -> None:
    moved = b"HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n"
    asked: list[tuple[str, int, str]] = []

    async def story() -> None:
        async with provider(says(moved)) as stage:
            transport = HttpxTransport(refuses=lambda *place: asked.append(place), proxy=None)
            assert await reach(transport, stage.url) == (302, b"")
            assert asked == [("127.0.0.1", stage.port, "127.0.0.1")]

    asyncio.run(in_time(story))


def test_a_proxy_is_given_names_to_resolve_and_may_itself_be_private(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def story() -> None:
        async with provider(says(OK)) as proxy:
            asked = resolve_to(monkeypatch)
            transport = HttpxTransport(refuses=guard(), proxy=f"http://127.0.0.1:{proxy.port}")
            assert await reach(transport, "http://provider.test/v1") == (200, b"ok")
            assert proxy.requests[0].startswith(b"POST http://provider.test/v1 HTTP/1.1\r\n")
            assert asked == []

    asyncio.run(in_time(story))


@pytest.mark.parametrize(
    ("host", "why"),
    [
        ("127.0.0.1", "127.0.0.1 is not a public address"),
        ("2130706433", "127.0.0.1 is not a public address"),
        ("0177.1", "127.0.0.1 is not a public address"),
        ("127.0.0.1.", "127.0.0.1 is not a public address"),
        ("[::1]", "::1 is not a public address"),
        ("[::ffff:7f00:1]", "is not a public address"),
        ("[64:ff9b::7f00:1]", "is not a public address"),
        ("[fec0::1]", "is not a public address"),
        ("100.64.0.1", "is not a public address"),
        ("localhost", "localhost is at 127.0.0.1, which is not a public address"),
        ("LocalHost.", "is not a public address"),
        ("a.localhost", "a.localhost is at 127.0.0.1, which is not a public address"),
        ("0.0.0.0", "points at an address that no server has"),
        ("169.254.169.254", "points at a metadata service"),
        ("2852039166", "points at a metadata service"),
        ("[::ffff:a9fe:a9fe]", "points at a metadata service"),
        ("metadata.google.internal", "points at a metadata service"),
        ("127.0.0.1%2f", "must not hold a %"),
        ("%6c%6f%63alhost", "must not hold a %"),
        ("256.1.1.1", "malformed"),
        ("127。0。0。1", "in ASCII"),
        ("a@127.0.0.1", "may hold no user name"),
    ],
)
def test_a_proxy_is_not_asked_for_a_place_that_is_spelled_out_and_may_not_be_had(
    host: str, why: str
) -> None:
    async def story() -> None:
        async with provider(says(OK)) as proxy:
            transport = HttpxTransport(refuses=guard(), proxy=f"http://127.0.0.1:{proxy.port}")
            with pytest.raises(UpstreamUnreachable) as raised:
                await reach(transport, f"http://{host}/")
            assert why in raised.value.message
            assert proxy.connections == 0

    asyncio.run(in_time(story))


def test_a_proxy_is_asked_for_an_address_that_is_public_or_allowed() -> None:
    async def story(host: str) -> None:
        async with provider(says(OK)) as proxy:
            address = f"http://127.0.0.1:{proxy.port}"
            transport = HttpxTransport(refuses=guard("10.0.0.5"), proxy=address)
            assert await reach(transport, f"http://{host}/") == (200, b"ok")

    for host in ("10.0.0.5", "1.1.1.1", "[2606:4700::1111]"):
        asyncio.run(in_time(partial(story, host)))

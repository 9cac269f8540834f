"""What is sent, and where to: bytes, addresses, TLS."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import uvloop

from gateway.adapters.http1.transport import Http1Transport
from gateway.errors import UpstreamUnreachable
from tests.adapters.wire import OK, Line, Provider, on_both_loops, provider, says

KEY = """-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgaVEmxytUl6cc5/wX
6uigSbSvTTV57jy52isb1aRBreqhRANCAATKt3QgTbtkr1g61zUFfQ4gnfh0Q+Cg
MTE9mw1Gcx/Nq+1r4hQeahvq/hT3UYCgRoVNHUjA0rzbkSq1vAttDeQa
-----END PRIVATE KEY-----
"""
# Signed by itself, for the name localhost, until 2126.
CERTIFICATE = """-----BEGIN CERTIFICATE-----
MIIBlDCCATugAwIBAgIUNqeO8nYHzb7sGKdG6RFVlOZunVAwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMjE5MDMwOFoYDzIxMjYxMDI5
MTkwMzA4WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAATKt3QgTbtkr1g61zUFfQ4gnfh0Q+CgMTE9mw1Gcx/Nq+1r4hQeahvq
/hT3UYCgRoVNHUjA0rzbkSq1vAttDeQao2kwZzAdBgNVHQ4EFgQUsbX0d7oc8wvm
5MBI5ofbsI6S+kQwHwYDVR0jBBgwFoAUsbX0d7oc8wvm5MBI5ofbsI6S+kQwDwYD
VR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglsb2NhbGhvc3QwCgYIKoZIzj0EAwID
RwAwRAIgVf4iyjQMbmv+Lp/l8ao5ezSp3NMQwqVv8ocLc876EPgCIA9LMznq1uGP
RKiSMGxEcsmFOGVyXeWTAtHk470RCSeo
-----END CERTIFICATE-----
"""
to_loopback = partial(Http1Transport, refuses=lambda *_: None)


async def sent(headers: dict[str, str], body: bytes, path: str = "/v1/chat?a=b#c") -> bytes:
    transport = to_loopback()
    async with provider(says(OK)) as stage:
        url = f"http://127.0.0.1:{stage.port}{path}"
        upstream = await transport.open(url, headers, body, patience=5)
        await upstream.close()
        await transport.close()
        return stage.requests[0].replace(str(stage.port).encode(), b"PORT")


def test_sends_the_headers_as_given_and_adds_what_is_missing() -> None:
    assert asyncio.run(sent({"X-Api-Key": "k", "accept": "é\t!"}, b"{}")) == (
        b"POST /v1/chat?a=b HTTP/1.1\r\nhost: 127.0.0.1:PORT\r\nX-Api-Key: k\r\naccept: \xe9\t!\r\n"
        b"user-agent: sluicegate\r\ncontent-length: 2\r\n\r\n{}"
    )


def test_adds_nothing_that_the_caller_has_said() -> None:
    headers = {"Host": "h", "User-Agent": "u", "content-length": "2"}
    assert asyncio.run(sent(headers, b"{}", path="")) == (
        b"POST / HTTP/1.1\r\nHost: h\r\nUser-Agent: u\r\ncontent-length: 2\r\n\r\n{}"
    )


@on_both_loops
async def test_a_large_body_is_sent_whole() -> None:
    body = bytes(range(256)) * 32 * 1024  # 8 MiB
    assert (await sent({}, body)).endswith(b"\r\n\r\n" + body)


@pytest.mark.parametrize(
    ("headers", "problem"),
    [
        ({"authorization": "SECRET\r\nx-more: 1"}, "the header 'authorization' cannot be sent"),
        ({"authorization": "SECRET\nx"}, "the header 'authorization' cannot be sent"),
        ({"authorization": "SECRET\r"}, "the header 'authorization' cannot be sent"),
        ({"authorization": "SECRET\0"}, "the header 'authorization' cannot be sent"),
        ({"authorization": "SECRET…"}, "the header 'authorization' cannot be sent"),
        ({"a": "1", "b c": "SECRET"}, "the header 'b c' cannot be sent"),
        ({"a": "1", "": "SECRET"}, "the header '' cannot be sent"),
        ({"a\r\nb": "SECRET"}, "cannot be sent"),
        ({"Transfer-Encoding": "chunked"}, "the header 'Transfer-Encoding' cannot be sent"),
        ({"Content-Length": "3"}, "content-length is 3, the body has 2 bytes"),
    ],
)
def test_a_header_that_cannot_be_sent_stops_the_request(
    headers: dict[str, str], problem: str
) -> None:
    async def story() -> None:
        transport = to_loopback()
        async with provider(says(OK)) as stage:
            with pytest.raises(UpstreamUnreachable, match=problem) as raised:
                await transport.open(stage.url, headers, b"{}", patience=5)
            assert "SECRET" not in raised.value.message
            assert stage.connections == 0

    asyncio.run(story())


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("ftp://host/", "must be http:// or https:// with a host"),
        ("https:///path", "must be http:// or https:// with a host"),
        ("https://host/a b", "must be http:// or https:// with a host"),
        ("https://hôst/", "must be http:// or https:// with a host"),
        ("https://host:port/", "malformed"),
        ("https://[::1/", "malformed"),
        ("https://me:SECRET@host/", "may hold no user name or password"),
        (f"http://{'x' * 64}.invalid/", "its name does not resolve"),
    ],
)
def test_a_url_that_leads_nowhere_is_unreachable(url: str, problem: str) -> None:
    with pytest.raises(UpstreamUnreachable, match=problem) as raised:
        asyncio.run(to_loopback().open(url, {}, b"", patience=5))
    assert "SECRET" not in raised.value.message


def resolve_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Every name resolves to these, as far as asyncio's own loop can see."""

    def getaddrinfo(_host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


async def reach(port: int) -> None:
    transport = to_loopback()
    upstream = await transport.open(f"http://name.test:{port}/", {}, b"", patience=5)
    await upstream.close()
    await transport.close()


def test_a_name_that_does_not_resolve_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch)
    with pytest.raises(UpstreamUnreachable, match=r"name\.test: its name does not resolve"):
        asyncio.run(reach(80))


def test_a_name_that_takes_too_long_to_resolve_is_unreachable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answered = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answered.wait(5) and [])

    async def story() -> None:
        transport = to_loopback(connect_timeout=0.001)
        with pytest.raises(UpstreamUnreachable, match="its name did not resolve in time"):
            await transport.open("http://name.test/", {}, b"", patience=5)

    try:
        asyncio.run(story())
    finally:
        answered.set()


def test_the_next_address_is_tried_when_the_first_does_not_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def story() -> None:
        async with provider(says(OK)) as stage:
            resolve_to(monkeypatch, "127.0.0.2", "127.0.0.1")
            await reach(stage.port)
            assert b"host: name.test:" in stage.requests[0]

    asyncio.run(story())


@pytest.fixture
def identity(tmp_path: Path) -> ssl.SSLContext:
    """What a provider named localhost shows."""
    path = tmp_path / "identity.pem"
    path.write_text(KEY + CERTIFICATE)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


async def reach_over_tls(
    identity: ssl.SSLContext, host: str, trusted: ssl.SSLContext | None = None
) -> Provider:
    transport = to_loopback(tls=trusted)
    async with provider(says(OK), tls=identity) as stage:
        upstream = await transport.open(f"https://{host}:{stage.port}/", {}, b"", patience=5)
        assert await upstream.read(5) == b"ok"
        await upstream.close()
        await transport.close()
        return stage


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_a_provider_with_a_trusted_certificate_is_reached(
    identity: ssl.SSLContext, run: Callable[[Coroutine[Any, Any, Provider]], Provider]
) -> None:
    names: list[str | None] = []
    identity.sni_callback = lambda _line, name, _context: names.append(name)
    trusted = ssl.create_default_context(cadata=CERTIFICATE)
    stage = run(reach_over_tls(identity, "localhost", trusted))
    (line,) = stage.lines
    assert line.writer.get_extra_info("ssl_object").selected_alpn_protocol() == "http/1.1"
    assert names == ["localhost"]


def test_a_certificate_that_nobody_vouches_for_is_refused(identity: ssl.SSLContext) -> None:
    with pytest.raises(UpstreamUnreachable, match="self-signed certificate"):
        asyncio.run(reach_over_tls(identity, "localhost"))


def test_a_certificate_for_another_name_is_refused(identity: ssl.SSLContext) -> None:
    trusted = ssl.create_default_context(cadata=CERTIFICATE)
    with pytest.raises(UpstreamUnreachable, match=r"certificate is not valid for '127\.0\.0\.1'"):
        asyncio.run(reach_over_tls(identity, "127.0.0.1", trusted))


@on_both_loops
async def test_a_handshake_that_does_not_end_is_given_up() -> None:
    async def says_nothing(line: Line) -> None:
        await line.reader.read()

    transport = to_loopback(connect_timeout=0.02)
    async with provider(says_nothing) as stage:
        url = stage.url.replace("http:", "https:")
        with pytest.raises(UpstreamUnreachable, match=r"127\.0\.0\.1 did not answer in time"):
            await transport.open(url, {}, b"", patience=5)
        await stage.gone.wait()

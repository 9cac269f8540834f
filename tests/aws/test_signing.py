"""Requests signed with the process' own credentials: whoever gets one can check it byte by byte."""

import asyncio
import hashlib
import hmac
import json
import logging
import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TypeVar
from urllib.parse import quote

import pytest
from botocore.credentials import Credentials, RefreshableCredentials

from gateway.adapters.aws.clients import Clients
from gateway.adapters.aws.sdk import Session
from gateway.adapters.aws.signing import AwsSigner, signers
from gateway.adapters.aws.use import Use
from gateway.adapters.http1.transport import Http1Transport
from gateway.errors import Unavailable
from tests.fakes import run

Answer = TypeVar("Answer")

KEY, SECRET, TOKEN = "AKIDEXAMPLE", "canary-secret-1", "canary/token+1=="
HEADERS = {
    "content-type": "application/json",
    "accept": "text/event-stream",
    "accept-encoding": "identity",
    "user-agent": "sluicegate",
    "x-gateway-hops": "1",
}
BODY = '{"model":"m","messages":[{"role":"user","content":"hé \\n"}]}'.encode()
URL = "https://bedrock-runtime.us-east-1.amazonaws.com/openai/v1/chat/completions"


@dataclass
class Arrived:
    """A request as a server's socket saw it."""

    line: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def named(self) -> dict[str, str]:
        return dict(self.headers)

    def scope(self) -> str:
        """``AKID/20260101/us-east-1/bedrock/aws4_request``"""
        return self._in_authorization("Credential")

    def signature(self) -> str:
        return self._in_authorization("Signature")

    def signed(self) -> list[str]:
        return self._in_authorization("SignedHeaders").split(";")

    def recomputed(self, secret: str) -> str:
        """The signature that AWS would expect of this, by its guide (Signature Version 4)."""
        method, target, _ = self.line.split(" ")
        path, _, query = target.partition("?")
        canonical = "\n".join(
            (
                method,
                quote(path, safe="/~"),
                "&".join(
                    sorted(pair if "=" in pair else f"{pair}=" for pair in query.split("&") if pair)
                ),
                *(f"{name}:{' '.join(self.named[name].split())}" for name in sorted(self.signed())),
                "",
                ";".join(sorted(self.signed())),
                hashlib.sha256(self.body).hexdigest(),
            )
        )
        _, *scope = self.scope().split("/")
        key = b"AWS4" + secret.encode()
        for part in scope:
            key = hmac.digest(key, part.encode(), "sha256")
        hashed = hashlib.sha256(canonical.encode()).hexdigest()
        told = "\n".join(("AWS4-HMAC-SHA256", self.named["x-amz-date"], "/".join(scope), hashed))
        return hmac.digest(key, told.encode(), "sha256").hex()

    def _in_authorization(self, name: str) -> str:
        found = re.search(rf"{name}=([^, ]+)", self.named["authorization"])
        assert found
        return found[1]


class Held(Session):
    def __init__(self, credentials: Credentials | None) -> None:
        super().__init__(1)
        self._held = credentials

    def credentials(self) -> Credentials | None:
        return self._held


class Fixed(Clients):
    """Clients whose session has these credentials."""

    def __init__(self, credentials: Credentials | None) -> None:
        super().__init__()
        self._held = Held(credentials)

    async def session(self, use: Use, work: Callable[[Session], Answer]) -> Answer:
        del use
        return await asyncio.to_thread(work, self._held)


def anywhere(url: str, service: str) -> str:
    """What a loopback stands for."""
    del url, service
    return "eu-west-1"


def signer(credentials: Credentials | None = None) -> AwsSigner:
    known = credentials or Credentials(KEY, SECRET, TOKEN)
    return AwsSigner(Fixed(known), "bedrock", region_of=anywhere)


async def sent(path: str, body: bytes = BODY, host: str = "127.0.0.1") -> Arrived:
    """Signed, sent through our own transport, and caught on a socket of the loopback."""
    caught: asyncio.Future[Arrived] = asyncio.get_running_loop().create_future()

    async def catch(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *rest = head.rstrip("\r\n").split("\r\n")
        headers = [
            (name.lower(), value) for name, _, value in (one.partition(": ") for one in rest)
        ]
        content = await reader.readexactly(int(dict(headers)["content-length"]))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
        caught.set_result(Arrived(line, headers, content))
        writer.close()

    server = await asyncio.start_server(catch, "127.0.0.1", 0)
    transport = Http1Transport(refuses=lambda *_: None)
    async with server:
        url = f"http://{host}:{server.sockets[0].getsockname()[1]}{path}"
        headers = await signer().sign("POST", url, HEADERS, body)
        upstream = await transport.open(url, headers, body, patience=5)
        assert await upstream.read(5) == b"{}"
        await upstream.close()
        await transport.close()
    return await caught


@pytest.mark.parametrize("body", [BODY, b"{}", b"", b"\x00\xff" * 500_000])
@pytest.mark.parametrize(
    "path",
    [
        "/openai/v1/chat/completions",
        "/model/us.anthropic.claude-v1%3A0/invoke",
        "/models/m:stream?alt=sse&b=2&a=1",
        "/a%20b/%C3%A4?key",
    ],
)
def test_what_arrives_is_what_was_signed(path: str, body: bytes) -> None:
    arrived = run(sent(path, body))
    assert arrived.line == f"POST {path} HTTP/1.1"
    assert arrived.body == body
    assert arrived.signature() == arrived.recomputed(SECRET)


def test_a_host_is_signed_as_it_is_sent() -> None:
    arrived = run(sent("/v1", host="LOCALHOST"))
    assert re.fullmatch(r"localhost:\d+", arrived.named["host"])
    assert arrived.signature() == arrived.recomputed(SECRET)


def test_another_byte_key_or_header_would_be_noticed() -> None:
    arrived = run(sent("/v1"))
    good = arrived.signature()
    assert arrived.recomputed("another") != good
    assert Arrived(arrived.line, arrived.headers, BODY + b" ").recomputed(SECRET) != good
    assert Arrived("POST /v2 HTTP/1.1", arrived.headers, BODY).recomputed(SECRET) != good
    for name in arrived.signed():
        other = [(one, "x" if one == name else value) for one, value in arrived.headers]
        assert Arrived(arrived.line, other, BODY).recomputed(SECRET) != good


def test_every_header_is_sent_once_and_as_it_was_given() -> None:
    arrived = run(sent("/v1"))
    assert len(arrived.named) == len(arrived.headers)
    assert {name: arrived.named[name] for name in HEADERS} == HEADERS
    assert arrived.named.keys() - HEADERS.keys() == {
        "host",
        "content-length",
        "authorization",
        "x-amz-date",
        "x-amz-security-token",
    }
    assert arrived.signed() == ["content-type", "host", "x-amz-date", "x-amz-security-token"]
    assert arrived.named["x-amz-security-token"] == TOKEN
    assert re.fullmatch(rf"{KEY}/\d{{8}}/eu-west-1/bedrock/aws4_request", arrived.scope())


def test_the_region_and_the_service_are_those_of_the_address() -> None:
    async def scopes() -> list[str]:
        fixed = Fixed(Credentials(KEY, SECRET))
        urls = {"bedrock": URL, "bedrock-mantle": "https://bedrock-mantle.eu-north-1.api.aws/v1/x"}
        made = [
            await AwsSigner(fixed, service).sign("POST", url, HEADERS, BODY)
            for service, url in urls.items()
        ]
        assert not any("x-amz-security-token" in one for one in made)
        return [one["authorization"].partition(",")[0] for one in made]

    day = datetime.now(UTC).strftime("%Y%m%d")
    assert run(scopes()) == [
        f"AWS4-HMAC-SHA256 Credential={KEY}/{day}/us-east-1/bedrock/aws4_request",
        f"AWS4-HMAC-SHA256 Credential={KEY}/{day}/eu-north-1/bedrock-mantle/aws4_request",
    ]


def test_nothing_is_signed_for_a_stranger() -> None:
    for name, one in signers(Fixed(Credentials(KEY, SECRET))).items():
        with pytest.raises(Unavailable) as refused:
            run(one.sign("POST", "https://evil.example/bedrock-runtime", HEADERS, BODY))
        assert refused.value.code == "aws_not_signed"
        assert refused.value.message.startswith(f"evil.example is no address of {name}, ")


class Renewed:
    """Credentials that last an hour, by a clock that only a test turns."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.threads: list[int] = []
        first = self.renew()
        self.credentials = RefreshableCredentials(
            first["access_key"],
            first["secret_key"],
            first["token"],
            self.now + timedelta(hours=1),
            self.renew,
            "a test",
            time_fetcher=lambda: self.now,
        )

    def renew(self) -> dict[str, str]:
        self.threads.append(threading.get_ident())
        nth = len(self.threads)
        expiry = (self.now + timedelta(hours=1)).isoformat()
        return {
            "access_key": f"AKID{nth}",
            "secret_key": f"secret-{nth}",
            "token": f"token-{nth}",
            "expiry_time": expiry,
        }


def test_credentials_that_expire_are_renewed_and_not_on_the_event_loop() -> None:
    renewed = Renewed()

    async def tokens() -> list[str]:
        one, found = signer(renewed.credentials), []
        for hours in (0, 0, 2, 0):
            renewed.now += timedelta(hours=hours)
            headers = await one.sign("POST", URL, HEADERS, BODY)
            found.append(headers["x-amz-security-token"])
        return found

    assert run(tokens()) == ["token-1", "token-1", "token-2", "token-2"]
    assert renewed.threads[1] != threading.get_ident()


def test_calls_that_wait_for_the_same_credentials_ask_for_them_once() -> None:
    renewed = Renewed()
    renewed.now += timedelta(hours=2)

    async def tokens() -> set[str]:
        one = signer(renewed.credentials)
        made = await asyncio.gather(*(one.sign("POST", URL, HEADERS, BODY) for _ in range(8)))
        return {headers["x-amz-security-token"] for headers in made}

    assert run(tokens()) == {"token-2"}
    assert len(renewed.threads) == 2


@contextmanager
def role_server(ready: threading.Event) -> Iterator[str]:
    """Hands out a role's credentials, as Lambda does to a process from a snapshot."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            ready.wait(10)
            expiry = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
            told = {"AccessKeyId": KEY, "SecretAccessKey": SECRET, "Token": TOKEN}
            body = json.dumps({**told, "Expiration": expiry}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/creds"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No credentials anywhere."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    return monkeypatch


def test_the_loop_goes_on_while_credentials_are_fetched(bare: pytest.MonkeyPatch) -> None:
    ready = threading.Event()

    async def work() -> Mapping[str, str]:
        clients = Clients()
        signing = asyncio.create_task(signers(clients)["bedrock"].sign("POST", URL, HEADERS, BODY))
        for _ in range(100):  # the server answers only once this loop has turned
            await asyncio.sleep(0)
        ready.set()
        try:
            return await signing
        finally:
            await clients.close()

    with role_server(ready) as url:
        bare.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url)
        headers = run(work())
    assert headers["x-amz-security-token"] == TOKEN


def test_a_functions_own_variables_are_its_credentials(bare: pytest.MonkeyPatch) -> None:
    bare.setenv("AWS_ACCESS_KEY_ID", KEY)
    bare.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    bare.setenv("AWS_SESSION_TOKEN", TOKEN)
    headers = run(signers(Clients())["bedrock"].sign("POST", URL, HEADERS, BODY))
    assert headers["x-amz-security-token"] == TOKEN
    assert f"Credential={KEY}/" in headers["authorization"]


def test_without_credentials_it_says_so(bare: pytest.MonkeyPatch) -> None:
    del bare
    with pytest.raises(Unavailable) as failed:
        run(signers(Clients())["bedrock"].sign("POST", URL, HEADERS, BODY))
    assert failed.value.code == "aws_no_credentials"
    assert failed.value.message == (
        "sign on a call to bedrock failed: no AWS credentials were found; give the function a role, "
        "or set AWS_PROFILE"
    )


def test_no_secret_is_logged(bare: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    bare.setenv("AWS_ACCESS_KEY_ID", KEY)
    bare.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    bare.setenv("AWS_SESSION_TOKEN", TOKEN)
    with caplog.at_level(logging.DEBUG):
        headers = run(signers(Clients())["bedrock"].sign("POST", URL, HEADERS, BODY))
    for canary in (SECRET, TOKEN, headers["authorization"], "hé"):
        assert canary not in caplog.text

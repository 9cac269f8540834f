"""The raw proxy over real sockets: what flows, and when; how it ends."""

import json
import logging
import socketserver
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from functools import partial
from http.client import HTTPConnection, HTTPResponse, IncompleteRead
from io import BufferedIOBase
from typing import Any
from urllib.parse import urlsplit

import pytest

from gateway.errors import UpstreamError
from gateway.metering.records import Record
from gateway.routing.endpoint import Endpoint
from tests.live import (
    KEY,
    PATIENCE,
    Act,
    LiveGateway,
    ScriptedProvider,
    answer,
    chunk,
    event,
    head,
    in_thread,
    live_gateway,
    sse,
    target,
)
from tests.provided import provider, provider_of_all

__all__ = ["provider", "provider_of_all"]

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
Play = Callable[[BufferedIOBase, BufferedIOBase], None]


class Stage(socketserver.ThreadingTCPServer):
    """A provider that plays one connection as a test wants it, byte for byte."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Actor)
        self.play: Play = lambda _, __: None
        self.over = threading.Event()
        self.faults: list[BaseException] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def will(self, play: Play) -> None:
        self.play, self.over, self.faults = play, threading.Event(), []

    def handle_error(self, *_: object) -> None:
        """The actor has told."""


class Actor(socketserver.StreamRequestHandler):
    server: Stage
    timeout = PATIENCE

    def handle(self) -> None:
        try:
            self.server.play(self.rfile, self.wfile)
        except BaseException as error:
            self.server.faults.append(error)
            raise
        finally:
            self.server.over.set()


@pytest.fixture(scope="module")
def stage_of_all() -> Iterator[Stage]:
    with Stage() as stage, in_thread(partial(stage.serve_forever, poll_interval=0.01)):
        yield stage
        stage.shutdown()


@pytest.fixture
def stage(stage_of_all: Stage) -> Iterator[Stage]:
    yield stage_of_all
    assert stage_of_all.over.wait(PATIENCE)
    assert stage_of_all.faults == []


@pytest.fixture(scope="module")
def gateway(
    provider_of_all: ScriptedProvider,
    stage_of_all: Stage,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[LiveGateway]:
    endpoints = [
        Endpoint("e", (target(provider_of_all.url),)),
        Endpoint("claude", (target(provider_of_all.url, "claude", "anthropic"),)),
        Endpoint("stage", (target(stage_of_all.url),)),
    ]
    with live_gateway(tmp_path_factory.mktemp("home"), endpoints) as gateway:
        yield gateway


@contextmanager
def asked(
    gateway: LiveGateway,
    method: str,
    path: str,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> Iterator[HTTPResponse]:
    with closing(connected(gateway)) as connection:
        begin(connection, method, path, headers or {}, body)
        with closing(connection.getresponse()) as response:
            yield response


def connected(gateway: LiveGateway) -> HTTPConnection:
    return HTTPConnection(urlsplit(gateway.url).netloc, timeout=PATIENCE)


def begin(
    connection: HTTPConnection,
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes | None = None,
) -> None:
    connection.putrequest(method, "/gateway/proxy/" + path, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name, value)
    if body is not None:
        connection.putheader("content-length", str(len(body)))
    connection.endheaders(body)


def record_of(gateway: LiveGateway, response: HTTPResponse) -> Record:
    return gateway.ledger.of(response)


def read_head(requests: BufferedIOBase) -> bytes:
    lines = iter(requests.readline, b"\r\n")
    return b"".join(lines)


PARTS = (
    b'--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n' + b"\x00" * 70_000,
    b"\xff" * 70_000 + b"\r\n--b--\r\n",
)


@pytest.mark.parametrize("chunked", [False, True])
def test_an_upload_reaches_the_provider_while_it_is_still_being_sent(
    gateway: LiveGateway, stage: Stage, *, chunked: bool
) -> None:
    first_has_come, heard = threading.Event(), bytearray()

    def play(requests: BufferedIOBase, answers: BufferedIOBase) -> None:
        heard.extend(read_head(requests))
        while PARTS[0] not in unchunked(heard):
            heard.extend(requests.read1(65536))
        first_has_come.set()
        while PARTS[1] not in unchunked(heard):
            heard.extend(requests.read1(65536))
        answers.write(OK)

    def unchunked(data: bytearray) -> bytes:
        """Chunks of any size: the lines of their sizes are taken out."""
        if not chunked:
            return bytes(data)
        body, out = bytes(data).partition(b"chunked\r\n")[2], b""
        while b"\r\n" in body:
            size, _, body = body.partition(b"\r\n")
            out, body = out + body[: int(size, 16)], body[int(size, 16) + 2 :]
        return out

    stage.will(play)
    length = {"content-length": str(sum(map(len, PARTS)))}
    framing = {"transfer-encoding": "chunked"} if chunked else length
    kind = {"content-type": "multipart/form-data; boundary=b"}
    with closing(connected(gateway)) as connection:
        begin(connection, "POST", "stage/v1/files", kind | framing)
        connection.send(chunk(PARTS[0]) if chunked else PARTS[0])
        assert first_has_come.wait(PATIENCE)  # and only then is the rest sent
        connection.send(chunk(PARTS[1]) + b"0\r\n\r\n" if chunked else PARTS[1])
        response = connection.getresponse()
        assert (response.status, response.read()) == (200, b"ok")
    assert b"POST /v1/files HTTP/1.1\r\n" in heard
    assert b"content-type: multipart/form-data; boundary=b\r\n" in heard
    assert record_of(gateway, response).outcome == "answered"


def test_an_upload_may_be_larger_than_other_bodies(gateway: LiveGateway, stage: Stage) -> None:
    """64 MiB: twice as much as a JSON body may have."""
    piece, count, seen = b"x" * 1024 * 1024, 64, [0]

    def play(requests: BufferedIOBase, answers: BufferedIOBase) -> None:
        read_head(requests)
        while seen[0] < len(piece) * count:
            seen[0] += len(requests.read1(1 << 20))
        answers.write(OK)

    stage.will(play)
    with closing(connected(gateway)) as connection:
        begin(connection, "PUT", "stage/v1/x", {"content-length": str(len(piece) * count)})
        for _ in range(count):
            connection.send(piece)
        assert connection.getresponse().read() == b"ok"
    assert seen == [len(piece) * count]


def test_an_answer_that_comes_before_the_upload_is_over_is_handed_on(
    gateway: LiveGateway, stage: Stage
) -> None:
    def play(requests: BufferedIOBase, answers: BufferedIOBase) -> None:
        read_head(requests)
        assert requests.read(5) == b"start"
        answers.write(b"HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\n\r\nbig")
        assert requests.read() == b""  # the rest never comes

    stage.will(play)
    with closing(connected(gateway)) as connection:
        begin(connection, "POST", "stage/v1/x", {"content-length": "999999"})
        connection.send(b"start")
        response = connection.getresponse()
        assert (response.status, response.read()) == (413, b"big")


def test_a_caller_who_goes_in_the_middle_of_an_upload_leaves_half_a_request(
    gateway: LiveGateway, stage: Stage
) -> None:
    arrived, rest = threading.Event(), bytearray()

    def play(requests: BufferedIOBase, _: BufferedIOBase) -> None:
        read_head(requests)
        assert requests.read(5) == b"start"
        arrived.set()
        rest.extend(requests.read())  # until the gateway hangs up

    stage.will(play)
    before = len(gateway.ledger.records)
    with closing(connected(gateway)) as connection:
        begin(connection, "POST", "stage/v1/x", {"content-length": "999999"})
        connection.send(b"start")
        assert arrived.wait(PATIENCE)
    assert stage.over.wait(PATIENCE)
    assert rest == b""
    gone = gateway.ledger.one(lambda one: one in gateway.ledger.records[before:])
    assert (gone.outcome, gone.status, gone.dialect) == ("hung_up", 499, "proxy")


PDF = {"content-type": "application/pdf", "content-length": "8"}


def test_a_download_arrives_as_it_is_sent(gateway: LiveGateway, provider: ScriptedProvider) -> None:
    for framing, script in (
        ("length", (head(200, PDF), b"\x00\x01\x02\x03")),
        ("chunks", (head(200, {"transfer-encoding": "chunked"}), chunk(b"\x00\x01\x02\x03"))),
    ):
        seen = threading.Event()
        end = (
            b"\x04\x05\x06\x07"
            if framing == "length"
            else chunk(b"\x04\x05\x06\x07") + b"0\r\n\r\n"
        )
        provider.will((*script, seen, end))
        with asked(gateway, "GET", "e/v1/files/f/content") as response:
            assert response.read1(100) == b"\x00\x01\x02\x03"
            seen.set()  # the provider says the rest only now
            assert response.read() == b"\x04\x05\x06\x07"
        if framing == "length":
            assert {name: response.headers[name] for name in PDF} == PDF
        assert record_of(gateway, response).outcome == "answered"


def test_events_arrive_as_they_are_sent(gateway: LiveGateway, provider: ScriptedProvider) -> None:
    seen = threading.Event()
    first, second = event({"n": 1}, "one"), b": a comment\r\n\r\ndata: [DONE]\r\n\r\n"
    provider.will(sse(first, seen, second))
    with asked(gateway, "POST", "e/v1/x?stream=true", body=b'{"stream": true}') as response:
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert response.read1(1000) == first
        seen.set()
        assert response.read() == second
    assert record_of(gateway, response).stream


def test_every_method_and_any_status_goes_through(
    gateway: LiveGateway, provider: ScriptedProvider
) -> None:
    empty = {"content-length": "0"}
    for method, reply, status, body in (
        ("GET", answer({"data": []}), 200, b'{"data": []}'),
        ("HEAD", (head(200, PDF),), 200, b""),
        ("DELETE", (head(204, {}),), 204, b""),
        ("PATCH", answer(b"", 202, empty), 202, b""),
        ("PUT", answer(b"made", 201), 201, b"made"),
        ("GET", (head(304, {"etag": "x", "content-length": "9"}),), 304, b""),
        ("GET", answer(b"", 301, {"location": "/v1/there?a=b"}), 301, b""),
        (
            "POST",
            answer(b"<h1>down</h1>", 503, {"content-type": "text/html"}),
            503,
            b"<h1>down</h1>",
        ),
        ("GET", answer(b"\xff\x00", 418, {"content-type": "image/png"}), 418, b"\xff\x00"),
    ):
        provider.will(reply)
        sent = b"{}" if method in ("POST", "PUT", "PATCH") else None
        with asked(gateway, method, "e/v1/models?limit=2&after=%20", body=sent) as response:
            assert (method, response.status, response.read()) == (method, status, body)
        (request,) = provider.requests
        assert (request.method, request.path) == (method, "/v1/models?limit=2&after=%20")
        assert request.body == (sent or b"")
        led = "/gateway/proxy/e/v1/there?a=b" if status == 301 else None
        assert response.headers["location"] == led
        if method == "HEAD":
            assert {name: response.headers[name] for name in PDF} == PDF
        assert record_of(gateway, response).status == status


@pytest.mark.parametrize(
    "path",
    [
        "e/../v1/x",
        "e/v1/%2e%2e/x",
        "e/v1/%252e%252e%252fx",
        "e//evil.example/x",
        "e/https://evil.example/x",
        "e/v1/..%5cx",
        "e/v1/..\\x",
        "e/x%0d%0aa:b",
        "../proxy/e/v1/x",
        "e%2f..%2fv1/x",
        "%65/..;/x",
    ],
)
def test_no_path_leads_away_from_the_provider(
    path: str, gateway: LiveGateway, provider: ScriptedProvider
) -> None:
    with asked(gateway, "GET", path) as response:
        assert response.status in (400, 404)
        kind = json.loads(response.read())["error"]["type"]
    assert kind in ("invalid_request_error", "not_found_error")
    assert provider.requests == []


def test_the_wire_shows_no_key_of_the_callers_and_no_cookie_of_the_providers(
    gateway: LiveGateway, provider: ScriptedProvider
) -> None:
    noisy = {"set-cookie": "canary=1", "server": "canary", "etag": '"1"', "x-request-id": KEY}
    provider.will(answer({"key": KEY}, headers=noisy))
    given = {
        "authorization": "Bearer canary",
        "cookie": "canary=1",
        "x-api-key": "canary",
        "x-forwarded-for": "canary",
        "x-mlflow-gateway-caller": "canary",
        "user-agent": "canary",
        "accept-encoding": "gzip, br",
        "accept": "application/json",
    }
    with asked(gateway, "GET", "claude/v1/files?key=canary&a=1", given) as response:
        told = json.loads(response.read())
    (request,) = provider.requests
    assert request.path == "/v1/files?a=1"
    assert request.headers == {
        "host": urlsplit(provider.url).netloc,
        "accept": "application/json",
        "accept-encoding": "identity",
        "user-agent": "sluicegate",
        "anthropic-version": "2023-06-01",
        "x-api-key": KEY,
        "x-gateway-hops": "1",
    }
    assert told == {"key": "*" * len(KEY)}
    assert "canary" not in str(response.getheaders())
    assert KEY not in str(response.getheaders())
    assert (response.headers["etag"], response.headers["x-request-id"]) == ('"1"', "***")
    assert response.headers["x-gateway-dropped"] == "query.key"


def test_a_caller_who_goes_closes_the_upstream(
    gateway: LiveGateway, provider: ScriptedProvider
) -> None:
    provider.will((head(200, {"content-length": "100"}), b"half", Act.SILENCE))
    with asked(gateway, "GET", "e/v1/x") as response:
        assert response.read1(100) == b"half"
    assert provider.hung_up.wait(PATIENCE)
    assert record_of(gateway, response).outcome == "hung_up"


@contextmanager
def one_breaks_off() -> Iterator[None]:
    """The server logs an answer that its app left unfinished, once, and that is expected here."""
    heard: list[logging.LogRecord] = []

    def expected(record: logging.LogRecord) -> bool:
        cut = record.exc_info is not None and isinstance(record.exc_info[1], UpstreamError)
        heard.extend([record] if cut else [])
        return not cut

    logger = logging.getLogger("uvicorn.error")
    logger.addFilter(expected)
    try:
        yield
    finally:
        logger.removeFilter(expected)
    assert len(heard) == 1


CUTS: list[tuple[Any, ...]] = [
    (head(200, {"content-length": "100"}), b"half", Act.HANG_UP),
    (head(200, {"content-length": "100"}), b"half", Act.RESET),
    (head(200, {"transfer-encoding": "chunked"}), chunk(b"half"), Act.HANG_UP),
    (head(200, {"transfer-encoding": "chunked"}), chunk(b"half"), b"junk\r\n", Act.SILENCE),
    sse(b"half", Act.HANG_UP),
    (head(500, {"content-length": "100"}), b"half", Act.HANG_UP),
]


@pytest.mark.parametrize("script", CUTS)
def test_a_cut_answer_is_a_cut_answer(
    script: Any, gateway: LiveGateway, provider: ScriptedProvider
) -> None:
    provider.will(script)
    with one_breaks_off():
        with asked(gateway, "GET", "e/v1/x") as response, pytest.raises(IncompleteRead) as cut:
            response.read()
        record = record_of(gateway, response)
    assert cut.value.partial == b"half"
    assert (record.outcome, record.error) == ("failed", "UpstreamBroke")


def test_a_body_without_a_length_that_ends_with_the_connection_is_whole(
    gateway: LiveGateway, provider: ScriptedProvider
) -> None:
    provider.will((head(200, {}), b"all of it", Act.HANG_UP))
    with asked(gateway, "GET", "e/v1/x") as response:
        assert response.read() == b"all of it"


def test_a_provider_that_hangs_up_without_a_word_is_a_502_with_ours(
    gateway: LiveGateway, provider: ScriptedProvider
) -> None:
    provider.will((Act.HANG_UP,))
    with asked(gateway, "POST", "e/v1/x", body=b"{}") as response:
        told = json.loads(response.read())
    assert (response.status, told["error"]["type"]) == (502, "upstream_error")
    assert told["detail"] == told["error"]["message"]
    assert len(provider.requests) == 1


def test_an_endpoint_that_is_not_there_is_said_as_mlflow_says_it(gateway: LiveGateway) -> None:
    with asked(gateway, "GET", "nope/v1/x") as response:
        told = json.loads(response.read())
    assert (response.status, told["error"]["code"]) == (404, "endpoint_not_found")
    assert told["detail"]["error_code"] == "RESOURCE_DOES_NOT_EXIST"

"""Real sockets for tests: a provider that says exactly what it is told to, and the gateway."""

import json
import logging
import socket
import socketserver
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn

from gateway.bootstrap.local import local
from gateway.metering.records import Record
from gateway.routing.endpoint import Endpoint, Target
from gateway.settings import Settings
from handler.app import create_app, query_routes

PATIENCE = 20.0  # seconds that anything here waits at most
KEY = "sk-test-1234567890"
NO_LINGER = struct.pack("ii", 1, 0)
DONE = b"data: [DONE]\n\n"


class Act(Enum):
    """What a provider does rather than say. Each is the last of its reply."""

    HANG_UP = "close the connection in good order"
    RESET = "tear the connection down"
    SILENCE = "say nothing more until the other side goes"


# Bytes are said as they are, an event is waited for, a number is seconds to pause.
Step = bytes | threading.Event | float | Act
Reply = tuple[Step, ...]


def answer(body: bytes | Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """A whole answer; what is not bytes is said as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    length = {"content-length": str(len(content))}
    return (
        head(status, {"content-type": "application/json", **length, **(headers or {})}),
        content,
    )


def sse(*steps: Step, headers: Mapping[str, str] | None = None) -> Reply:
    """A stream, each of its parts in a chunk of its own; whole unless an act cuts it."""
    kind = {"content-type": "text/event-stream; charset=utf-8", "transfer-encoding": "chunked"}
    parts = [chunk(step) if isinstance(step, bytes) else step for step in steps]
    end = () if isinstance(steps[-1], Act) else (b"0\r\n\r\n",)
    return (head(200, {**kind, **(headers or {})}), *parts, *end)


def event(data: Any, name: str | None = None) -> bytes:
    named = f"event: {name}\n" if name else ""
    return f"{named}data: {json.dumps(data)}\n\n".encode()


def head(status: int, headers: Mapping[str, str]) -> bytes:
    fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} Told\r\n{fields}\r\n".encode("latin-1")


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


@dataclass(frozen=True)
class Received:
    """A request as the provider got it. Header names are lower-case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class ScriptedProvider(socketserver.ThreadingTCPServer):
    """Plays its replies in order, one for each request, whoever asks on whatever connection."""

    request_queue_size = 128  # callers who come all at once are not turned away

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Line)
        self.origin = f"http://127.0.0.1:{self.server_address[1]}"
        self.url = f"{self.origin}/v1"
        self.requests: list[Received] = []
        self.hung_up = threading.Event()  # the other side went before a reply was over
        self.faults: list[BaseException | str] = []
        self.lines: set[socket.socket] = set()
        self._replies: deque[Reply] = deque()

    def will(self, *replies: Reply) -> None:
        """Forget what was, and play these. Kept connections are closed, so that none is reused."""
        self.close_lines()
        self.lines = set()  # the closed ones leave in their own time
        self.requests, self.faults = [], []
        self.hung_up = threading.Event()
        self._replies = deque(replies)

    def next_reply(self) -> Reply:
        if self._replies:
            return self._replies.popleft()
        self.faults.append(f"nobody wrote a reply to {self.requests[-1]}")
        return answer({"error": {"message": "the script has no more replies"}}, 400)

    def close_lines(self) -> None:
        for line in list(self.lines):
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def handle_error(self, *_: object) -> None:
        """The line has told."""


class Line(socketserver.StreamRequestHandler):
    """One accepted connection."""

    server: ScriptedProvider
    connection: socket.socket

    def handle(self) -> None:
        stage, self._hung_up = self.server, threading.Event()
        stage.lines.add(self.connection)
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            while request := self._request():
                stage.requests.append(request)
                self._hung_up = stage.hung_up  # this test's, not that of the next
                if not all(self._goes_on(step) for step in stage.next_reply()):
                    return
        except ConnectionError:
            self._hung_up.set()
        except Exception as error:
            stage.faults.append(error)
            raise
        finally:
            stage.lines.discard(self.connection)

    def _request(self) -> Received | None:
        if not (line := self.rfile.readline()):
            return None
        method, path, _ = line.decode("latin-1").split(" ")
        headers: dict[str, str] = {}
        while (line := self.rfile.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        body = self.rfile.read(int(headers.get("content-length", 0)))
        return Received(method, path, headers, body)

    def _goes_on(self, step: Step) -> bool:
        match step:
            case bytes():
                self.connection.sendall(step)
            case threading.Event():
                if not step.wait(PATIENCE):
                    raise TimeoutError("the provider waited in vain for its cue")
            case Act():
                self._end(step)
                return False
            case _:
                threading.Event().wait(step)
        return True

    def _end(self, act: Act) -> None:
        if act is Act.RESET:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
            self.connection.close()
        elif act is Act.SILENCE:
            with suppress(ConnectionError):
                self.connection.recv(1)
            self._hung_up.set()


@contextmanager
def scripted_provider() -> Iterator[ScriptedProvider]:
    with (
        ScriptedProvider() as provider,
        in_thread(partial(provider.serve_forever, poll_interval=0.01)),
    ):
        try:
            yield provider
        finally:
            provider.shutdown()
            provider.close_lines()


@contextmanager
def in_thread(work: Callable[[], None]) -> Iterator[None]:
    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        thread.join(2 * PATIENCE)
        assert not thread.is_alive(), f"{work} does not end"


class Settlements:
    """A ledger that a test can wait on."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self._more = threading.Condition()

    async def write(self, record: Record) -> None:
        with self._more:
            self.records.append(record)
            self._more.notify_all()

    def one(self, fits: Callable[[Record], bool]) -> Record:
        """The record that fits, as soon as there is one; and there must be no second."""
        with self._more:
            assert self._more.wait_for(lambda: any(map(fits, self.records)), PATIENCE)
            (record,) = filter(fits, self.records)
            return record

    def of(self, answered: Any) -> Record:
        """The record of the call that an HTTP response belongs to."""
        call = answered.headers["x-gateway-request-id"]
        return self.one(lambda record: record.request_id == call)


class Server(uvicorn.Server):
    """Says when it serves."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


class Complaints(logging.Handler):
    """Every error that anything logs: an exception that nobody fetched, a crash in the app."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(logging.Formatter().format(record))

    def __enter__(self) -> list[str]:
        logging.getLogger().addHandler(self)
        return self.heard

    def __exit__(self, *_: object) -> None:
        logging.getLogger().removeHandler(self)


@dataclass(frozen=True)
class LiveGateway:
    url: str
    ledger: Settlements


@contextmanager
def live_gateway(
    home: Path, endpoints: Iterable[Endpoint], ledger: Settlements | None = None
) -> Iterator[LiveGateway]:
    """The app as `sluicegate serve` runs it. What it settles twice or logs as an error fails."""
    ledger, settings = ledger or Settlements(), Settings.model_validate({"home": home})
    secrets = {"TEST_KEY": KEY}
    wired = local(settings, environment=secrets, configured=endpoints, ledger=ledger)
    app = create_app(wired, query_routes(wired), local_only=True)
    config = uvicorn.Config(
        app, log_config=None, ws="none", proxy_headers=False, timeout_graceful_shutdown=2
    )
    server = Server(config)
    with (
        Complaints() as complaints,
        socket.create_server(("127.0.0.1", 0)) as listener,
        in_thread(partial(server.run, sockets=[listener])),
    ):
        try:
            assert server.ready.wait(PATIENCE), complaints
            yield LiveGateway(f"http://127.0.0.1:{listener.getsockname()[1]}", ledger)
        finally:
            server.should_exit = True
    ids = [record.request_id for record in ledger.records]
    assert len(set(ids)) == len(ids), "an exchange was settled twice"
    assert not complaints, "\n".join(complaints)


def target(base_url: str, model: str = "gpt-test", provider: str = "openai") -> Target:
    return Target(provider, model, "env:TEST_KEY", base_url=base_url)

"""A stack of CloudFormation, an account that it is deployed to, and where reports go."""

import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from gateway.bootstrap.local import local
from gateway.bootstrap.wiring import Wired
from gateway.settings import Settings
from gateway.wire.json import Json
from handler.control import setup_function as custom_resource

OURS = {"StackId": "arn:stack", "RequestId": "r-1", "LogicalResourceId": "Setup"}
OK, FAILS, JUNK = b"HTTP/1.1 200 OK", b"HTTP/1.1 500 Oh", b"junk"


class CloudFormation(ThreadingHTTPServer):
    """Where the report goes. ``replies``: what is said to each, and then 200."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Line)
        self.url = f"http://127.0.0.1:{self.server_address[1]}/report?Signature=x%2Fy"
        self.replies: deque[bytes] = deque()
        self.heard: list[tuple[str, str, str, Any]] = []


class Line(BaseHTTPRequestHandler):
    server: CloudFormation

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        kind = self.headers.get("content-type", "none")
        self.server.heard.append((self.command, self.path, kind, json.loads(body)))
        replies = self.server.replies
        reply = replies.popleft() if replies else OK
        self.wfile.write(reply + b"\r\nContent-Length: 0\r\n\r\n")
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Nothing: a test says what it expects."""


@contextmanager
def cloud_formation() -> Iterator[CloudFormation]:
    with CloudFormation() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join(5)


@dataclass
class Context:
    left: int = 60_000

    def get_remaining_time_in_millis(self) -> int:
        return self.left


@dataclass
class Safe:
    """Where the first admin key lies. ``broken``: what comes of using it."""

    key: str | None = None
    broken: Exception | None = None
    keys: list[str] = field(default_factory=list)

    async def put(self, key: str) -> None:
        if self.broken:
            raise self.broken
        self.key = key
        self.keys.append(key)

    async def delete(self) -> None:
        if self.broken:
            raise self.broken
        self.key = None

    async def close(self) -> None:
        """Nothing to close."""


@dataclass
class Account:
    """The stores that a stack has, here on this disk."""

    home: Path
    safe: Safe = field(default_factory=Safe)
    protected: list[str] = field(default_factory=list)

    def wired(self, _: Settings | None = None) -> Wired:
        return local(Settings(home=self.home), environment={}, variables="none")

    async def protected_tables(self, _: Settings) -> list[str]:
        return self.protected


def happens(kind: str, stack: CloudFormation, left: int = 60_000, **more: Any) -> Json:
    """The one report of an event, which must be for us and as CloudFormation wants it."""
    event = {"RequestType": kind, "ResponseURL": stack.url, **OURS, **more}
    custom_resource.handler(event, Context(left))
    told: Json
    *_, (method, path, content_type, told) = stack.heard
    assert (method, path, content_type) == ("PUT", "/report?Signature=x%2Fy", "")
    assert {name: told.pop(name) for name in OURS} == OURS
    return told


DONE = {"Status": "SUCCESS", "Reason": "", "PhysicalResourceId": "sluicegate-setup"}

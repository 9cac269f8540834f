"""Calls the app as a server would, without one: ASGI messages in, ASGI messages out."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp, Message

from gateway.adapters.echo import EchoTransport
from gateway.adapters.environment import DEMO
from gateway.adapters.memory import MemoryEndpoints, MemoryItems, MemoryLedger, MemoryRecords
from gateway.adapters.schemes import SchemeTransport
from gateway.admission.admission import Admission, OpenAdmission
from gateway.bootstrap.wiring import Wired, gateway_of
from gateway.exchange.background import Background
from gateway.ports import EndpointStore, Transport
from gateway.routing.endpoint import Endpoint, Target
from gateway.settings import Settings
from gateway.wire.json import dumps, loads
from handler.app import create_app, query_routes
from tests.fakes import Clock, FakeTransport, FakeUpstream, FakeVault, Hang, run

LIMIT = 64 * 1024
INSTANT = Endpoint("e", (Target("echo", "echo-instant"),))
GPT = Endpoint("gpt", (Target("openai", "gpt", "key"),))


@dataclass
class World:
    """An app over fakes. ``answers``: what the providers of ``gpt`` say, in turn."""

    answers: tuple[FakeUpstream | Exception | Hang, ...] = ()
    endpoints: EndpointStore | None = None
    admission: Admission = field(default_factory=OpenAdmission)
    local_only: bool = False
    ledger: MemoryLedger = field(default_factory=MemoryLedger)

    def app(self) -> ASGIApp:
        wired = self.wired()
        return create_app(wired, query_routes(wired), local_only=self.local_only)

    def wired(self) -> Wired:
        web = FakeTransport(Clock(), *self.answers)
        transport: Transport = SchemeTransport({"https": web, "echo": EchoTransport()})
        endpoints = self.endpoints or MemoryEndpoints([DEMO, INSTANT, GPT])
        vault = FakeVault(key="sk-secret")
        return Wired(
            gateway=gateway_of(
                admission=self.admission,
                endpoints=endpoints,
                transport=transport,
                vault=vault,
                ledger=self.ledger,
            ),
            admission=self.admission,
            endpoints=endpoints,
            items=MemoryItems(),
            vault=vault,
            records=MemoryRecords(),
            transport=transport,
            settings=Settings(home=Path("unused"), max_body_bytes=LIMIT, max_reply_bytes=LIMIT),
            background=Background(),
        )


@dataclass
class Told:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return loads(self.body)

    @property
    def error(self) -> Any:
        """What OpenAI's clients read."""
        assert self.headers["content-type"] == "application/json"
        assert set(self.json) <= {"error", "detail"}
        return self.json["error"]


class Caller:
    """One connection's ASGI messages: what the app receives, what it sends.

    ``parts``: the body, as it arrives. ``gone``: set it, and the caller has hung up.
    """

    def __init__(self, *parts: bytes) -> None:
        self._parts = list(parts) or [b""]
        self.gone = asyncio.Event()
        self.sent: list[Message] = []

    async def receive(self) -> Message:
        if self._parts:
            part = self._parts.pop(0)
            return {"type": "http.request", "body": part, "more_body": bool(self._parts)}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    @property
    def told(self) -> Told:
        start, *rest = self.sent
        headers = [(name.decode(), value.decode("latin-1")) for name, value in start["headers"]]
        assert [pair for pair in headers if set(pair[1]) & set("\r\n\0")] == []
        assert not rest[-1].get("more_body")
        body = b"".join(part.get("body", b"") for part in rest)
        return Told(start["status"], dict(headers), body)


def scope(method: str, path: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    given = {"host": "127.0.0.1:8000", **(headers or {})}
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode("utf-8", "surrogatepass"),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in given.items()],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
    }


async def called(
    app: ASGIApp, method: str, path: str, *parts: bytes, headers: Mapping[str, str] | None = None
) -> Told:
    caller = Caller(*parts)
    await app(scope(method, path, headers), caller.receive, caller.send)
    return caller.told


@cache
def plain() -> ASGIApp:
    """The app of a world that nobody looks at afterwards: it takes longer to make than to call."""
    return World().app()


def get(path: str, world: World | None = None, **headers: str) -> Told:
    app = world.app() if world else plain()
    return run(called(app, "GET", path, headers=headers))


def post(path: str, body: Any, world: World | None = None, **headers: str) -> Told:
    """``body``: bytes as they are, anything else as JSON."""
    text = body if isinstance(body, bytes) else dumps(body)
    app = world.app() if world else plain()
    return run(called(app, "POST", path, text, headers=headers))

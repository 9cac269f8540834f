"""A whole gateway over stores in memory, called as a server would call it."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from gateway.adapters.cached import Lifetimes
from gateway.adapters.echo import EchoTransport
from gateway.adapters.ledgers import Keeping, Ledgers
from gateway.adapters.log_ledger import LogLedger
from gateway.adapters.memory import MemoryItems, MemoryRecords
from gateway.adapters.schemes import SchemeTransport
from gateway.adapters.stored import CachedGrants, StoredEndpoints
from gateway.admin.keys import Keys
from gateway.admission.admission import KeyAdmission
from gateway.bootstrap.wiring import Wired, gateway_of
from gateway.errors import ChangedMeanwhile, Unavailable
from gateway.exchange.background import Background
from gateway.ports import Change, ItemStore, Kind, Page, RecordStore, Variables
from gateway.settings import Settings
from gateway.wire.json import Json, dumps, loads
from handler.app import create_app, query_routes
from handler.control.routes import control_routes, means_of
from tests.fakes import Clock, FakeTransport, FakeUpstream, Hang, run
from tests.handler.driver import Caller, Told, scope

LIMIT = 64 * 1024
# Long, so that a test sees what a gateway that remembers may still serve.
REMEMBERED = Lifetimes(fresh=10, stale=30, absent=5)
GPT: Json = {"provider": "openai", "model": "gpt", "secret": "env:OPENAI_API_KEY"}
ECHO: Json = {"provider": "echo", "model": "echo-instant"}
ROLE = "arn:aws:iam::123456789012:role/deployer"
NOW = "now"  # in place of a moment within the last minute


class KeptVault:
    """``entries``: name -> value and origin. ``down``: nothing can be asked of it."""

    def __init__(self) -> None:
        self.entries: dict[str, tuple[str, str]] = {}
        self.down = False
        self.variables = {"env:OPENAI_API_KEY": "sk-from-the-environment"}

    async def secret(self, reference: str, origin: str) -> str:
        if reference in self.variables:
            return self.variables[reference]
        value, bound = self.entries.get(reference.removeprefix("vault:"), ("", ""))
        if self.down or bound != origin:
            raise Unavailable(f"secret {reference!r} cannot be had")
        return value

    async def renewed(self, reference: str, origin: str, refused: str) -> str | None:
        del reference, origin, refused
        return None

    async def put(self, name: str, value: str, origin: str) -> None:
        if self.down:
            raise Unavailable("the vault is down")
        self.entries[name] = value, origin

    async def delete(self, name: str) -> None:
        if self.down:
            raise Unavailable("the vault is down")
        self.entries.pop(name, None)


class FailingItems(MemoryItems):
    """``down``: the ways in that are closed: get, page, write. ``meanwhile``: others write first."""

    def __init__(self) -> None:
        super().__init__()
        self.down: set[str] = set()
        self.meanwhile = False

    async def get(self, kind: Kind, name: str) -> Any:
        self._check("get")
        return await super().get(kind, name)

    async def page(self, kind: Kind, *, after: str | None = None, limit: int = 100) -> Page:
        self._check("page")
        return await super().page(kind, after=after, limit=limit)

    async def write(self, changes: Sequence[Change]) -> None:
        self._check("write")
        if self.meanwhile:
            raise ChangedMeanwhile("it was changed meanwhile", code="changed_meanwhile")
        await super().write(changes)

    def _check(self, way: str) -> None:
        if way in self.down:
            raise Unavailable("the store is down")


@dataclass
class World:
    """``answers``: what providers say, in turn. ``clock``: of admission and what it remembers."""

    answers: tuple[FakeUpstream | Exception | Hang, ...] = ()
    items: ItemStore = field(default_factory=MemoryItems)
    records: RecordStore = field(default_factory=MemoryRecords)
    vault: KeptVault = field(default_factory=KeptVault)
    variables: Variables = "usual"
    allowed: tuple[str, ...] = ()
    clock: Clock = field(default_factory=Clock)
    app: FastAPI = field(init=False)
    wired: Wired = field(init=False)
    admin: str = field(init=False)

    def __post_init__(self) -> None:
        self.clock.now = time.time()
        self.web = FakeTransport(Clock(), *self.answers)
        self.wired = self._wired()
        routes = [*query_routes(self.wired), *control_routes(self.wired)]
        self.app = create_app(self.wired, routes)
        made = run(Keys(means_of(self.wired)).create("root", {"role": "admin"}))
        self.admin = made.secret or ""

    def _wired(self) -> Wired:
        background = Background()
        keeping = Keeping(self.records, background, pause=0)
        grants = CachedGrants(self.items, clock=self.clock, lifetimes=REMEMBERED)
        admission = KeyAdmission(grants, clock=self.clock, seen=keeping.seen)
        transport = SchemeTransport({"https": self.web, "echo": EchoTransport()})
        endpoints = StoredEndpoints(self.items)
        return Wired(
            gateway=gateway_of(
                admission=admission,
                endpoints=endpoints,
                transport=transport,
                vault=self.vault,
                ledger=Ledgers(LogLedger(), keeping),
            ),
            admission=admission,
            endpoints=endpoints,
            items=self.items,
            vault=self.vault,
            records=self.records,
            transport=transport,
            settings=Settings(home=Path("unused"), max_body_bytes=LIMIT, max_reply_bytes=LIMIT),
            background=background,
            allowed=self.allowed,
            variables=self.variables,
        )

    def ask(self, method: str, path: str, body: Any = b"", **more: Any) -> Told:
        return run(self.asked(method, path, body, **more))

    async def asked(
        self,
        method: str,
        path: str,
        body: Any = b"",
        *,
        headers: Mapping[str, str] | None = None,
        query: str = "",
    ) -> Told:
        """As the first admin, unless ``headers`` say who. ``body``: bytes as they are, or JSON."""
        given = {"authorization": f"Bearer {self.admin}", **(headers or {})}
        text = body if isinstance(body, bytes) else dumps(body)
        told = await called(self.app, scope(method, path, given), text, query=query)
        await self.wired.background.finish(5)
        return told

    def version(self, method: str, path: str, body: Any, version: str) -> Told:
        return self.ask(method, path, body, headers={"if-match": version})

    def put_secret(self, name: str = "openai", value: str = "sk-0123456789abcdef") -> Told:
        return self.ask("PUT", f"/api/secrets/{name}", {"value": value, "provider": "openai"})

    def make_key(self, name: str, **spec: Any) -> str:
        told = self.ask("POST", "/api/keys", {"name": name, **spec})
        assert told.status == 201, told.body
        return str(told.json["key"])

    def make_endpoint(self, name: str = "e", **spec: Any) -> Json:
        told = self.ask("POST", "/api/endpoints", {"name": name, "targets": [ECHO], **spec})
        assert told.status == 201, told.body
        made: Json = told.json
        return made


async def called(app: FastAPI, asked: Json, *parts: bytes, query: str = "") -> Told:
    caller = Caller(*parts)
    await app({**asked, "query_string": query.encode()}, caller.receive, caller.send)
    return caller.told


def ageless(told: Any) -> Any:
    """The same, with NOW for what happened now."""
    if isinstance(told, list):
        return [ageless(one) for one in told]
    if isinstance(told, dict):
        return {name: _moment(name, value) for name, value in told.items()}
    return told


def _moment(name: str, value: Any) -> Any:
    recent = name in ("created", "updated") and abs(value - time.time()) < 60
    return NOW if recent else ageless(value)


def refusal(told: Told) -> tuple[int, str | None, str]:
    """Status, field and message of an error."""
    error = told.json["error"]
    return told.status, error["param"], error["message"]


def faults(told: Told) -> dict[str | None, str]:
    return {one["field"]: one["problem"] for one in told.json["faults"]}


def whole(items: MemoryItems) -> Json:
    """All that a store holds, for comparing before and after."""
    return {
        f"{kind}/{name}": (loads(text), nth) for (kind, name), (text, nth) in items._items.items()
    }


__all__ = ["ECHO", "GPT", "NOW", "ROLE", "FailingItems", "KeptVault", "World"]

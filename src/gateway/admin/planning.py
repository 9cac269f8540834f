"""What it takes to make a manifest true."""

import asyncio
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from gateway.admin import endpoints, keys
from gateway.admin.consequences import After, State, origins_used
from gateway.admin.keys import Keys
from gateway.admin.means import Means, every, is_fingerprint_of
from gateway.admin.references import Rules, secrets_named
from gateway.admin.secrets import UNBOUND, Secrets, origin_told
from gateway.admin.settings import settings_after, settings_in
from gateway.admin.specs import KeySpec, ManifestSpec, SecretSpec, endpoint_of
from gateway.admission.keys import principal_id
from gateway.errors import Conflict, Invalid
from gateway.ports import SETTINGS, Change, EndpointStore, Item, Kind
from gateway.providers.egress import AllowList
from gateway.routing.endpoint import Endpoint
from gateway.routing.items import write_endpoint
from gateway.wire.items import unknown
from gateway.wire.json import Json, dumps

Action = Literal["create", "update", "delete"]


@dataclass(frozen=True, slots=True)
class Step:
    """One difference. ``before`` and ``after``: as a person would write them; None for nothing.

    Of a secret's value they say only whether it is another.
    """

    action: Action
    kind: Kind
    name: str
    before: Json | None
    after: Json | None


@dataclass(slots=True)
class Plan:
    """``made``: the secrets of new keys. ``entered``: values for the vault, with their changes.

    ``seen``: what there was when it was made, to tell whether that has changed since.
    ``unfinished``: what applying it could not do, and applying it again will.
    """

    seen: str = ""
    steps: list[Step] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    entered: list[tuple[Change, str]] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    made: dict[str, str] = field(default_factory=dict)
    unfinished: list[str] = field(default_factory=list)

    def add(self, kind: Kind, name: str, before: Json | None, after: Json | None) -> bool:
        """Whether there is a difference."""
        if before == after:
            return False
        action: Action = "update"
        if before is None or after is None:
            action = "create" if before is None else "delete"
        self.steps.append(Step(action, kind, name, before, after))
        return True


async def read_state(means: Means) -> State:
    kinds: Sequence[Kind] = ("endpoint", "key", "secret", "settings")
    return {kind: {item.name: item async for item in every(means.items, kind)} for kind in kinds}


@dataclass(frozen=True, slots=True)
class Known:
    """The endpoints that there will be."""

    planned: Mapping[str, Endpoint]
    store: EndpointStore

    async def find(self, name: str) -> Endpoint:
        return self.planned.get(name) or await self.store.find(name)

    async def list(self) -> Sequence[Endpoint]:
        return await self.store.list()


class Planning:
    """One plan in the making: every fault is gathered before any is told."""

    def __init__(self, means: Means, manifest: ManifestSpec, state: State) -> None:
        self._means, self._manifest, self._state = means, manifest, state
        self._plan = Plan(seen=_told_apart(state))
        self._faults: list[tuple[str | None, str]] = []

    async def plan(self, *, prune: bool) -> Plan:
        named = {name for spec in self._manifest.endpoints.values() for name in secrets_named(spec)}
        now = await Rules.read(self._means, named.union(self._state["secret"]))
        rules = self._after(now)
        planned = self._endpoints(rules)
        rules = replace(rules, origins=self._origins(planned.values(), now.origins))
        for name, endpoint in planned.items():
            with self._gathered():
                rules.check(endpoint, f"endpoints.{name}.")
            self._write("endpoint", name, write_endpoint(endpoint), endpoints.specification)
        await self._plan_secrets(rules.origins)
        await self._plan_keys(planned)
        self._plan_settings()
        if prune:
            await self._prune()
        after = After(self._state, self._manifest, planned, self._plan.changes)
        self._faults += [*after.dangling(), *after.rebound(rules.origins)]
        self._faults += after.ungoverned(self._means.now)
        if self._faults:
            raise Invalid(self._faults)
        return self._plan

    def _after(self, rules: Rules) -> Rules:
        """The rules as they will be, but for the origins of new secrets."""
        origins = dict.fromkeys(self._manifest.secrets, "") | dict(rules.origins)
        if self._manifest.settings is None:
            return replace(rules, origins=origins)
        entries = (*self._means.allowed, *self._manifest.settings.allow_private)
        return replace(rules, origins=origins, allowed=AllowList.parse(entries))

    def _endpoints(self, rules: Rules) -> dict[str, Endpoint]:
        there, planned = self._state["endpoint"], {}
        for name, spec in self._manifest.endpoints.items():
            before = there[name].body.get("created", 0) if name in there else self._means.now
            with self._gathered(f"endpoints.{name}."):
                planned[name] = endpoint_of(
                    name, spec, created=before, usual_secret=rules.usual_secret
                )
        return planned

    def _origins(self, planned: Iterable[Endpoint], now: Mapping[str, str]) -> Mapping[str, str]:
        """Where each secret may go: as it is told, else where its targets are, else as before."""
        origins = dict(now)
        used = origins_used(planned)
        for name, spec in self._manifest.secrets.items():
            told = None
            with self._gathered(f"secrets.{name}."):
                told = origin_told(spec)
            found = used.get(name, set())
            if told or len(found) == 1:
                origins[name] = told or found.pop()
            elif name not in origins:
                self._faults.append((f"secrets.{name}.provider", UNBOUND))
        return origins

    async def _plan_secrets(self, origins: Mapping[str, str]) -> None:
        secrets = Secrets(self._means)
        for name, spec in self._manifest.secrets.items():
            item, origin = self._state["secret"].get(name), origins.get(name)
            if origin is None or await _is_kept(item, spec, origin):
                continue
            if spec.value is None:
                self._faults.append((f"secrets.{name}.value", f"is required: {_why(item, origin)}"))
                continue
            before = {"base_url": item.body["origin"]} if item else None
            self._plan.add("secret", name, before, {"base_url": origin, "value": "(entered)"})
            claimed = secrets.claim(name, spec.value, origin, item)
            self._plan.entered.append((claimed, spec.value))
            self._plan.changes.append(claimed)

    async def _plan_keys(self, planned: Mapping[str, Endpoint]) -> None:
        cases = Keys(replace(self._means, endpoints=Known(planned, self._means.endpoints)))
        principals: dict[str, str] = {}
        for name, spec in self._manifest.keys.items():
            item = self._state["key"].get(name)
            with self._gathered(f"keys.{name}."):
                _refuse_shared(spec, name, principals)
                if item is None:
                    changes, secret = await cases.creation(name, spec)
                    if secret is not None:
                        self._plan.made[name] = secret
                else:
                    changes = await cases.changed(item, spec)
                before = keys.specification(item.body) if item else None
                after = keys.specification(changes[0].body or {})
                if self._plan.add("key", name, before, after):
                    self._plan.changes += changes

    def _plan_settings(self) -> None:
        if self._manifest.settings is None:
            return
        item = self._state["settings"].get(SETTINGS)
        after = self._manifest.settings.model_dump()
        if self._plan.add("settings", SETTINGS, settings_in(item), after):
            body = settings_after(item, self._manifest.settings)
            change = Change("settings", SETTINGS, body, item.version if item else 0)
            self._plan.changes.append(change)

    async def _prune(self) -> None:
        spoken = self._manifest.model_fields_set
        cases = Keys(self._means)
        doomed = {
            kind: [item for name, item in self._state[kind].items() if name not in named]
            for kind, named in self._named().items()
            if f"{kind}s" in spoken
        }
        for item in doomed.get("endpoint", ()):
            self._write("endpoint", item.name, None, endpoints.specification)
        for item in doomed.get("key", ()):
            self._plan.add("key", item.name, keys.specification(item.body), None)
            self._plan.changes += await cases.revoked(item)
        for item in doomed.get("secret", ()):
            self._plan.add("secret", item.name, {"base_url": item.body["origin"]}, None)
            self._plan.changes.append(Change("secret", item.name, None, item.version))
            self._plan.removed.append(item.name)

    def _named(self) -> Mapping[Kind, Mapping[str, Any]]:
        manifest = self._manifest
        return {"endpoint": manifest.endpoints, "key": manifest.keys, "secret": manifest.secrets}

    def _write(self, kind: Kind, name: str, body: Json | None, told: Any) -> None:
        item = self._state[kind].get(name)
        if item and body is not None:
            body = {**unknown(Endpoint, item.body), **body}
        before = told(item.body) if item else None
        if self._plan.add(kind, name, before, None if body is None else told(body)):
            self._plan.changes.append(Change(kind, name, body, item.version if item else 0))

    @contextmanager
    def _gathered(self, place: str = "") -> Iterator[None]:
        try:
            yield
        except Invalid as error:
            self._faults += [(place + (name or ""), problem) for name, problem in error.faults]
        except Conflict as error:
            self._faults.append((place + (error.field or ""), error.message))


def _refuse_shared(spec: KeySpec, name: str, principals: dict[str, str]) -> None:
    if spec.principal is None:
        return
    first = principals.setdefault(principal_id(spec.principal), name)
    if first != name:
        problem = f"{spec.principal} is the principal of key {first!r} already"
        raise Invalid([("principal", problem)])


async def _is_kept(item: Item | None, spec: SecretSpec, origin: str) -> bool:
    """Whether the secret that is there is the one that the manifest means."""
    if item is None or item.body["origin"] != origin or "fingerprint" not in item.body:
        return False
    if spec.value is None:
        return True
    return await asyncio.to_thread(is_fingerprint_of, spec.value, item.body["fingerprint"])


def _why(item: Item | None, origin: str) -> str:
    if item is None:
        return "it is new"
    if item.body["origin"] != origin:
        return f"it was entered for {item.body['origin']}"
    return "it did not come to be kept"


def _told_apart(state: State) -> str:
    """Another text for every other state; what was deleted and made anew is another too."""
    told = [
        (item.kind, item.name, item.version, dumps(item.body))
        for of in state.values()
        for item in of.values()
    ]
    return hashlib.sha256(repr(sorted(told)).encode()).hexdigest()[:32]

"""What the use cases of configuration work with, faked."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from gateway.adapters.cached import Lifetimes
from gateway.adapters.memory import MemoryItems, MemoryRecords
from gateway.adapters.stored import CachedGrants, StoredEndpoints
from gateway.admin.endpoints import Endpoints
from gateway.admin.keys import Keys
from gateway.admin.manifest import Manifests
from gateway.admin.means import Means, every
from gateway.admin.secrets import Secrets
from gateway.admission.admission import KeyAdmission, Presented
from gateway.errors import Unauthenticated, Unavailable
from gateway.ports import Change, Item, ItemStore, Kind, Variables
from gateway.wire.json import Json
from tests.fakes import Clock, run

GPT: Json = {"provider": "openai", "model": "gpt", "secret": "vault:openai"}
ECHO: Json = {"provider": "echo", "model": "echo"}
ROLE = "arn:aws:iam::123456789012:role/deployer"
NEVER = Lifetimes(fresh=0, stale=0, absent=0)
KINDS: tuple[Kind, ...] = ("endpoint", "key", "grant", "secret", "settings")


class KeptVault:
    """``down``: it takes nothing. ``refused``: the one that it does not take."""

    def __init__(self) -> None:
        self.entries: dict[str, tuple[str, str]] = {}
        self.down = False
        self.refused: str | None = None

    async def secret(self, reference: str, origin: str) -> str:
        value, bound = self.entries[reference.removeprefix("vault:")]
        assert bound == origin
        return value

    async def renewed(self, reference: str, origin: str, refused: str) -> str | None:
        del reference, origin, refused
        return None

    async def put(self, name: str, value: str, origin: str) -> None:
        if self.down or name == self.refused:
            raise Unavailable("the vault is down")
        self.entries[name] = value, origin

    async def delete(self, name: str) -> None:
        self.entries.pop(name, None)


class Refusing(MemoryItems):
    """Refuses a write that holds a change of this name, once it has come to it."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: str | None = None

    async def write(self, changes: Sequence[Change]) -> None:
        if self.refused in [change.name for change in changes]:
            raise Unavailable(f"{self.refused} cannot be written")
        await super().write(changes)


class Overtaken(MemoryItems):
    """``first``: what others do between the reading and the writing of whoever writes next."""

    def __init__(self) -> None:
        super().__init__()
        self.first: Callable[[], Awaitable[object]] | None = None

    async def write(self, changes: Sequence[Change]) -> None:
        first, self.first = self.first, None
        if first is not None:
            await first()
        await super().write(changes)


@dataclass
class World:
    items: ItemStore = field(default_factory=MemoryItems)
    vault: KeptVault = field(default_factory=KeptVault)
    clock: Clock = field(default_factory=Clock)
    variables: Variables = "usual"
    allowed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self._made = 0
        self.records = MemoryRecords()
        self.means = Means(
            items=self.items,
            vault=self.vault,
            records=self.records,
            endpoints=StoredEndpoints(self.items),
            clock=self.clock,
            entropy=self._entropy,
            allowed=self.allowed,
            variables=self.variables,
        )
        self.keys, self.secrets = Keys(self.means), Secrets(self.means)
        self.endpoints, self.manifests = Endpoints(self.means), Manifests(self.means)

    def _entropy(self) -> bytes:
        self._made += 1
        return bytes([self._made]) * 32

    def held(self) -> dict[str, tuple[Json, int]]:
        """All that the store holds."""

        async def read() -> list[Item]:
            return [item for kind in KINDS async for item in every(self.items, kind)]

        return {f"{item.kind}/{item.name}": (item.body, item.version) for item in run(read())}

    def plan(self, manifest: Json, *, prune: bool = False) -> list[str]:
        """Each step, in short."""
        plan = run(self.manifests.plan(manifest, prune=prune))
        return [f"{step.action} {step.kind} {step.name}" for step in plan.steps]

    def apply(self, manifest: Json, *, prune: bool = False) -> list[str]:
        plan = run(self.manifests.apply(manifest, prune=prune))
        return [f"{step.action} {step.kind} {step.name}" for step in plan.steps]

    def key(self, name: str, **spec: object) -> str:
        return run(self.keys.create(name, spec)).secret or ""

    def names(self, kind: Kind) -> list[str]:
        return [at.partition("/")[2] for at in self.held() if at.startswith(f"{kind}/")]

    def admitted(self, key: str | None = None, *, principal: str | None = None) -> str | None:
        """Who it is that holds it; None for nobody."""
        grants = CachedGrants(self.items, clock=self.clock, lifetimes=NEVER)
        admission = KeyAdmission(grants, clock=self.clock, seen=lambda *_: None)
        try:
            caller = run(admission.identify(Presented(key, principal)))
        except Unauthenticated:
            return None
        return f"{caller.name}: {', '.join(caller.roles)}"


__all__ = ["ECHO", "GPT", "ROLE", "KeptVault", "Overtaken", "Refusing", "World"]

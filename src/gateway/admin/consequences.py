"""What a plan would leave behind: nothing that refers to what is gone, nobody locked out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from gateway.admin.keys import governs
from gateway.admin.references import VAULT
from gateway.admin.specs import ManifestSpec
from gateway.admission.keys import read_key
from gateway.ports import Change, Item, Kind
from gateway.providers.origins import base_url_of, origin_of
from gateway.routing.endpoint import Endpoint
from gateway.routing.items import read_endpoint

State = Mapping[Kind, Mapping[str, Item]]
Fault = tuple[str | None, str]


@dataclass(frozen=True, slots=True)
class After:
    """What there was, and what was planned."""

    state: State
    manifest: ManifestSpec
    planned: Mapping[str, Endpoint]
    changes: list[Change]

    def dangling(self) -> Iterator[Fault]:
        """Secrets and endpoints that would go, and that something would still refer to."""
        for name, endpoint in (self._untouched() | dict(self.planned)).items():
            for secret in origins_used([endpoint]):
                if self._goes("secret", secret):
                    yield f"secrets.{secret}", f"is used by endpoint {name!r}"
        for name, named in self._named_by_keys().items():
            for endpoint_name in named or ():
                if self._goes("endpoint", endpoint_name) and not self._goes("key", name):
                    yield f"endpoints.{endpoint_name}", f"is named by key {name!r}"

    def rebound(self, origins: Mapping[str, str]) -> Iterator[Fault]:
        """Secrets that would be taken away from endpoints that the manifest does not speak of."""
        for name, endpoint in self._untouched().items():
            for secret, used in origins_used([endpoint]).items():
                if secret in self.manifest.secrets and used != {origins.get(secret)}:
                    problem = f"endpoint {name!r} uses it at {', '.join(sorted(used))}"
                    yield f"secrets.{secret}.provider", problem

    def ungoverned(self, now: int) -> Sequence[Fault]:
        """Whether no admin key would be left. One that is left is held on to: it is written as it
        is, so that it cannot go at the same moment."""
        before = {name: item.body for name, item in self.state["key"].items()}
        after = before | {one.name: one.body for one in self.changes if one.kind == "key"}
        were, left = (
            {name for name, body in of.items() if body and governs(read_key(body), now)}
            for of in (before, after)
        )
        if were and not left:
            return [("keys", "would leave no admin key: nobody could configure the gateway")]
        touched = {one.name for one in self.changes if one.kind == "key"}
        if were - left and not left & touched:
            item = self.state["key"][min(left)]
            self.changes.append(Change("key", item.name, item.body, item.version))
        return []

    def _untouched(self) -> dict[str, Endpoint]:
        return {
            name: read_endpoint(item.body)
            for name, item in self.state["endpoint"].items()
            if name not in self.planned and not self._goes("endpoint", name)
        }

    def _named_by_keys(self) -> Mapping[str, Sequence[str] | None]:
        before = {name: item.body.get("endpoints") for name, item in self.state["key"].items()}
        return before | {name: spec.endpoints for name, spec in self.manifest.keys.items()}

    def _goes(self, kind: Kind, name: str) -> bool:
        return any(
            one.kind == kind and one.name == name and one.body is None for one in self.changes
        )


def origins_used(planned: Iterable[Endpoint]) -> dict[str, set[str]]:
    """Secret -> where the targets that use it are."""
    used: dict[str, set[str]] = {}
    for endpoint in planned:
        for target in endpoint.targets + endpoint.fallbacks:
            kind, _, name = (target.secret or "").partition(":")
            if kind == VAULT.rstrip(":"):
                used.setdefault(name, set()).add(origin_of(base_url_of(target)))
    return used

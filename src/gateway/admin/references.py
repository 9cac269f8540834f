"""What an endpoint may refer to: secrets that exist and go there, addresses that are allowed."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Self

from gateway.admin.means import Means
from gateway.admin.specs import EndpointSpec
from gateway.errors import Invalid
from gateway.ports import SETTINGS, Variables
from gateway.providers.catalog import PROVIDERS, Provider
from gateway.providers.egress import AllowList, private_url
from gateway.providers.origins import base_url_of, origin_of
from gateway.routing.endpoint import Endpoint, Target

VAULT = "vault:"


def secrets_named(spec: EndpointSpec) -> set[str]:
    """Those that its targets refer to, or would if they said nothing."""
    told = {
        one.secret.removeprefix(VAULT) if one.secret else one.provider
        for one in spec.targets + spec.fallbacks
    }
    return {name for name in told if ":" not in name}


@dataclass(frozen=True, slots=True)
class Rules:
    """``origins``: secret -> where it may go."""

    origins: Mapping[str, str]
    allowed: AllowList
    variables: Variables

    @classmethod
    async def read(cls, means: Means, secrets: Iterable[str]) -> Self:
        """``secrets``: the names that may be asked about, each looked up as it is now."""
        origins = {}
        for name in sorted(set(secrets)):
            if item := await means.items.get("secret", name):
                origins[name] = item.body["origin"]
        settings = await means.items.get("settings", SETTINGS)
        stored = settings.body.get("allow_private", ()) if settings else ()
        return cls(origins, AllowList.parse((*means.allowed, *stored)), means.variables)

    def usual_secret(self, provider: Provider) -> str | None:
        """For a target that names none: the secret of the provider's name, or its variable."""
        if not provider.key_variables:
            return None
        if provider.name in self.origins or self.variables == "none":
            return VAULT + provider.name
        return f"env:{provider.key_variables[0]}"

    def check(self, endpoint: Endpoint, place: str = "") -> None:
        """Raises Invalid that names each field. ``place``: where the endpoint stands."""
        parts = (("targets", endpoint.targets), ("fallbacks", endpoint.fallbacks))
        faults = [
            (f"{place}{part}[{nth}].{field}", problem)
            for part, targets in parts
            for nth, target in enumerate(targets)
            for field, problem in self._faults(target)
        ]
        if faults:
            raise Invalid(faults)

    def _faults(self, target: Target) -> Iterator[tuple[str, str]]:
        if target.base_url and (why := self._private(target.base_url)):
            yield "base_url", why
        if target.secret is None:
            return
        kind, _, name = target.secret.partition(":")
        if kind != "vault":
            if why := self._variable_fault(target):
                yield "secret", why
            return
        origin, bound = origin_of(base_url_of(target)), self.origins.get(name)
        if bound is None:
            yield "secret", f"there is no secret {name!r}: `sluicegate secrets put {name}` first"
        elif bound != origin:
            yield "secret", f"{name!r} was entered for {bound}: enter it again for {origin}"

    def _private(self, url: str) -> str | None:
        entry = private_url(url)
        if entry is None:
            return None
        host, _, port = entry.rpartition(":")
        host = host.strip("[]")
        connected = "127.0.0.1" if host.endswith("localhost") else host
        try:
            admitted = self.allowed.admits(host, int(port), connected)
        except ValueError:  # a name that only the resolver can place: the guard decides
            return None
        if admitted:
            return None
        return (
            f"{entry} is not a public address; to let the gateway connect there, allow it first: "
            f"allow_private: [{entry}] in the settings"
        )

    def _variable_fault(self, target: Target) -> str | None:
        """A variable goes to the provider whose usual one it is, and nowhere else: whoever may
        write endpoints must not be able to send the process' environment to a place of theirs."""
        if self.variables == "any":
            return None
        if self.variables == "none":
            return f"must be {VAULT}NAME here: variables are for a gateway on one machine"
        usual = {f"env:{name}" for name in PROVIDERS[target.provider].key_variables}
        if target.secret in usual and target.base_url is None:
            return None
        return (
            f"{target.secret} may be sent only where it usually goes: put the key as a secret "
            f"({VAULT}NAME), or write the endpoint in a file for `serve --config`"
        )

"""Every endpoint there is, and where each comes from."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from gateway.adapters.environment import DEMO, EnvironmentEndpoints
from gateway.adapters.sqlite import SqliteItems
from gateway.adapters.stored import StoredEndpoints
from gateway.routing.endpoint import Endpoint, Target
from gateway.settings import Settings
from handler.cli.configuration import configured_endpoints

Source = Literal["file", "store", "environment", "built in"]


@dataclass(frozen=True, slots=True)
class Listed:
    """``hidden``: another endpoint of this name goes before it."""

    endpoint: Endpoint
    source: Source
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What endpoints are made from, on this machine."""

    settings: Settings
    environment: Mapping[str, str]
    configured: Sequence[Endpoint]

    @classmethod
    def here(cls, settings: Settings) -> "Surroundings":
        return cls(settings, os.environ, configured_endpoints(settings))

    @property
    def items(self) -> SqliteItems:
        return SqliteItems(self.settings.store_file)

    async def listed(self) -> list[Listed]:
        """By name, and one that hides another before it."""
        found: list[tuple[Endpoint, Source]] = [(one, "file") for one in self.configured]
        found += [(one, "store") for one in await StoredEndpoints(self.items).list()]
        found += [
            (one, "built in" if one is DEMO else "environment")
            for one in await EnvironmentEndpoints(self.environment).list()
        ]
        seen: set[str] = set()
        rows = []
        for endpoint, source in found:
            rows.append(Listed(endpoint, source, hidden=endpoint.name in seen))
            seen.add(endpoint.name)
        return sorted(rows, key=lambda row: row.endpoint.name)


def target_name(target: Target) -> str:
    return f"{target.provider}/{target.model}"


def shares(targets: Sequence[Target]) -> list[str]:
    """Each target by name, and which part of the calls it gets where there are several."""
    if len(targets) == 1:
        return [target_name(targets[0])]
    total = sum(target.weight for target in targets)
    return [f"{target_name(target)} {target.weight / total:.0%}" for target in targets]


def secrets_of(endpoint: Endpoint) -> list[str]:
    """References to its targets' keys, each once."""
    targets = endpoint.targets + endpoint.fallbacks
    return list(dict.fromkeys(target.secret for target in targets if target.secret))


def missing_variables(endpoint: Endpoint, environment: Mapping[str, str]) -> list[str]:
    """The variables that its targets take keys from and that are not set."""
    names = [one.removeprefix("env:") for one in secrets_of(endpoint) if one.startswith("env:")]
    return [name for name in names if not environment.get(name)]

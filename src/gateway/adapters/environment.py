"""Endpoints that nobody has to configure: the demo, and every provider whose key is at hand.

``PROVIDER/MODEL`` names any model of a provider whose usual key variable is set (or that needs no
key), and a model's own name is enough where it tells the provider (``gpt-…``, ``claude-…``).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gateway.errors import EndpointNotFound
from gateway.providers.catalog import ECHO, OPENAI_COMPATIBLE, PROVIDERS, Provider
from gateway.routing.endpoint import Endpoint, Price, Target

DEMO = Endpoint("demo", (Target(ECHO, "echo", price=Price(0, 0)),))
# What may stand in a header and a log line; it comes from the caller.
_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+\-]{0,199}")


@dataclass(frozen=True, slots=True)
class Found:
    """A provider at hand: the variable that holds its key, and where it has been moved to."""

    provider: Provider
    key_variable: str | None
    base_url: str | None


def found_providers(environment: Mapping[str, str]) -> list[Found]:
    return list(_found(environment))


def _found(environment: Mapping[str, str]) -> Iterable[Found]:
    for provider in PROVIDERS.values():
        if provider.name in (ECHO, OPENAI_COMPATIBLE):
            continue
        key = next((name for name in provider.key_variables if environment.get(name)), None)
        moved = environment.get(provider.base_url_variable or "") or None
        keyless = not provider.key_variables or moved
        if (key or keyless) and (provider.base_url or moved):
            yield Found(provider, key, moved)


class EnvironmentEndpoints:
    def __init__(self, environment: Mapping[str, str]) -> None:
        self._found = {found.provider.name: found for found in found_providers(environment)}

    async def find(self, name: str) -> Endpoint:
        if name == DEMO.name:
            return DEMO
        if _MODEL.fullmatch(name) and (target := self._target(name)):
            return Endpoint(name, (target,))
        raise EndpointNotFound(name, _hint(name))

    async def list(self) -> Sequence[Endpoint]:
        listed = [DEMO]
        for found in self._found.values():
            if found.key_variable or found.base_url:
                target = _target(found, found.provider.example)
                listed.append(Endpoint(f"{found.provider.name}/{target.model}", (target,)))
        return sorted(listed, key=lambda endpoint: endpoint.name)

    def _target(self, name: str) -> Target | None:
        provider, slash, model = name.partition("/")
        if slash and model and provider in self._found:
            return _target(self._found[provider], model)
        for found in self._found.values():
            if found.key_variable and name.startswith(found.provider.models or ("\n",)):
                return _target(found, name)
        return None


def _hint(name: str) -> str | None:
    """Which key would make this name one that is found."""
    prefix = name.partition("/")[0]
    for provider in PROVIDERS.values():
        named = prefix == provider.name or name.startswith(provider.models or ("\n",))
        if named and provider.key_variables:
            return f"set {provider.key_variables[0]} to call {provider.name}"
    return None


def _target(found: Found, model: str) -> Target:
    secret = f"env:{found.key_variable}" if found.key_variable else None
    return Target(found.provider.name, model, secret, base_url=found.base_url)

"""One gateway for every replay, in front of one scripted provider."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from gateway.providers.catalog import ECHO
from gateway.routing.endpoint import Endpoint, Target
from tests.live import LiveGateway, ScriptedProvider, live_gateway, target
from tests.parity.wire import SHARED
from tests.provided import provider, provider_of_all

__all__ = ["provider", "provider_of_all"]

RECORDED = ("openai", "azure", "groq", "deepseek", "mistral", "openrouter", "anthropic")
CALLED = ("my-endpoint", "my-chat-endpoint")  # what the recorded clients call
SERVED = (
    "openai",
    "groq",
    "anthropic",
)  # of the providers in endpoints.json, those that this step speaks to


def of_parity(origin: str) -> Iterator[Endpoint]:
    """The endpoints of the recorded cases, pointed at the scripted provider."""
    file = SHARED / "parity" / "endpoints.json"
    described = json.loads(file.read_text()) if file.exists() else []
    for one in described:
        if not all(model["provider"] in SERVED for model in one["models"]):
            continue
        primaries = [_target(model, origin) for model in one["models"] if _primary(model)]
        fallbacks = [_target(model, origin) for model in one["models"] if not _primary(model)]
        most = (one["fallback_config"] or {}).get("max_attempts")
        yield Endpoint(one["name"], tuple(primaries), tuple(fallbacks[:most]))


def _primary(model: dict[str, Any]) -> bool:
    return bool(model["linkage_type"] == "PRIMARY")


def _target(model: dict[str, Any], origin: str) -> Target:
    path = model["auth_config"]["api_base"].removeprefix("http://127.0.0.1:5998")
    return target(origin + path, model["model_name"], model["provider"])


@pytest.fixture(scope="module")
def gateway(
    provider_of_all: ScriptedProvider, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveGateway]:
    claude = target(provider_of_all.url, "the-model", "anthropic")
    endpoints = [
        *of_parity(provider_of_all.origin),
        *(
            Endpoint(f"at-{name}", (target(provider_of_all.url, "the-model", name),))
            for name in RECORDED
        ),
        # The echo answers what it can; what it does not speak goes on to one who does.
        *(Endpoint(name, (Target(ECHO, "echo-instant"),), (claude,)) for name in CALLED),
    ]
    with live_gateway(tmp_path_factory.mktemp("home"), endpoints) as gateway:
        yield gateway

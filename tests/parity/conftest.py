"""One gateway for every replay, in front of one scripted provider."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from gateway.providers.catalog import ECHO
from gateway.routing.endpoint import Endpoint, Target
from tests.live import LiveGateway, ScriptedProvider, live_gateway, target
from tests.parity.clients import CALLED
from tests.parity.wire import SHARED
from tests.provided import provider, provider_of_all

__all__ = ["provider", "provider_of_all"]

RECORDED = ("openai", "azure", "groq", "deepseek", "mistral", "openrouter", "anthropic", "gemini")


def of_parity(origin: str) -> Iterator[Endpoint]:
    """The endpoints of the recorded cases, pointed at the scripted provider."""
    file = SHARED / "parity" / "endpoints.json"
    described = json.loads(file.read_text()) if file.exists() else []
    for one in described:
        primaries = [_target(model, origin) for model in one["models"] if _primary(model)]
        fallbacks = [_target(model, origin) for model in one["models"] if not _primary(model)]
        most = (one["fallback_config"] or {}).get("max_attempts")
        yield Endpoint(one["name"], tuple(primaries), tuple(fallbacks[:most]))


def of_every_dialect(url: str) -> Iterator[Endpoint]:
    """One endpoint for each dialect that a provider may speak."""
    for dialect, model, name in (
        ("openai_chat", "gpt-test", "openai"),
        ("openai_responses", "gpt-test", "openai"),
        ("anthropic_messages", "claude-sonnet-4-5", "anthropic"),
        ("gemini", "gemini-2.5-flash", "gemini"),
    ):
        yield Endpoint(f"any-{dialect}", (replace(target(url, model, name), dialect=dialect),))


def _primary(model: dict[str, Any]) -> bool:
    return bool(model["linkage_type"] == "PRIMARY")


def _target(model: dict[str, Any], origin: str) -> Target:
    path = model["auth_config"]["api_base"].removeprefix("http://127.0.0.1:5998")
    return target(origin + path, model["model_name"], model["provider"])


@pytest.fixture(scope="module")
def gateway(
    provider_of_all: ScriptedProvider, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveGateway]:
    gemini = target(provider_of_all.url, "gemini-2.5-flash", "gemini")
    endpoints = [
        *of_parity(provider_of_all.origin),
        *(
            Endpoint(f"at-{name}", (target(provider_of_all.url, "the-model", name),))
            for name in RECORDED
        ),
        *of_every_dialect(provider_of_all.url),
        Endpoint("two-geminis", (gemini,), (gemini,)),
        *(Endpoint(name, (Target(ECHO, "echo-instant"),)) for name in CALLED),
    ]
    with live_gateway(tmp_path_factory.mktemp("home"), endpoints) as gateway:
        yield gateway

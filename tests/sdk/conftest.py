"""One gateway and one scripted provider for all the tests of the SDK, and the SDK's clients."""

import socket
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from gateway.routing.endpoint import Endpoint, Retries, Timeouts
from tests.live import LiveGateway, ScriptedProvider, live_gateway, target
from tests.provided import provider, provider_of_all
from tests.sdk.clients import AsyncSdk, Gemini, Sdk, SyncSdk, sdk_of

__all__ = ["provider", "provider_of_all"]


def endpoints(url: str) -> list[Endpoint]:
    one = (target(url),)
    claude = (target(url, "claude-test", "anthropic"),)
    other = target(f"{url.removesuffix('/v1')}/anthropic", "other-test", "anthropic_compatible")
    return [
        Endpoint("claude", claude),
        Endpoint("claudes", claude, (other,), retries=Retries(times=1, first_pause=0)),
        Endpoint("impatient-claude", claude, timeouts=Timeouts(first_content=0.15)),
        Endpoint("restless-claude", claude, timeouts=Timeouts(idle=0.15, heartbeat=0.05)),
        Endpoint("steady-claude", claude, timeouts=Timeouts(heartbeat=0.05)),
        Endpoint("thinker-claude", claude, timeouts=Timeouts(commit_after=0.05, heartbeat=0.05)),
        Endpoint("keyless-claude", (replace(*claude, secret="env:NO_SUCH_KEY"),)),
        Endpoint("gone-claude", (replace(*claude, base_url=f"http://127.0.0.1:{closed_port()}"),)),
        *any_model(url),
        Endpoint("model", one),
        Endpoint("impatient", one, timeouts=Timeouts(first_content=0.15)),
        Endpoint("restless", one, timeouts=Timeouts(idle=0.15, heartbeat=0.05)),
        Endpoint("steady", one, timeouts=Timeouts(heartbeat=0.05)),
        Endpoint("thinker", one, timeouts=Timeouts(commit_after=0.05, heartbeat=0.05)),
        Endpoint("quits", one, timeouts=Timeouts(0.25, commit_after=0.05, heartbeat=0.1)),
        Endpoint("gone", (target(f"http://127.0.0.1:{closed_port()}/v1"),)),
        Endpoint("keyless", (replace(*one, secret="env:NO_SUCH_KEY"),)),
    ]


def any_model(url: str) -> list[Endpoint]:
    """One endpoint for each dialect that a provider may speak."""
    origin = url.removesuffix("/v1")
    responses = replace(target(url), dialect="openai_responses")
    return [
        Endpoint("any-openai_chat", (replace(target(url), dialect="openai_chat"),)),
        Endpoint("any-openai_responses", (responses,)),
        Endpoint("any-anthropic_messages", (target(url, "claude-test", "anthropic"),)),
        Endpoint("any-gemini", (target(f"{origin}/v1beta", "gemini-test", "gemini"),)),
    ]


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture(scope="module")
def gateway(
    provider_of_all: ScriptedProvider, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveGateway]:
    home = tmp_path_factory.mktemp("home")
    with live_gateway(home, endpoints(provider_of_all.url)) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def sdk_at(gateway: LiveGateway) -> Iterator[Callable[[str, str], Sdk]]:
    """The client of a manner (sync or async) at an API (openai, mlflow or anthropic)."""
    made: dict[tuple[str, str], SyncSdk | AsyncSdk] = {}

    def at(manner: str, api: str) -> Sdk:
        if (manner, api) not in made:
            made[manner, api] = sdk_of(manner, gateway.url, api)
        return made[manner, api]

    yield at
    for one in made.values():
        one.close()


@pytest.fixture(params=["sync", "async"])
def manner(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["openai", "mlflow"])
def api(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def sdk(sdk_at: Callable[[str, str], Sdk], manner: str, api: str) -> Sdk:
    """Both manners at both APIs."""
    return sdk_at(manner, api)


@pytest.fixture
def openai_sdk(sdk_at: Callable[[str, str], Sdk], manner: str) -> Sdk:
    """Both manners, for what only OpenAI's own route has."""
    return sdk_at(manner, "openai")


@pytest.fixture
def anthropic_sdk(sdk_at: Callable[[str, str], Sdk], manner: str) -> Sdk:
    """Both manners of Anthropic's SDK."""
    return sdk_at(manner, "anthropic")


@pytest.fixture
def gemini_sdk(gateway: LiveGateway, manner: str) -> Iterator[Gemini]:
    """Both manners of Google's SDK."""
    sdk = Gemini(gateway.url, manner)
    yield sdk
    sdk.close()


@pytest.fixture
def plain_sdk(sdk_at: Callable[[str, str], Sdk]) -> Sdk:
    """One manner at one API, for what depends on neither."""
    return sdk_at("sync", "openai")

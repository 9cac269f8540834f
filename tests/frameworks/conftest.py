"""A gateway as a user starts it, one in front of a scripted provider, and nothing off this machine.

The frameworks have an environment of their own (`make test-frameworks`); without it nothing is
collected here.
"""

import asyncio
import logging
import os
from collections.abc import Callable, Coroutine, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from gateway.routing.endpoint import Endpoint
from tests.frameworks import loopback
from tests.live import LiveGateway, ScriptedProvider, live_gateway, target
from tests.provided import provider, provider_of_all
from tests.serving import serving

__all__ = ["provider", "provider_of_all"]

Run = Callable[[Coroutine[Any, Any, Any]], Any]

HAVE_THEM = find_spec("langchain_openai") is not None
collect_ignore_glob = [] if HAVE_THEM else ["test_*.py"]


def pytest_configure() -> None:
    if HAVE_THEM:
        os.environ.update(loopback.QUIET)
        loopback.stay()
        # It logs what it raises; only what the gateway logs as an error fails a test.
        logging.getLogger("openai.agents").propagate = False


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.frameworks)


@pytest.fixture(autouse=True)
def nobody_leaves_this_machine() -> Iterator[None]:
    yield
    assert loopback.strays == []


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of `sluicegate serve` with nothing configured."""
    with serving(tmp_path_factory.mktemp("demo")) as url:
        yield url


@pytest.fixture(scope="module")
def gateway(
    provider_of_all: ScriptedProvider, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveGateway]:
    """Endpoints of a provider that says what the test tells it to."""
    url = provider_of_all.url
    endpoints = [
        Endpoint("model", (target(url),)),
        Endpoint("claude", (target(url, "claude-test", "anthropic"),)),
    ]
    with live_gateway(tmp_path_factory.mktemp("home"), endpoints) as gateway:
        yield gateway


@pytest.fixture(scope="session")
def run() -> Iterator[Run]:
    """One event loop for all: some frameworks keep a client for the whole process."""
    with asyncio.Runner() as runner:
        yield runner.run

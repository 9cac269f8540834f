"""What the tests of the AWS adapters share."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.adapters.aws.clients import Clients
from tests.aws.emulators import Aws, Faults, Servers, servers_of, with_tables

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.aws)


@pytest.fixture
def servers(request: pytest.FixtureRequest) -> Servers:
    return servers_of(request.config)


@pytest.fixture(params=["ministack", "roto"])
def aws(request: pytest.FixtureRequest, servers: Servers, monkeypatch: pytest.MonkeyPatch) -> Aws:
    return servers.aws(request.param, monkeypatch)


@pytest.fixture
def faults(servers: Servers) -> Iterator[Faults]:
    rules = Faults(servers.url("faults"))
    rules.are()
    yield rules
    rules.are()


@pytest.fixture
def faulty(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> Aws:
    """An AWS with tables, behind the proxy that makes the faults."""
    aws = with_tables(servers.aws("faults", monkeypatch))
    aws.raw.secrets.list_secrets(MaxResults=1)  # the proxy reads a service's model at first use
    # Its own clients: one that has met many faults spends its retries, and tries no more.
    return replace(aws, clients=Clients())

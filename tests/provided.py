"""Fixtures: a scripted provider for a module, with a clean script for each of its tests."""

from collections.abc import Iterator

import pytest

from tests.live import ScriptedProvider, scripted_provider


@pytest.fixture(scope="module")
def provider_of_all() -> Iterator[ScriptedProvider]:
    with scripted_provider() as provider:
        yield provider


@pytest.fixture
def provider(provider_of_all: ScriptedProvider) -> Iterator[ScriptedProvider]:
    provider_of_all.will()
    yield provider_of_all
    assert provider_of_all.faults == []

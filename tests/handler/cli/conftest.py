import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.providers.catalog import PROVIDERS
from tests.handler.cli.stand_in import StandIn


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, no provider's key, and a terminal of 80 columns."""
    names = {name for name in os.environ if name.startswith("SLUICEGATE_")}
    for provider in PROVIDERS.values():
        names |= {*provider.key_variables, provider.base_url_variable or "OPENAI_BASE_URL"}
    for name in names:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SLUICEGATE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path / "home"


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody types."""
    for module in ("typed", "control", "manifests"):
        monkeypatch.setattr(f"handler.cli.{module}.someone_types", lambda: True)


@pytest.fixture
def provider() -> Iterator[StandIn]:
    with StandIn() as stand_in:
        yield stand_in


@pytest.fixture(autouse=True)
def _log_as_before() -> Iterator[None]:
    """``serve`` sets up the log of its process, which here is everybody's."""
    logger = logging.getLogger("sluicegate")
    level = logger.level
    yield
    logger.setLevel(level)

"""What holds for every test."""

import pytest

from gateway.admin import means


@pytest.fixture(autouse=True)
def cheap_fingerprints(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are slow on purpose, and a test makes many."""
    monkeypatch.setattr(means, "COST", 2)

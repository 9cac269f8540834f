"""What holds for every test."""

import importlib
from importlib.util import find_spec

import pytest

from gateway.admin import means

if find_spec("hypothesis"):  # the frameworks' environment has none
    importlib.import_module("tests.same_examples")


@pytest.fixture(autouse=True)
def cheap_fingerprints(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are slow on purpose, and a test makes many."""
    monkeypatch.setattr(means, "COST", 2)

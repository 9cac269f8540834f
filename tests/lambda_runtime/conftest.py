"""What the tests of Lambda's loop share."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from handler.lambda_runtime.loop import TRACE
from tests.provided import provider, provider_of_all

__all__ = ["provider", "provider_of_all"]

HERE = Path(__file__).parent
# These need no socket.
PLAIN = ("test_mode.py", "test_prelude.py", "test_removal.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE) and item.path.name not in PLAIN:
            item.add_marker(pytest.mark.runtime)


@pytest.fixture(autouse=True)
def no_trace_is_left() -> Iterator[None]:
    """A loop that is alone in its process notes there what it serves; here it is not alone."""
    yield
    os.environ.pop(TRACE, None)

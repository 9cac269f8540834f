"""What the tests of Lambda's loop share."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent
# These need no socket.
PLAIN = ("test_mode.py", "test_prelude.py", "test_removal.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE) and item.path.name not in PLAIN:
            item.add_marker(pytest.mark.runtime)

"""What a function does before its first call."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SLOW = ("boto3", "botocore.session", "httpx", "uvicorn", "typer", "sqlite3", "yaml", "rich")
PLANES = {
    "query": ("handler.lambda_function", ("gateway.admin", "handler.control", "handler.cli")),
    "control": ("handler.control.lambda_function", ("handler.cli",)),
}


@pytest.mark.parametrize("plane", PLANES)
def test_it_imports_nothing_that_only_some_calls_need(plane: str) -> None:
    """And the query plane nothing that could write configuration."""
    module, foreign = PLANES[plane]
    names = [*SLOW, *foreign]
    code = f"import sys, {module}; print([n for n in {names} if n in sys.modules])"
    told = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": "src"},
        cwd=Path(__file__).parent.parent.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert told.stdout == "[]\n"

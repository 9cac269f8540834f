"""The gateway as a user starts it: a process of its own, on a port of its own."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

SOURCE = Path(__file__).parent.parent / "src"


@contextmanager
def serving(
    home: Path, *options: str, environment: Mapping[str, str] | None = None
) -> Iterator[str]:
    """``sluicegate serve`` with an empty home; yields its URL once it answers."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with (home / "serve.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "handler.cli", "serve", "--port", str(port), *options],
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(SOURCE),
                "HOME": str(home),
                "SLUICEGATE_HOME": str(home / ".gateway"),
                **(environment or {}),
            },
            cwd=home,
            stdout=log,
            stderr=log,
        )
    try:
        wait_until_up(url, process, home / "serve.log")
        yield url
    finally:
        process.terminate()
        process.wait(timeout=15)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until_up(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=5):  # noqa: S310
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.05)
    raise AssertionError(f"the gateway did not come up:\n{log.read_text()}")

"""AWS' own Runtime Interface Emulator, from the SAM CLI's package: the code that is on the other side
of the Runtime API, with the built artefact behind it."""

import json
import os
import platform
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.deploy.artefact import ROOT, Artefact, python313
from tests.serving import free_port

HANDLER = "handler.lambda_function.handler"
PATIENCE = 30.0  # seconds for a start, or for one answer
NULS = b"\0" * 8
LOCAL = {
    "AWS_LAMBDA_FUNCTION_TIMEOUT": "30",
    "AWS_LAMBDA_LOG_FORMAT": "JSON",
    "GATEWAY_INVOKE_MODE": "RESPONSE_STREAM",
    "SLUICEGATE_STORE": "local",
    "SLUICEGATE_REQUIRE_KEYS": "false",
}
# With several invocations at once it starts nothing that it is told to, but /var/runtime/bootstrap, and
# that as a user of its own: so it gets a Lambda to live in, which nobody outside of it sees.
LAMBDA = """
set -e
mount -t tmpfs -o mode=0755 none /mnt
mkdir /mnt/task /mnt/lang /mnt/runtime
mount --bind "$TASK" /mnt/task
mount --bind "$PYTHON_HOME" /mnt/lang
mount -t tmpfs -o mode=0755 none /var
mkdir /var/task /var/lang /var/runtime
mount --move /mnt/task /var/task
mount --move /mnt/lang /var/lang
mount -t tmpfs -o mode=1777 none /tmp
printf '%s\\n' '#!/bin/sh' 'exec "$AWS_LAMBDA_EXEC_WRAPPER" /var/lang/bin/python3.13 /var/runtime/bootstrap.py' \
  > /var/runtime/bootstrap
chmod 755 /var/runtime/bootstrap
exec "$@"
"""


@dataclass(frozen=True, slots=True)
class Invoked:
    status: int
    body: bytes

    @property
    def streamed(self) -> tuple[Any, bytes]:
        """The prelude and the body: this emulator hands them over as they are."""
        told, found, body = self.body.partition(NULS)
        assert found, self.body[:300]
        return json.loads(told), body

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Emulator:
    url: str
    log: Path

    def invoke(self, event: Any) -> Invoked:
        request = Request(self.url, json.dumps(event).encode())  # noqa: S310
        try:
            with urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
                return Invoked(answer.status, answer.read())
        except HTTPError as error:
            with error:
                return Invoked(error.code, error.read())


def emulator() -> Path:
    """Skips where there is none."""
    kind = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
    venv = Path(os.environ.get("SAM_BIN", ROOT / ".venv-sam/bin")).parent
    found = sorted(venv.glob(f"lib/python3*/site-packages/samcli/local/rapid/*-{kind}"))
    if not found:
        pytest.skip("AWS' emulator comes with the SAM CLI: make .venv-sam/.ready")
    return found[0]


@contextmanager
def emulated(
    artefact: Artefact, home: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Emulator]:
    """One invocation at a time."""
    wrapper = artefact.root / "handler/bootstrap_wrapper"
    command = [str(wrapper), str(artefact.python), "/var/runtime/bootstrap.py"]
    told = {**LOCAL, "SLUICEGATE_HOME": str(home / "store"), **(environment or {})}
    with _running([], command, artefact.environment(HANDLER) | told, home) as emulator:
        yield emulator


@contextmanager
def emulated_managed_instance(
    artefact: Artefact, home: Path, concurrency: int, environment: Mapping[str, str] | None = None
) -> Iterator[Emulator]:
    """Several at once, as on Lambda Managed Instances. Skips where no namespace can be made."""
    namespace = ["unshare", "--mount", "/bin/sh", "-c", LAMBDA, "lambda"]
    if subprocess.run([*namespace[:2], "true"], check=False, capture_output=True).returncode:  # noqa: S603
        pytest.skip("it takes a mount namespace of its own, which only root can make")
    told = artefact.environment(HANDLER) | {
        **LOCAL,
        "AWS_LAMBDA_EXEC_WRAPPER": "/var/task/handler/bootstrap_wrapper",
        "AWS_LAMBDA_MAX_CONCURRENCY": str(concurrency),
        "LAMBDA_TASK_ROOT": "/var/task",
        "PYTHON_HOME": str(python313().resolve().parent.parent),
        "SLUICEGATE_HOME": "/tmp/store",  # noqa: S108 - of its own
        "TASK": str(artefact.root),
        **(environment or {}),
    }
    with _running(namespace, [], told, home) as emulator:
        yield emulator


@contextmanager
def _running(
    before: list[str], command: list[str], environment: Mapping[str, str], home: Path
) -> Iterator[Emulator]:
    port, log = free_port(), home / "emulator.log"
    addresses = ["--runtime-interface-emulator-address", f"127.0.0.1:{port}"]
    addresses += ["--runtime-api-address", f"127.0.0.1:{free_port()}", "--log-level", "info"]
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603
            [*before, str(emulator()), *addresses, *command],
            env=dict(environment),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        _wait_for(port, process, log)
        yield Emulator(f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations", log)
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # it, and the function that it started
        process.wait(PATIENCE)


def _wait_for(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text()
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    pytest.fail(f"the emulator did not start: {log.read_text()}")

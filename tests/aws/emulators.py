"""AWS on loopback: servers of other people's making, and a proxy that gives them faults.

One of each in a session (with xdist, in each worker that asks for it).
"""

import json
import os
import subprocess
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest

from gateway.adapters.aws import clients, sdk
from gateway.adapters.aws.clients import Clients
from gateway.adapters.aws.provision import create_tables
from tests.serving import free_port

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_secretsmanager import SecretsManagerClient

ROOT = Path(__file__).parent.parent.parent
BIN = ROOT / os.environ.get("SLUICEGATE_AWS_BIN", ".venv-aws/bin")
# What the servers' SDK must not find in the environment of whoever runs the tests.
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


@dataclass(frozen=True)
class Aws:
    """An AWS and what one test has in it: names that no other test uses."""

    clients: Clients
    raw: "Raw"
    config: str
    ledger: str
    prefix: str


class Raw:
    """The SDK's own clients, to look behind the adapters' back."""

    def __init__(self) -> None:
        make: Any = botocore.session.get_session().create_client
        self.dynamodb: DynamoDBClient = make("dynamodb")
        self.secrets: SecretsManagerClient = make("secretsmanager")


@dataclass(frozen=True)
class Faults:
    """The proxy's rules: what goes wrong on the way."""

    url: str

    def are(self, *rules: Mapping[str, Any]) -> None:
        request = urllib.request.Request(  # noqa: S310
            f"{self.url}/_microburst/rules",
            json.dumps(rules).encode(),
            {"content-type": "application/json"},
            method="POST",
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            assert len(json.load(answer)) == len(rules)


def be_patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let AWS take as long as it may on a busy machine: what is tested is what it answers."""
    monkeypatch.setattr(clients, "DEADLINE", 40.0)
    monkeypatch.setattr(sdk, "PATIENCE", 15.0)


class Servers:
    """Each starts when it is first asked for. So do its clients: to make them takes long."""

    def __init__(self) -> None:
        self._urls: dict[str, str] = {}
        self._clients: dict[str, tuple[Clients, Raw]] = {}
        self._running = ExitStack()
        self.close = self._running.close

    def url(self, name: str) -> str:
        if name not in self._urls:
            self._urls[name] = self._running.enter_context(getattr(self, f"_{name}")(free_port()))
        return self._urls[name]

    def aws(self, name: str, monkeypatch: pytest.MonkeyPatch) -> Aws:
        """From here on, the SDK takes this one for AWS."""
        be_patient(monkeypatch)
        for variable in [variable for variable in os.environ if variable.startswith("AWS_")]:
            monkeypatch.delenv(variable)
        for variable, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": self.url(name)}.items():
            monkeypatch.setenv(variable, value)
        if name not in self._clients:
            self._clients[name] = (Clients(), Raw())
        own = uuid.uuid4().hex
        return Aws(*self._clients[name], f"config-{own}", f"ledger-{own}", f"{own}/providers/")

    def _ministack(self, port: int) -> AbstractContextManager[str]:
        # It listens everywhere unless it is told not to.
        environment = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port)}
        return started(port, "/_ministack/health", ["ministack"], environment)

    def _roto(self, port: int) -> AbstractContextManager[str]:
        options = ["--host", "127.0.0.1", "--port", str(port), "--ephemeral"]
        return started(port, "/", ["roto-server", *options], {})

    def _faults(self, port: int) -> AbstractContextManager[str]:
        """Between its callers and ministack."""
        upstream = self.url("ministack")
        options = ["--upstream", upstream, "--host", "127.0.0.1", "--port", str(port)]
        return started(port, "/_microburst/health", ["microburst", *options], {})


SERVERS = pytest.StashKey[Servers]()


def servers_of(config: pytest.Config) -> Servers:
    """Those of this session, which ends them."""
    if SERVERS not in config.stash:
        config.stash[SERVERS] = Servers()
        config.add_cleanup(config.stash[SERVERS].close)
    return config.stash[SERVERS]


def with_tables(aws: Aws) -> Aws:
    create_tables(aws.raw.dynamodb, aws.config, aws.ledger)
    return aws


@contextmanager
def started(
    port: int, path: str, command: Sequence[str], environment: Mapping[str, str]
) -> Iterator[str]:
    program = BIN / command[0]
    if not program.exists():
        pytest.skip(f"{program} is not installed: requirements/aws.txt, or set SLUICEGATE_AWS_BIN")
    url = f"http://127.0.0.1:{port}"
    with TemporaryDirectory() as home, (Path(home) / "log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603
            [program, *command[1:]],
            env={"PATH": os.environ["PATH"], "HOME": home, **CREDENTIALS, **environment},
            cwd=home,
            stdout=log,
            stderr=log,
        )
        try:
            wait_until_up(url + path, process, Path(log.name))
            assert listens_on(process.pid) == {"127.0.0.1"}
            yield url
        finally:
            end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_until_up(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310
                return
        except urllib.error.HTTPError:
            return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.05)
    raise AssertionError(f"{url} did not come up:\n{log.read_text()}")


def listens_on(pid: int) -> set[str]:
    """The IPv4 addresses that a process listens on; ``::`` for any of IPv6. Linux tells."""
    if not Path("/proc/self/fd").exists():
        return {"127.0.0.1"}
    sockets = set()
    for handle in Path(f"/proc/{pid}/fd").iterdir():
        try:
            sockets.add(str(handle.readlink()).removeprefix("socket:[").rstrip("]"))
        except FileNotFoundError:  # closed meanwhile
            continue
    addresses = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in sockets:
                number = fields[1].partition(":")[0]
                octets = reversed(bytes.fromhex(number))
                addresses.add(".".join(map(str, octets)) if table == "tcp" else "::")
    return addresses

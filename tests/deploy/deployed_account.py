"""An AWS on loopback that also runs the functions, and what a user does there: `sam`, `sluicegate`."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from openai import OpenAI

from tests.aws.emulators import BIN, CREDENTIALS, started
from tests.deploy.artefact import ARCHITECTURE, python313
from tests.deploy.stack import ROOT, SAM_BIN, Stack
from tests.serving import SOURCE, free_port

PATIENCE = 30.0  # seconds, for what is no `sam`
SAM_TAKES = 100.0
FUNCTION_URL = re.compile(r"https://([a-z0-9]+)\.lambda-url\.us-east-1\.on\.aws/")
# The emulator runs handlers, and no loop but its own; its processor is this machine's.
AS_IT_CAN = {"Runtime": "stock", "InvokeMode": "BUFFERED", "Architecture": ARCHITECTURE}


@dataclass(frozen=True)
class Account:
    """``project`` holds what was built and a samconfig.toml, as a user's checkout does."""

    url: str
    project: Path

    def deploy(self, name: str, typed: str = "", *words: str, **parameters: str) -> str:
        given = [f"{key}={value}" for key, value in parameters.items()]
        overrides = ["--parameter-overrides", *given] if given else []
        return self.sam("deploy", "--stack-name", name, *words, *overrides, typed=typed)

    def sam(self, *words: str | Path, typed: str = "", cwd: Path | None = None) -> str:
        done = subprocess.run(  # noqa: S603
            [SAM_BIN / "sam", *words],
            cwd=cwd or self.project,
            env=self._environment({"SAM_CLI_POLL_DELAY": "0.5", "PYTHON313": str(python313())}),
            input=typed,
            capture_output=True,
            text=True,
            timeout=SAM_TAKES,
            check=False,
        )
        told = done.stdout + done.stderr
        assert done.returncode == 0, told
        return told

    def command(self, *words: str, typed: str | None = None, environment: Mapping[str, str]) -> str:
        """What `sluicegate` prints."""
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-m", "handler.cli", *words],
            cwd=self.project,
            env=self._environment({"PYTHONPATH": str(SOURCE), **environment}),
            input=typed,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def client(self, service: str) -> Any:
        return botocore.session.Session().create_client(
            service,
            region_name="us-east-1",
            endpoint_url=self.url,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def stack(self, name: str) -> Any:
        return self.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]

    def stacks(self) -> list[str]:
        """Those that have not been deleted."""
        told = self.client("cloudformation").describe_stacks()["Stacks"]
        gone = "DELETE_COMPLETE"
        return [one["StackName"] for one in told if one["StackStatus"] != gone]

    def tables(self) -> list[str]:
        names: list[str] = self.client("dynamodb").list_tables()["TableNames"]
        return names

    def functions(self) -> list[str]:
        told = self.client("lambda").list_functions()["Functions"]
        return [one["FunctionName"] for one in told]

    def secrets(self) -> list[str]:
        """Those that are not about to be deleted."""
        told = self.client("secretsmanager").list_secrets()["SecretList"]
        return [one["Name"] for one in told]

    def log_groups(self) -> list[str]:
        told = self.client("logs").describe_log_groups()["logGroups"]
        return [one["logGroupName"] for one in told]

    def logged(self, group: str) -> list[str]:
        client = self.client("logs")
        streams = client.describe_log_streams(logGroupName=group)["logStreams"]
        return [
            event["message"]
            for stream in streams
            for event in client.get_log_events(
                logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True
            )["events"]
        ]

    def _environment(self, more: Mapping[str, str]) -> dict[str, str]:
        mine = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AWS_", "SAM_", "SLUICEGATE_"))
        }
        own = {"AWS_ENDPOINT_URL": self.url, "SAM_CLI_TELEMETRY": "0"}
        return {**mine, **CREDENTIALS, **own, **more}


@dataclass(frozen=True)
class Deployed:
    """A stack, as its outputs tell of it. ``said``: what `sam deploy` printed. ``allowed``: private
    addresses, which a user's own command has to be told as the stack was."""

    account: Account
    name: str
    said: str = ""
    allowed: str = ""

    @property
    def outputs(self) -> dict[str, str]:
        told = self.account.stack(self.name)["Outputs"]
        return {one["OutputKey"]: one["OutputValue"] for one in told}

    @property
    def settings(self) -> dict[str, str]:
        """What a user exports."""
        pairs = self.outputs["CommandEnvironment"].split()
        return dict(pair.split("=", 1) for pair in pairs)

    def url(self, output: str) -> str:
        """Where the emulator serves what on AWS has a name of its own."""
        found = FUNCTION_URL.fullmatch(self.outputs[output])
        assert found, self.outputs[output]
        return f"{self.account.url}/_aws/lambda-url/{found[1]}/"

    def admin_key(self) -> str:
        return self.with_aws("admin-key").strip()

    def with_aws(self, *words: str, typed: str | None = None) -> str:
        """The command with its user's own AWS rights."""
        settings = {**self.settings, "SLUICEGATE_ALLOW_PRIVATE": self.allowed}
        return self.account.command(*words, "--aws", typed=typed, environment=settings)

    def with_url(self, *words: str, typed: str | None = None) -> str:
        """The command with the admin key alone."""
        place = ("--url", self.url("ControlUrl"))
        key = {"SLUICEGATE_ADMIN_KEY": self._admin_key}
        return self.account.command(*words, *place, typed=typed, environment=key)

    def sdk(self, key: str) -> OpenAI:
        base_url = f"{self.url('GatewayUrl')}gateway/openai/v1"
        return OpenAI(base_url=base_url, api_key=key, max_retries=0, timeout=PATIENCE)

    def item(self, table: str, id: str) -> Any:
        """None: there is no such item."""
        client = self.account.client("dynamodb")
        found = client.get_item(TableName=self.outputs[table], Key={"id": {"S": id}})
        return found.get("Item")

    @cached_property
    def _admin_key(self) -> str:
        return self.admin_key()


@contextmanager
def account(home: Path) -> Iterator[Account]:
    """An empty one. Skips where it cannot be had."""
    _is_installed()
    port, project = free_port(), home / "build"
    # Told where to listen, since it would everywhere; and where to unpack the functions.
    settings = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "TMPDIR": str(home)}
    with started(port, "/_ministack/health", ["ministack"], settings) as url:
        yield Account(url, project)
    shutil.rmtree(home)


def build(account: Account) -> None:
    """`sam build`, beside the checkout's own: that is its user's."""
    given = f"Architecture={ARCHITECTURE}"
    places = ("--build-dir", account.project, "--cache-dir", account.project / "cache")
    account.sam("build", *places, "--parameter-overrides", given, cwd=ROOT)
    shutil.copy(ROOT / "samconfig.toml", account.project)  # `sam deploy --guided` writes there


def answers() -> str:
    """To `sam deploy --guided`, as the README says: Enter everywhere, but for two questions."""
    names = ["stack name", "region", *Stack().template["Parameters"]]
    asked = [*names, "confirm changes", "create roles", "disable rollback"]
    public = ["the query function has no authentication", "nor has the control function"]
    saved = ["save", "file", "environment"]
    return "\n" * len(asked) + "y\n" * len(public) + "\n" * len(saved)


def eventually(claim: Callable[[], Any], waited_for: str, seconds: float = PATIENCE) -> Any:
    """The first answer that is true."""
    deadline = time.monotonic() + seconds
    while not (answer := claim()):
        assert time.monotonic() < deadline, f"not seen: {waited_for}"
        time.sleep(0.1)
    return answer


def _is_installed() -> None:
    for program in (SAM_BIN / "sam", BIN / "ministack"):
        if not program.exists():
            pytest.skip(f"{program} is not installed: make .venv-sam/.ready .venv-aws/.ready")
    version = "import sys; print(*sys.version_info[:2])"
    found: Sequence[str] = subprocess.run(  # noqa: S603
        [BIN / "python", "-c", version], check=True, capture_output=True, text=True
    ).stdout.split()
    if found != ["3", "13"]:
        pytest.skip(f"{BIN} is no Python 3.13, in which ministack could run the functions")

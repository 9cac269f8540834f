"""What the stack's custom resource does, and what CloudFormation is told of it."""

import json
import socketserver
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from gateway.adapters.aws.vault import SecretsManagerVault
from gateway.admin.means import every
from gateway.admin.secrets import Secrets
from gateway.bootstrap.aws import aws_control
from gateway.settings import Settings
from handler.control import setup_function as custom_resource  # pytest would call the other name
from handler.control.routes import means_of
from handler.control.setup import PROTECTED
from tests.aws.emulators import Aws, with_tables
from tests.fakes import Clock, run
from tests.live import in_thread

CANARY = "sk-canary-1"


class Told(BaseHTTPRequestHandler):
    """CloudFormation's address for responses; the first ``deaf`` of them are not heard."""

    server: "Responses"

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.server.deaf:
            self.server.deaf -= 1
            self.send_response(503)
        else:
            self.server.told.append((self.headers["content-type"], json.loads(body)))
            self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class Responses(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Told)
        self.told: list[tuple[str | None, Any]] = []
        self.deaf = 0


class Context:
    def __init__(self, seconds: float = 60) -> None:
        self._seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(self._seconds * 1000)


@contextmanager
def responses() -> Iterator[Responses]:
    with Responses() as server, in_thread(partial(server.serve_forever, poll_interval=0.01)):
        try:
            yield server
        finally:
            server.shutdown()


class Stack:
    """Sends events as CloudFormation does, and hears what comes of them."""

    def __init__(self, aws: Aws, cloudformation: Responses) -> None:
        self.aws, self.cloudformation = aws, cloudformation
        self.prefix = aws.prefix.removesuffix("providers/")

    def sends(self, kind: str, seconds: float = 60, **properties: str) -> Any:
        """What it is told in the end."""
        address, port = self.cloudformation.server_address[:2]
        event = {
            "RequestType": kind,
            "ResponseURL": f"http://{address!s}:{port}/response",
            "StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/gw/1",
            "RequestId": f"request-{kind}",
            "LogicalResourceId": "Setup",
            "ResourceProperties": properties,
        }
        custom_resource.handler(event, Context(seconds))
        ((content_type, told),) = self.cloudformation.told
        self.cloudformation.told.clear()
        assert content_type in (None, "")
        assert (told["RequestId"], told["LogicalResourceId"]) == (f"request-{kind}", "Setup")
        assert told["StackId"] == event["StackId"]
        return told["Status"], told["Reason"]

    def protects(self, table: str, protected: bool) -> None:
        self.aws.raw.dynamodb.update_table(TableName=table, DeletionProtectionEnabled=protected)

    def secrets(self) -> list[str]:
        found = self.aws.raw.secrets.list_secrets(MaxResults=100)["SecretList"]
        names = [one["Name"] for one in found if "DeletedDate" not in one]
        return sorted(name for name in names if name.startswith(self.prefix))


@pytest.fixture
def stack(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    with_tables(aws)
    monkeypatch.setenv("SLUICEGATE_CONFIG_TABLE", aws.config)
    monkeypatch.setenv("SLUICEGATE_LEDGER_TABLE", aws.ledger)
    monkeypatch.setenv("SLUICEGATE_SECRET_PREFIX", aws.prefix.removesuffix("providers/"))
    monkeypatch.setattr("handler.control.setup.start_logging", lambda _: None)
    with responses() as cloudformation:
        yield Stack(aws, cloudformation)


def enter_a_secret() -> None:
    """As the control plane does."""

    async def enter() -> None:
        wired = aws_control(Settings(store="aws"))
        await Secrets(means_of(wired)).put(
            "openai", {"value": CANARY, "provider": "openai"}, version=None
        )
        await wired.close()

    run(enter())


def key_names() -> list[str]:
    async def read() -> list[str]:
        wired = aws_control(Settings(store="aws"))
        names = [item.name async for item in every(wired.items, "key")]
        await wired.close()
        return names

    return run(read())


def test_making_the_stack_makes_the_first_admin_key_once(stack: Stack) -> None:
    assert stack.sends("Create") == ("SUCCESS", "")
    assert stack.secrets() == [f"{stack.prefix}admin-key"]
    assert key_names() == ["admin"]
    assert stack.sends("Update") == ("SUCCESS", "")
    assert key_names() == ["admin"]


def test_deleting_the_stack_deletes_the_secrets_that_were_entered(stack: Stack) -> None:
    stack.sends("Create")
    enter_a_secret()
    assert stack.secrets() == [f"{stack.prefix}admin-key", f"{stack.prefix}providers/openai"]
    assert stack.sends("Delete") == ("SUCCESS", "")
    assert stack.secrets() == []
    assert stack.sends("Delete") == ("SUCCESS", "")


def test_while_the_tables_are_protected_the_secrets_are_too(stack: Stack) -> None:
    stack.sends("Create")
    stack.protects(stack.aws.ledger, True)
    reason = PROTECTED.format(tables=stack.aws.ledger)
    assert stack.sends("Delete") == ("FAILED", reason)
    assert stack.secrets() == [f"{stack.prefix}admin-key"]
    stack.protects(stack.aws.ledger, False)
    assert stack.sends("Delete") == ("SUCCESS", "")


def test_what_went_wrong_is_the_reason(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICEGATE_CONFIG_TABLE", "not-there")
    status, reason = stack.sends("Create")
    assert status == "FAILED"
    assert "on table 'not-there' failed: there is none in this account and region" in reason
    assert stack.sends("Delete")[0] == "FAILED"


def test_a_setting_that_is_wrong_is_told_too(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICEGATE_CONFIG_TTL", "soon")
    status, reason = stack.sends("Create")
    assert (status, "ValidationError" in reason) == ("FAILED", True)


def test_it_says_in_time_that_it_takes_too_long(stack: Stack) -> None:
    assert stack.sends("Create", seconds=10.001) == ("FAILED", "it took too long: try again")


def test_what_is_not_heard_is_said_again(stack: Stack) -> None:
    stack.cloudformation.deaf = 2
    assert stack.sends("Create") == ("SUCCESS", "")


@pytest.fixture
def unstartable(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where what was built is for another processor."""
    monkeypatch.setitem(sys.modules, "handler.control.setup", None)


@pytest.mark.usefixtures("unstartable")
def test_code_that_does_not_start_says_so(stack: Stack) -> None:
    status, reason = stack.sends("Create")
    assert status == "FAILED"
    assert "was it built for this processor?" in reason


def test_no_log_and_no_report_holds_a_secret(
    stack: Stack, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"):
        stack.sends("Create")
        enter_a_secret()
        vault = SecretsManagerVault(stack.aws.clients, stack.prefix, clock=Clock())
        key = run(vault.secret("admin-key", "this gateway"))
        told = stack.sends("Delete")
    assert key.startswith("sgk_")
    for secret in (key, CANARY):
        assert secret not in caplog.text + str(told)

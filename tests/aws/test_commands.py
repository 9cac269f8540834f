"""The command on AWS: what it writes there it finds there again."""

from collections.abc import Callable

import pytest
from typer.testing import CliRunner, Result

from gateway.adapters.aws.provision import create_tables
from handler.cli.commands import app
from tests.aws.emulators import Servers

KEY = "sk-canary-0123456789"
Run = Callable[..., Result]


@pytest.fixture
def run(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command, its settings pointing at tables of this test."""
    aws = servers.aws("ministack", monkeypatch)
    create_tables(aws.raw.dynamodb, aws.config, aws.ledger)
    for name, value in {
        "STORE": "aws",
        "CONFIG_TABLE": aws.config,
        "LEDGER_TABLE": aws.ledger,
        "SECRET_PREFIX": aws.prefix,
    }.items():
        monkeypatch.setenv(f"SLUICEGATE_{name}", value)

    def run_command(*words: str, typed: str | None = None) -> Result:
        return CliRunner().invoke(app, words, input=typed)

    return run_command


def test_the_doctor_looks_at_the_store_on_aws(run: Run) -> None:
    assert run("secrets", "put", "openai", typed=KEY).exit_code == 0
    created = run("endpoints", "create", "chat", "--provider", "openai", "--model", "gpt")
    assert created.exit_code == 0, created.output
    told = run("doctor", "--port", "9")
    assert "1 endpoints, 1 secrets" in " ".join(told.output.split())
    assert KEY not in told.output


def test_the_doctor_says_what_is_missing_on_aws(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICEGATE_CONFIG_TABLE", "no-such-table")
    told = run("doctor")
    assert told.exit_code == 1
    assert "no-such-table" in "".join(told.output.split())


def test_an_endpoint_on_aws_is_called_in_process(run: Run) -> None:
    created = run("endpoints", "create", "mirror", "--provider", "echo", "--model", "echo-instant")
    assert created.exit_code == 0, created.output
    told = run("call", "mirror", "Hello", "--no-stream")
    assert (told.exit_code, "Hello" in told.stdout) == (0, True)
    assert "did you mean 'mirror'" in run("call", "mirrror", "Hello").output


def test_what_is_exported_from_aws_plans_no_change(run: Run) -> None:
    run("secrets", "put", "openai", typed=KEY)
    run("endpoints", "create", "chat", "--provider", "openai", "--model", "gpt")
    run("keys", "create", "app", "--endpoint", "chat", "--expires", "30d")
    exported = run("export")
    assert KEY not in exported.output
    planned = run("plan", "-", typed=exported.stdout)
    assert (planned.exit_code, planned.stdout.strip()) == (0, "No changes.")

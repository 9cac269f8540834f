"""What the command says of itself."""

import sys

import pytest

from handler.cli import main
from tests.handler.cli.terminal import run, words

COMMANDS = (
    *("serve", "call", "doctor", "endpoints", "keys", "secrets", "settings"),
    *("plan", "apply", "export", "admin-key"),
)


def test_without_a_command_it_says_what_there_is() -> None:
    said = run().output
    assert all(command in said for command in COMMANDS)


@pytest.mark.parametrize(
    ("command", "example"),
    [
        (["serve"], "sluicegate serve --port 8080 --config endpoints.yaml"),
        (["call"], 'sluicegate call demo "Hello"'),
        (["doctor"], "sluicegate doctor --config endpoints.yaml"),
        (["endpoints", "create"], "sluicegate endpoints create fast --provider openai"),
        (["keys", "create"], "KEY=$(sluicegate keys create ci)"),
        (["keys", "rotate"], "KEY=$(sluicegate keys rotate ci --overlap 1h)"),
        (["secrets", "put"], "sluicegate secrets put openai"),
        (["settings", "allow"], "sluicegate settings allow 127.0.0.1:8080"),
        (["plan"], "Exit: 0 when nothing would change, 2 when something would, 1 when"),
        (["apply"], "sluicegate apply gateway.yaml"),
        (["export"], "sluicegate export gateway.yaml"),
        (["admin-key"], "export SLUICEGATE_ADMIN_KEY=$(sluicegate admin-key --aws)"),
    ],
)
def test_help_shows_an_example(command: list[str], example: str) -> None:
    assert example in words(run(*command, "-h").output)


def test_a_mistyped_command_is_answered_with_the_right_one() -> None:
    result = run("serv")
    assert (result.exit_code, "Did you mean 'serve'?" in result.output) == (2, True)


def test_says_its_version() -> None:
    result = run("--version")
    assert (result.exit_code, result.output.split()[0]) == (0, "sluicegate")


def test_is_a_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["sluicegate", "--version"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert (ended.value.code, capsys.readouterr().out.split()[0]) == (0, "sluicegate")

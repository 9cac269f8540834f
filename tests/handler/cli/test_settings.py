"""``sluicegate settings``."""

import pytest

from gateway.wire.json import loads
from handler.cli import gateway_settings
from handler.cli.control import Control
from handler.cli.trouble import Refused
from tests.handler.cli.terminal import run

OLLAMA = "127.0.0.1:11434"


def allowed() -> list[str]:
    entries: list[str] = loads(run("settings", "show", "--json").stdout)["allow_private"]
    return entries


def test_an_address_is_allowed_and_disallowed() -> None:
    assert run("settings", "allow", "127.0.0.1:8080").exit_code == 0
    assert run("settings", "allow", "10.0.0.0/8").exit_code == 0
    assert allowed() == ["127.0.0.1:8080", "10.0.0.0/8"]
    assert run("settings", "disallow", "127.0.0.1:8080").exit_code == 0
    assert allowed() == ["10.0.0.0/8"]


def test_shows_what_is_allowed_and_by_whom() -> None:
    fresh = f"allow_private: []\n# allowed besides, by whoever starts the gateway:\n#   {OLLAMA}\n"
    assert run("settings", "show").stdout == fresh
    run("settings", "allow", "127.0.0.1:8080")
    assert run("settings", "show").stdout.startswith("allow_private:\n  - 127.0.0.1:8080\n")


def test_what_is_allowed_is_not_allowed_twice() -> None:
    run("settings", "allow", "LOCALHOST:8080")
    result = run("settings", "allow", "localhost:8080")
    assert "is allowed already: localhost:8080" in result.stderr
    assert allowed() == ["LOCALHOST:8080"]
    run("settings", "disallow", "localhost:8080")
    assert allowed() == []


@pytest.mark.parametrize("command", ["allow", "disallow"])
@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("http://127.0.0.1:80/v1", "leave out http:// and any path"),
        ("169.254.169.254", "which nothing allows"),
        ("0.0.0.0/0", "is too wide"),
    ],
)
def test_an_entry_that_is_none_is_refused(command: str, entry: str, said: str) -> None:
    result = run("settings", command, entry)
    assert (result.exit_code, said in result.stderr) == (1, True)


def test_what_is_not_there_cannot_be_taken_back() -> None:
    assert "there are none" in run("settings", "disallow", "127.0.0.1:1").stderr
    run("settings", "allow", "127.0.0.1:8080")
    result = run("settings", "disallow", "127.0.0.1:1")
    assert (result.exit_code, "there are 127.0.0.1:8080" in result.stderr) == (1, True)


def test_what_others_allow_is_told() -> None:
    result = run("settings", "disallow", OLLAMA)
    assert (result.exit_code, "by whoever starts the gateway" in result.stderr) == (1, True)
    run("settings", "allow", "127.0.0.1")
    run("settings", "allow", "localhost:11434")
    assert "all the same" not in run("settings", "disallow", "localhost:11434").stderr


def test_what_others_write_meanwhile_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    send = Control.send
    refusals = [Refused("changed", 409, None, ())] * 2

    def raced(self: Control, method: str, *rest: object, **more: object) -> object:
        if method == "PATCH" and refusals:
            raise refusals.pop()
        return send(self, method, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Control, "send", raced)
    assert run("settings", "allow", "127.0.0.1:1").exit_code == 0
    assert (allowed(), refusals) == (["127.0.0.1:1"], [])
    refusals += [Refused("changed again and again", 409, None, ())] * gateway_settings.TRIES
    result = run("settings", "allow", "127.0.0.1:2")
    assert (result.exit_code, result.stderr) == (1, "error: changed again and again\n")


def test_a_variable_that_allows_nonsense_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICEGATE_ALLOW_PRIVATE", "127.0.0.1:1, a://b")
    result = run("settings", "show")
    assert result.exit_code == 1
    assert "error: SLUICEGATE_ALLOW_PRIVATE: 'a://b': leave out a://" in result.stderr

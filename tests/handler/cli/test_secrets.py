"""``sluicegate secrets``: a value goes in, and never comes out."""

import stat
from pathlib import Path

import pytest

from gateway.wire.json import loads
from tests.handler.cli.terminal import run, words

CANARY = "sk-canary-0123456789-abcd"
OPENAI = "https://api.openai.com"


def put(*arguments: str, value: str = CANARY) -> None:
    result = run("secrets", "put", *arguments, typed=value)
    assert result.exit_code == 0, result.output
    assert value not in result.output


def listed() -> list[dict[str, object]]:
    found: list[dict[str, object]] = loads(run("secrets", "list", "--json").stdout)
    return found


def test_a_secret_goes_to_the_provider_of_its_name(home: Path) -> None:
    result = run("secrets", "put", "openai", typed=f"{CANARY}\n")
    expected = f"entered openai (…abcd) for {OPENAI}, known to {home}/gateway.db\n"
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", expected)
    file = home / "secrets.json"
    assert loads(file.read_text()) == {"openai": {"value": CANARY, "origin": OPENAI}}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("where", "origin"),
    [
        (["--provider", "groq"], "https://api.groq.com"),
        (["--base-url", "https://models.example.com/v1"], "https://models.example.com"),
    ],
)
def test_or_where_it_is_told_to(where: list[str], origin: str) -> None:
    put("team", *where)
    assert [one["origin"] for one in listed()] == [origin]


def test_a_new_value_goes_where_the_old_one_went() -> None:
    put("openai", "--base-url", "https://models.example.com/v1")
    put("openai", value="sk-another-canary-0123")
    (secret,) = listed()
    assert (secret["origin"], secret["tail"]) == ("https://models.example.com", "…0123")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["team"], "'team' is no provider's name: say where the key may go"),
        (["azure"], "--base-url: is required for azure"),
        (["x", "--provider", "opnai"], "--provider: unknown provider 'opnai'; did you mean"),
        (["x", "--base-url", "http://169.254.169.254/"], "--base-url: points at a metadata"),
        (["x", "--base-url", "https://a.b", "--provider", "groq"], "choose one"),
        (["a b"], "name: must be letters"),
    ],
)
@pytest.mark.usefixtures("person")
def test_where_it_goes_is_settled_before_anybody_is_asked(arguments: list[str], said: str) -> None:
    result = run("secrets", "put", *arguments, typed=f"{CANARY}\n")
    assert (result.exit_code, said in result.stderr) == (1, True)
    assert "Key for" not in result.output
    assert CANARY not in result.output


@pytest.mark.parametrize("value", ["", "sk-canary two", "sk-canary\N{BULLET}", "sk-canary\nmore"])
def test_what_is_no_key_is_refused_and_not_shown(value: str) -> None:
    result = run("secrets", "put", "openai", typed=value)
    assert (result.exit_code, result.stderr.startswith("error: secrets put: ")) == (1, True)
    assert "canary" not in result.output
    assert listed() == []


def test_a_value_that_is_too_long_is_refused_and_not_shown() -> None:
    result = run("secrets", "put", "openai", typed="k" * 9000)
    assert (result.exit_code, "value: " in result.stderr) == (1, True)
    assert "kkkk" not in result.output


@pytest.mark.usefixtures("person")
def test_a_person_types_unseen() -> None:
    result = run("secrets", "put", "openai", typed=f"{CANARY}\n")
    assert "Key for openai (not shown): \n" in result.output
    assert (result.exit_code, CANARY in result.output) == (0, False)


def test_lists_where_each_may_go_and_what_uses_it() -> None:
    put("openai")
    run("endpoints", "create", "chat", "--provider", "openai", "--model", "gpt-4.1-mini")
    result = run("secrets", "list")
    row = words(result.stdout).partition("entered")[2]
    assert f"openai …abcd {OPENAI} chat" in row
    assert CANARY not in result.output + run("secrets", "list", "--json").output


def test_where_there_are_none_it_says_how_to_enter_one() -> None:
    assert "sluicegate secrets put PROVIDER" in run("secrets", "list").stderr


def test_a_secret_that_is_used_stays() -> None:
    put("openai")
    run("endpoints", "create", "chat", "--provider", "openai", "--model", "gpt-4.1-mini")
    result = run("secrets", "delete", "openai", "--yes")
    assert (result.exit_code, "is used by chat" in result.stderr) == (1, True)
    run("endpoints", "delete", "chat", "--yes")
    assert run("secrets", "delete", "openai", "--yes").stderr == "deleted openai\n"
    assert listed() == []


def test_nothing_is_deleted_when_nobody_can_confirm() -> None:
    put("openai")
    assert run("secrets", "delete", "openai").exit_code == 1
    assert len(listed()) == 1


@pytest.mark.usefixtures("person")
@pytest.mark.parametrize(("answer", "left"), [("y\n", 0), ("n\n", 1)])
def test_a_person_is_asked_before_a_secret_goes(answer: str, left: int) -> None:
    run("secrets", "put", "openai", typed=f"{CANARY}\n")
    assert "Delete secret 'openai'?" in run("secrets", "delete", "openai", typed=answer).output
    assert len(listed()) == left

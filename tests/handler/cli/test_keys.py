"""``sluicegate keys``."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.admission.keys import credential_id
from gateway.wire.json import loads
from handler.cli import moments
from handler.cli.trouble import Trouble
from tests.handler.cli.terminal import run, words

ARN = "arn:aws:iam::123456789012:role/app"


def key_of(*arguments: str) -> str:
    """Standard output, which is the key and nothing else."""
    result = run("keys", *arguments)
    assert result.exit_code == 0, result.output
    assert re.fullmatch(r"sgk_[0-9A-Za-z]{49}\n", result.stdout)
    assert result.stdout.strip() not in result.stderr
    return result.stdout.strip()


def shown(name: str) -> dict[str, object]:
    told: dict[str, object] = loads(run("keys", "show", name, "--json").stdout)
    return told


def test_a_new_key_is_all_that_standard_output_holds(home: Path) -> None:
    result = run("keys", "create", "ci")
    assert credential_id(result.stdout.removesuffix("\n")) is not None
    assert result.stderr == (
        f"created ci (all endpoints) in {home}/gateway.db\n"
        "this key is shown this once: keep it where only its callers can read it\n"
    )


def test_a_key_is_shown_nowhere_again(home: Path) -> None:
    key = key_of("create", "ci")
    said = [run("keys", *rest).output for rest in (["list"], ["show", "ci"], ["list", "--json"])]
    said += [run("export").output, run("keys", "show", "ci", "--json").output]
    assert [key[4:-4] in one for one in said] == [False] * 5
    assert key.encode() not in (home / "gateway.db").read_bytes()


def test_a_key_is_made_as_told() -> None:
    run("endpoints", "create", "chat", "--provider", "echo", "--model", "echo")
    key_of(
        *("create", "batch", "--owner", "anna@example.com", "--tag", "team:search", "--tag", "x"),
        *("--endpoint", "chat", "--endpoint", "demo", "--expires", "2099-01-31"),
    )
    told = shown("batch")
    assert (told["owner"], told["tags"]) == ("anna@example.com", ["team:search", "x"])
    assert told["endpoints"] == ["chat", "demo"]
    assert moments.shown(told["expires"]) == "2099-01-31 23:59Z"  # type: ignore[arg-type]


def test_a_span_counts_from_now() -> None:
    key_of("create", "soon", "--expires", "30d")
    expires = shown("soon")["expires"]
    assert isinstance(expires, int)
    assert abs(datetime.fromtimestamp(expires, UTC) - datetime.now(UTC) - timedelta(days=30)) < (
        timedelta(minutes=1)
    )


def test_a_principal_needs_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    result = run("keys", "create", "app", "--principal", ARN)
    assert (result.exit_code, result.stdout) == (0, "")
    assert f"{ARN} is let in as it is, and needs no key\n" in words(result.stderr) + "\n"
    assert f"app all endpoints {ARN} never" in words(run("keys", "list").stdout)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["a/b"], "error: NAME: must be letters"),
        (["ci", "--endpoint", "nope"], "error: --endpoint: there is no endpoint 'nope'"),
        (["ci", "--expires", "soon"], "error: --expires: must be a date or a moment"),
        (["ci", "--expires", "999999999w"], "error: --expires 999999999w: is too far away"),
        (["ci", "--principal", "me"], "error: --principal: must be an IAM ARN"),
        (["ci", "--tag", "a\nb"], "error: --tag: "),
        (["ci", "--admin", "--endpoint", "demo"], "endpoints is for callers"),
    ],
)
def test_a_mistake_is_told_by_the_name_of_the_option(arguments: list[str], said: str) -> None:
    result = run("keys", "create", *arguments)
    assert (result.exit_code, result.stdout, said in result.stderr) == (1, "", True)


def test_all_mistakes_are_told_at_once() -> None:
    result = run("keys", "create", "ci", "--principal", "me", "--expires", "soon")
    assert result.stderr.splitlines() == [
        "error: 2 faults:",
        "  --expires: must be a date or a moment: 2027-01-31, 2027-01-31T12:00Z",
        "  --principal: must be an IAM ARN: arn:aws:iam::123456789012:role/NAME",
    ]


def test_no_key_is_made_twice() -> None:
    key_of("create", "ci")
    result = run("keys", "create", "ci")
    expected = "error: key 'ci' exists; choose another name, or `sluicegate keys rotate ci`\n"
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", expected)


def test_lists_what_each_key_may_do() -> None:
    ci = key_of("create", "ci", "--expires", "2099-01-31")
    key_of("create", "ops", "--admin")
    run("keys", "disable", "ci")
    rows = [words(line) for line in run("keys", "list").stdout.splitlines()]
    assert [row for row in rows if row and "─" not in row][:2] == [
        "name may call ends with expires last used",
        f"ci all endpoints …{ci[-4:]} disabled never",
    ]
    assert rows[4].startswith("ops configures …")


def test_where_there_are_none_it_says_how_to_make_one() -> None:
    result = run("keys", "list")
    expected = "there are no gateway keys; make one: sluicegate keys create NAME\n"
    assert (result.stdout, result.stderr) == ("", expected)


def test_shows_a_key_with_all_that_is_known_of_it() -> None:
    key = key_of("create", "ci", "--owner", "anna", "--tag", "x", "--expires", "2099-01-31")
    lines = [words(line) for line in run("keys", "show", "ci").stdout.splitlines()]
    assert lines[:4] == ["name ci", "may call all endpoints", "owner anna", "tags x"]
    assert lines[5:7] == ["expires 2099-01-31 23:59Z", "last used never"]
    assert lines[7].startswith(f"key …{key[-4:]}, made ")


def test_a_key_that_is_over_is_told_so() -> None:
    key_of("create", "old", "--expires", "2001-01-31")
    assert "2001-01-31 23:59Z, over" in words(run("keys", "show", "old").stdout)


def test_a_rotated_key_leaves_the_old_one_a_while() -> None:
    old = key_of("create", "ci")
    new = key_of("rotate", "ci", "--overlap", "1h")
    assert old != new
    lines = [words(line) for line in run("keys", "show", "ci").stdout.splitlines()]
    assert [line.split(",")[0] for line in lines[-2:]] == [f"key …{new[-4:]}", f"key …{old[-4:]}"]
    assert "good until" in lines[-1]
    key_of("rotate", "ci", "--overlap", "0s")
    assert len(shown("ci")["credentials"]) == 1  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("overlap", "said"),
    [
        ("soon", "--overlap soon: must be a number and s, m, h, d or w"),
        ("9w", "--overlap: must be 0"),
    ],
)
def test_an_overlap_that_is_none_is_refused(overlap: str, said: str) -> None:
    key_of("create", "ci")
    result = run("keys", "rotate", "ci", "--overlap", overlap)
    assert (result.exit_code, result.stdout, said in result.stderr) == (1, "", True)


def test_a_key_is_disabled_and_enabled() -> None:
    key_of("create", "ci")
    assert run("keys", "disable", "ci").stderr == "disabled ci\n"
    assert shown("ci")["disabled"] is True
    assert run("keys", "enable", "ci").stderr == "enabled ci\n"
    assert "disabled" not in shown("ci")


def test_a_key_is_revoked_for_good() -> None:
    key_of("create", "ci")
    refused = run("keys", "revoke", "ci")
    assert (refused.exit_code, "nobody is there to confirm" in refused.stderr) == (1, True)
    assert run("keys", "revoke", "ci", "--yes").stderr == "revoked ci\n"
    gone = run("keys", "show", "ci")
    assert (gone.exit_code, gone.stderr) == (1, "error: there is no key 'ci'\n")


@pytest.mark.usefixtures("person")
@pytest.mark.parametrize(("answer", "left"), [("y\n", 1), ("n\n", 0)])
def test_a_person_is_asked_before_a_key_goes(answer: str, left: int) -> None:
    key_of("create", "ci")
    assert "Revoke key 'ci' for good?" in run("keys", "revoke", "ci", typed=answer).output
    assert run("keys", "show", "ci").exit_code == left


def test_the_last_admin_key_stays() -> None:
    key_of("create", "ops", "--admin")
    result = run("keys", "revoke", "ops", "--yes")
    assert (result.exit_code, "is the last admin key" in result.stderr) == (1, True)


def test_the_first_admin_key_is_made_once() -> None:
    first = run("admin-key")
    assert credential_id(first.stdout.strip()) is not None
    assert shown("admin")["role"] == "admin"
    again = run("admin-key")
    assert (again.exit_code, again.stdout) == (1, "")
    assert "there is an admin key already (admin)" in again.stderr
    assert "sluicegate keys create NAME --admin" in again.stderr


def test_a_callers_key_may_have_its_name() -> None:
    key_of("create", "admin")
    result = run("admin-key")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "key 'admin' is a caller's" in result.stderr


def test_two_places_are_one_too_many() -> None:
    result = run("keys", "list", "--url", "http://127.0.0.1:9", "--aws")
    assert (result.exit_code, "choose one" in result.output) == (2, True)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("90s", 90), ("5m", 300), ("24h", 86_400), ("30d", 2_592_000), ("2w", 1_209_600), ("d", None)],
)
def test_a_span_is_a_number_and_its_unit(written: str, seconds: int | None) -> None:
    assert moments.span_of(written) == seconds


def test_what_is_no_span_is_refused() -> None:
    with pytest.raises(Trouble, match="--overlap 1 day: must be"):
        moments.span_told("--overlap", "1 day")

"""``sluicegate plan``, ``apply`` and ``export``."""

import re
from pathlib import Path

import pytest

from gateway.admission.keys import credential_id
from gateway.wire.json import Json, loads
from tests.handler.cli.terminal import run, words

EXAMPLE = Path(__file__).parents[3] / "endpoints.example.yaml"
CANARY = "sk-canary-0123456789-abcd"
OPENAI = "https://api.openai.com"
WHOLE = """\
endpoints:
  chat:
    targets:
      - {provider: openai, model: gpt-4.1-mini, weight: 3}
      - {provider: house, model: m, base_url: 'https://models.example.com/v1', secret: vault:house}
    retries: {times: 2}
keys:
  ci: {}
  batch: {owner: anna, endpoints: [chat], expires: 2099-01-31}
secrets:
  openai: env:MY_KEY
  house: file:house.key
settings:
  allow_private: [127.0.0.1:8080]
""".replace("provider: house", "provider: openai_compatible")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MY_KEY", CANARY)
    (tmp_path / "house.key").write_text(f"{CANARY}-house\n")
    file = tmp_path / "gateway.yaml"
    file.write_text(WHOLE)
    return file


def apply(text: str, *options: str) -> str:
    """From standard input; what it said."""
    result = run("apply", "-", "--yes", *options, typed=text)
    assert result.exit_code == 0, result.output
    return result.stderr


def plan(text: str, *options: str) -> list[str]:
    """Its lines, and last its exit code."""
    result = run("plan", "-", *options, typed=text)
    assert result.stderr == ""
    return [*result.stdout.splitlines(), str(result.exit_code)]


def target(model: str) -> str:
    return f"endpoints: {{chat: {{targets: [{{provider: echo, model: {model}}}]}}}}"


def test_a_plan_tells_what_would_be_made_and_makes_nothing(file: Path, home: Path) -> None:
    result = run("plan", str(file))
    assert result.stdout.splitlines() == [
        "+ endpoint chat",
        "+ secret openai",
        "+ secret house",
        "+ key ci",
        "+ key batch",
        "~ settings gateway",
        "    allow_private[0]: (none) -> 127.0.0.1:8080",
        "5 to create, 1 to change, 0 to delete",
    ]
    assert (result.exit_code, result.stderr, home.exists()) == (2, "", False)


def test_what_was_applied_changes_nothing_again(file: Path, home: Path) -> None:
    first = run("apply", str(file), "--yes")
    assert "applied: 5 created, 1 changed, 0 deleted\n" in first.stderr
    assert loads((home / "secrets.json").read_text()) == {
        "openai": {"value": CANARY, "origin": OPENAI},
        "house": {"value": f"{CANARY}-house", "origin": "https://models.example.com"},
    }
    again = run("apply", str(file), "--yes")
    assert (again.exit_code, again.stdout, again.stderr) == (0, "", "No changes.\n")
    planned = run("plan", str(file))
    assert (planned.exit_code, planned.stdout) == (0, "No changes.\n")


def test_new_keys_are_all_that_standard_output_holds(file: Path) -> None:
    result = run("apply", str(file), "--yes")
    found = dict(line.split("  ") for line in result.stdout.splitlines())
    assert [(name, credential_id(key) is not None) for name, key in found.items()] == [
        ("ci", True),
        ("batch", True),
    ]
    assert [key in result.stderr for key in found.values()] == [False, False]


def test_no_value_of_a_secret_is_shown(file: Path) -> None:
    said = [run(*words).output for words in (("plan", str(file)), ("plan", str(file), "--json"))]
    said += [run("apply", str(file), "--yes").output, run("export").output]
    assert [CANARY in one for one in said] == [False] * 4


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_what_is_exported_changes_nothing(file: Path, options: tuple[str, ...]) -> None:
    run("apply", str(file), "--yes")
    exported = run("export", *options).stdout
    assert plan(exported) == ["No changes.", "0"]
    assert plan(exported, "--prune") == ["No changes.", "0"]


def test_exports_as_people_write_it(file: Path) -> None:
    run("apply", str(file), "--yes")
    assert run("export").stdout == (
        """\
endpoints:
  chat:
    targets:
      - provider: openai
        model: gpt-4.1-mini
        secret: vault:openai
        weight: 3
      - provider: openai_compatible
        model: m
        secret: vault:house
        base_url: https://models.example.com/v1
    retries:
      times: 2
keys:
  batch:
    owner: anna
    endpoints:
      - chat
    expires: '2099-01-31T23:59:59+00:00'
  ci: {}
secrets:
  house:
    base_url: https://models.example.com
  openai:
    base_url: https://api.openai.com
settings:
  allow_private:
    - 127.0.0.1:8080
"""
    )


def test_exports_into_a_new_file_only(tmp_path: Path) -> None:
    file = tmp_path / "now.yaml"
    assert run("export", str(file)).stderr == f"wrote {file}\n"
    assert plan(file.read_text()) == ["No changes.", "0"]
    as_json = tmp_path / "now.json"
    run("export", str(as_json), "--json")
    assert as_json.read_text() == "{}\n"
    again = run("export", str(file))
    assert (again.exit_code, f"{file} exists" in again.stderr) == (1, True)
    nowhere = run("export", str(tmp_path / "no" / "folder.yaml"))
    assert (nowhere.exit_code, "cannot be written: No such file" in nowhere.stderr) == (1, True)


def test_a_change_is_told_field_by_field() -> None:
    apply(target("echo"))
    assert plan(target("other")) == [
        "~ endpoint chat",
        "    targets[0].model: echo -> other",
        "0 to create, 1 to change, 0 to delete",
        "2",
    ]


def test_another_value_of_a_secret_is_a_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", CANARY)
    apply("secrets: {openai: env:MY_KEY}")
    monkeypatch.setenv("MY_KEY", "sk-canary-another")
    assert plan("secrets: {openai: env:MY_KEY}")[:2] == [
        "~ secret openai",
        "    value: (hidden) -> (entered)",
    ]


def test_what_a_file_leaves_out_goes_only_on_demand() -> None:
    apply(target("echo") + "\nkeys: {ci: {}, ops: {}}")
    assert plan("keys: {ci: {}}") == ["No changes.", "0"]
    assert plan("keys: {ci: {}}", "--prune")[0] == "- key ops"
    said = apply("keys: {ci: {}}", "--prune")
    assert "applied: 0 created, 0 changed, 1 deleted" in said
    assert run("endpoints", "show", "chat").exit_code == 0


def test_what_a_file_does_not_speak_of_never_goes() -> None:
    run("secrets", "put", "openai", typed=CANARY)
    apply(target("echo"))
    assert plan("keys: {}", "--prune") == ["No changes.", "0"]
    assert plan("secrets: {}", "--prune")[0] == "- secret openai"


def test_nothing_is_written_where_anything_is_wrong(home: Path) -> None:
    bad = (
        "endpoints: {chat: {targets: [{provider: echo, model: echo, weight: 0}]}, "
        "ok: {targets: [{provider: echo, model: echo}]}}\nkeys: {ci: {owner: ''}}"
    )
    result = run("apply", "-", "--yes", typed=bad)
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "error: 2 faults:",
        "  endpoints.chat.targets[0].weight: Input should be greater than 0",
        "  keys.ci.owner: String should have at least 1 character",
    ]
    assert not (home / "gateway.db").exists()


def test_nothing_is_applied_when_nobody_can_confirm() -> None:
    result = run("apply", "-", typed=target("echo"))
    assert result.exit_code == 1
    assert result.stderr.splitlines()[0] == "+ endpoint chat"
    assert "nobody is there to confirm these changes; add --yes" in result.stderr
    assert run("endpoints", "show", "chat").exit_code == 1


@pytest.mark.usefixtures("person")
@pytest.mark.parametrize(("answer", "left"), [("y\n", 0), ("n\n", 1), ("\n", 1)])
def test_a_person_is_asked_after_seeing_the_plan(tmp_path: Path, answer: str, left: int) -> None:
    file = tmp_path / "gateway.yaml"
    file.write_text(target("echo"))
    said = run("apply", str(file), typed=answer).output
    assert said.index("+ endpoint chat") < said.index("Apply to ")
    assert run("endpoints", "show", "chat").exit_code == left


@pytest.mark.parametrize("late", [("keys", "create", "late"), ("secrets", "put", "openai")])
def test_what_was_made_between_the_plan_and_the_yes_keeps_it_from_being_applied(
    monkeypatch: pytest.MonkeyPatch, late: tuple[str, ...]
) -> None:
    apply("keys: {ci: {}, ops: {}}")

    def confirm(question: str, what: str) -> None:
        del question, what
        assert run(*late, typed=CANARY).exit_code == 0

    monkeypatch.setattr("handler.cli.manifests.confirm", confirm)
    result = run("apply", "-", "--prune", typed="keys: {ci: {}, new: {}}")
    assert (result.exit_code, result.stdout, result.stderr.splitlines()) == (
        1,
        "",
        [
            "+ key new",
            "- key ops",
            "1 to create, 0 to change, 1 to delete",
            "error: the configuration was changed since that plan was made: plan again",
        ],
    )
    left = {key["name"] for key in loads(run("keys", "list", "--json").stdout)}
    assert left == {"ci", "ops", late[2]} - {"openai"}


@pytest.mark.parametrize(
    ("secret", "place"),
    [
        (f"openai: {CANARY}", "secrets.openai"),
        (f"openai: {{value: {CANARY}}}", "secrets.openai.value"),
        ("openai: {value: [sk-canary]}", "secrets.openai.value"),
        ("openai: 12345678", "secrets.openai"),
        ("openai:", "secrets.openai"),
        ("openai: env:sk-canary", "secrets.openai"),
        ("openai: 'file:'", "secrets.openai"),
    ],
)
@pytest.mark.parametrize("command", [["plan"], ["apply", "--yes"]])
def test_a_value_in_clear_is_refused_and_not_shown(
    command: list[str], secret: str, place: str
) -> None:
    result = run(*command, "-", typed=f"secrets:\n  {secret}\n")
    said = words(result.stderr)
    assert result.exit_code == 1
    assert f"error: standard input: {place}: may not stand in a file of configuration" in said
    assert "write env:VARIABLE, file:PATH or prompt" in said
    assert "canary" not in said
    assert "12345678" not in said


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        ("env:NO_SUCH", "NO_SUCH is not set here: export NO_SUCH=…"),
        ("env:ODD", "what env:ODD has holds characters that no key has"),
        ("file:nowhere.key", "nowhere.key cannot be read: No such file or directory"),
        ("file:empty.key", "empty.key is empty"),
        ("file:odd.key", "odd.key holds no text"),
        ("file:two.key", "what file:two.key has holds characters that no key has"),
        ('"file:\\0"', "holds no text"),
    ],
)
def test_a_value_that_is_not_there_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secret: str, said: str
) -> None:
    monkeypatch.setenv("ODD", "sk-canary two")
    (tmp_path / "empty.key").write_text("\n")
    (tmp_path / "odd.key").write_bytes(b"\xff\xfe")
    (tmp_path / "two.key").write_text("sk-canary\nsk-canary")
    file = tmp_path / "gateway.yaml"
    file.write_text(f"secrets: {{openai: {secret}}}")
    result = run("apply", str(file), "--yes")
    assert (result.exit_code, result.stderr.startswith(f"error: {file}: secrets.openai: ")) == (
        1,
        True,
    )
    assert said in result.stderr
    assert "canary" not in result.output


def test_a_file_of_a_secret_may_be_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "groq.key").write_text(f" {CANARY}\n")
    assert plan("secrets: {groq: file:~/groq.key}")[0] == "+ secret groq"


def test_a_secret_without_a_value_is_the_one_there_is() -> None:
    run("secrets", "put", "house", "--base-url", "https://a.example.com/v1", typed=CANARY)
    assert plan("secrets: {house: {base_url: https://a.example.com}}") == ["No changes.", "0"]
    assert plan("secrets: {house: {}}") == ["No changes.", "0"]
    result = run("plan", "-", typed="secrets: {house: {base_url: https://b.example.com}}")
    expected = "error: secrets.house.value: is required: it was entered for https://a.example.com\n"
    assert (result.exit_code, result.stderr) == (1, expected)


def test_a_plan_asks_for_nothing() -> None:
    """Nobody types here, and nobody is missed."""
    assert plan("secrets: {openai: prompt}")[0] == "+ secret openai"
    run("secrets", "put", "openai", typed=CANARY)
    assert plan("secrets: {openai: prompt}") == ["No changes.", "0"]
    moved = "secrets: {openai: {value: prompt, base_url: https://a.example.com}}"
    assert plan(moved)[:3] == [
        "~ secret openai",
        f"    base_url: {OPENAI} -> https://a.example.com",
        "    value: (hidden) -> (entered)",
    ]


def test_what_else_is_wrong_is_told_before_anybody_is_asked() -> None:
    both = "secrets: {openai: prompt, team: {value: prompt, provider: opnai}}"
    assert "unknown provider 'opnai'" in run("plan", "-", typed=both).stderr
    keys = "secrets: {openai: prompt}\nkeys: {ci: {endpoints: [nope]}}"
    result = run("apply", "-", "--yes", typed=keys)
    expected = "error: keys.ci.endpoints[0]: there is no endpoint 'nope'\n"
    assert (result.exit_code, result.stderr) == (1, expected)


def test_nobody_types_a_secret_where_nobody_is() -> None:
    result = run("apply", "-", "--yes", typed="secrets: {openai: prompt}")
    assert result.exit_code == 1
    assert "secrets.openai: nobody is there to type it; write env:VARIABLE" in result.stderr


@pytest.fixture
def prompting(tmp_path: Path) -> str:
    file = tmp_path / "gateway.yaml"
    file.write_text("secrets: {openai: prompt}")
    return str(file)


@pytest.mark.usefixtures("person")
def test_a_person_types_a_secret_once(prompting: str, home: Path) -> None:
    first = run("apply", prompting, "--yes", typed=f"{CANARY}\n")
    assert "Secret openai (not shown): \n" in first.output
    assert loads((home / "secrets.json").read_text())["openai"]["value"] == CANARY
    assert run("apply", prompting, "--yes").stderr == "No changes.\n"
    other = run("apply", prompting, "--yes", "--ask-secrets", typed="sk-canary-other\n")
    assert "~ secret openai\n" in other.stderr
    same = run("apply", prompting, "--yes", "--ask-secrets", typed="sk-canary-other\n")
    assert same.stderr.endswith("No changes.\n")
    assert "canary" not in first.output + other.output + same.output


@pytest.mark.usefixtures("person")
def test_what_is_typed_must_be_a_key(prompting: str, home: Path) -> None:
    result = run("apply", prompting, "--yes", typed="sk-canary two\n")
    assert "secrets.openai: what was typed holds characters that no key has" in result.stderr
    assert (result.exit_code, "canary" in result.output, home.exists()) == (1, False, False)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("", "standard input: must hold endpoints, keys, secrets or settings"),
        ("- a", "standard input: must hold endpoints"),
        ("endpoints: {a: 1, a: 2}", "is not YAML: 'a' is given twice"),
        ("endpoint: {}", "endpoint: is no field here"),
        ("endpoints: {1: {}}", "endpoints: holds a name that is no text: put it in quotes"),
        ("keys: {no: {}}", "keys: holds a name that is no text"),
        ("1: {}", "standard input: holds a name that is no text"),
        ("keys: {ci: {expires: .inf}}", "keys.ci.expires: must be a finite number"),
        ("keys: {ci: {expires: 99999999999999999999}}", "keys.ci.expires: is too large a number"),
        ("keys: {ci: {owner: !!binary aGk=}}", "keys.ci.owner: is of a kind that has no place"),
        ("keys: {ci: {tags: [!!set {a}]}}", "keys.ci.tags[0]: is of a kind that has no place"),
        ("keys: &a {ci: *a}", "standard input: holds itself, by an alias"),
        ("secrets: [a]", "secrets: Input should be a valid dictionary"),
        ("secrets: {openai: {provider: 1}}", "secrets.openai.provider: "),
        ("secrets: {team: {value: env:HOME}}", "secrets.team.provider: is required, or base_url"),
    ],
)
def test_a_file_that_is_wrong_is_told_with_the_place(written: str, said: str) -> None:
    result = run("plan", "-", typed=written)
    assert (result.exit_code, said in result.stderr) == (1, True)


def test_dates_are_moments() -> None:
    apply("keys: {a: {expires: 2099-01-31}, b: {expires: 2099-01-31T12:00:00+02:00}}")
    told = {key["name"]: key["expires"] for key in loads(run("keys", "list", "--json").stdout)}
    assert told == {"a": 4073587199, "b": 4073536800}


def test_a_new_secret_goes_to_the_provider_of_its_name_unless_a_target_has_it() -> None:
    keys = "secrets: {openai: {value: env:HOME}}"
    elsewhere = (
        "{provider: openai, model: m, base_url: https://a.example.com, secret: vault:openai}"
    )
    apply(f"{keys}\nendpoints: {{chat: {{targets: [{elsewhere}]}}}}")
    apply("secrets: {groq: env:HOME}")
    told = {one["name"]: one["origin"] for one in loads(run("secrets", "list", "--json").stdout)}
    assert told == {"openai": "https://a.example.com", "groq": "https://api.groq.com"}


def test_a_plan_as_json_is_its_steps() -> None:
    result = run("plan", "-", "--json", typed="keys: {ci: {}}")
    step: Json = {"action": "create", "kind": "key", "name": "ci", "before": None, "after": {}}
    assert (result.exit_code, loads(result.stdout)) == (2, {"steps": [step]})


def test_a_mistyped_option_is_no_plan_with_changes() -> None:
    assert run("plan").exit_code == 1
    assert run("plan", "-", "--prnue", typed="").exit_code == 1


def test_a_file_of_configuration_is_not_served(tmp_path: Path) -> None:
    file = tmp_path / "gateway.yaml"
    file.write_text(f"{target('echo')}\nkeys: {{ci: {{}}}}\nsettings: {{}}")
    result = run("serve", "--config", str(file))
    assert (result.exit_code, f"{file}: holds keys, settings" in result.stderr) == (1, True)
    assert f"sluicegate apply {file}" in words(result.stderr)


def test_the_documented_example_is_one_that_can_be_planned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it shows in comments included."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "groq.key").write_text(CANARY)
    for name in ("OPENAI_API_KEY", "HOUSE_KEY"):
        monkeypatch.setenv(name, CANARY)
    text = EXAMPLE.read_text()
    for kind in ("keys", "secrets", "settings"):
        shown = re.search(rf"^# {kind}:\n(#.*\n)+", text, re.MULTILINE)
        assert shown
        text = text.replace(shown[0], re.sub("^# ", "", shown[0], flags=re.MULTILINE))
    run("secrets", "put", "xai", typed=CANARY)
    lines = plan(text)
    assert lines[-2:] == ["14 to create, 1 to change, 0 to delete", "2"]


@pytest.mark.parametrize("secret", ["env:NO_SUCH", "file:nowhere.key", "prompt"])
def test_a_plan_does_without_the_values_that_are_not_here(tmp_path: Path, secret: str) -> None:
    """It runs where a change is reviewed, and no provider's key is."""
    file = tmp_path / "gateway.yaml"
    file.write_text(f"secrets: {{openai: {secret}}}")
    told = run("plan", str(file))
    assert (told.exit_code, "+ secret openai" in told.stdout) == (2, True)

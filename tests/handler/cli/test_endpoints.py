"""``sluicegate endpoints``."""

import stat
from pathlib import Path

import pytest

from gateway.wire.json import loads
from tests.handler.cli.terminal import run, words

FAST = ("endpoints", "create", "fast", "--provider", "openai", "--model", "gpt-4.1-mini")
FOR_OPENAI = {"value": "sk-very-secret", "origin": "https://api.openai.com"}
CREATED = """\
endpoints:
  fast:
    targets:
      - provider: openai
        model: gpt-4.1-mini
        secret: env:OPENAI_API_KEY
"""


def test_an_endpoint_is_created_and_shown_as_a_file_would_have_it(home: Path) -> None:
    result = run(*FAST)
    expected = (
        f"created fast -> openai/gpt-4.1-mini in {home}/gateway.db\n"
        "warning: OPENAI_API_KEY is not set here; set it where the gateway runs\n"
        'try it: sluicegate call fast "Hello"\n'
    )
    assert (result.exit_code, result.stderr) == (0, expected)
    shown = run("endpoints", "show", "fast").stdout
    assert shown == f"# from: the store, {home}/gateway.db\n{CREATED}"


def test_what_show_prints_makes_the_same_endpoint_again() -> None:
    more = ("--weight", "3", "--fallback", "groq/llama-3.3-70b", "--fallback", "ollama/llama3.2")
    run(*FAST, *more, "--key-env", "MY_KEY")
    shown = run("endpoints", "show", "fast").stdout
    assert run("endpoints", "create", "again", "--file", "-", typed=shown).exit_code == 0
    again = run("endpoints", "show", "again").stdout
    assert again == shown.replace("fast:", "again:")
    assert "weight: 3\n" in again
    assert "secret: env:MY_KEY" in again


def test_a_whole_endpoint_may_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "spec.yaml"
    file.write_text("targets: [{provider: ollama, model: llama3.2}]\nretries: {times: 2}\n")
    assert run("endpoints", "create", "local", "--file", str(file)).exit_code == 0
    item = loads(run("endpoints", "show", "local", "--json").stdout)
    assert (item["targets"], item["retries"]) == (
        [{"provider": "ollama", "model": "llama3.2"}],
        {"times": 2},
    )


def test_a_key_from_standard_input_is_kept_where_only_its_owner_can_read(home: Path) -> None:
    result = run(*FAST, "--key-stdin", typed="sk-very-secret\n")
    secrets = home / "secrets.json"
    assert loads(secrets.read_text()) == {"fast": FOR_OPENAI}
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o600
    shown = run("endpoints", "show", "fast").output
    assert "secret: vault:fast" in shown
    assert "very-secret" not in result.output + shown


@pytest.mark.parametrize("typed", ["", "sk-one sk-two", "sk-\N{BULLET}\N{BULLET}"])
def test_what_is_no_key_is_refused_and_not_shown(home: Path, typed: str) -> None:
    result = run(*FAST, "--key-stdin", typed=typed)
    assert (result.exit_code, result.stderr.startswith("error: --key-stdin: ")) == (1, True)
    assert "sk-" not in result.output
    assert not (home / "secrets.json").exists()


def test_a_key_in_the_place_of_a_variables_name_is_refused_and_not_shown() -> None:
    result = run(*FAST, "--key-env", "gsk_abcDEF123")
    assert (result.exit_code, "--key-env takes the NAME" in result.stderr) == (1, True)
    assert "abcDEF123" not in result.output


def test_an_endpoint_is_replaced_only_on_demand() -> None:
    run(*FAST)
    other = (*FAST[:-1], "gpt-4.1")
    result = run(*other)
    expected = "error: endpoint 'fast' exists; add --replace, or choose another name\n"
    assert (result.exit_code, result.stderr) == (1, expected)
    assert run(*other, "--replace").exit_code == 0
    assert "model: gpt-4.1\n" in run("endpoints", "show", "fast").stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("x --provider opnai --model m", "--provider: unknown provider 'opnai'; did you mean"),
        ("x --provider openai", "say which model: --provider PROVIDER --model MODEL"),
        ("x --provider azure --model m", "--base-url is required for azure"),
        ("x --provider openai --model é", "--model: must be a model's name"),
        ("x --provider openai --model m --weight 0", "--weight: Input should be greater than 0"),
        ("openai --provider openai --model m", "NAME: 'openai' is a word of the gateway's own"),
        ("x --provider openai --model m --fallback gpt", "--fallback gpt: must be PROVIDER/MODEL"),
        ("x --provider openai --model m --fallback azure/m", "the whole endpoint with --file"),
        ("x --provider openai --model m --fallback a/m", "--fallback: unknown provider 'a'"),
        ("x --provider openai --file f.yaml", "leave out the other options, or --file"),
        ("x --file nowhere.yaml", "nowhere.yaml: there is no such file"),
        (
            "x --provider openai --model m --key-env K --key-stdin",
            "--key-env and --key-stdin are two places for one key",
        ),
        (
            "x --provider openai --model m --base-url http://169.254.169.254/v1",
            "--base-url: points at a metadata service (169.254.169.254)",
        ),
        (
            "x --provider openai --model m --base-url http://[fe80::1]/v1",
            "--base-url: points at a link-local address (fe80::1)",
        ),
    ],
)
def test_a_mistake_is_told_by_the_name_of_the_option(arguments: str, said: str) -> None:
    result = run("endpoints", "create", *arguments.split())
    assert (result.exit_code, said in result.stderr) == (1, True)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("targets: [", "standard input: line 1, column 11: is not YAML"),
        ("\x00", "standard input: is not YAML"),
        ("- a", "standard input: "),
        ("targets: []", "standard input: targets: "),
        ("endpoints: {a: {}, b: {}}", "standard input: must hold one endpoint"),
    ],
)
def test_a_spec_that_is_none_is_refused(spec: str, said: str) -> None:
    result = run("endpoints", "create", "x", "--file", "-", typed=spec)
    assert (result.exit_code, said in result.stderr) == (1, True)


def test_lists_where_each_endpoint_comes_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    file = tmp_path / "endpoints.yaml"
    file.write_text(
        "endpoints: {fast: {targets: [{provider: ollama, model: a, weight: 3}, "
        "{provider: ollama, model: b}], fallbacks: [{provider: echo, model: echo}]}}"
    )
    run(*FAST)
    result = run("endpoints", "list", "--config", str(file))
    rows = [words(line) for line in result.stdout.splitlines()]
    assert [row for row in rows if row and "─" not in row] == [
        "name targets, else fallbacks from",
        "demo echo/echo built in",
        "fast ollama/a 75% file",
        "ollama/b 25%",
        "else echo/echo",
        "fast openai/gpt-4.1-mini store, hidden",
        "openai/gpt-4.1-mini openai/gpt-4.1-mini environment",
    ]
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert "very-secret" not in result.output


def test_lists_as_json() -> None:
    assert loads(run("endpoints", "list", "--json").stdout) == [
        {
            "name": "demo",
            "targets": [{"provider": "echo", "model": "echo", "price": {"input": 0, "output": 0}}],
            "from": "built in",
            "hidden": False,
        }
    ]


def test_warns_that_a_files_endpoint_goes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "endpoints.yaml"
    file.write_text("endpoints: {fast: {targets: [{provider: echo, model: echo}]}}")
    monkeypatch.setenv("SLUICEGATE_CONFIG", str(file))
    assert f"warning: {file} has one of this name too" in run(*FAST).stderr
    assert run("endpoints", "show", "fast").stdout.startswith(f"# from: the file {file}\n")


def test_shows_what_comes_from_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    assert run("endpoints", "show", "demo").stdout.startswith("# from: built in\n")
    shown = run("endpoints", "show", "openai/gpt-5").stdout
    assert shown.startswith("# from: the environment; to keep it, choose a name without '/'\n")
    assert run("endpoints", "show", "nope").exit_code == 1


def test_deletes_and_tells_of_the_key_that_stays() -> None:
    run(*FAST, "--key-stdin", typed="sk-1")
    result = run("endpoints", "delete", "fast", "--yes")
    expected = "deleted fast\nits key stays: sluicegate secrets delete fast\n"
    assert (result.exit_code, result.stderr) == (0, expected)
    assert run("endpoints", "show", "fast").exit_code == 1


@pytest.mark.usefixtures("person")
def test_a_person_is_asked_for_the_key(home: Path) -> None:
    result = run(*FAST, "--key-stdin", typed="sk-very-secret\n")
    assert "Key (not shown): \n" in result.output
    assert loads((home / "secrets.json").read_text()) == {"fast": FOR_OPENAI}
    assert "very-secret" not in result.output


@pytest.mark.usefixtures("person")
@pytest.mark.parametrize(("answer", "left"), [("y\n", 1), ("n\n", 0), ("\n", 0)])
def test_a_person_is_asked_before_an_endpoint_goes(answer: str, left: int) -> None:
    run(*FAST)
    assert "Delete endpoint 'fast'?" in run("endpoints", "delete", "fast", typed=answer).output
    assert run("endpoints", "show", "fast").exit_code == left


def test_nothing_is_deleted_when_nobody_can_confirm() -> None:
    run(*FAST)
    assert run("endpoints", "delete", "fast").exit_code == 1
    assert run("endpoints", "show", "fast").exit_code == 0


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("fsat", "; did you mean 'fast'?"),
        ("demo", "endpoint 'demo' is built in; only those of the store can be deleted"),
        ("openai/gpt-4.1-mini", "endpoint 'openai/gpt-4.1-mini' comes from the environment; only"),
    ],
)
def test_only_what_is_in_the_store_can_be_deleted(
    monkeypatch: pytest.MonkeyPatch, name: str, said: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    run(*FAST)
    result = run("endpoints", "delete", name, "--yes")
    assert (result.exit_code, said in result.stderr) == (1, True)


def test_a_store_that_cannot_be_used_is_told(home: Path) -> None:
    home.mkdir()
    (home / "gateway.db").write_text("this is no database, whatever its name says" * 100)
    result = run("endpoints", "list")
    assert (result.exit_code, result.stderr) == (
        1,
        f"error: the store {home}/gateway.db cannot be used: file is not a database\n",
    )


HERE = (
    *("endpoints", "create", "here", "--provider", "openai_compatible", "--model", "m"),
    *("--base-url", "http://127.0.0.1:9/v1"),
)


def allowed() -> list[str]:
    entries: list[str] = loads(run("settings", "show", "--json").stdout)["allow_private"]
    return entries


def test_a_private_address_has_to_be_allowed(home: Path) -> None:
    result = run(*HERE, "--key-stdin", typed="sk-very-secret")
    expected = (
        "error: --base-url: 127.0.0.1:9 is not a public address; to let the gateway connect "
        "there, add --allow-private\n"
    )
    assert (result.exit_code, result.stderr, home.exists()) == (1, expected, False)
    assert run(*HERE, "--allow-private").exit_code == 0
    assert allowed() == ["127.0.0.1:9"]
    assert run(*HERE, "--replace", "--allow-private").exit_code == 0
    assert allowed() == ["127.0.0.1:9"]
    assert run(*HERE, "--replace").exit_code == 0


def test_what_was_allowed_before_stays_allowed() -> None:
    run("settings", "allow", "10.0.0.0/8")
    run(*HERE, "--allow-private")
    assert allowed() == ["10.0.0.0/8", "127.0.0.1:9"]


def test_all_private_addresses_of_a_file_are_allowed_at_once() -> None:
    spec = (
        "targets: [{provider: ollama, model: a, base_url: 'http://10.1.2.3:1/v1'}]\n"
        "fallbacks: [{provider: ollama, model: b, base_url: 'http://localhost:2/v1'}]"
    )
    result = run("endpoints", "create", "x", "--file", "-", typed=spec)
    fix = "is not a public address; to let the gateway connect there, add --allow-private"
    assert result.stderr.splitlines() == [
        "error: standard input: 2 faults:",
        f"  targets[0].base_url: 10.1.2.3:1 {fix}",
        f"  fallbacks[0].base_url: localhost:2 {fix}",
    ]
    run("endpoints", "create", "x", "--file", "-", "--allow-private", typed=spec)
    assert allowed() == ["10.1.2.3:1", "localhost:2"]


def test_any_variable_may_be_sent_to_a_server_of_ones_own() -> None:
    assert run(*HERE, "--allow-private", "--key-env", "HOUSE_KEY").exit_code == 0
    assert "secret: env:HOUSE_KEY" in run("endpoints", "show", "here").stdout


def test_a_key_goes_to_where_its_target_is(home: Path) -> None:
    run(*HERE, "--allow-private", "--key-stdin", typed="sk-1")
    kept = {"here": {"value": "sk-1", "origin": "http://127.0.0.1:9"}}
    assert loads((home / "secrets.json").read_text()) == kept


def test_a_key_that_others_use_is_not_replaced() -> None:
    run("secrets", "put", "groq", typed="sk-1")
    run("endpoints", "create", "other", "--provider", "groq", "--model", "m")
    create = ("endpoints", "create", "groq", "--provider", "mistral", "--model", "m")
    result = run(*create, "--key-stdin", typed="sk-2")
    assert (result.exit_code, "a secret 'groq' is there and used by other" in result.stderr) == (
        1,
        True,
    )


def test_the_secret_of_a_provider_is_its_usual_key() -> None:
    run("secrets", "put", "openai", typed="sk-1")
    assert "secret: vault:openai" in (run(*FAST), run("endpoints", "show", "fast"))[1].stdout


@pytest.mark.parametrize("command", [["list"], ["show", "demo"]])
def test_a_file_is_of_this_machine(tmp_path: Path, command: list[str]) -> None:
    result = run("endpoints", *command, "--config", str(tmp_path), "--url", "127.0.0.1:9")
    assert (result.exit_code, "--config is of this machine" in result.stderr) == (1, True)


def test_what_is_used_by_a_key_stays() -> None:
    run(*FAST)
    run("keys", "create", "ci", "--endpoint", "fast")
    result = run("endpoints", "delete", "fast", "--yes")
    assert (result.exit_code, "is named by the keys ci" in result.stderr) == (1, True)

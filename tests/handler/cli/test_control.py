"""The control plane from a command line, of a gateway that runs elsewhere."""

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from gateway.errors import Unavailable
from gateway.settings import Settings
from gateway.wire.json import dumps, loads
from handler.cli.remote import base_of, unreachable
from handler.cli.trouble import Trouble
from tests.handler.cli.stand_in import StandIn
from tests.handler.cli.terminal import run, words
from tests.serving import serving

JSON, CANARY = "application/json", "sk-canary-0123456789-abcd"
FORGED = "sgk_canary"


@dataclass(frozen=True)
class Guarded:
    """A gateway in a process of its own that asks for keys, and a key of each kind."""

    url: str
    admin: str
    caller: str
    log: Path


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("guarded")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLUICEGATE_HOME", str(folder / ".gateway"))
        admin = run("admin-key").stdout.strip()
        caller = run("keys", "create", "mine").stdout.strip()
    with serving(folder, "--require-keys", "--allow-private", "127.0.0.1:9") as url:
        yield Guarded(url, admin, caller, folder / "serve.log")


@pytest.fixture
def admin(guarded: Guarded, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("SLUICEGATE_ADMIN_KEY", guarded.admin)
    return guarded.url


def test_a_running_gateway_is_configured_from_nothing_to_a_call(
    admin: str, guarded: Guarded, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = [run("secrets", "put", "groq", "--url", admin, typed=CANARY).output]
    create = ("endpoints", "create", "chat", "--provider", "echo", "--model", "echo")
    made = run(*create, "--url", admin)
    assert made.stderr == f"created chat -> echo/echo in {admin}\n"
    key = run("keys", "create", "ci", "--endpoint", "chat", "--url", admin).stdout.strip()
    monkeypatch.setenv("SLUICEGATE_API_KEY", key)
    answered = run("call", "chat", "Hi", "--url", admin)
    assert answered.stdout == "This is an echo, not a model. You said: Hi\n"
    refused = run("call", "demo", "Hi", "--url", admin)
    assert "may not call endpoint 'demo'" in refused.stderr
    said += [answered.output, refused.output]
    for command in ("endpoints list", "endpoints show chat", "keys list", "secrets list --json"):
        told = run(*command.split(), "--url", admin)
        assert told.exit_code == 0, told.output
        said.append(told.output)
    exported = run("export", "--url", admin)
    planned = run("plan", "-", "--url", admin, typed=exported.stdout)
    assert (planned.exit_code, planned.stdout) == (0, "No changes.\n")
    whole = "".join([*said, made.output, exported.output, guarded.log.read_text()])
    assert [one in whole for one in (CANARY, key, guarded.admin)] == [False] * 3
    assert not home.exists()


def test_changes_are_applied_and_taken_back(admin: str) -> None:
    manifest = "endpoints: {x: {targets: [{provider: echo, model: echo}]}}\nkeys: {x: {}}"
    result = run("apply", "-", "--yes", "--url", admin, typed=manifest)
    assert (result.exit_code, result.stdout.startswith("x  sgk_")) == (0, True)
    rotated = run("keys", "rotate", "x", "--overlap", "0s", "--url", f"{admin}/api/")
    assert (rotated.exit_code, rotated.stdout.startswith("sgk_")) == (0, True)
    assert run("keys", "disable", "x", "--url", admin).exit_code == 0
    assert run("keys", "revoke", "x", "--yes", "--url", admin).exit_code == 0
    assert run("endpoints", "delete", "x", "--yes", "--url", admin).stderr == "deleted x\n"
    gone = run("endpoints", "show", "x", "--url", admin)
    assert (gone.exit_code, gone.stderr) == (1, "error: there is no endpoint 'x'\n")


def test_what_its_starter_allows_is_shown(admin: str) -> None:
    told = loads(run("settings", "show", "--json", "--url", admin).stdout)
    assert "127.0.0.1:9" in told["always_allowed"]
    assert run("settings", "allow", "10.1.2.3:4", "--url", admin).exit_code == 0
    assert run("settings", "disallow", "10.1.2.3:4", "--url", admin).exit_code == 0


def test_only_its_own_variables_may_be_a_secret(admin: str) -> None:
    create = ("endpoints", "create", "x", "--provider", "openai", "--model", "m")
    result = run(*create, "--key-env", "PATH", "--url", admin)
    assert (result.exit_code, "--key-env: env:PATH may be sent only" in result.stderr) == (1, True)


def test_all_faults_are_told_each_on_its_line(admin: str) -> None:
    bad = "endpoints: {chat: {targets: [{provider: echo, model: echo, weight: 0}], x: 1}}"
    result = run("plan", "-", "--url", admin, typed=bad)
    assert (result.exit_code, result.stderr.splitlines()) == (
        1,
        [
            "error: 2 faults:",
            "  endpoints.chat.targets[0].weight: Input should be greater than 0",
            "  endpoints.chat.x: is no field here; endpoints.example.yaml shows those there are",
        ],
    )


def test_many_are_listed_page_by_page(admin: str) -> None:
    names = [f"many-{number:03}" for number in range(105)]
    keys = "".join(f"  {name}: {{}}\n" for name in names)
    run("apply", "-", "--yes", "--url", admin, typed=f"keys:\n{keys}")
    listed = loads(run("keys", "list", "--json", "--url", admin).stdout)
    assert [key["name"] for key in listed if key["name"].startswith("many-")] == names


def test_without_a_key_it_says_how_to_send_one(guarded: Guarded) -> None:
    result = run("keys", "list", "--url", guarded.url)
    assert result.exit_code == 1
    assert "asks for an admin key: export SLUICEGATE_ADMIN_KEY=…" in words(result.stderr)
    assert "`sluicegate admin-key` makes the first" in words(result.stderr)


def test_a_key_that_is_none_of_its_own_is_refused_and_not_shown(
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICEGATE_ADMIN_KEY", FORGED)
    result = run("keys", "list", "--url", guarded.url)
    assert (result.exit_code, "knows no such admin key" in result.stderr) == (1, True)
    assert FORGED not in result.output


def test_a_callers_key_configures_nothing(
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICEGATE_ADMIN_KEY", guarded.caller)
    result = run("keys", "list", "--url", guarded.url)
    expected = "error: SLUICEGATE_ADMIN_KEY: this takes an admin key; yours is a caller's\n"
    assert (result.exit_code, result.stderr) == (1, expected)


@pytest.mark.usefixtures("person")
def test_a_person_types_the_admin_key_unseen(guarded: Guarded) -> None:
    result = run("keys", "show", "mine", "--url", guarded.url, typed=f"{guarded.admin}\n")
    assert f"Admin key of {guarded.url} (not shown): \n" in result.output
    assert (result.exit_code, guarded.admin in result.output) == (0, False)


@pytest.mark.usefixtures("person")
def test_what_is_typed_must_be_a_key(guarded: Guarded) -> None:
    result = run("keys", "show", "mine", "--url", guarded.url, typed="sgk canary\n")
    assert (result.exit_code, "what was typed holds characters" in result.stderr) == (1, True)
    assert "canary" not in result.output


def test_a_variable_that_holds_no_key_is_sent_nowhere(
    provider: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICEGATE_ADMIN_KEY", "sgk canary")
    result = run("keys", "list", "--url", provider.url)
    assert (result.exit_code, "SLUICEGATE_ADMIN_KEY holds characters" in result.stderr) == (1, True)
    assert (provider.headers, "canary" in result.output) == ([], False)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((200, "text/html", b"<html>"), "answered 200 with a body of type 'text/html'; is it a"),
        ((502, "text/html", b"<html>"), "answered 502 with a body of type 'text/html'; is it a"),
        ((403, JSON, b'{"Message": "Forbidden"}'), "answered 403 with a body of type"),
        ((302, "", b""), "answered 302 with a body of no type"),
        ((200, JSON, b"[]"), "answered 200 with a body of type"),
        ((200, JSON, b'{"status": "ok"}'), "answered without 'items'; is it a Sluicegate"),
        (
            (404, JSON, dumps({"error": {"message": "no", "code": "unknown_path"}})),
            "has no control plane; it only answers calls",
        ),
        ((503, JSON, dumps({"error": {"message": "the store is down"}})), "the store is down"),
        (
            (403, JSON, dumps({"error": {"message": "open to its own machine only"}})),
            "open to its own machine only",
        ),
    ],
)
def test_what_is_no_control_plane_is_told(
    provider: StandIn, answer: tuple[int, str, bytes], said: str
) -> None:
    provider.answer = answer
    result = run("keys", "list", "--url", provider.url)
    assert (result.exit_code, said in words(result.stderr)) == (1, True)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("127.0.0.1:9", "error: no gateway answers at http://127.0.0.1:9; start one with"),
        ("ftp://127.0.0.1", "error: --url ftp://127.0.0.1: must be an address"),
        ("https://a\x7fb", "error: https://a␡b: Invalid"),
    ],
)
def test_a_gateway_that_is_not_there_is_told(url: str, said: str) -> None:
    result = run("keys", "list", "--url", url)
    assert (result.exit_code, result.stderr.startswith(said)) == (1, True)


@pytest.mark.parametrize(
    "url",
    [
        "http://me:canary@127.0.0.1:9",
        "canary@127.0.0.1:9",
        "ftp://me:canary@a",
        "http://me:canary@[",
    ],
)
def test_a_password_in_the_address_is_refused_and_not_shown(url: str) -> None:
    result = run("keys", "list", "--url", url)
    assert (result.exit_code, "leave out the user and the password" in result.stderr) == (1, True)
    assert "canary" not in result.output


def test_a_gateway_without_tls_is_told(provider: StandIn) -> None:
    result = run("keys", "list", "--url", provider.url.replace("http://", "https://"))
    assert (result.exit_code, "does not speak TLS; is it http://" in result.stderr) == (1, True)


def test_a_certificate_that_is_not_trusted_is_told() -> None:
    refused = ssl.SSLCertVerificationError(1, "certificate verify failed: self-signed certificate")
    refused.verify_message = "self-signed certificate"
    error = httpx.ConnectError("failed")
    error.__cause__ = refused
    said = unreachable("https://gateway.test", error).message
    assert said == (
        "https://gateway.test is not trusted: self-signed certificate; check the name in --url, "
        "or say whose certificates to trust: export SSL_CERT_FILE=CA.pem"
    )


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (httpx.ReadTimeout("slow"), "took the request and did not answer in time"),
        (httpx.RemoteProtocolError("cut"), "the answer of https://gateway.test broke off: cut"),
        (httpx.WriteError(""), "https://gateway.test: WriteError"),
    ],
)
def test_an_answer_that_does_not_come_is_told(error: httpx.HTTPError, said: str) -> None:
    assert said in unreachable("https://gateway.test", error).message


def test_plain_http_to_another_machine_is_warned_of() -> None:
    result = run("keys", "list", "--url", "http://gateway.invalid")
    assert "warning: http://gateway.invalid is plain HTTP" in result.stderr


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("https://g.test/gateway/openai/v1", "https://g.test"),
        ("https://g.test/prod/api/", "https://g.test/prod"),
    ],
)
def test_a_pasted_path_is_left_out(url: str, base: str) -> None:
    assert base_of(url) == base


def test_a_store_of_aws_is_meant_wherever_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def no_aws(*given: object) -> None:
        asked.extend(given)
        raise Trouble("no AWS here")

    monkeypatch.setattr("gateway.bootstrap.aws.aws_control", no_aws)
    monkeypatch.setenv("SLUICEGATE_STORE", "aws")
    for command in ("keys list", "endpoints list", "secrets list", "settings show", "export"):
        assert run(*command.split()).stderr == "error: no AWS here\n"
    monkeypatch.delenv("SLUICEGATE_STORE")
    for command in ("keys list --aws", "endpoints show x --aws", "endpoints delete x --aws"):
        assert run(*command.split()).stderr == "error: no AWS here\n"
    assert len(asked) == 8


def test_the_admin_key_of_aws_is_all_that_standard_output_holds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def read(_: object) -> str:
        return FORGED

    monkeypatch.setattr("gateway.bootstrap.aws.read_admin_key", read)
    result = run("admin-key", "--aws")
    assert (result.exit_code, result.stdout, result.stderr) == (0, f"{FORGED}\n", "")


def test_where_there_is_no_admin_key_on_aws_yet_it_says_how_to_make_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def read(settings: Settings) -> str:
        if settings.secret_prefix == "no/":
            raise Unavailable("secret 'admin-key' is not set", code="secret_missing")
        raise Unavailable("AWS does not answer")

    monkeypatch.setattr("gateway.bootstrap.aws.read_admin_key", read)
    down = run("admin-key", "--aws")
    assert (down.exit_code, down.stderr) == (1, "error: AWS does not answer\n")
    monkeypatch.setenv("SLUICEGATE_SECRET_PREFIX", "no/")
    none = run("admin-key", "--aws")
    assert (none.exit_code, "keys create NAME --admin --aws" in none.stderr) == (1, True)

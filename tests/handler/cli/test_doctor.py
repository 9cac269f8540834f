"""``sluicegate doctor``."""

import asyncio
import os
import socket
from pathlib import Path

import pytest

from gateway.adapters.sqlite import SqliteItems
from gateway.ports import Change
from gateway.routing.endpoint import Endpoint, Target
from gateway.routing.items import write_endpoint
from tests.handler.cli.stand_in import StandIn
from tests.handler.cli.terminal import run, words

READY = (200, "application/json", b'{"status": "ready", "endpoints": 3}')
MINE = (
    *("endpoints", "create", "mine", "--allow-private"),
    *("--provider", "openai_compatible", "--model", "m"),
)


def doctor(*arguments: str) -> tuple[int, str]:
    """Its exit code, and its words without the breaks of lines."""
    result = run("doctor", *arguments)
    return result.exit_code, words(result.stdout)


async def write(home: Path, endpoint: Endpoint) -> None:
    """As another program would, without the checks of this one."""
    change = Change("endpoint", endpoint.name, write_endpoint(endpoint), 0)
    await SqliteItems(home / "gateway.db").write([change])


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as held:
        return str(held.getsockname()[1])


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """No path is broken in two."""
    monkeypatch.setenv("COLUMNS", "300")


def test_a_fresh_machine_is_well(home: Path) -> None:
    port = free_port()
    code, said = doctor("--port", port)
    expected = (
        f"ok home {home} will be made when it is needed "
        "warning keys no provider's key found "
        "fix: export one, such as OPENAI_API_KEY; the endpoint demo works without "
        f"ok store {home}/gateway.db, 0 endpoints "
        f"ok port {port} is free "
        "4 checks, 0 failed, 1 to look at"
    )
    assert (code, said) == (0, expected)


def test_keys_are_named_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "very-secret")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://me:very-secret@127.0.0.1:1/v1?k=very-secret")
    code, said = doctor()
    assert "ok AZURE_OPENAI_API_KEY set" in said
    assert "warning azure has a key but no address of its own" in said
    assert "failed OPENAI_BASE_URL must not hold a user or a password" in said
    assert (code, "very-secret" in said) == (1, False)


def test_a_key_with_what_was_pasted_along_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROQ_API_KEY", '"gsk-1"')
    assert "failed GROQ_API_KEY begins or ends with a space or a quotation mark" in doctor()[1]


def test_secrets_that_others_can_read_are_found(home: Path) -> None:
    run(*MINE, "--base-url", "http://127.0.0.1:9/v1", "--key-stdin", typed="sk-1")
    assert "mode 0600" in doctor()[1]
    (home / "secrets.json").chmod(0o644)
    code, said = doctor()
    assert (code, f"fix: chmod 600 {home}/secrets.json" in said) == (1, True)


def test_targets_are_reached(provider: StandIn) -> None:
    run(*MINE, "--base-url", provider.url)
    code, said = doctor("--port", free_port())
    assert (code, "ok mine openai_compatible/m, 127.0.0.1 answers" in said) == (0, True)
    assert provider.asked == []


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (("--base-url", "http://127.0.0.1:9/v1"), "127.0.0.1, port 9: Connection refused"),
        (("--base-url", "http://no.invalid/v1"), "the name no.invalid does not resolve"),
        (
            ("--base-url", "http://127.0.0.1:9/v1", "--key-env", "NO_KEY"),
            "secret 'env:NO_KEY' is not set fix: export NO_KEY=…",
        ),
    ],
)
def test_a_target_that_cannot_be_called_is_told(target: tuple[str, ...], said: str) -> None:
    run(*MINE, *target)
    code, told = doctor()
    assert (code, f"failed mine openai_compatible/m: {said}" in told) == (1, True)


def test_a_key_that_was_taken_away_is_missed(home: Path) -> None:
    run(*MINE, "--base-url", "http://127.0.0.1:9/v1", "--key-stdin", typed="sk-1")
    (home / "secrets.json").unlink()
    fix = "fix: sluicegate secrets put mine --base-url http://127.0.0.1:9/v1"
    assert f"secret 'vault:mine' is not set {fix}" in doctor()[1]


def test_a_private_address_that_is_not_allowed_is_told_with_the_fix() -> None:
    run(*MINE, "--base-url", "http://127.0.0.1:9/v1")
    run("settings", "disallow", "127.0.0.1:9")
    code, said = doctor()
    problem = "failed mine openai_compatible/m: 127.0.0.1 is not a public address, and not allowed"
    assert (code, f"{problem} fix: sluicegate settings allow 127.0.0.1:9" in said) == (1, True)


def test_a_secret_that_was_entered_for_another_place_is_told(home: Path) -> None:
    run("secrets", "put", "mine", "--provider", "openai", typed="sk-very-secret")
    asyncio.run(write(home, Endpoint("old", (Target("groq", "m", "file:mine"),))))
    said = doctor()[1]
    assert "was entered for https://api.openai.com and goes nowhere else" in said
    assert "fix: sluicegate secrets put mine --provider groq" in said
    assert "very-secret" not in said


def test_secrets_of_the_first_program_are_bound_to_nothing(home: Path) -> None:
    home.mkdir()
    (home / "secrets.json").write_text('{"old": "sk-very-secret"}')
    (home / "secrets.json").chmod(0o600)
    code, said = doctor("--port", free_port())
    assert "warning secrets old may go to any provider" in said
    assert "fix: sluicegate secrets put old --provider …" in said
    assert (code, "very-secret" in said) == (0, False)


@pytest.mark.parametrize("written", [b"{", b"[]"])
def test_secrets_that_cannot_be_read_keep_nothing_else_from_being_told(
    home: Path, written: bytes
) -> None:
    home.mkdir()
    (home / "secrets.json").write_bytes(written)
    assert "failed secrets" in doctor()[1]


def test_a_file_of_endpoints_is_checked(tmp_path: Path, provider: StandIn) -> None:
    file = tmp_path / "endpoints.yaml"
    m, n = (f"{{provider: ollama, model: {one}, base_url: '{provider.url}'}}" for one in "mn")
    file.write_text(f"endpoints: {{a: {{targets: [{m}], fallbacks: [{n}]}}}}")
    code, said = doctor("--config", str(file), "--port", free_port())
    assert (code, f"{file}, 1 endpoint ok a ollama/m" in said) == (0, True)
    file.write_text("endpoints: {a: {}}")
    code, said = doctor("--config", str(file))
    assert (code, "endpoints.a.targets: is required" in said) == (1, True)


def test_a_store_that_cannot_be_used_is_found(home: Path) -> None:
    home.mkdir()
    (home / "gateway.db").write_text("no database" * 100)
    code, said = doctor()
    assert (code, "failed store" in said, "file is not a database" in said) == (1, True, True)


def test_a_home_that_is_none_is_found(home: Path) -> None:
    home.write_text("")
    code, said = doctor()
    assert (code, "is no directory fix: set SLUICEGATE_HOME to one" in said) == (1, True)


def test_a_home_that_cannot_be_written_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    code, said = doctor()
    assert (code, "cannot be written fix: set SLUICEGATE_HOME to a dir" in said) == (1, True)


def test_a_provider_that_is_no_more_is_found(home: Path) -> None:
    gone = Endpoint("old", (Target("gone", "m"), Target("ollama", "m", base_url="http://[::]/v1")))
    asyncio.run(write(home, gone))
    said = doctor()[1]
    assert "failed old gone/m: no such provider" in said
    assert "failed old ollama/m: base_url points at an address that no server has (::)" in said


def test_a_moved_provider_is_shown(monkeypatch: pytest.MonkeyPatch, provider: StandIn) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", f"{provider.url}/v1")
    code, said = doctor("--port", free_port())
    assert (code, f"ok OPENAI_BASE_URL {provider.url}/v1" in said) == (0, True)


def test_settings_that_are_wrong_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICEGATE_CONNECT_TIMEOUT", "soon")
    code, said = doctor()
    assert (code, "failed settings SLUICEGATE_CONNECT_TIMEOUT" in said) == (1, True)


def test_a_port_in_use_is_a_warning(provider: StandIn) -> None:
    port = provider.url.rpartition(":")[2]
    code, said = doctor("--port", port)
    assert (code, f"warning port {port}: Address already in use" in said) == (0, True)


def test_a_running_gateway_is_asked(provider: StandIn) -> None:
    provider.answer = READY
    code, said = doctor("--url", provider.url)
    assert (code, f"ok gateway {provider.url} is ready, 3 endpoints" in said) == (0, True)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((503, "application/json", b'{"status": "unavailable", "reason": "no disk"}'), "no disk"),
        ((200, "text/html", b"<html>"), "does not answer as a Sluicegate does"),
        ((200, "application/json", b"[]"), "does not answer as a Sluicegate does"),
    ],
)
def test_what_is_no_ready_gateway_is_told(
    provider: StandIn, answer: tuple[int, str, bytes], said: str
) -> None:
    provider.answer = answer
    code, told = doctor("--url", provider.url)
    assert (code, said in told) == (1, True)


def test_a_gateway_that_is_not_there_is_told() -> None:
    code, said = doctor("--url", "127.0.0.1:9")
    assert (code, "no gateway answers at http://127.0.0.1:9" in said) == (1, True)

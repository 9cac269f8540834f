"""Secrets on one machine: found, kept to their owner, and never told."""

import asyncio
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters.local_vault import LocalVault
from gateway.errors import Unavailable
from tests.fakes import run

VALUE = "sk-very-secret"
XAI = "https://api.x.ai"
ELSEWHERE = "https://evil.example"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "new" / "secrets.json"


def vault(file: Path, **environment: str) -> LocalVault:
    return LocalVault(environment, file)


def refusal(vault: LocalVault, reference: str, origin: str = XAI) -> str:
    with pytest.raises(Unavailable) as refused:
        run(vault.secret(reference, origin))
    return refused.value.message


def test_a_variable_is_a_secret(file: Path) -> None:
    assert run(vault(file, A_KEY=VALUE).secret("env:A_KEY", XAI)) == VALUE


@pytest.mark.parametrize("reference", ["vault:team-a", "file:team-a"])
def test_an_entry_of_the_file_is_one_too(file: Path, reference: str) -> None:
    kept = vault(file)
    run(kept.put("team-a", VALUE, XAI))
    assert run(kept.secret(reference, XAI)) == VALUE
    assert run(vault(file).secret(reference, XAI)) == VALUE


@pytest.mark.parametrize(
    "origin", [ELSEWHERE, "http://api.x.ai", "https://api.x.ai:8443", "https://api.x.ai.evil", ""]
)
def test_an_entry_goes_where_it_was_entered_for_and_nowhere_else(file: Path, origin: str) -> None:
    kept = vault(file)
    run(kept.put("a", VALUE, XAI))
    assert refusal(kept, "vault:a", origin) == (
        f"secret 'vault:a' was entered for {XAI} and goes nowhere else: enter it again for {origin}"
    )
    assert run(kept.renewed("vault:a", origin, "sk-old")) is None


def test_an_entry_that_is_entered_again_goes_to_its_new_origin_alone(file: Path) -> None:
    kept = vault(file)
    run(kept.put("a", "sk-old", XAI))
    run(kept.put("a", VALUE, ELSEWHERE))
    assert run(kept.secret("vault:a", ELSEWHERE)) == VALUE
    assert "goes nowhere else" in refusal(kept, "vault:a", XAI)


@pytest.mark.parametrize("origin", [XAI, ELSEWHERE])
def test_a_variable_and_an_entry_of_the_first_program_go_wherever_their_target_says(
    file: Path, origin: str
) -> None:
    file.parent.mkdir()
    file.write_text(json.dumps({"a": VALUE}))
    kept = vault(file, A_KEY=VALUE)
    assert run(kept.secret("file:a", origin)) == VALUE
    assert run(kept.secret("env:A_KEY", origin)) == VALUE


def test_what_is_deleted_is_gone_and_may_be_deleted_again(file: Path) -> None:
    kept = vault(file)
    run(kept.put("a", VALUE, XAI))
    run(kept.put("b", VALUE, XAI))
    for _ in range(2):
        run(kept.delete("a"))
        assert refusal(kept, "vault:a") == "secret 'vault:a' is not set"
    assert run(kept.secret("vault:b", XAI)) == VALUE


def test_a_refused_secret_is_renewed_when_another_process_has_replaced_it(file: Path) -> None:
    mine, other = vault(file, A_KEY=VALUE), vault(file)
    run(mine.put("a", "sk-old", XAI))
    assert run(mine.renewed("vault:a", XAI, "sk-old")) is None
    run(other.put("a", VALUE, XAI))
    assert run(mine.renewed("vault:a", XAI, "sk-old")) == VALUE
    run(other.delete("a"))
    assert run(mine.renewed("vault:a", XAI, VALUE)) is None
    assert run(mine.renewed("env:A_KEY", XAI, VALUE)) is None


@pytest.mark.parametrize("reference", ["env:A", "file:A", "vault:A", "env:", "file:", "vault:"])
def test_what_is_not_set_is_named(file: Path, reference: str) -> None:
    assert refusal(vault(file, A=""), reference) == f"secret {reference!r} is not set"


@pytest.mark.parametrize("reference", ["", "A", "aws:A", "ENV:A", " env:A"])
def test_what_is_no_reference_says_how_one_begins(file: Path, reference: str) -> None:
    assert refusal(vault(file, A="x"), reference) == (
        "a secret's reference begins with vault:, env: or file:"
    )


def test_a_key_in_the_place_of_a_reference_is_not_repeated(file: Path) -> None:
    assert VALUE not in refusal(vault(file), VALUE)


@pytest.mark.parametrize(
    "value", [f"{VALUE}\n", f"{VALUE}\r\nx: y", f"{VALUE}\x00", f"{VALUE}\x7f", f"{VALUE}\u00e9"]
)
def test_a_value_that_no_header_could_hold_is_refused_and_not_told(file: Path, value: str) -> None:
    kept = vault(file, A_KEY=value)
    run(kept.put("a", value, XAI))
    for reference in ("env:A_KEY", "file:a"):
        message = refusal(kept, reference)
        assert message == f"secret {reference!r} holds characters that no key has"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        f'{{"a": {VALUE}}}',
        f'["{VALUE}"]',
        f'"{VALUE}"',
        "null",
        "5",
        "\ufeff{}",
        "[" * 100_000,
    ],
)
def test_a_file_that_is_no_set_of_secrets_is_named_and_not_told(file: Path, text: str) -> None:
    file.parent.mkdir()
    file.write_text(text)
    message = refusal(vault(file), "file:a")
    assert str(file) in message
    assert VALUE not in message


def test_bytes_that_are_no_text_are_refused_alike(file: Path) -> None:
    file.parent.mkdir()
    file.write_bytes(b'{"a": "\xff"}')
    assert str(file) in refusal(vault(file), "file:a")


@pytest.mark.parametrize(
    "value",
    [
        None,
        5,
        True,
        [VALUE],
        {"value": VALUE},
        {"value": VALUE, "origin": None},
        {"value": VALUE, "origin": [XAI]},
        {"value": [VALUE], "origin": XAI},
        {"value": "", "origin": XAI},
        {"origin": XAI},
        "",
    ],
)
def test_an_entry_that_is_no_text_is_refused_and_not_told(file: Path, value: Any) -> None:
    file.parent.mkdir()
    file.write_text(json.dumps({"a": value}))
    message = refusal(vault(file), "file:a")
    assert "'file:a'" in message
    assert VALUE not in message


def test_the_file_is_its_owners_alone(file: Path) -> None:
    before = os.umask(0)
    try:
        run(vault(file).put("a", VALUE, XAI))
        run(vault(file).put("b", VALUE, XAI))
    finally:
        os.umask(before)
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (file, file.parent)]
    assert modes == [0o600, 0o700]


def test_it_is_so_from_its_first_byte(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looked at when the draft is opened, before anything is in it."""
    seen: list[tuple[int, int]] = []
    open_draft = os.fdopen

    def looked_at(handle: int, mode: str) -> Any:
        status = os.fstat(handle)
        seen.append((stat.S_IMODE(status.st_mode), status.st_size))
        return open_draft(handle, mode)

    monkeypatch.setattr(os, "fdopen", looked_at)
    run(vault(file).put("a", VALUE, XAI))
    assert seen == [(0o600, 0)]


def test_no_draft_is_left_behind(file: Path) -> None:
    kept = vault(file)
    for name in "abc":
        run(kept.put(name, VALUE, XAI))
    assert {path.name for path in file.parent.iterdir()} == {"secrets.json", "secrets.lock"}


def test_what_another_program_wrote_is_seen(file: Path) -> None:
    mine, other = vault(file), vault(file)
    run(mine.put("a", "one", XAI))
    assert run(mine.secret("file:a", XAI)) == "one"
    run(other.put("a", "two", XAI))
    os.utime(file, ns=(1, 1))
    assert run(mine.secret("file:a", XAI)) == "two"
    run(other.put("b", "three", XAI))
    assert run(mine.secret("file:b", XAI)) == "three"


def test_what_was_written_within_one_tick_of_the_clock_is_seen_too(file: Path) -> None:
    """A file system's clock ticks every few milliseconds: the time alone tells nothing."""
    mine, other = vault(file), vault(file)
    run(mine.put("a", "one", XAI))
    assert run(mine.secret("file:a", XAI)) == "one"
    tick = file.stat().st_mtime_ns
    run(other.put("a", "two", XAI))
    os.utime(file, ns=(tick, tick))
    assert run(mine.secret("file:a", XAI)) == "two"


def test_a_file_that_was_away_is_read_again(file: Path) -> None:
    kept = vault(file)
    run(kept.put("a", VALUE, XAI))
    assert run(kept.secret("file:a", XAI)) == VALUE
    file.rename(file.with_suffix(".away"))
    assert refusal(kept, "file:a").endswith("is not set")
    file.with_suffix(".away").rename(file)
    assert run(kept.secret("file:a", XAI)) == VALUE


def test_secrets_put_at_once_are_all_kept(file: Path) -> None:
    async def storm() -> list[str]:
        kept = vault(file)
        await asyncio.gather(*(kept.put(f"s{nth}", f"v{nth}", XAI) for nth in range(20)))
        return [await kept.secret(f"file:s{nth}", XAI) for nth in range(20)]

    assert run(storm()) == [f"v{nth}" for nth in range(20)]

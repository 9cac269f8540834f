"""What a person sees when the server starts."""

import asyncio
import io
from collections.abc import Mapping
from pathlib import Path

import pytest
from rich.console import Console

from gateway.adapters.sqlite import SqliteItems
from gateway.ports import Change
from gateway.routing.endpoint import Endpoint, Target
from gateway.routing.items import write_endpoint
from gateway.settings import Settings
from handler.cli.banner import SHOWN, banner, without_credentials
from handler.cli.listing import Listed, Surroundings

URL = "http://127.0.0.1:8000"
FAST = Endpoint(
    "fast",
    (
        Target("openai", "gpt-4.1-mini", "env:OPENAI_API_KEY", weight=3),
        Target("groq", "llama-3.3-70b", "env:GROQ_API_KEY"),
    ),
)


def shown(here: Surroundings) -> str:
    written = io.StringIO()
    console = Console(file=written, width=80, markup=False, highlight=False)
    banner(console, URL, asyncio.run(here.listed()), here)
    lines = [line.rstrip() for line in written.getvalue().splitlines()]
    assert max(map(len, lines)) <= 80
    return "\n".join(lines)


def here(
    folder: Path, environment: Mapping[str, str], *configured: Endpoint, **more: object
) -> Surroundings:
    config = Path("endpoints.yaml") if configured else None
    settings = Settings.model_validate({"home": folder, "config": config, **more})
    return Surroundings(settings, environment, configured)


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_fresh_machine_can_call_the_demo() -> None:
    facts = shown(here(Path(), {})).split("\n\n")[1]
    assert (
        facts
        == """\
callers    every program on this machine; no gateway key is asked for
keys       none found; export one, such as OPENAI_API_KEY, and start again
store      gateway.db
endpoints  demo          built in: an echo, no model; needs no key
           ollama/MODEL  where it runs on this machine
docs       http://127.0.0.1:8000/openapi.json
stop       Ctrl-C"""
    )


def test_all_that_can_be_called_is_told_and_what_is_missing_for_it() -> None:
    environment = {
        "OPENAI_API_KEY": "very-secret",
        "AZURE_OPENAI_API_KEY": "very-secret",
        "OPENAI_BASE_URL": "https://me:very-secret@house.test:8443/v1?key=very-secret",
    }
    said = shown(here(Path(), environment, FAST))
    assert (
        said.split("\n\n")[1]
        == """\
callers          every program on this machine; no gateway key is asked for
keys             OPENAI_API_KEY, AZURE_OPENAI_API_KEY
OPENAI_BASE_URL  https://house.test:8443/v1
config           endpoints.yaml
store            gateway.db
endpoints        demo          built in: an echo, no model; needs no key
                 fast          openai/gpt-4.1-mini 75%, groq/llama-3.3-70b 25%;
                               not set: GROQ_API_KEY
                 openai/MODEL  any of its models, such as openai/gpt-4.1-mini
                 ollama/MODEL  where it runs on this machine
docs             http://127.0.0.1:8000/openapi.json
stop             Ctrl-C"""
    )
    assert "very-secret" not in said


def test_a_full_store_does_not_flood_the_screen(tmp_path: Path) -> None:
    settings = Settings.model_validate({"home": tmp_path})
    many = [Endpoint(f"e{number:02}", (Target("echo", "echo"),)) for number in range(SHOWN + 5)]
    changes = [Change("endpoint", one.name, write_endpoint(one), 0) for one in many]
    asyncio.run(SqliteItems(settings.store_file).write(changes))
    said = shown(Surroundings(settings, {}, ()))
    assert "and 6 more: sluicegate endpoints list" in said
    assert f"e{SHOWN:02}" not in said


def test_with_keys_the_commands_send_one() -> None:
    said = shown(here(Path(), {}, require_keys=True))
    assert "callers    those with a gateway key: sluicegate keys create NAME\n" in said
    assert '-H "authorization: Bearer $SLUICEGATE_API_KEY" \\\n' in said
    assert 'api_key=__import__("os").environ["SLUICEGATE_API_KEY"],' in said


def test_on_aws_nothing_of_this_machine_is_told() -> None:
    settings = Settings.model_validate({"store": "aws", "require_keys": True})
    surroundings = Surroundings(settings, {"OPENAI_API_KEY": "very-secret"}, ())
    written = io.StringIO()
    banner(Console(file=written, width=80), URL, [Listed(FAST, "store")], surroundings)
    facts = written.getvalue().split("\n\n")[1]
    assert [line.split()[0] for line in facts.splitlines() if line[0] != " "] == [
        "callers",
        "store",
        "endpoints",
        "docs",
        "stop",
    ]
    assert "DynamoDB, sluicegate-config" in facts
    assert '"model": "fast"' in written.getvalue()


@pytest.mark.parametrize(
    ("url", "expected"),
    [("http://127.0.0.1:11434/v1", "http://127.0.0.1:11434/v1"), ("http://[", "(is no URL)")],
)
def test_a_base_url_is_shown_without_credentials(url: str, expected: str) -> None:
    assert without_credentials(url) == expected

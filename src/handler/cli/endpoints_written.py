"""``sluicegate endpoints create`` and ``delete``."""

import asyncio
import re
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from gateway.adapters.local_vault import LocalVault
from gateway.admin.specs import endpoint_from
from gateway.errors import BadRequest
from gateway.routing.endpoint import Endpoint
from gateway.settings import Settings
from gateway.wire.json import Json
from handler.cli.configuration import read_text, read_yaml
from handler.cli.endpoints_shown import not_found
from handler.cli.listing import Listed, Surroundings, missing_variables, secrets_of, shares
from handler.cli.screen import note, someone_types, warn
from handler.cli.trouble import Trouble

# A variable that is not set now must at least look like one: nobody's key is all capitals.
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
_OPTIONS: Mapping[str, str] = {
    "name": "NAME",
    "targets[0].provider": "--provider",
    "targets[0].model": "--model",
    "targets[0].base_url": "--base-url",
    "targets[0].weight": "--weight",
    "targets[0].secret": "--key-env",
}


@dataclass(frozen=True, slots=True)
class Flags:
    """What the command line says of a new endpoint. ``file``: all of it, and nothing else."""

    file: str | None = None
    provider: str | None = None
    model: str | None = None
    base_url: str | None = None
    key_env: str | None = None
    key_stdin: bool = False
    fallbacks: tuple[str, ...] = ()
    weight: float | None = None


def create(settings: Settings, name: str, flags: Flags, *, replace: bool) -> None:
    """Nothing is written before all of it has been checked."""
    here = Surroundings.here(settings)
    endpoint = _checked(name, flags, here)
    before = [row for row in asyncio.run(here.listed()) if row.endpoint.name == name]
    if not replace and any(row.source == "store" for row in before):
        raise Trouble(f"endpoint {name!r} exists; add --replace, or choose another name")
    key = _key() if flags.key_stdin else None
    asyncio.run(_write(here, endpoint, key))
    note(f"created {name} -> {', '.join(shares(endpoint.targets))} in {settings.store_file}")
    _warn_of(endpoint, here, hidden=any(row.source == "file" for row in before))
    note(f'try it: sluicegate call {name} "Hello"', "dim")


async def _write(here: Surroundings, endpoint: Endpoint, key: str | None) -> None:
    if key is not None:
        vault = LocalVault(here.environment, here.settings.secrets_file)
        await vault.put(endpoint.name, key)
    await here.store.put(endpoint)


def delete(settings: Settings, name: str, *, sure: bool) -> None:
    here = Surroundings.here(settings)
    rows = asyncio.run(here.listed())
    stored = [row.endpoint for row in rows if row.source == "store"]
    doomed = next((endpoint for endpoint in stored if endpoint.name == name), None)
    if doomed is None:
        raise _not_stored(name, rows, settings)
    if not sure:
        _confirm(name)
    asyncio.run(here.store.delete(name))
    note(f"deleted {name}")
    if kept := [one for one in secrets_of(doomed) if one.startswith("file:")]:
        names = ", ".join(one.removeprefix("file:") for one in kept)
        note(f"its key stays in {settings.secrets_file} as {names}", "dim")


def _not_stored(name: str, rows: list[Listed], settings: Settings) -> Trouble:
    for row in rows:
        if row.endpoint.name == name:
            where = "is built in" if row.source == "built in" else f"comes from the {row.source}"
            return Trouble(f"endpoint {name!r} {where}; only those of the store can be deleted")
    stored = [row.endpoint.name for row in rows if row.source == "store"]
    return not_found(name, stored, f" in {settings.store_file}")


def _confirm(name: str) -> None:
    if not someone_types():
        raise Trouble(f"nobody is there to confirm that {name!r} shall go; add --yes")
    typer.confirm(f"Delete endpoint {name!r}?", abort=True, err=True)


def _checked(name: str, flags: Flags, here: Surroundings) -> Endpoint:
    created = int(time.time())
    if flags.file is not None:
        if flags != Flags(flags.file):
            raise Trouble("--file gives the whole endpoint; leave out the other options, or --file")
        source = "standard input" if flags.file == "-" else flags.file
        spec = _one_of(_read(flags.file, source), source)
        try:
            return endpoint_from(name, spec, created=created)
        except BadRequest as error:
            raise Trouble(f"{source}: {error.message}") from error
    try:
        return endpoint_from(name, _spec(name, flags, here), created=created)
    except BadRequest as error:
        raise _as_option(error) from error


def _read(file: str, source: str) -> Any:
    return read_yaml(sys.stdin.read() if file == "-" else read_text(Path(file)), source)


def _one_of(written: Any, source: str) -> Any:
    """The endpoint of a file: written alone, or as the only one of a list of endpoints."""
    if not isinstance(written, dict) or "endpoints" not in written:
        return written
    named = written["endpoints"]
    if not isinstance(named, dict) or len(named) != 1:
        raise Trouble(
            f"{source}: must hold one endpoint; to serve them all: sluicegate serve --config FILE"
        )
    return next(iter(named.values()))


def _spec(name: str, flags: Flags, here: Surroundings) -> Json:
    if not flags.provider or not flags.model:
        raise Trouble("say which model: --provider PROVIDER --model MODEL, or --file FILE")
    target = {
        "provider": flags.provider,
        "model": flags.model,
        "base_url": flags.base_url,
        "weight": flags.weight,
        "secret": _secret(name, flags, here),
    }
    return {
        "targets": [{key: value for key, value in target.items() if value is not None}],
        "fallbacks": [_fallback(one) for one in flags.fallbacks],
    }


def _secret(name: str, flags: Flags, here: Surroundings) -> str | None:
    if flags.key_stdin and flags.key_env:
        raise Trouble("--key-env and --key-stdin are two places for one key; choose one")
    if flags.key_stdin:
        return f"file:{name}"
    if flags.key_env is None:
        return None
    if flags.key_env not in here.environment and not _VARIABLE.fullmatch(flags.key_env):
        raise Trouble(  # it may be the key itself: not a letter of it is shown
            "--key-env takes the NAME of a variable, such as OPENAI_API_KEY, and no variable has "
            "the given one; to hand over the key itself, use --key-stdin"
        )
    return f"env:{flags.key_env}"


def _fallback(written: str) -> Json:
    provider, slash, model = written.partition("/")
    if not slash:
        raise Trouble(f"--fallback {written}: must be PROVIDER/MODEL, such as openai/gpt-4.1-mini")
    return {"provider": provider, "model": model}


def _as_option(error: BadRequest) -> Trouble:
    """The same refusal, naming what was typed instead of the field it became."""
    field = error.field or ""
    problem = error.message.removeprefix(f"{field}: ")
    if field.startswith("fallbacks"):
        more = "; give the whole endpoint with --file" if "base_url" in problem else ""
        return Trouble(f"--fallback: {problem}{more}")
    if field == "targets[0]" and problem.startswith("base_url "):
        return Trouble(f"--base-url {problem.removeprefix('base_url ')}")
    if field == "targets[0].model":
        problem = "must be a model's name as the provider has it, without spaces"
    return Trouble(f"{_OPTIONS.get(field, field)}: {problem}")


def _key() -> str:
    if someone_types():
        key: str = typer.prompt("Key (not shown)", hide_input=True, err=True)
    else:
        key = sys.stdin.read()
    key = key.strip()
    if not key:
        raise Trouble("--key-stdin: standard input held no key")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise Trouble("--key-stdin: what came holds characters that no key has; send the key alone")
    return key


def _warn_of(endpoint: Endpoint, here: Surroundings, *, hidden: bool) -> None:
    if hidden:
        warn(f"{here.settings.config} has one of this name too, and it goes first")
    for variable in missing_variables(endpoint, here.environment):
        warn(f"{variable} is not set here; set it where the gateway runs")

"""``sluicegate endpoints create``."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.admin.specs import endpoint_from
from gateway.errors import Invalid
from gateway.providers.egress import private_url
from gateway.providers.origins import base_url_of
from gateway.routing.endpoint import Endpoint
from gateway.routing.items import read_endpoint
from gateway.settings import Settings
from gateway.wire.json import Json
from handler.cli.configuration import is_here, read_source, read_yaml
from handler.cli.control import Control, at, control_of
from handler.cli.listing import Surroundings, missing_variables, shares
from handler.cli.options import Place
from handler.cli.screen import note, warn
from handler.cli.secrets import existing
from handler.cli.trouble import Fault, Refused, Trouble, all_told, listed
from handler.cli.typed import secret_from_input

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


@dataclass(frozen=True, slots=True)
class How:
    """``replace``: also if it exists. ``allow_private``: and open the way to its addresses."""

    replace: bool = False
    allow_private: bool = False


def create(settings: Settings, place: Place, name: str, flags: Flags, how: How) -> None:
    """Nothing is written before all of it has been checked, and then all of it at once."""
    own = is_here(settings, place)
    here = Surroundings.here(settings) if own else Surroundings(settings, os.environ, ())
    spec, source = _spec_of(name, flags, here)
    endpoint = _checked(name, spec, source)
    with control_of(settings, place) as control:
        if not how.replace and _exists(control, name):
            raise Trouble(f"endpoint {name!r} exists; add --replace, or choose another name")
        manifest: Json = {"endpoints": {name: spec}}
        if flags.key_stdin:
            manifest["secrets"] = {name: _key(control, name, endpoint)}
        if how.allow_private and (entries := _entries(control, endpoint)):
            manifest["settings"] = {"allow_private": entries}
        try:
            control.post("/api/apply", {"manifest": manifest})
        except Refused as refused:
            raise _refusal(name, refused, endpoint, source) from refused
        endpoint = read_endpoint(control.get(at("endpoints", name)))
        note(f"created {name} -> {', '.join(shares(endpoint.targets))} in {control.where}")
    if own:
        _warn_of(endpoint, here)
        note(f'try it: sluicegate call {name} "Hello"', "dim")


def _spec_of(name: str, flags: Flags, here: Surroundings) -> tuple[Any, str | None]:
    """And the file that it stands in, None for options."""
    if flags.file is None:
        return _spec(name, flags, here), None
    if flags != Flags(flags.file):
        raise Trouble("--file gives the whole endpoint; leave out the other options, or --file")
    text, source = read_source(flags.file)
    return _one_of(read_yaml(text, source), source), source


def _checked(name: str, spec: Any, source: str | None) -> Endpoint:
    try:
        return endpoint_from(name, spec)
    except Invalid as error:
        if source is None:
            raise _as_options(error.faults) from error
        raise Trouble(f"{source}: {all_told(error)}") from error


def _key(control: Control, name: str, endpoint: Endpoint) -> Json:
    """The key that is typed, for where the endpoint's target is."""
    kept = existing(control, name)
    if kept is not None and (others := [one for one in kept["used_by"] if one != name]):
        raise Trouble(
            f"a secret {name!r} is there and used by {', '.join(others)}; choose another name, or "
            f"enter the key there: sluicegate secrets put {name}"
        )
    value = secret_from_input("Key", "--key-stdin")
    return {"value": value, "base_url": base_url_of(endpoint.targets[0])}


def _exists(control: Control, name: str) -> bool:
    try:
        control.get(at("endpoints", name))
    except Refused as refused:
        if refused.status != 404:
            raise
        return False
    return True


def _entries(control: Control, endpoint: Endpoint) -> list[str]:
    """All that shall be allowed from now on; none where it is allowed already."""
    told = control.get("/api/settings")
    there = [*told["allow_private"], *told["always_allowed"]]
    new = [entry for entry in _private(endpoint) if entry not in there]
    return [*told["allow_private"], *new] if new else []


def _private(endpoint: Endpoint) -> Iterator[str]:
    urls = (one.base_url for one in endpoint.targets + endpoint.fallbacks if one.base_url)
    yield from dict.fromkeys(filter(None, map(private_url, urls)))


def _one_of(written: Any, source: str) -> Any:
    """The endpoint of a file: written alone, or as the only one of a list of endpoints."""
    if not isinstance(written, dict) or "endpoints" not in written:
        return written
    named = written["endpoints"]
    if not isinstance(named, dict) or len(named) != 1:
        raise Trouble(f"{source}: must hold one endpoint; for all of them: sluicegate apply FILE")
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
        return f"vault:{name}"
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


def _refusal(name: str, refused: Refused, endpoint: Endpoint, source: str | None) -> Trouble:
    """What the control plane refused, in the words that it was asked in."""
    if not refused.faults:
        return refused
    faults = [
        (field and field.removeprefix(f"endpoints.{name}."), _shorter(problem, endpoint))
        for field, problem in refused.faults
    ]
    return _as_options(faults) if source is None else Trouble(f"{source}: {listed(faults)}")


def _shorter(problem: str, endpoint: Endpoint) -> str:
    """How to allow an address is said by the flag that does it."""
    for entry in _private(endpoint):
        if problem.startswith(f"{entry} is not a public address"):
            return (
                f"{entry} is not a public address; to let the gateway connect there, add "
                "--allow-private"
            )
    return problem


def _as_options(faults: Iterable[Fault]) -> Trouble:
    """Refusals that name what was typed instead of the field it became."""
    return Trouble(listed([_as_option(field or "", problem) for field, problem in faults]))


def _as_option(field: str, problem: str) -> Fault:
    if field.startswith("fallbacks"):
        more = "; give the whole endpoint with --file" if "base_url" in problem else ""
        return "--fallback", f"{problem}{more}"
    if field == "targets[0]" and problem.startswith("base_url "):
        return None, f"--base-url {problem.removeprefix('base_url ')}"
    if field == "targets[0].model":
        problem = "must be a model's name as the provider has it, without spaces"
    return _OPTIONS.get(field, field) or None, problem


def _warn_of(endpoint: Endpoint, here: Surroundings) -> None:
    configured: Sequence[str] = [one.name for one in here.configured]
    if endpoint.name in configured:
        warn(f"{here.settings.config} has one of this name too, and it goes first")
    for variable in missing_variables(endpoint, here.environment):
        warn(f"{variable} is not set here; set it where the gateway runs")

"""A file of configuration, read where the command runs: its secrets' values are found here."""

import math
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from gateway.providers.catalog import PROVIDERS
from gateway.wire.json import Json
from handler.cli.configuration import read_source, read_yaml
from handler.cli.trouble import Fault, Trouble, listed
from handler.cli.typed import fault_of

WAYS = "write env:VARIABLE, file:PATH or prompt"
IN_CLEAR = f"may not stand in a file of configuration, which is kept and shared: {WAYS}"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Manifest:
    """``body``: as the control plane takes it. ``prompted``: the secrets that somebody types; they
    have no value yet."""

    body: Json
    prompted: frozenset[str] = frozenset()

    def with_values(self, values: Mapping[str, str]) -> "Manifest":
        """What was typed, put where it belongs."""
        if not values:  # a file may speak of no secrets: then none of them is to be pruned
            return self
        secrets = {
            name: {**spec, "value": values[name]} if name in values else spec
            for name, spec in self.body["secrets"].items()
        }
        return replace(self, body={**self.body, "secrets": secrets})

    def with_usual_providers(self, there: frozenset[str]) -> "Manifest":
        """A new secret that no target of the file names goes to the provider of its name."""
        secrets = self.body.get("secrets")
        if not isinstance(secrets, dict):
            return self
        named = set(_named_secrets(self.body.get("endpoints")))
        usual = {
            name: {"provider": name, **spec}
            if _goes_nowhere(name, spec) and name not in there | named
            else spec
            for name, spec in secrets.items()
        }
        return replace(self, body={**self.body, "secrets": usual})


def manifest_in(file: str, *, values: bool = True) -> Manifest:
    """``file``: ``-`` for standard input. Raises Trouble that names every fault and its fix.

    ``values``: whether a secret's value must be found here. Else one that is not found counts as
    one that somebody will type.
    """
    text, source = read_source(file)
    written = read_yaml(text, source)
    if not isinstance(written, dict):
        raise Trouble(
            f"{source}: must hold endpoints, keys, secrets or settings; endpoints.example.yaml "
            "shows them"
        )
    folder = Path() if file == "-" else Path(file).parent
    reading = _Reading(folder, values)
    try:
        body = reading.plain(written, "")
    except RecursionError:
        raise Trouble(f"{source}: holds itself, by an alias") from None
    reading.resolve(body.get("secrets"))
    if reading.faults:
        raise Trouble(f"{source}: {listed(reading.faults)}")
    return Manifest(body, frozenset(reading.prompted))


@dataclass(slots=True)
class _Reading:
    """``folder``: where the paths of secrets' files begin."""

    folder: Path
    values: bool
    prompted: set[str] = field(default_factory=set)
    faults: list[Fault] = field(default_factory=list)

    def plain(self, value: Any, place: str) -> Any:
        """What YAML has and JSON has not, as JSON has it."""
        match value:
            case dict():
                return {
                    self._key(key, place): self.plain(one, _below(place, key))
                    for key, one in value.items()
                }
            case list():
                return [self.plain(one, f"{place}[{nth}]") for nth, one in enumerate(value)]
            case date():
                return value.isoformat()
            case float() if not math.isfinite(value):
                self.faults.append((place, "must be a finite number"))
            case int() if value.bit_length() > 63:
                self.faults.append((place, "is too large a number"))
            case bytes() | set():
                self.faults.append((place, "is of a kind that has no place here"))
        return value

    def _key(self, key: Any, place: str) -> str:
        if not isinstance(key, str):
            self.faults.append((place or None, "holds a name that is no text: put it in quotes"))
        return str(key)

    def resolve(self, secrets: Any) -> None:
        """Each secret's value in its place. What is no secret at all, the control plane refuses."""
        if not isinstance(secrets, dict):
            return
        for name, spec in secrets.items():
            place = f"secrets.{name}"
            if not isinstance(spec, dict):
                secrets[name] = {"value": self._value(spec, name, place)}
            elif "value" in spec:
                spec["value"] = self._value(spec["value"], name, f"{place}.value")
            secrets[name] = {k: v for k, v in secrets[name].items() if (k, v) != ("value", None)}

    def _value(self, told: Any, name: str, place: str) -> str | None:
        kind, _, rest = told.partition(":") if isinstance(told, str) else ("", "", "")
        problem: str | None = IN_CLEAR
        value: str | None = None
        if told == "prompt":
            self.prompted.add(name)
            return None
        if not self.values and _is_not_here(kind, rest, self.folder):
            self.prompted.add(name)
            return None
        if kind == "env" and _VARIABLE.fullmatch(rest):
            value = os.environ.get(rest, "").strip()
            problem = None if value else f"{rest} is not set here: export {rest}=…"
        elif kind == "file" and rest:
            value, problem = _content(self.folder / Path(rest).expanduser())
        if value and (why := fault_of(value)):
            problem = f"what {told} has {why}"
        if problem:
            self.faults.append((place, problem))
        return value


def _below(place: str, key: Any) -> str:
    return f"{place}.{key}" if place else str(key)


def _is_not_here(kind: str, rest: str, folder: Path) -> bool:
    if kind == "env":
        return bool(_VARIABLE.fullmatch(rest)) and not os.environ.get(rest)
    return kind == "file" and not (folder / Path(rest).expanduser()).exists()


def _content(file: Path) -> tuple[str | None, str | None]:
    """A file's text, or what is the matter with it."""
    try:
        text = file.read_text(encoding="utf-8").strip()
    except OSError as error:
        return None, f"{file} cannot be read: {error.strerror}"
    except ValueError:  # no text, or no path
        return None, f"{file} holds no text"
    return (text, None) if text else (None, f"{file} is empty")


def _goes_nowhere(name: str, spec: Any) -> bool:
    provider = PROVIDERS.get(name)
    told = isinstance(spec, dict) and (spec.get("provider") or spec.get("base_url"))
    return bool(isinstance(spec, dict) and not told and provider and provider.base_url)


def _named_secrets(value: Any) -> Iterator[str]:
    """Of targets anywhere in here; what is none of ours is for the control plane to refuse."""
    match value:
        case dict():
            secret = value.get("secret")
            if isinstance(secret, str) and secret.startswith("vault:"):
                yield secret.removeprefix("vault:")
            for one in value.values():
                yield from _named_secrets(one)
        case list():
            for one in value:
                yield from _named_secrets(one)

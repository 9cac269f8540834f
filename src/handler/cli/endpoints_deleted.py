"""``sluicegate endpoints delete``."""

import asyncio

from gateway.routing.endpoint import Endpoint
from gateway.routing.items import read_endpoint
from gateway.settings import Settings
from handler.cli.configuration import is_here
from handler.cli.control import Control, at, control_of
from handler.cli.endpoints_shown import not_found
from handler.cli.listing import Listed, Surroundings, secrets_of
from handler.cli.options import Place
from handler.cli.screen import note
from handler.cli.secrets import existing
from handler.cli.trouble import Trouble
from handler.cli.typed import confirm


def delete(settings: Settings, place: Place, name: str, *, sure: bool) -> None:
    if is_here(settings, place):
        _refuse_others(settings, name)
    with control_of(settings, place) as control:
        found = control.get(at("endpoints", name))
        if not sure:
            confirm(f"Delete endpoint {name!r}?", f"that {name!r} shall go")
        control.send("DELETE", at("endpoints", name), version=found["version"])
        note(f"deleted {name}")
        _tell_of_secrets(control, read_endpoint(found))


def _tell_of_secrets(control: Control, gone: Endpoint) -> None:
    for reference in secrets_of(gone):
        kind, _, secret = reference.partition(":")
        kept = existing(control, secret) if kind in ("vault", "file") else None
        if kept is not None and not kept["used_by"]:
            note(f"its key stays: sluicegate secrets delete {secret}", "dim")


def _refuse_others(settings: Settings, name: str) -> None:
    """What is not in the store comes from somewhere that can be told."""
    rows = asyncio.run(Surroundings.here(settings).listed())
    if not any(row.source == "store" and row.endpoint.name == name for row in rows):
        raise _not_stored(name, rows, settings)


def _not_stored(name: str, rows: list[Listed], settings: Settings) -> Trouble:
    for row in rows:
        if row.endpoint.name == name:
            where = "is built in" if row.source == "built in" else f"comes from the {row.source}"
            return Trouble(f"endpoint {name!r} {where}; only those of the store can be deleted")
    stored = [row.endpoint.name for row in rows if row.source == "store"]
    return not_found(name, stored, f" in {settings.store_file}")

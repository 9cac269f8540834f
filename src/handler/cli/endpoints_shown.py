"""``sluicegate endpoints list`` and ``show``."""

import asyncio
import difflib

from rich import box
from rich.table import Table
from rich.text import Text

from gateway.adapters.environment import EnvironmentEndpoints
from gateway.errors import EndpointNotFound
from gateway.providers.catalog import PROVIDERS
from gateway.routing.endpoint import Endpoint
from gateway.routing.items import read_endpoint, write_endpoint
from gateway.settings import Settings
from gateway.wire.json import Json
from handler.cli.configuration import is_here
from handler.cli.listing import Listed, Surroundings, shares, target_name
from handler.cli.options import Place
from handler.cli.screen import note, output, print_json
from handler.cli.trouble import Trouble
from handler.cli.written import as_yaml, plainly


def list_all(settings: Settings, place: Place, *, json: bool) -> None:
    rows = _rows(settings, place)
    if json:
        print_json([_item(row) for row in rows])
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("name", "targets, else fallbacks", "from"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        endpoint = row.endpoint
        table.add_row(
            Text(endpoint.name, style="bold"),
            Text("\n".join([*shares(endpoint.targets), *_fallbacks(endpoint)])),
            Text(row.source + (", hidden" if row.hidden else "")),
            style="dim" if row.hidden else "",
        )
    output().print(table)
    if any(row.hidden for row in rows):
        note("hidden: another endpoint of the same name goes before it", "dim")


def show_one(settings: Settings, place: Place, name: str, *, json: bool) -> None:
    row, where = _found(settings, place, name)
    if json:
        print_json(_item(row))
        return
    output().print(f"# from: {where}", soft_wrap=True)
    output().print(as_yaml({"endpoints": {name: _written(row)}}), end="", soft_wrap=True)


def _rows(settings: Settings, place: Place) -> list[Listed]:
    if is_here(settings, place):
        return asyncio.run(Surroundings.here(settings).listed())
    from handler.cli.control import control_of  # httpx takes long to import

    with control_of(settings, place) as control:
        return [Listed(read_endpoint(item), "store") for item in control.every("endpoints")]


def _found(settings: Settings, place: Place, name: str) -> tuple[Listed, str]:
    """And where it is, for people."""
    if is_here(settings, place):
        row = asyncio.run(_found_here(Surroundings.here(settings), name))
        return row, _origin(row, settings)
    from handler.cli.control import at, control_of

    with control_of(settings, place) as control:
        return Listed(read_endpoint(control.get(at("endpoints", name))), "store"), control.where


def _fallbacks(endpoint: Endpoint) -> list[str]:
    return [f"else {target_name(target)}" for target in endpoint.fallbacks]


async def _found_here(here: Surroundings, name: str) -> Listed:
    rows = await here.listed()
    for row in rows:
        if row.endpoint.name == name:
            return row
    try:  # PROVIDER/MODEL names more than are listed
        return Listed(await EnvironmentEndpoints(here.environment).find(name), "environment")
    except EndpointNotFound:
        raise not_found(name, [row.endpoint.name for row in rows]) from None


def not_found(name: str, known: list[str], where: str = "") -> Trouble:
    close = difflib.get_close_matches(name, known, n=1)
    if variable := _key_it_needs(name):
        hint = f"set {variable} to call that provider"
    elif close:
        hint = f"did you mean {close[0]!r}?"
    else:
        hint = "`sluicegate endpoints list` shows them all"
    return Trouble(f"there is no endpoint {name!r}{where}; {hint}")


def _key_it_needs(name: str) -> str | None:
    """The variable whose absence may be why: the name tells a provider that takes a key."""
    for provider in PROVIDERS.values():
        told = name.startswith((f"{provider.name}/", *provider.models))
        if told and provider.key_variables and provider.base_url:
            return provider.key_variables[0]
    return None


def _item(row: Listed) -> Json:
    return {**write_endpoint(row.endpoint), "from": row.source, "hidden": row.hidden}


def _written(row: Listed) -> Json:
    """What a file would say: its name stands before it, and its age is not for a person to set."""
    item = write_endpoint(row.endpoint)
    return {key: plainly(value) for key, value in item.items() if key not in ("name", "created")}


def _origin(row: Listed, settings: Settings) -> str:
    match row.source:
        case "store":
            return f"the store, {settings.store_file}"
        case "file":
            return f"the file {settings.config}"
        case "environment":
            return "the environment; to keep it, choose a name without '/'"
        case "built in":
            return "built in"

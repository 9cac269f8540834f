"""What ``sluicegate secrets`` does."""

from rich import box
from rich.table import Table
from rich.text import Text

from gateway.admin.secrets import origin_told
from gateway.admin.specs import SecretSpec, checked
from gateway.errors import Invalid
from gateway.providers.catalog import PROVIDERS
from gateway.wire.json import Json
from handler.cli import moments
from handler.cli.configuration import settings_for
from handler.cli.control import Control, at, control_of
from handler.cli.options import Place
from handler.cli.screen import note, output, print_json
from handler.cli.trouble import Fault, Refused, Trouble, listed
from handler.cli.typed import confirm, secret_from_input

_OPTIONS = {"provider": "--provider", "base_url": "--base-url", "name": "NAME"}


def put(place: Place, name: str, provider: str | None, base_url: str | None) -> None:
    """Where it may go is settled before anybody is asked for the value."""
    told = {"provider": provider, "base_url": base_url}
    destination = {field: value for field, value in told.items() if value}
    if len(destination) > 1:
        raise Trouble("--provider and --base-url are two places for one key; choose one")
    with control_of(settings_for(), place) as control:
        destination = destination or _usual(control, name)
        _check(destination)
        value = secret_from_input(f"Key for {name}", "secrets put")
        try:
            secret = control.send("PUT", at("secrets", name), {"value": value, **destination})
        except Refused as refused:
            raise _as_typed(refused.faults) or refused from refused
        where = control.where
    note(f"entered {name} ({secret['tail']}) for {secret['origin']}, known to {where}")


def existing(control: Control, name: str) -> Json | None:
    try:
        return control.get(at("secrets", name))
    except Refused as refused:
        if refused.status == 404:
            return None
        raise


def _usual(control: Control, name: str) -> dict[str, str]:
    """Nothing to tell of one that is there: it goes on going where it goes."""
    if existing(control, name) is not None:
        return {}
    if name in PROVIDERS:
        return {"provider": name}
    raise Trouble(
        f"{name!r} is no provider's name: say where the key may go, with --provider PROVIDER or "
        "--base-url URL"
    )


def _check(destination: dict[str, str]) -> None:
    try:
        origin_told(checked(SecretSpec, destination))
    except Invalid as error:
        raise _as_typed(error.faults) or error from error


def _as_typed(faults: tuple[Fault, ...]) -> Trouble | None:
    """The faults in the words of the command line."""
    return Trouble(listed(faults, _OPTIONS)) if faults else None


def list_all(place: Place, *, json: bool) -> None:
    with control_of(settings_for(), place) as control:
        found = list(control.every("secrets"))
    if json:
        print_json(found)
        return
    if not found:
        note("there are no secrets; enter one: sluicegate secrets put PROVIDER")
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("name", "value", "goes to", "used by", "entered"):
        table.add_column(heading, overflow="fold")
    for secret in found:
        table.add_row(
            Text(secret["name"], style="bold"),
            Text(secret["tail"]),
            Text(secret["origin"]),
            Text(", ".join(secret["used_by"])),
            Text(moments.shown(secret.get("updated"))),
        )
    output().print(table)


def delete(place: Place, name: str, *, sure: bool) -> None:
    with control_of(settings_for(), place) as control:
        secret = control.get(at("secrets", name))
        if not sure:
            confirm(f"Delete secret {name!r}?", f"that {name!r} shall go")
        control.send("DELETE", at("secrets", name), version=secret["version"])
    note(f"deleted {name}")

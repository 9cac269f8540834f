"""What ``sluicegate keys`` does."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from gateway.wire.json import Json
from handler.cli import moments
from handler.cli.configuration import settings_for
from handler.cli.control import Control, at, control_of
from handler.cli.options import Place
from handler.cli.screen import note, output, print_json, print_line, visible
from handler.cli.trouble import Refused, Trouble, listed
from handler.cli.typed import confirm

ONCE = "this key is shown this once: keep it where only its callers can read it"
FIRST = "admin"
_OPTIONS = {
    "name": "NAME",
    "owner": "--owner",
    "tags": "--tag",
    "endpoints": "--endpoint",
    "expires": "--expires",
    "principal": "--principal",
    "overlap": "--overlap",
}


@dataclass(frozen=True, slots=True)
class Told:
    """What the command line says of a new key."""

    owner: str | None = None
    tags: tuple[str, ...] = ()
    endpoints: tuple[str, ...] = ()
    expires: str | None = None
    admin: bool = False
    principal: str | None = None

    def body(self, now: float) -> Json:
        expires = self.expires and moments.moment_told("--expires", self.expires, now)
        told = {
            "owner": self.owner,
            "tags": list(self.tags),
            "endpoints": list(self.endpoints),
            "expires": expires,
            "role": "admin" if self.admin else None,
            "principal": self.principal,
        }
        return {field: value for field, value in told.items() if value}


def create(place: Place, name: str, told: Told) -> None:
    with control_of(settings_for(), place) as control:
        key = make(control, name, told.body(time.time()))
        note(f"created {_in_short(key)} in {control.where}")
        _print_key(key)


def make(control: Control, name: str, body: Json) -> Json:
    try:
        return control.post("/api/keys", {"name": name, **body})
    except Refused as refused:
        if refused.code == "exists":
            raise Trouble(
                f"key {name!r} exists; choose another name, or `sluicegate keys rotate {name}`"
            ) from refused
        raise _as_typed(refused) from refused


def _print_key(key: Json) -> None:
    if "key" in key:
        note(ONCE)
        print_line(key["key"])
    else:
        note(f"{key['principal']} is let in as it is, and needs no key")


def list_all(place: Place, *, json: bool) -> None:
    with control_of(settings_for(), place) as control:
        found = list(control.every("keys"))
    if json:
        print_json(found)
        return
    if not found:
        note("there are no gateway keys; make one: sluicegate keys create NAME")
        return
    now = time.time()
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("name", "may call", "ends with", "expires", "last used"):
        table.add_column(heading, overflow="fold")
    for key in found:
        table.add_row(
            Text(key["name"], style="bold"),
            Text(_may(key)),
            Text(", ".join(_tails(key))),
            Text(_state(key, now)),
            Text(moments.shown(key["last_used"], "never")),
            style="dim" if _is_out(key, now) else "",
        )
    output().print(table)


def show_one(place: Place, name: str, *, json: bool) -> None:
    with control_of(settings_for(), place) as control:
        key = control.get(at("keys", name))
    if json:
        print_json(key)
        return
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for label, told in _facts(key):
        table.add_row(label, Text(visible(told)))
    output().print(table)


def rotate(place: Place, name: str, overlap: str) -> None:
    seconds = moments.span_told("--overlap", overlap)
    with control_of(settings_for(), place) as control:
        try:
            key = control.post(at("keys", name, "/rotate"), {"overlap": seconds})
        except Refused as refused:
            raise _as_typed(refused) from refused
    until = f"good for {overlap} still" if seconds else "good no more"
    note(f"{name} has a new key; what it had before is {until}")
    _print_key(key)


def disable(place: Place, name: str, *, disabled: bool) -> None:
    with control_of(settings_for(), place) as control:
        control.send("PATCH", at("keys", name), {"disabled": disabled})
    note(f"{'disabled' if disabled else 'enabled'} {name}")


def revoke(place: Place, name: str, *, sure: bool) -> None:
    with control_of(settings_for(), place) as control:
        key = control.get(at("keys", name))
        if not sure:
            confirm(f"Revoke key {name!r} for good?", f"that {name!r} shall go")
        control.send("DELETE", at("keys", name), version=key["version"])
    note(f"revoked {name}")


def make_admin_key(control: Control) -> None:
    """The first. Keys are not kept, so a second time there is none to show."""
    found = {key["name"]: key["role"] for key in control.every("keys")}
    if admins := [name for name, role in found.items() if role == "admin"]:
        raise Trouble(
            f"there is an admin key already ({', '.join(admins)}), and a key is shown only when "
            "it is made; to make another: sluicegate keys create NAME --admin"
        )
    if FIRST in found:
        raise Trouble(
            f"key {FIRST!r} is a caller's; name the admin key: sluicegate keys create NAME --admin"
        )
    key = make(control, FIRST, {"role": "admin"})
    note(f"made the first admin key, {key['name']}, in {control.where}")
    _print_key(key)


def _as_typed(refused: Refused) -> Refused:
    """The same, in the words of the command line."""
    if refused.faults:
        refused.message = listed(refused.faults, _OPTIONS)
    return refused


def _in_short(key: Json) -> str:
    parts = [_may(key)]
    if key.get("expires"):
        parts.append(f"expires {moments.shown(key['expires'])}")
    return f"{key['name']} ({', '.join(parts)})"


def _may(key: Json) -> str:
    if key["role"] == "admin":
        return "configures"
    return ", ".join(key.get("endpoints") or ["all endpoints"])


def _tails(key: Json) -> list[str]:
    if "principal" in key:
        return [key["principal"]]
    return [f"…{one['tail']}" for one in key["credentials"]]


def _is_out(key: Json, now: float) -> bool:
    return bool(key.get("disabled")) or (key.get("expires") or now + 1) <= now


def _state(key: Json, now: float) -> str:
    if key.get("disabled"):
        return "disabled"
    told = moments.shown(key.get("expires"), "never")
    return f"{told}, over" if _is_out(key, now) else told


def _facts(key: Json) -> Iterator[tuple[str, str]]:
    yield "name", key["name"]
    yield "may call", _may(key)
    for field in ("owner", "principal"):
        if key.get(field):
            yield field, key[field]
    if key.get("tags"):
        yield "tags", ", ".join(key["tags"])
    yield "created", moments.shown(key.get("created"))
    yield "expires", _state(key, time.time())
    yield "last used", moments.shown(key["last_used"], "never")
    for credential in key["credentials"]:
        yield "key", _credential(credential)


def _credential(credential: dict[str, Any]) -> str:
    told = f"…{credential['tail']}, made {moments.shown(credential['created'])}"
    if credential.get("expires"):
        told += f", good until {moments.shown(credential['expires'])}"
    return told

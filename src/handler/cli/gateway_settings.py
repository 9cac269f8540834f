"""What ``sluicegate settings`` does."""

from collections.abc import Callable

from gateway.providers.egress import AllowList
from handler.cli.configuration import settings_for
from handler.cli.control import Control, control_of
from handler.cli.options import Place
from handler.cli.screen import note, output, print_json
from handler.cli.trouble import Refused, Trouble

SETTINGS = "/api/settings"
TRIES = 10

Edit = Callable[[list[str]], list[str]]


def show(place: Place, *, json: bool) -> None:
    with control_of(settings_for(), place) as control:
        told = control.get(SETTINGS)
    if json:
        print_json(told)
        return
    console = output()
    console.print("allow_private:" if told["allow_private"] else "allow_private: []")
    for entry in told["allow_private"]:
        console.print(f"  - {entry}", soft_wrap=True)
    if told["always_allowed"]:
        console.print("# allowed besides, by whoever starts the gateway:")
    for entry in told["always_allowed"]:
        console.print(f"#   {entry}", soft_wrap=True)


def allow(place: Place, entry: str) -> None:
    _parsed(entry)

    def with_it(entries: list[str]) -> list[str]:
        return entries if _those_like(entry, entries) else [*entries, entry]

    with control_of(settings_for(), place) as control:
        changed = _edit(control, with_it)
        note(f"{'allowed' if changed else 'is allowed already:'} {entry}, in {control.where}")


def disallow(place: Place, entry: str) -> None:
    _parsed(entry)
    with control_of(settings_for(), place) as control:
        always = control.get(SETTINGS)["always_allowed"]

        def without_it(entries: list[str]) -> list[str]:
            gone = _those_like(entry, entries)
            if not gone:
                raise Trouble(_why_not(entry, entries, always))
            return [one for one in entries if one not in gone]

        _edit(control, without_it)
        note(f"disallowed {entry}, in {control.where}")
    if _those_like(entry, always):
        note(f"whoever starts the gateway allows {entry} all the same")


def _edit(control: Control, edit: Edit) -> bool:
    """Whether anything changed. What others write meanwhile is kept."""
    tries = TRIES
    while True:
        tries -= 1
        told = control.get(SETTINGS)
        entries = edit(told["allow_private"])
        if entries == told["allow_private"]:
            return False
        try:
            body = {"allow_private": entries}
            control.send("PATCH", SETTINGS, body, version=told["version"])
        except Refused as refused:
            if refused.status != 409 or not tries:
                raise
        else:
            return True


def _parsed(entry: str) -> AllowList:
    try:
        return AllowList.parse([entry])
    except ValueError as error:
        raise Trouble(str(error)) from error


def _those_like(entry: str, entries: list[str]) -> list[str]:
    """The same place may be written in several ways."""
    return [one for one in entries if one == entry or AllowList.parse([one]) == _parsed(entry)]


def _why_not(entry: str, entries: list[str], always: list[str]) -> str:
    if _those_like(entry, always):
        return (
            f"{entry} is allowed by whoever starts the gateway: by SLUICEGATE_ALLOW_PRIVATE, a "
            "file of endpoints, or a provider's own address"
        )
    there = f"there are {', '.join(entries)}" if entries else "there are none"
    return f"{entry} is not among the allowed; {there}"

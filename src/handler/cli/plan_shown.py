"""A plan as a person reads it: what is made, what is changed in what, what goes."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from gateway.wire.json import Json
from handler.cli.screen import visible

MARKS = {"create": ("+", "green"), "update": ("~", "yellow"), "delete": ("-", "red")}
NOTHING = "(none)"
UNSEEN = "(hidden)"  # a secret's value is nobody's to compare


def show_plan(console: Console, steps: Sequence[Json]) -> None:
    for step in steps:
        mark, style = MARKS[step["action"]]
        line = Text(f"{mark} {step['kind']} {visible(step['name'])}", style)
        console.print(line, soft_wrap=True)
        if step["action"] == "update":
            for change in changes(step):
                console.print(Text(f"    {visible(change)}"), soft_wrap=True)
    console.print(summary(steps) if steps else "No changes.")


def summary(steps: Sequence[Json]) -> str:
    """``1 to create, 2 to change, 0 to delete``."""
    return counted(steps, ("to create", "to change", "to delete"))


def counted(steps: Sequence[Json], words: Sequence[str]) -> str:
    actions = [step["action"] for step in steps]
    return ", ".join(
        f"{actions.count(action)} {word}" for action, word in zip(MARKS, words, strict=True)
    )


def changes(step: Json) -> Iterator[str]:
    """``path: before -> after``, of each field that differs."""
    before, after = _fields(step["before"]), _fields(step["after"])
    hidden = step["kind"] == "secret"
    for path in {**before, **after}:
        if _is_within(path, before) or _is_within(path, after):
            continue  # an empty list here, a full one there: its members tell
        if before.get(path, ...) != after.get(path, ...):
            old = UNSEEN if hidden and path == "value" else _told(before, path)
            yield f"{path}: {old} -> {_told(after, path)}"


def _is_within(path: str, fields: Mapping[str, Any]) -> bool:
    return any(other.startswith((f"{path}[", f"{path}.")) for other in fields)


def _fields(value: Json) -> dict[str, Any]:
    return dict(_leaves(value, ""))


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    match value:
        case dict() if value or not path:
            for key, one in value.items():
                yield from _leaves(one, f"{path}.{key}" if path else key)
        case list() if value:
            for nth, one in enumerate(value):
                yield from _leaves(one, f"{path}[{nth}]")
        case _:
            yield path, value


def _told(fields: Mapping[str, Any], path: str) -> str:
    if path not in fields:
        return NOTHING
    value = fields[path]
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

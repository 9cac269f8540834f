"""``sluicegate plan``, ``apply`` and ``export``: configuration as code."""

from collections.abc import Collection
from pathlib import Path

from gateway.wire.json import Json
from handler.cli.configuration import settings_for
from handler.cli.control import Control, control_of
from handler.cli.manifest_file import Manifest, manifest_in
from handler.cli.options import Place
from handler.cli.plan_shown import counted, show_plan
from handler.cli.screen import aside, note, output, print_json, print_line, someone_types, warn
from handler.cli.trouble import Fault, Refused, Trouble, listed
from handler.cli.typed import confirm, fault_of, secret_typed
from handler.cli.written import as_json, as_yaml, plainly

TO_BE_TYPED = "to-be-typed"  # a plan needs no more of a value than that there will be one


def plan(place: Place, file: str, *, prune: bool, json: bool) -> bool:
    """Print what would change; whether anything would. Asks for nothing."""
    with control_of(settings_for(), place) as control:
        manifest = _read(control, file, values=False)
        needed = _needed(control, manifest, prune=prune)
        manifest = manifest.with_values(dict.fromkeys(needed, TO_BE_TYPED))
        steps = _steps(control, manifest, prune=prune)
    if json:
        print_json({"steps": steps})
    else:
        show_plan(output(), steps)
    return bool(steps)


def apply(place: Place, file: str, *, prune: bool, sure: bool, ask_secrets: bool) -> None:
    """The plan and what was done to standard error; new keys alone to standard output."""
    with control_of(settings_for(), place) as control:
        manifest = _read(control, file)
        needed = manifest.prompted if ask_secrets else _needed(control, manifest, prune=prune)
        manifest = manifest.with_values({name: _typed(name) for name in sorted(needed)})
        asked = {"manifest": manifest.body, "prune": prune}
        told = control.post("/api/plan", asked)
        show_plan(aside(), told["steps"])
        if not told["steps"]:
            return
        if not sure:
            confirm(f"Apply to {control.where}?", "these changes")
        # Not another plan than the one that was shown, whatever others did meanwhile.
        done = control.post("/api/apply", {**asked, "seen": told["seen"]})
    note(f"applied: {counted(done['steps'], ('created', 'changed', 'deleted'))}")
    for what in done.get("unfinished", ()):
        warn(f"{what}; apply it again to finish")
    if made := done["keys"]:
        note("the new keys are shown this once:")
        for name, key in made.items():
            print_line(f"{name}  {key}")


def export(place: Place, file: str, *, json: bool) -> None:
    with control_of(settings_for(), place) as control:
        told = control.get("/api/export")
    text = as_json(told) if json else as_yaml(plainly(told))
    if file == "-":
        print_line(text.rstrip("\n"))
        return
    try:
        with Path(file).open("x", encoding="utf-8") as new:
            new.write(text)
    except FileExistsError:
        raise Trouble(f"{file} exists; name another, or: sluicegate export > {file}") from None
    except OSError as error:
        raise Trouble(f"{file}: cannot be written: {error.strerror}") from error
    note(f"wrote {file}")


def _read(control: Control, file: str, *, values: bool = True) -> Manifest:
    manifest = manifest_in(file, values=values)
    there = frozenset(secret["name"] for secret in control.every("secrets"))
    return manifest.with_usual_providers(there)


def _needed(control: Control, manifest: Manifest, *, prune: bool) -> Collection[str]:
    """The secrets that have to be typed: new ones, and those that shall go elsewhere."""
    if not manifest.prompted:
        return ()
    try:
        _steps(control, manifest, prune=prune)
    except Refused as refused:
        fields = {f"secrets.{name}.value": name for name in manifest.prompted}
        others: list[Fault] = [fault for fault in refused.faults if fault[0] not in fields]
        if others:
            refused.message = listed(others)
        if others or not refused.faults:
            raise
        return [fields[str(field)] for field, _ in refused.faults]
    return ()


def _steps(control: Control, manifest: Manifest, *, prune: bool) -> list[Json]:
    told = control.post("/api/plan", {"manifest": manifest.body, "prune": prune})
    steps: list[Json] = told["steps"]
    return steps


def _typed(name: str) -> str:
    if not someone_types():
        raise Trouble(
            f"secrets.{name}: nobody is there to type it; write env:VARIABLE or file:PATH, or "
            f"enter it before: sluicegate secrets put {name}"
        )
    value = secret_typed(f"Secret {name}")
    if why := fault_of(value) or (None if value else "is empty"):
        raise Trouble(f"secrets.{name}: what was typed {why}; type the key alone")
    return value

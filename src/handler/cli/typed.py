"""What a person types, or a pipe holds: a yes, or a secret, which is shown nowhere."""

import sys

import typer

from handler.cli.screen import someone_types
from handler.cli.trouble import Trouble


def confirm(question: str, what: str) -> None:
    """Ask whoever types. Raises Trouble when nobody does, typer.Abort when the answer is no."""
    if not someone_types():
        raise Trouble(f"nobody is there to confirm {what}; add --yes")
    typer.confirm(question, abort=True, err=True)


def secret_from_input(label: str, source: str) -> str:
    """From whoever types, unseen, else from standard input. ``source``: what asked for it."""
    value = secret_typed(label) if someone_types() else sys.stdin.read().strip()
    if not value:
        raise Trouble(f"{source}: standard input held no key")
    if fault_of(value):
        raise Trouble(f"{source}: what came {fault_of(value)}; send the key alone")
    return value


def secret_typed(label: str) -> str:
    value: str = typer.prompt(f"{label} (not shown)", hide_input=True, err=True)
    return value.strip()


def fault_of(value: str) -> str | None:
    """Why this can be no secret; never a letter of it."""
    if value.isascii() and value.isprintable() and " " not in value:
        return None
    return "holds characters that no key has"

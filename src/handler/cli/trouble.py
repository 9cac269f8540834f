"""What goes wrong at a command line: told in a line, with the fix in it, and never a traceback."""

from collections.abc import Mapping, Sequence
from typing import Any

import typer
from typer.core import TyperGroup

from gateway.errors import GatewayError, Invalid
from handler.cli.screen import complain

Fault = tuple[str | None, str]  # a field, and its problem


class Trouble(Exception):
    """The message says what is wrong and what to do about it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Refused(Trouble):
    """The control plane said no. ``faults``: each field that is wrong; none where it is no field's
    fault. ``code``: a word to tell refusals apart by."""

    def __init__(
        self, message: str, status: int, code: str | None, faults: Sequence[Fault]
    ) -> None:
        super().__init__(listed(faults) if faults else message)
        self.status, self.code, self.faults = status, code, tuple(faults)


def listed(faults: Sequence[Fault], names: Mapping[str, str] | None = None) -> str:
    """Each fault on a line of its own. ``names``: what fields are called where they were typed."""
    lines = [f"{_typed(field, names or {})}{problem}" for field, problem in faults]
    return lines[0] if len(lines) == 1 else "\n  ".join([f"{len(lines)} faults:", *lines])


def _typed(field: str | None, names: Mapping[str, str]) -> str:
    if field is None:
        return ""
    head = field.partition("[")[0]
    return f"{names.get(field) or names.get(head) or field}: "


def all_told(error: GatewayError) -> str:
    return listed(error.faults) if isinstance(error, Invalid) else error.message


class Telling(TyperGroup):
    """A group whose commands may raise Trouble or GatewayError: it is shown, and the exit is 1."""

    def invoke(self, ctx: Any) -> Any:  # typer keeps the type of it to itself
        try:
            return super().invoke(ctx)
        except Trouble as trouble:
            complain(trouble.message)
        except GatewayError as error:
            complain(all_told(error))
        raise typer.Exit(1)

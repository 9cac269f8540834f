"""What goes wrong at a command line: told in a line, with the fix in it, and never a traceback."""

from typing import Any

import typer
from typer.core import TyperGroup

from gateway.errors import GatewayError
from handler.cli.screen import complain


class Trouble(Exception):
    """The message says what is wrong and what to do about it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Telling(TyperGroup):
    """A group whose commands may raise Trouble or GatewayError: it is shown, and the exit is 1."""

    def invoke(self, ctx: Any) -> Any:  # typer keeps the type of it to itself
        try:
            return super().invoke(ctx)
        except (Trouble, GatewayError) as error:
            complain(error.message)
            raise typer.Exit(1) from None

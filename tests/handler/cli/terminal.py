"""A terminal without a person: commands run in this process, their words as text."""

from collections.abc import Callable

from typer.testing import CliRunner, Result

from handler.cli.commands import app

Run = Callable[..., Result]


def run(*arguments: str, typed: str | bytes | None = None) -> Result:
    """``typed``: standard input, which is no terminal."""
    return CliRunner().invoke(app, arguments, input=typed, prog_name="sluicegate")


def words(text: str) -> str:
    """Without the breaks that the width of a terminal makes."""
    return " ".join(text.split())

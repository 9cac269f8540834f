"""The ``sluicegate`` command."""

from handler.cli.commands import app


def main() -> None:
    app(prog_name="sluicegate")

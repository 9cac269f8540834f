"""``sluicegate plan``, ``apply`` and ``export``: the commands and their options."""

from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from handler.cli import options
from handler.cli.options import Place

manifests = typer.Typer()

File = Annotated[
    str,
    typer.Argument(
        metavar="FILE",
        help="Endpoints, keys, secrets and settings, YAML or JSON; -: standard input.",
        show_default=False,
    ),
]
Prune = Annotated[
    bool,
    typer.Option(
        "--prune", help="Delete what the file leaves out, of the kinds that it speaks of."
    ),
]
CHANGES = 2

PLAN_HELP = """\
[bold]Exit[/bold]: 0 when nothing would change, 2 when something would, 1 when something is wrong.

[bold]Examples[/bold]

  sluicegate plan gateway.yaml

  sluicegate export | sluicegate plan -
"""
APPLY_EXAMPLES = """\
[bold]Examples[/bold]

  sluicegate apply gateway.yaml

  sluicegate apply gateway.yaml --yes --prune --url https://gateway.example.com > new-keys.txt

endpoints.example.yaml shows what a file may hold.
"""


class _Telling(TyperCommand):
    """A mistyped option exits with 1: 2 is a word of the plan's own."""

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().make_context(*args, **kwargs)
        except Exception as error:
            if getattr(error, "exit_code", None) == CHANGES:  # a usage error, whoever defines it
                error.exit_code = 1  # type: ignore[attr-defined]
            raise


@manifests.command("plan", cls=_Telling, epilog=PLAN_HELP)
def plan(
    file: File,
    *,
    prune: Prune = False,
    json: options.AsJson = False,
    url: options.ControlUrl = None,
    aws: options.Aws = False,
) -> None:
    """Show what a file of configuration would change. Changes nothing and asks for nothing."""
    from handler.cli import manifests as work

    if work.plan(Place(url, aws), file, prune=prune, json=json):
        raise typer.Exit(CHANGES)


@manifests.command("apply", epilog=APPLY_EXAMPLES)
def apply(
    file: File,
    *,
    yes: options.Yes = False,
    prune: Prune = False,
    ask_secrets: Annotated[
        bool, typer.Option("--ask-secrets", help="Ask for every `prompt` secret, known or not.")
    ] = False,
    url: options.ControlUrl = None,
    aws: options.Aws = False,
) -> None:
    """Make a file of configuration true: all of it or, where anything is wrong, nothing.

    Prints new keys, each once.
    """
    from handler.cli import manifests as work

    work.apply(Place(url, aws), file, prune=prune, sure=yes, ask_secrets=ask_secrets)


@manifests.command("export", epilog="sluicegate export gateway.yaml")
def export(
    file: Annotated[
        str, typer.Argument(metavar="[FILE]", help="-: standard output.", show_default=False)
    ] = "-",
    *,
    json: options.AsJson = False,
    url: options.ControlUrl = None,
    aws: options.Aws = False,
) -> None:
    """Print what there is as a file of configuration: no key, no secret's value."""
    from handler.cli import manifests as work

    work.export(Place(url, aws), file, json=json)


@manifests.command("admin-key", epilog="export SLUICEGATE_ADMIN_KEY=$(sluicegate admin-key --aws)")
def admin_key(*, aws: options.Aws = False) -> None:
    """Print the first admin key: of the gateway on AWS, or made now for this machine."""
    from handler.cli import admin_key as work

    work.admin_key(Place(aws=aws))

"""``sluicegate secrets``: the commands and their options."""

from typing import Annotated

import typer

from handler.cli import options
from handler.cli.options import Place

secrets = typer.Typer(
    help="Providers' keys: put, list, delete. A value goes in and never comes out.",
    no_args_is_help=True,
)

PUT_EXAMPLES = """\
[bold]Examples[/bold]

  sluicegate secrets put openai

  sluicegate secrets put groq-team --provider groq < groq.key

  sluicegate secrets put house --base-url https://models.example.com/v1
"""

Provider = Annotated[
    str | None,
    typer.Option(
        help="Where it may go, and nowhere else. Else the provider of this name.",
        show_default=False,
    ),
]
BaseUrl = Annotated[
    str | None,
    typer.Option(metavar="URL", help="The same, for a server of your own.", show_default=False),
]


@secrets.command("put", epilog=PUT_EXAMPLES)
def put(
    name: options.Name,
    *,
    provider: Provider = None,
    base_url: BaseUrl = None,
    url: options.ControlUrl = None,
    aws: options.Aws = False,
) -> None:
    """Enter a provider's key: typed unseen, or from standard input. Replaces the one there is."""
    from handler.cli import secrets as work

    work.put(Place(url, aws), name, provider, base_url)


@secrets.command("list", epilog="sluicegate secrets list --json")
def list_secrets(
    *, json: options.AsJson = False, url: options.ControlUrl = None, aws: options.Aws = False
) -> None:
    """List the secrets: their last letters, where they may go, which endpoints use them."""
    from handler.cli import secrets as work

    work.list_all(Place(url, aws), json=json)


@secrets.command("delete", epilog="sluicegate secrets delete openai --yes")
def delete(
    name: options.Name,
    *,
    yes: options.Yes = False,
    url: options.ControlUrl = None,
    aws: options.Aws = False,
) -> None:
    """Delete a secret that no endpoint uses."""
    from handler.cli import secrets as work

    work.delete(Place(url, aws), name, sure=yes)

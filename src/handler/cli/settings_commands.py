"""``sluicegate settings``: what may change while the gateway runs."""

from typing import Annotated

import typer

from handler.cli import options
from handler.cli.options import Place

settings = typer.Typer(
    help="What may change while the gateway runs: which private addresses providers may have.",
    no_args_is_help=True,
)

Entry = Annotated[
    str,
    typer.Argument(
        metavar="HOST:PORT", help="Or HOST, NETWORK/BITS, [IPV6]:PORT.", show_default=False
    ),
]


@settings.command("show", epilog="sluicegate settings show --json")
def show(
    *, json: options.AsJson = False, url: options.ControlUrl = None, aws: options.Aws = False
) -> None:
    """Show the settings."""
    from handler.cli import gateway_settings as work

    work.show(Place(url, aws), json=json)


@settings.command("allow", epilog="sluicegate settings allow 127.0.0.1:8080")
def allow(entry: Entry, *, url: options.ControlUrl = None, aws: options.Aws = False) -> None:
    """Let the gateway connect to a private address: a model server of your own."""
    from handler.cli import gateway_settings as work

    work.allow(Place(url, aws), entry)


@settings.command("disallow", epilog="sluicegate settings disallow 127.0.0.1:8080")
def disallow(entry: Entry, *, url: options.ControlUrl = None, aws: options.Aws = False) -> None:
    """Take that back."""
    from handler.cli import gateway_settings as work

    work.disallow(Place(url, aws), entry)

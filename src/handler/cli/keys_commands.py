"""``sluicegate keys``: the commands and their options."""

from typing import Annotated

import typer

from handler.cli import options
from handler.cli.options import Place

keys = typer.Typer(
    help="Gateway keys, which callers show: create, list, show, rotate, disable, revoke.",
    no_args_is_help=True,
)

CREATE_EXAMPLES = """\
[bold]Examples[/bold]

  KEY=$(sluicegate keys create ci)

  sluicegate keys create batch --owner anna@example.com --tag team:search --endpoint chat --expires 30d

  sluicegate keys create ops --admin --url https://gateway.example.com

  sluicegate keys create lambda --principal arn:aws:iam::123456789012:role/app --aws
"""  # noqa: E501 -- each is pasted as one line

Owner = Annotated[str | None, typer.Option(metavar="WHO", help="Whose it is.", show_default=False)]
Tag = Annotated[
    list[str] | None,
    typer.Option(metavar="TAG", help="To find it by. May be repeated.", show_default=False),
]
Endpoint = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME", help="Call these only. May be repeated. Else all.", show_default=False
    ),
]
Expires = Annotated[
    str | None,
    typer.Option(
        metavar="WHEN",
        help="A date (its end, UTC), a moment, or a span: 2027-01-31, 30d. Else never.",
        show_default=False,
    ),
]
Admin = Annotated[
    bool, typer.Option("--admin", help="Configures the gateway, and calls no endpoint.")
]
Principal = Annotated[
    str | None,
    typer.Option(metavar="ARN", help="An IAM role or user, who needs no key.", show_default=False),
]
Overlap = Annotated[str, typer.Option(metavar="SPAN", help="How long the old key is good still.")]


@keys.command("create", epilog=CREATE_EXAMPLES)
def create(
    name: options.Name,
    *,
    owner: Owner = None,
    tag: Tag = None,
    endpoint: Endpoint = None,
    expires: Expires = None,
    admin: Admin = False,
    principal: Principal = None,
    url: options.ControlUrl = None,
    aws: options.Aws = False,
) -> None:
    """Make a key and print it, alone and this once."""
    from handler.cli import keys as work

    told = work.Told(owner, tuple(tag or ()), tuple(endpoint or ()), expires, admin, principal)
    work.create(Place(url, aws), name, told)


@keys.command("list", epilog="sluicegate keys list --json")
def list_keys(
    *, json: options.AsJson = False, url: options.ControlUrl = None, aws: options.Aws = False
) -> None:
    """List the keys: what each may do and when it was used; never a key itself."""
    from handler.cli import keys as work

    work.list_all(Place(url, aws), json=json)


@keys.command("show", epilog="sluicegate keys show ci")
def show(
    name: options.Name,
    *,
    json: options.AsJson = False,
    url: options.ControlUrl = None,
    aws: options.Aws = False,
) -> None:
    """Show one key: all but the key itself."""
    from handler.cli import keys as work

    work.show_one(Place(url, aws), name, json=json)


@keys.command("rotate", epilog="KEY=$(sluicegate keys rotate ci --overlap 1h)")
def rotate(
    name: options.Name,
    *,
    overlap: Overlap = "24h",
    url: options.ControlUrl = None,
    aws: options.Aws = False,
) -> None:
    """Make a new key under the same name and print it; the old one is good for a while still."""
    from handler.cli import keys as work

    work.rotate(Place(url, aws), name, overlap)


@keys.command("disable", epilog="sluicegate keys disable ci")
def disable(
    name: options.Name, *, url: options.ControlUrl = None, aws: options.Aws = False
) -> None:
    """Let a key in no more, until it is enabled again."""
    from handler.cli import keys as work

    work.disable(Place(url, aws), name, disabled=True)


@keys.command("enable", epilog="sluicegate keys enable ci")
def enable(name: options.Name, *, url: options.ControlUrl = None, aws: options.Aws = False) -> None:
    """Let a disabled key in again."""
    from handler.cli import keys as work

    work.disable(Place(url, aws), name, disabled=False)


@keys.command("revoke", epilog="sluicegate keys revoke ci --yes")
def revoke(
    name: options.Name,
    *,
    yes: options.Yes = False,
    url: options.ControlUrl = None,
    aws: options.Aws = False,
) -> None:
    """Delete a key, for good."""
    from handler.cli import keys as work

    work.revoke(Place(url, aws), name, sure=yes)

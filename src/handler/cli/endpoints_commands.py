"""``sluicegate endpoints``: the commands and their options."""

from typing import Annotated

import typer

from handler.cli import options
from handler.cli.options import Place

endpoints = typer.Typer(
    help="Endpoints, the names that callers use: list, show, create, delete.",
    no_args_is_help=True,
)


@endpoints.command("list", epilog="sluicegate endpoints list --url http://127.0.0.1:8000")
def list_endpoints(
    *,
    config: options.Config = None,
    json: options.AsJson = False,
    url: options.ControlUrl = None,
    aws: options.Aws = False,
) -> None:
    """List the endpoints that can be called, and where each comes from."""
    from handler.cli import configuration, endpoints_shown

    settings, place = configuration.settings_for(config), Place(url, aws)
    configuration.refuse_file_elsewhere(config, settings, place)
    endpoints_shown.list_all(settings, place, json=json)


@endpoints.command("show", epilog="sluicegate endpoints show demo")
def show(
    name: options.Name,
    *,
    config: options.Config = None,
    json: options.AsJson = False,
    url: options.ControlUrl = None,
    aws: options.Aws = False,
) -> None:
    """Show one endpoint, as it would be written in endpoints.yaml."""
    from handler.cli import configuration, endpoints_shown

    settings, place = configuration.settings_for(config), Place(url, aws)
    configuration.refuse_file_elsewhere(config, settings, place)
    endpoints_shown.show_one(settings, place, name, json=json)


CREATE_EXAMPLES = """\
[bold]Examples[/bold]

  sluicegate endpoints create fast --provider openai --model gpt-4.1-mini

  sluicegate endpoints create here --provider openai_compatible --model qwen3 --base-url http://127.0.0.1:8080/v1 --allow-private

  sluicegate endpoints create safe --provider mistral --model mistral-small-latest --key-stdin < key.txt

  sluicegate endpoints show fast | sluicegate endpoints create faster --file -
"""  # noqa: E501 -- each is pasted as one line


Provider = Annotated[
    str | None, typer.Option(help="openai, anthropic, openai_compatible, …", show_default=False)
]
Model = Annotated[str | None, typer.Option(help="As the provider names it.", show_default=False)]
BaseUrl = Annotated[
    str | None,
    typer.Option(metavar="URL", help="In place of the provider's own.", show_default=False),
]
KeyEnv = Annotated[
    str | None,
    typer.Option(
        metavar="VAR",
        help="The variable that holds the key; else the provider's usual one.",
        show_default=False,
    ),
]
KeyStdin = Annotated[
    bool, typer.Option("--key-stdin", help="Read the key here and keep it for this endpoint.")
]
Fallback = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PROVIDER/MODEL",
        help="Tried in turn when the target fails. May be repeated.",
        show_default=False,
    ),
]
Weight = Annotated[
    float | None, typer.Option(help="The target's share among several.", show_default=False)
]
File = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="A whole endpoint, as `show` prints it; -: standard input.",
        show_default=False,
    ),
]
AllowPrivate = Annotated[
    bool,
    typer.Option("--allow-private", help="Also let the gateway connect to its private addresses."),
]
Replace = Annotated[bool, typer.Option("--replace", help="Also if it exists.")]


@endpoints.command("create", epilog=CREATE_EXAMPLES)
def create(
    name: options.Name,
    *,
    provider: Provider = None,
    model: Model = None,
    base_url: BaseUrl = None,
    key_env: KeyEnv = None,
    key_stdin: KeyStdin = False,
    fallback: Fallback = None,
    weight: Weight = None,
    file: File = None,
    replace: Replace = False,
    allow_private: AllowPrivate = False,
    url: options.ControlUrl = None,
    aws: options.Aws = False,
) -> None:
    """Create an endpoint in the store; a running gateway sees it within a second."""
    from handler.cli import configuration, endpoints_written

    flags = endpoints_written.Flags(
        file, provider, model, base_url, key_env, key_stdin, tuple(fallback or ()), weight
    )
    how = endpoints_written.How(replace=replace, allow_private=allow_private)
    endpoints_written.create(configuration.settings_for(), Place(url, aws), name, flags, how)


@endpoints.command("delete", epilog="sluicegate endpoints delete fast --yes")
def delete(
    name: options.Name,
    *,
    yes: options.Yes = False,
    url: options.ControlUrl = None,
    aws: options.Aws = False,
) -> None:
    """Delete an endpoint from the store."""
    from handler.cli import configuration, endpoints_deleted

    endpoints_deleted.delete(configuration.settings_for(), Place(url, aws), name, sure=yes)

"""``sluicegate endpoints``: the commands and their options."""

from typing import Annotated

import typer

from handler.cli import options

endpoints = typer.Typer(
    help="Endpoints, the names that callers use: list, show, create, delete.",
    no_args_is_help=True,
)

Name = Annotated[str, typer.Argument(metavar="NAME", show_default=False)]


@endpoints.command("list")
def list_endpoints(*, config: options.Config = None, json: options.AsJson = False) -> None:
    """List the endpoints that can be called, and where each comes from."""
    from handler.cli import configuration, endpoints_shown

    settings = configuration.settings_for(config)
    endpoints_shown.list_all(settings, json=json)


@endpoints.command("show")
def show(name: Name, *, config: options.Config = None, json: options.AsJson = False) -> None:
    """Show one endpoint, as it would be written in endpoints.yaml."""
    from handler.cli import configuration, endpoints_shown

    settings = configuration.settings_for(config)
    endpoints_shown.show_one(settings, name, json=json)


CREATE_EXAMPLES = """\
[bold]Examples[/bold]

  sluicegate endpoints create fast --provider openai --model gpt-4.1-mini

  sluicegate endpoints create here --provider openai_compatible --model qwen3 --base-url http://127.0.0.1:8080/v1

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
Replace = Annotated[bool, typer.Option("--replace", help="Also if it exists.")]


@endpoints.command("create", epilog=CREATE_EXAMPLES)
def create(
    name: Name,
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
) -> None:
    """Create an endpoint in the store; a running gateway sees it within a second."""
    from handler.cli import configuration, endpoints_written

    flags = endpoints_written.Flags(
        file, provider, model, base_url, key_env, key_stdin, tuple(fallback or ()), weight
    )
    settings = configuration.settings_for()
    endpoints_written.create(settings, name, flags, replace=replace)


@endpoints.command("delete")
def delete(
    name: Name,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete an endpoint from the store."""
    from handler.cli import configuration, endpoints_written

    endpoints_written.delete(configuration.settings_for(), name, sure=yes)

"""The commands and their options. What they do is imported when one is run: help, completion and
--version answer at once."""

import sys
from enum import StrEnum
from typing import Annotated

import typer

from handler.cli import options
from handler.cli.endpoints_commands import endpoints
from handler.cli.trouble import Telling

EXAMPLES = """\
[bold]Examples[/bold]

  sluicegate serve

  sluicegate call demo "Hello"

  sluicegate doctor

SLUICEGATE_HOME says where endpoints and keys are kept; else .gateway in this directory.
"""

app = typer.Typer(
    cls=Telling,
    help="An AI gateway: one URL, the SDK you already use, every provider.",
    epilog=EXAMPLES,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(endpoints, name="endpoints")


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def _show_version(asked: bool) -> None:
    if asked:
        from handler.cli.version import VERSION

        typer.echo(f"sluicegate {VERSION}")
        raise typer.Exit


@app.callback()
def sluicegate(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    del version


@app.command(epilog="sluicegate serve --port 8080 --config endpoints.yaml")
def serve(
    *,
    host: Annotated[str, typer.Option(help="A loopback address.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free one.")] = 8000,
    config: options.Config = None,
    log_level: Annotated[
        LogLevel | None,
        typer.Option(
            case_sensitive=False, help="Else SLUICEGATE_LOG_LEVEL, else info.", show_default=False
        ),
    ] = None,
) -> None:
    """Start the gateway on this machine."""
    from handler.cli import configuration, serve

    serve.serve(configuration.settings_for(config, log_level and log_level.value), host, port)


CALL_EXAMPLES = """\
[bold]Examples[/bold]

  sluicegate call demo "Hello"

  sluicegate call openai/gpt-4.1-mini "Why is the sky blue?" --max-tokens 200

  git diff | sluicegate call claude-haiku-4-5 - --system "Review this change."

  sluicegate call demo "Hello" --url http://127.0.0.1:8000 --json
"""


@app.command(epilog=CALL_EXAMPLES)
def call(
    endpoint: Annotated[str, typer.Argument(metavar="ENDPOINT", show_default=False)],
    prompt: Annotated[
        str, typer.Argument(metavar="PROMPT", help="-: standard input.", show_default=False)
    ],
    *,
    stream: Annotated[
        bool | None,
        typer.Option(
            "--stream/--no-stream", help="Else on a terminal: stream.", show_default=False
        ),
    ] = None,
    system: Annotated[
        str | None, typer.Option(metavar="TEXT", help="A system prompt.", show_default=False)
    ] = None,
    max_tokens: Annotated[
        int | None, typer.Option(min=1, help="Longest answer.", show_default=False)
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the whole reply.")] = False,
    config: options.Config = None,
    url: options.Url = None,
) -> None:
    """Call an endpoint and print the answer, then what it took. Needs no running gateway."""
    if json and stream:
        raise typer.BadParameter("--json prints a whole reply; leave out --stream")
    if url and config:
        raise typer.BadParameter("a running gateway has its own endpoints; leave out --config")
    from handler.cli import asking, call, configuration

    streams = (sys.stdout.isatty() if stream is None else stream) and not json
    question = asking.Question(endpoint, call.prompt_of(prompt), system, max_tokens, streams)
    call.call(configuration.settings_for(config), question, url, json=json)


@app.command(epilog="sluicegate doctor --config endpoints.yaml")
def doctor(
    *,
    config: options.Config = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Should be free.")] = 8000,
    url: options.Url = None,
) -> None:
    """Check settings, keys, the store and every endpoint's reach; say the fix. Calls no model."""
    from handler.cli.doctor import examine

    if not examine(config, port, url):
        raise typer.Exit(1)

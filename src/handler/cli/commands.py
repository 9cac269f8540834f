"""The commands and their options. What they do is imported when one is run: help, completion and
--version answer at once."""

import sys
from enum import StrEnum
from typing import Annotated

import typer

from handler.cli import options
from handler.cli.endpoints_commands import endpoints
from handler.cli.keys_commands import keys
from handler.cli.manifest_commands import manifests
from handler.cli.secrets_commands import secrets
from handler.cli.settings_commands import settings
from handler.cli.trouble import Telling

EXAMPLES = """\
[bold]Examples[/bold]

  sluicegate serve

  sluicegate call demo "Hello"

  sluicegate keys create ci

  sluicegate plan gateway.yaml

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
app.add_typer(keys, name="keys")
app.add_typer(secrets, name="secrets")
app.add_typer(settings, name="settings")
app.add_typer(manifests)


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    TEXT = "text"
    JSON = "json"


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


SERVE_EXAMPLES = """\
[bold]Examples[/bold]

  sluicegate serve --port 8080 --config endpoints.yaml

  sluicegate serve --require-keys --log-format json

  sluicegate serve --host 0.0.0.0

On another than a loopback address every caller is asked for a gateway key.
"""


Host = Annotated[str, typer.Option(help="Others than loopback need gateway keys.")]
RequireKeys = Annotated[
    bool, typer.Option("--require-keys", help="Ask every caller for a gateway key, here too.")
]
AllowPrivate = Annotated[
    list[str] | None,
    typer.Option(
        metavar="HOST:PORT",
        help="A private address that providers may have, besides SLUICEGATE_ALLOW_PRIVATE and the "
        "settings. May be repeated.",
        show_default=False,
    ),
]
LogLevelOption = Annotated[
    LogLevel | None,
    typer.Option(
        case_sensitive=False, help="Else SLUICEGATE_LOG_LEVEL, else info.", show_default=False
    ),
]
LogFormatOption = Annotated[
    LogFormat | None,
    typer.Option(
        case_sensitive=False, help="Else SLUICEGATE_LOG_FORMAT, else text.", show_default=False
    ),
]


@app.command(epilog=SERVE_EXAMPLES)
def serve(
    *,
    host: Host = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free one.")] = 8000,
    config: options.Config = None,
    require_keys: RequireKeys = False,
    allow_private: AllowPrivate = None,
    log_level: LogLevelOption = None,
    log_format: LogFormatOption = None,
) -> None:
    """Start the gateway on this machine."""
    from handler.cli import configuration, serve

    settings = configuration.settings_to_serve(
        config,
        log_level=log_level and log_level.value.upper(),
        log_format=log_format and log_format.value,
        require_keys=require_keys,
        allow_private=allow_private or (),
    )
    serve.serve(settings, host, port)


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
    """Call an endpoint and print the answer, then what it took. Needs no running gateway.

    With --url the gateway key in SLUICEGATE_API_KEY is sent along.
    """
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

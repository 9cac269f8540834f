"""What a person sees when the server starts: what can be called at once, and how."""

from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway.adapters.environment import DEMO, found_providers
from gateway.providers.catalog import PROVIDERS, base_url_variables
from gateway.settings import Settings
from handler.cli.listing import Listed, Surroundings, missing_variables, shares
from handler.cli.version import VERSION

SHOWN = 20  # endpoints; the list has them all

# Both are pasted into a shell as they are.
CURL = """\
curl -N {url}/gateway/openai/v1/chat/completions \\
  -H 'content-type: application/json' \\{header}
  -d '{{"model": "{model}", "stream": true,
       "messages": [{{"role": "user", "content": "Hi"}}]}}'"""
PYTHON = """\
python -c '
from openai import OpenAI
gateway = OpenAI(api_key={key},
    base_url="{url}/gateway/openai/v1")
for chunk in gateway.chat.completions.create(model="{model}", stream=True,
        messages=[{{"role": "user", "content": "Hi"}}]):
    print(chunk.choices[0].delta.content or "", end="", flush=True)
'"""
OPEN = {"header": "", "key": '"not-needed"'}
GUARDED = {
    "header": '\n  -H "authorization: Bearer $SLUICEGATE_API_KEY" \\',
    "key": '__import__("os").environ["SLUICEGATE_API_KEY"]',
}


def banner(console: Console, url: str, rows: Sequence[Listed], here: Surroundings) -> None:
    console.print()
    console.print(Text.assemble(("Sluicegate", "bold"), f" {VERSION}  ", (url, "bold green")))
    console.print()
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for label, told in _facts(url, rows, here):
        table.add_row(label, told)
    console.print(table)
    how = GUARDED if here.settings.require_keys else OPEN
    for label, command in (("curl", CURL), ("Python, after pip install openai", PYTHON)):
        console.print()
        console.print(f"# {label}", style="dim")
        console.print(command.format(url=url, model=_example(rows), **how), soft_wrap=True)
    console.print()


def _facts(
    url: str, rows: Sequence[Listed], here: Surroundings
) -> Iterator[tuple[str, Text | Table]]:
    yield "callers", Text(_callers(here.settings))
    if here.settings.store == "aws":
        yield "store", Text(f"DynamoDB, {here.settings.config_table}")
    else:
        yield from _facts_of_this_machine(here)
    yield "endpoints", _callable(rows, here)
    yield "docs", Text(f"{url}/openapi.json")
    yield "stop", Text("Ctrl-C")


def _facts_of_this_machine(here: Surroundings) -> Iterator[tuple[str, Text]]:
    yield "keys", Text(", ".join(keys_found(here.environment)) or _NO_KEYS)
    for variable in base_url_variables():
        if moved := here.environment.get(variable):
            yield variable, Text(without_credentials(moved))
    if here.settings.config:
        yield "config", Text(str(here.settings.config))
    yield "store", Text(str(here.settings.store_file))


_ALL = "every program on this machine; no gateway key is asked for"
_NO_KEYS = "none found; export one, such as OPENAI_API_KEY, and start again"


def _callers(settings: Settings) -> str:
    if not settings.require_keys:
        return _ALL
    return f"those with a gateway key: {how_to_make_a_key(settings)}"


def how_to_make_a_key(settings: Settings) -> str:
    return f"sluicegate keys create NAME{' --aws' if settings.store == 'aws' else ''}"


def _example(rows: Sequence[Listed]) -> str:
    """An endpoint that there is, the demo if it is there."""
    names = [row.endpoint.name for row in rows]
    return next(iter([name for name in names if name == DEMO.name] or names), "ENDPOINT")


def keys_found(environment: Mapping[str, str]) -> list[str]:
    """The names of the variables that hold a provider's key. Never a value."""
    names = (name for provider in PROVIDERS.values() for name in provider.key_variables)
    return [name for name in names if environment.get(name)]


def without_credentials(url: str) -> str:
    """A base URL as it may be shown: without user, password and query."""
    try:
        parts = urlsplit(url)
        place = parts.netloc.rpartition("@")[2]
    except ValueError:
        return "(is no URL)"
    return f"{parts.scheme}://{place}{parts.path}"


def _callable(rows: Sequence[Listed], here: Surroundings) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(overflow="fold", style="bold")
    table.add_column(overflow="fold", style="dim")
    named = [row for row in rows if not row.hidden and row.source != "environment"]
    for row in named[:SHOWN]:
        table.add_row(Text(row.endpoint.name), Text(_what(row, here)))
    if (more := len(named) - SHOWN) > 0:
        table.add_row("…", f"and {more} more: sluicegate endpoints list")
    for found in found_providers(here.environment) if here.settings.store == "local" else ():
        name, example = found.provider.name, found.provider.example
        if found.key_variable or found.base_url:
            told = (
                f"any of its models, such as {name}/{example}" if example else "any of its models"
            )
            table.add_row(f"{name}/MODEL", told)
        elif not found.provider.key_variables:
            table.add_row(f"{name}/MODEL", "where it runs on this machine")
    if not table.row_count:
        table.add_row("none yet", "sluicegate endpoints create NAME …")
    return table


def _what(row: Listed, here: Surroundings) -> str:
    if row.endpoint is DEMO:
        return "built in: an echo, no model; needs no key"
    told = ", ".join(shares(row.endpoint.targets))
    missing = missing_variables(row.endpoint, here.environment)
    return told + (f"; not set: {', '.join(missing)}" if missing else "")

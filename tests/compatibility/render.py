"""docs/compatibility.md, from a run of the whole matrix: `python -m tests.compatibility.render`."""

import asyncio
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from gateway.dialects import CHAT_DIALECTS, Dialect
from tests.compatibility.features import FEATURES
from tests.compatibility.run import Cell, cell, providers_of_one_dialect

FILE = Path(__file__).parents[2] / "docs" / "compatibility.md"
NAMES: Mapping[str, str] = {
    "openai_chat": "OpenAI Chat",
    "openai_responses": "OpenAI Responses",
    "anthropic_messages": "Anthropic Messages",
    "gemini": "Gemini",
}
SIGNS: Mapping[str, str] = {"same": "✓", "refused": "refused", "unsaid": "·", "silent": "**lost**"}
HEAD = """# What comes through

Every caller's dialect against every provider's, feature by feature. This page is written by a run of the matrix
(`make compatibility`): each cell is a call played through the gateway, and what arrived on either side compared
with what was sent. A test fails when the page is not what the run says.

* ✓ it came through whole
* a name: it was left out or said otherwise, and the caller is told in the header `x-gateway-dropped`, under that name (an
  endpoint with `strict: true` refuses the call instead, 400 naming the fields)
* refused: the caller gets a 400 that names the field
* · there is no such thing: the caller's dialect has no word for it, or the provider's never answers so

Where both sides speak alike, bytes are relayed and nothing can be lost.
"""

Matrix = dict[tuple[str, str, str], Cell]


async def matrix() -> Matrix:
    with providers_of_one_dialect():
        return {
            (caller.name, feature.name, provider.name): await cell(caller, provider, feature)
            for caller in CHAT_DIALECTS
            for feature in FEATURES
            for provider in CHAT_DIALECTS
        }


def page(cells: Matrix) -> str:
    return "\n".join([HEAD, *(line for caller in CHAT_DIALECTS for line in _table(cells, caller))])


def _table(cells: Matrix, caller: Dialect) -> Iterator[str]:
    yield f"## A caller of {NAMES[caller.name]}"
    yield ""
    yield "| | " + " | ".join(NAMES[provider.name] for provider in CHAT_DIALECTS) + " |"
    yield "|---|" + "---|" * len(CHAT_DIALECTS)
    for feature in FEATURES:
        row = [_sign(cells[caller.name, feature.name, provider.name]) for provider in CHAT_DIALECTS]
        yield f"| {feature.name} | " + " | ".join(row) + " |"
    yield ""


def _sign(cell: Cell) -> str:
    if cell.verdict == "lost":
        return ", ".join(f"`{name}`" for name in cell.names)
    return SIGNS[cell.verdict]


def main() -> None:
    cells = asyncio.run(matrix())
    FILE.write_text(page(cells))
    for (caller, feature, provider), found in cells.items():
        if found.verdict in ("silent", "refused"):
            told = f"{caller} -> {provider}: {feature}: {found.verdict}: {found.why}"
            sys.stdout.write(told + "\n")


if __name__ == "__main__":
    main()

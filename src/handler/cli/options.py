"""Options that several commands share, declared once."""

from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="A file of endpoints, YAML or JSON; they go before those of the store. "
        "Else SLUICEGATE_CONFIG.",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Url = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="A running gateway, such as http://127.0.0.1:8000.",
        show_default=False,
    ),
]

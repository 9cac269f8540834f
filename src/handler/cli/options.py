"""Options that several commands share, declared once."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

Name = Annotated[str, typer.Argument(metavar="NAME", show_default=False)]
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
ControlUrl = Annotated[
    str | None,
    typer.Option(
        "--url",
        metavar="URL",
        help="Of a running gateway; its admin key comes from SLUICEGATE_ADMIN_KEY, or is asked "
        "for. Else the store of this machine.",
        show_default=False,
    ),
]
Aws = Annotated[
    bool, typer.Option("--aws", help="Of the gateway on AWS, with your own AWS credentials.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@dataclass(frozen=True, slots=True)
class Place:
    """Whose configuration: of a gateway that runs, of the one on AWS, or of this machine."""

    url: str | None = None
    aws: bool = False

    def __post_init__(self) -> None:
        if self.url is not None and self.aws:
            raise typer.BadParameter("--url and --aws are two places; choose one")

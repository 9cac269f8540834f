"""The terminal: answers go to standard output, everything about them to standard error."""

import json
import sys
from typing import Any

from rich.console import Console
from rich.text import Text

# What a model or a provider says must not steer the terminal it is shown on.
_CONTROLS = {code: 0x2400 + code for code in range(0x20) if chr(code) not in "\n\t"}
_CONTROLS |= {0x7F: 0x2421} | dict.fromkeys(range(0x80, 0xA0), 0xFFFD)


def output() -> Console:
    return Console(markup=False, emoji=False, highlight=False)


def aside() -> Console:
    return Console(stderr=True, markup=False, emoji=False, highlight=False)


def complain(message: str) -> None:
    _say("error: ", "bold red", message)


def warn(message: str) -> None:
    _say("warning: ", "bold yellow", message)


def note(message: str, style: str = "") -> None:
    _say("", "", message, style)


def someone_types() -> bool:
    """Whether a person is at the other end of standard input, who can be asked."""
    return sys.stdin.isatty()


def visible(text: str) -> str:
    """Control characters as the pictures that Unicode has for them."""
    return text.translate(_CONTROLS)


def write(text: str) -> None:
    """A piece of an answer, at once: as it is into a file or a pipe, made safe for a terminal."""
    sys.stdout.write(visible(text) if sys.stdout.isatty() else text)
    sys.stdout.flush()


def _say(label: str, label_style: str, message: str, style: str = "") -> None:
    console = aside()
    said = Text.assemble((label, label_style), (visible(message), style))
    console.print(said, soft_wrap=not console.is_terminal)


def print_json(value: Any) -> None:
    """Indented, and nothing but JSON."""
    output().print(json.dumps(value, indent=2, ensure_ascii=False), soft_wrap=True)


def print_line(line: str) -> None:
    """What a script takes: the line alone, as it is."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()

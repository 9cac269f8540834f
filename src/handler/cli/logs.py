"""The log of a server at a terminal: a line for each exchange, and whatever goes wrong."""

import asyncio
import logging
import sys
from typing import TextIO

from handler.cli.trouble import Trouble

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


def start_logging(level: str) -> None:
    """To standard error. ``level`` is for our own loggers; others are heard from WARNING on."""
    if level.upper() not in LEVELS:
        raise Trouble(f"SLUICEGATE_LOG_LEVEL: {level!r} is none of {', '.join(LEVELS)}")
    logging.basicConfig(handlers=[log_to(sys.stderr)], level=logging.WARNING)
    logging.getLogger("sluicegate").setLevel(level.upper())


def log_to(stream: TextIO) -> logging.Handler:
    handler = logging.StreamHandler(stream)
    clock = "%H:%M:%S" if stream.isatty() else "%Y-%m-%d %H:%M:%S"
    handler.setFormatter(logging.Formatter("%(asctime)s %(told_level)s%(message)s", clock))
    handler.addFilter(_is_news)
    return handler


def _is_news(record: logging.LogRecord) -> bool:
    """Not what was cancelled because the server stops. The level is told where it matters."""
    record.told_level = "" if record.levelno == logging.INFO else f"{record.levelname}: "
    return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))

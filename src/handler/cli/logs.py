"""The log of a server at a terminal: a line for each exchange, and whatever goes wrong."""

import asyncio
import logging
import sys
from typing import Literal, TextIO

OURS = "sluicegate"
Form = Literal["text", "json"]


def start_logging(level: str, form: Form = "text") -> None:
    """To standard error. ``level`` is for our own loggers; others are heard from WARNING on."""
    root = _json_log(level) if form == "json" else log_to(sys.stderr)
    logging.basicConfig(handlers=[root], level=logging.WARNING)
    logging.getLogger(OURS).setLevel(level)


def _json_log(level: str) -> logging.Handler:
    """For what others say; our own loggers have a handler of theirs."""
    # Slow to import.
    from gateway.adapters.powertools import others_in_json, start_json_logging

    handler = others_in_json(start_json_logging(level, sys.stderr), sys.stderr)
    handler.addFilter(_is_heard)
    return handler


def log_to(stream: TextIO) -> logging.Handler:
    handler = logging.StreamHandler(stream)
    clock = "%H:%M:%S" if stream.isatty() else "%Y-%m-%d %H:%M:%S"
    handler.setFormatter(logging.Formatter("%(asctime)s %(told_level)s%(message)s", clock))
    handler.addFilter(_is_news)
    return handler


def _is_news(record: logging.LogRecord) -> bool:
    """The level is told where it matters."""
    record.told_level = "" if record.levelno == logging.INFO else f"{record.levelname}: "
    return _is_heard(record)


def _is_heard(record: logging.LogRecord) -> bool:
    """Not what was cancelled because the server stops."""
    return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))

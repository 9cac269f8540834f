"""The log of a server at a terminal."""

import asyncio
import io
import logging
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.wire.json import loads
from handler.cli.logs import log_to


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def logged(stream: io.StringIO, level: int, error: BaseException | None = None) -> str:
    told = (type(error), error, None) if error else None
    log_to(stream).handle(logging.LogRecord("x", level, "", 0, "it is %s", ("so",), told))
    return stream.getvalue()


def test_a_line_has_the_date_and_the_time() -> None:
    line = logged(io.StringIO(), logging.INFO)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d it is so\n", line)


def test_on_a_terminal_the_time_is_enough() -> None:
    assert re.fullmatch(r"\d\d:\d\d:\d\d it is so\n", logged(Terminal(), logging.INFO))


@pytest.mark.parametrize("level", ["DEBUG", "WARNING", "ERROR"])
def test_the_level_is_told_where_it_matters(level: str) -> None:
    line = logged(io.StringIO(), logging.getLevelNamesMapping()[level])
    assert line.endswith(f" {level}: it is so\n")


def test_an_error_comes_with_its_trace() -> None:
    assert "ValueError: odd" in logged(io.StringIO(), logging.ERROR, ValueError("odd"))


def test_what_was_cancelled_at_the_end_is_no_news() -> None:
    assert logged(io.StringIO(), logging.ERROR, asyncio.CancelledError()) == ""


SAY = """
import asyncio, logging
from handler.cli.logs import start_logging
start_logging("INFO", "json")
logging.getLogger("sluicegate.exchange").info("ours")
logging.getLogger("sluicegate.exchange").debug("too quiet")
logging.getLogger("asyncio").warning("%s", "theirs")
logging.getLogger("asyncio").info("too quiet")
logging.getLogger("asyncio").error("x", exc_info=asyncio.CancelledError())
"""


def test_for_programs_each_line_is_json_and_is_said_once() -> None:
    """In a process of its own: what is set up is everybody's."""
    done = subprocess.run(  # noqa: S603 -- our own words
        [sys.executable, "-c", SAY],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(Path(__file__).parents[3] / "src")},
    )
    told = [loads(line) for line in done.stderr.splitlines()]
    assert [(one["level"], one["message"]) for one in told] == [
        ("INFO", "ours"),
        ("WARNING", "theirs"),
    ]

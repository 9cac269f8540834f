"""The log of a server at a terminal."""

import asyncio
import io
import logging
import re

import pytest

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

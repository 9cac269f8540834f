"""The log as JSON: one line for each exchange, and for whatever else is said."""

import io
import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from gateway.adapters.powertools import NAME, TALKATIVE, JsonLedger, start_json_logging
from gateway.metering.records import Record
from gateway.usage import Usage
from gateway.wire.json import loads
from tests.fakes import run

RECORD = Record(
    request_id="r1",
    caller="app",
    endpoint="chat",
    dialect="openai_chat",
    stream=True,
    outcome="answered",
    status=200,
    provider="openai",
    model="gpt",
    attempts=2,
    usage=Usage(input_tokens=3, output_tokens=4, cache_read_tokens=5),
    cost=0.00025,
    duration=1.23456,
    first_content=0.2,
    error=None,
    at=1_700_000_000,
)


class Log:
    """What was written, line by line."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    @property
    def lines(self) -> list[Any]:
        return [loads(line) for line in self.stream.getvalue().splitlines()]


@pytest.fixture
def log() -> Iterator[Log]:
    """Started anew, whatever another test has started in this process."""
    told, ours = Log(), logging.getLogger(NAME)
    before, handlers, filters = dict(vars(ours)), ours.handlers[:], ours.filters[:]
    for name in ("init", "powertools_handler"):
        vars(ours).pop(name, None)
    ours.handlers.clear()
    levels = {name: logging.getLogger(name).level for name in TALKATIVE}
    start_json_logging("INFO", told.stream)
    yield told
    vars(ours).clear()
    vars(ours).update(before)
    ours.handlers[:], ours.filters[:] = handlers, filters
    ours.setLevel(before["level"])  # what it remembers of levels is forgotten too
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def test_an_exchange_is_one_line_of_json(log: Log) -> None:
    run(JsonLedger().write(RECORD))
    (line,) = log.lines
    assert line.pop("timestamp")
    assert line == {
        "level": "INFO",
        "service": "sluicegate",
        "message": "exchange",
        "request_id": "r1",
        "caller": "app",
        "endpoint": "chat",
        "dialect": "openai_chat",
        "stream": True,
        "target": "openai/gpt",
        "attempts": 2,
        "outcome": "answered",
        "status": 200,
        "duration_ms": 1234.6,
        "first_content_ms": 200.0,
        "input_tokens": 3,
        "output_tokens": 4,
        "cache_read_tokens": 5,
        "cache_write_tokens": 0,
        "reasoning_tokens": 0,
        "cost": 0.00025,
    }


def test_what_is_not_known_is_not_said(log: Log) -> None:
    nobody = replace(
        RECORD, provider=None, model=None, usage=None, cost=None, first_content=None, error="Broke"
    )
    run(JsonLedger().write(nobody))
    (line,) = log.lines
    assert line["error"] == "Broke"
    assert not line.keys() & {"target", "cost", "input_tokens", "first_content_ms"}


def test_line_breaks_in_what_is_logged_forge_no_line(log: Log) -> None:
    logging.getLogger("sluicegate.control").info("%s", 'x\r\n{"level":"INFO","message":"exchange"}')
    (line,) = log.lines
    assert line["message"] == 'x\r\n{"level":"INFO","message":"exchange"}'


def test_a_failure_is_one_line_too(log: Log) -> None:
    try:
        raise ValueError("boom")
    except ValueError:
        logging.getLogger("sluicegate").exception("failed")
    (line,) = log.lines
    assert (line["level"], line["message"], line["exception_name"]) == (
        "ERROR",
        "failed",
        "ValueError",
    )


@pytest.mark.parametrize("name", TALKATIVE)
def test_the_libraries_keep_what_they_send_to_themselves(log: Log, name: str) -> None:
    del log
    assert not logging.getLogger(f"{name}.deep.inside").isEnabledFor(logging.INFO)


def test_below_its_level_nothing_is_made_into_a_line(log: Log) -> None:
    logging.getLogger(NAME).setLevel(logging.WARNING)
    run(JsonLedger().write(RECORD))
    assert log.lines == []

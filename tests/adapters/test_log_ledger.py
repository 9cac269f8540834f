"""Each exchange as one line of the log."""

import logging
from dataclasses import replace

import pytest

from gateway.adapters.log_ledger import LogLedger, line
from gateway.metering.records import Record
from gateway.usage import Usage
from tests.fakes import run

RECORD = Record(
    request_id="r1",
    caller="local",
    endpoint="demo",
    dialect="openai_chat",
    stream=False,
    outcome="answered",
    status=200,
    provider="openai",
    model="gpt",
    attempts=1,
    usage=Usage(5, 3, cache_read_tokens=2),
    cost=None,
    duration=1.2345,
    first_content=0.25,
    error=None,
)


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (RECORD, "demo -> openai/gpt, 200, 1234 ms, 7+3 tokens, r1"),
        (
            replace(RECORD, stream=True, cost=0.00125),
            "demo -> openai/gpt, 200, 1234 ms, 7+3 tokens, first content 250 ms, $0.001250, r1",
        ),
        (replace(RECORD, usage=None), "demo -> openai/gpt, 200, 1234 ms, unknown tokens, r1"),
        (replace(RECORD, cost=0.0), "demo -> openai/gpt, 200, 1234 ms, 7+3 tokens, $0.000000, r1"),
        (
            replace(RECORD, attempts=3),
            "demo -> openai/gpt, 200, 1234 ms, 7+3 tokens, 3 attempts, r1",
        ),
        (
            replace(
                RECORD,
                provider=None,
                model=None,
                attempts=0,
                status=503,
                outcome="failed",
                error="Unavailable",
                usage=Usage(),
                stream=True,
                first_content=None,
            ),
            "demo -> no target, 503, 1234 ms, 0+0 tokens, failed: Unavailable, r1",
        ),
        (
            replace(RECORD, status=499, outcome="hung_up", error="CancelledError"),
            "demo -> openai/gpt, 499, 1234 ms, 7+3 tokens, hung_up: CancelledError, r1",
        ),
    ],
)
def test_an_exchange_is_one_line(record: Record, said: str) -> None:
    assert line(record) == said


def test_it_is_written_where_it_is_wanted(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "sluicegate.exchange"):
        run(LogLedger().write(RECORD))
    with caplog.at_level(logging.WARNING, "sluicegate.exchange"):
        run(LogLedger().write(RECORD))
    assert caplog.messages == [line(RECORD)]

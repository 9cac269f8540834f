"""The log as JSON, a line for each thing that happened: Powertools' Logger, on AWS and wherever
another program reads along."""

import logging
import sys
from typing import TextIO

from aws_lambda_powertools import Logger

from gateway.metering.records import Record

NAME = "sluicegate"
# What these say of a request may hold its address, its headers, even its body.
TALKATIVE = ("boto3", "botocore", "urllib3", "httpx", "httpcore")

exchanges = logging.getLogger(f"{NAME}.exchange")


def start_json_logging(level: str, stream: TextIO) -> Logger:
    """All that our own loggers say, from ``level`` on."""
    if sys.version_info >= (3, 12):
        logging.logAsyncioTasks = False  # their numbers tell nobody anything
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    return Logger(
        service=NAME,
        level=level,
        logger_handler=logging.StreamHandler(stream),
        utc=True,
        use_rfc3339=True,
        location=None,  # where in our code a line was written tells its reader nothing
    )


def others_in_json(ours: Logger, stream: TextIO) -> logging.Handler:
    """For the root logger: what other libraries say, in the same form."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(ours.registered_formatter)
    handler.addFilter(lambda record: not record.name.startswith(NAME))
    return handler


class JsonLedger:
    """Each exchange as one line. No body, no secret, nothing of the caller's text."""

    async def write(self, record: Record) -> None:
        if exchanges.isEnabledFor(logging.INFO):
            exchanges.info("exchange", extra=fields(record))


def fields(record: Record) -> dict[str, object]:
    """Times in milliseconds, as CloudWatch's own metrics have them; cost in US dollars."""
    usage = record.usage
    return {
        "request_id": record.request_id,
        "caller": record.caller,
        "endpoint": record.endpoint,
        "dialect": record.dialect,
        "stream": record.stream,
        "target": f"{record.provider}/{record.model}" if record.provider else None,
        "attempts": record.attempts,
        "outcome": record.outcome,
        "status": record.status,
        "error": record.error,
        "dropped": record.dropped or None,
        "duration_ms": _milliseconds(record.duration),
        "first_content_ms": _milliseconds(record.first_content),
        "input_tokens": usage.input_tokens if usage else None,
        "output_tokens": usage.output_tokens if usage else None,
        "cache_read_tokens": usage.cache_read_tokens if usage else None,
        "cache_write_tokens": usage.cache_write_tokens if usage else None,
        "reasoning_tokens": usage.reasoning_tokens if usage else None,
        "cost": record.cost,
    }


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 1)

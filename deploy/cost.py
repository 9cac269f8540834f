"""What a month costs on AWS: ``python -m deploy.cost --requests 1000000``.

The providers' own prices are not in it. docs/cost.md shows what it says.
"""

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

REGION = "us-east-1"
SEEN = "November 2026"  # in public copies of AWS' price pages; the free tiers are left out

# US dollars for one of the unit.
REQUEST = 0.20 / 1e6  # Lambda: an invocation
GB_SECOND = {"arm64": 0.0000133334, "x86_64": 0.0000166667}  # Lambda: memory by time
WRITE = 0.625 / 1e6  # DynamoDB, on demand: up to 1 KB
READ = 0.125 / 1e6  # DynamoDB, on demand: up to 4 KB, consistent
TABLE_GB_MONTH = 0.25
SECRET_MONTH = 0.40
SECRET_READ = 0.05 / 10_000
LOG_GB = 0.50  # CloudWatch Logs: taken in
LOG_GB_MONTH = 0.03
REST_REQUEST = 3.50 / 1e6  # API Gateway, for callers who come by the REST API
ALARM_MONTH, METRIC_MONTH = 0.10, 0.30
GB = 1024**3


@dataclass(frozen=True, kw_only=True)
class Month:
    """``seconds``: how long a call takes, which is as long as its provider takes. ``memory``: MB.

    ``secrets``: providers' keys; the admin's is one more. ``processes``: how many are at work at
    once, over the month; each reads configuration for itself.
    """

    requests: int
    seconds: float = 5.0
    memory: int = 1769
    architecture: str = "arm64"
    secrets: int = 1
    processes: int = 2
    log_bytes: int = 1500  # a line of ours, and Lambda's own three
    record_bytes: int = 700
    rest: bool = False
    monitoring: bool = False


def lines(month: Month) -> Iterator[tuple[str, float]]:
    """What is paid for, and how many dollars."""
    calls = month.requests
    yield "Lambda, invocations", calls * REQUEST
    gigabyte_seconds = calls * month.seconds * month.memory / 1024
    yield "Lambda, time and memory", gigabyte_seconds * GB_SECOND[month.architecture]
    kept = calls * month.record_bytes / GB
    yield "DynamoDB, a record for each call", calls * WRITE + kept * TABLE_GB_MONTH
    yield "DynamoDB, configuration", _readings(month) * READ
    yield "Secrets Manager", (month.secrets + 1) * SECRET_MONTH + _renewals(month) * SECRET_READ
    logged = calls * month.log_bytes / GB
    yield "CloudWatch Logs", logged * (LOG_GB + LOG_GB_MONTH)
    if month.rest:
        yield "API Gateway", calls * REST_REQUEST
    if month.monitoring:
        yield "Alarms and metrics", 7 * ALARM_MONTH + 2 * METRIC_MONTH


def _readings(month: Month) -> float:
    """The key and the endpoint, every ten seconds that somebody calls, in each process."""
    most = month.processes * 30 * 86_400 / 10
    return 2 * min(month.requests, most)


def _renewals(month: Month) -> float:
    most = month.processes * 30 * 86_400 / 300
    return month.secrets * min(month.requests, most)


def table(months: list[Month]) -> str:
    """Markdown: a column for each month."""
    columns = [dict(lines(month)) for month in months]
    heads = [f"{month.requests:,}" for month in months]
    rows = [f"| requests a month | {' | '.join(heads)} |", f"|---|{'--:|' * len(months)}"]
    rows += [f"| {name} | {_cells(column[name] for column in columns)} |" for name in columns[-1]]
    rows.append(f"| all | {_cells(sum(column.values()) for column in columns)} |")
    return "\n".join(rows)


def _cells(amounts: Iterable[float]) -> str:
    return " | ".join(map(_dollars, amounts))


def _dollars(amount: float) -> str:
    return "$0" if amount == 0 else f"${amount:,.2f}" if amount >= 0.005 else "< $0.01"


def main() -> None:
    parser = argparse.ArgumentParser(description=f"A month on AWS, in {REGION}, {SEEN}.")
    parser.add_argument("--requests", type=int, default=1_000_000, help="calls in the month")
    parser.add_argument("--seconds", type=float, default=Month.seconds, help="a call takes")
    parser.add_argument("--memory", type=int, default=Month.memory, help="MB of the query function")
    parser.add_argument("--architecture", choices=GB_SECOND, default=Month.architecture)
    parser.add_argument("--secrets", type=int, default=Month.secrets, help="providers' keys")
    parser.add_argument("--processes", type=int, default=Month.processes, help="at work at once")
    parser.add_argument("--rest", action="store_true", help="callers come by the REST API")
    parser.add_argument("--monitoring", action="store_true", help="with Monitoring=true")
    print(table([Month(**vars(parser.parse_args()))]))


if __name__ == "__main__":
    main()

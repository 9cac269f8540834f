"""Measure the loop that polls Lambda's Runtime API: what it adds to what the app itself costs.

    PYTHONPATH=build/lambda-x86_64:. python3.13 -m benchmarks.lambda_loop [--quick] [--markdown]

What is measured is the code that PYTHONPATH leads to, with the Python that runs this: what was
built and Python 3.13, to be near a function. No figure fails a run: the aims stand beside.
"""

import argparse
import gc
import json
import os
import platform
import statistics
import sys
from pathlib import Path

from benchmarks.lambda_loop.cases import CHUNKS, cases
from benchmarks.lambda_loop.costs import Compared, WrongAnswer, compare
from benchmarks.lambda_loop.remote import remote_runtime
from benchmarks.lambda_loop.tokens import CODE, Plan, Seen, WrongStream, quantile, under_way
from benchmarks.tabulated import aligned, markdown
from examples.local_lambda.function import FunctionFailed

AT_ONCE = 8
ONE, SEVERAL = "1 stream", f"{AT_ONCE} streams at once"


def main() -> int:
    chosen = _options()
    plans = {
        ONE: Plan(tokens=chosen.tokens, pause=0.005, streams=chosen.rounds),
        SEVERAL: Plan(
            tokens=chosen.tokens, pause=0.02, streams=chosen.rounds, at_once=AT_ONCE, apart=True
        ),
    }
    try:
        costs = _costs(chosen)
        tokens = {name: under_way(plan) for name, plan in plans.items()}
    except (WrongAnswer, WrongStream, FunctionFailed, TimeoutError) as error:
        print(f"fault: {error!r}", file=sys.stderr)
        return 1
    show = markdown if chosen.markdown else aligned
    print(f"Python {platform.python_version()}, {CODE}\n")
    print(f"{show(_costs_table(costs))}\n\n{show(_tokens_table(tokens))}\n")
    print(show(_aims(costs, tokens)))
    if chosen.json:
        told = {name: _quantiles(seen) for name, seen in tokens.items()}
        added = {name: [one.added.cpu, one.added.wall] for name, one in costs.items()}
        Path(chosen.json).write_text(json.dumps({"added": added, "tokens": told}, indent=2) + "\n")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--calls", type=int, default=500, help="of each kind in a round (%(default)d)")
    add("--rounds", type=int, default=7, help="(%(default)d)")
    add("--tokens", type=int, default=300, help="of a stream (%(default)d)")
    add("--quick", action="store_true", help="does it work? no figures to quote")
    add("--markdown", action="store_true")
    add("--json", metavar="FILE")
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.calls, chosen.rounds, chosen.tokens = 50, 1, 50
    return chosen


def _costs(chosen: argparse.Namespace) -> dict[str, Compared]:
    """On one core, the Runtime API too."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    gc.disable()  # a collection in the middle would be the one's or the other's
    try:
        with remote_runtime() as remote:
            return {
                case.name: compare(
                    case, max(2, chosen.calls // min(case.chunks, 50)), chosen.rounds, remote
                )
                for case in cases()
            }
    finally:
        gc.enable()
        os.sched_setaffinity(0, cores)


def _costs_table(costs: dict[str, Compared]) -> list[list[str]]:
    kinds = [
        "straight CPU",
        "through the loop",
        "added CPU",
        "least",
        "straight wall",
        "added wall",
    ]
    rows = [["µs a call", *kinds]]
    for name, one in costs.items():
        told = (
            *(one.straight.cpu, one.looped.cpu, one.added.cpu, one.added_least),
            *(one.straight.wall, one.added.wall),
        )
        rows.append([name, *(f"{value:,.0f}" for value in told)])
    return rows


def _tokens_table(tokens: dict[str, Seen]) -> list[list[str]]:
    header = ["a token", "direct p50, ms", "p99", "through p50, ms", "p99", "CPU, µs"]
    return [header] + [
        [
            name,
            *(f"{value:,.2f}" for value in _quantiles(seen)),
            f"{statistics.median(seen.cpu):.0f}",
        ]
        for name, seen in tokens.items()
    ]


def _quantiles(seen: Seen) -> list[float]:
    return [quantile(ways, part) for ways in (seen.direct, seen.through) for part in (0.5, 0.99)]


def _aims(costs: dict[str, Compared], tokens: dict[str, Seen]) -> list[list[str]]:
    call = costs["chat"].added
    burst, paced = (costs[name].added.cpu / CHUNKS for name in ("stream", "paced"))
    p50, p99 = (quantile(tokens[ONE].through, part) for part in (0.5, 0.99))
    return [
        ["aim", "came out"],
        ["added to a call ≤ 1 ms", f"{call.cpu / 1e3:.2f} ms of CPU, {call.wall / 1e3:.2f} ms"],
        ["added to a streamed chunk ≤ 60 µs of CPU", f"{burst:.1f} µs, {paced:.1f} µs one by one"],
        ["a token under way ≤ 5 ms", f"{p50:.2f} ms, {p99:.2f} ms at the 99th percentile"],
    ]


if __name__ == "__main__":
    sys.exit(main())

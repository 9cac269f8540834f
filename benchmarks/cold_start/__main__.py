"""Measure what the built functions do before they can be asked, and until they have answered once.

    python -m benchmarks.cold_start [--quick] [--times 20] [--markdown] [--json FILE]

From LAMBDA_ARTEFACT (a zip that `make lambda` made; build/lambda-….zip of this machine without it),
with the Python 3.13 that deploy/python313.sh finds. No figure fails a run: the aims stand beside.
"""

import argparse
import asyncio
import dataclasses
import json
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from benchmarks.cold_start.imports import Told, imported, top
from benchmarks.cold_start.starts import (
    AHEAD,
    CONTROL,
    ON_AWS,
    ON_ITS_OWN,
    QUERY,
    Start,
    StartFailed,
    Subject,
    interpreter,
    start,
)
from benchmarks.cold_start.task import ARCHIVE, NotBuilt, Task, unpacked
from benchmarks.tabulated import aligned, markdown

MANY = 200
PYTHON = "python"
FLOOR = Subject("bare", "FastAPI + Mangum, one route, same packages and bytecode")
OURS = Subject("query", "the query function on AWS' stores", QUERY, ON_AWS)
STARTS = (
    FLOOR,
    OURS,
    Subject("control", "the control function", CONTROL, ON_AWS),
    Subject("ahead", "the query function where it starts ahead: with AWS' SDK", QUERY, AHEAD),
)
FIRST_ANSWERS = (
    Subject("bare, first answer", "a chat with the floor's own route", asked=1),
    Subject("demo, first answer", "a chat with `demo`, local store", QUERY, ON_ITS_OWN, asked=1),
)
MANY_ANSWERS = (
    Subject(f"demo, {MANY} answers", "the same, to the end", QUERY, ON_ITS_OWN, asked=MANY),
)
Figures = dict[str, list[Start]]


def main() -> int:
    chosen = _options()
    try:
        with (
            tempfile.TemporaryDirectory(prefix="cold-start-") as folder,
            unpacked(Path(folder)) as task,
        ):
            return asyncio.run(_measure(chosen, task))
    except (NotBuilt, StartFailed) as error:
        print(f"fault: {error}", file=sys.stderr)
        return 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--times", type=int, default=20, help="starts of each, in turn (%(default)d)")
    add("--quick", action="store_true", help="two of each: does it work? no figures to quote")
    add("--markdown", action="store_true")
    add("--json", metavar="FILE", help="write every start's figures there")
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.times = 2
    return chosen


async def _measure(chosen: argparse.Namespace, task: Task) -> int:
    figures = await _in_turn([*STARTS, *FIRST_ANSWERS], task, chosen.times)
    figures |= await _in_turn(MANY_ANSWERS, task, max(1, chosen.times // 5), python=False)
    profiles = [await imported(one, task, max(1, chosen.times // 4)) for one in (OURS, FLOOR)]
    show = markdown if chosen.markdown else aligned
    for subject in (*STARTS, *FIRST_ANSWERS, *MANY_ANSWERS):
        print(f"{subject.name}: {subject.title}")
    print(f"\n{show(_table(figures))}\n\n{show(_aims(figures, task))}\n")
    print(show(_imports(profiles[0], profiles[1])))
    if chosen.json:
        _write_json(Path(chosen.json), figures)
    return 0


async def _in_turn(
    subjects: Sequence[Subject], task: Task, times: int, *, python: bool = True
) -> Figures:
    """One of each, and again: a slow minute of the machine falls on all alike. The first round
    only warms the page cache."""
    figures: Figures = {}
    for number in range(times + 1):
        seen = {PYTHON: interpreter(task)} if python else {}
        for subject in subjects:
            seen[subject.name] = await start(subject, task)
        if number:
            for name, one in seen.items():
                figures.setdefault(name, []).append(one)
    return figures


def _table(figures: Figures) -> list[list[str]]:
    """A ratio is the median of each round's: over the floor of the same round."""
    rows = [
        ["", "CPU, ms", "least CPU, ms", "wall, ms", "peak RSS, MB", "CPU ÷ bare", "wall ÷ bare"]
    ]
    for name, starts in figures.items():
        floor = figures[FIRST_ANSWERS[0].name if "first" in name else FLOOR.name]
        several = len(starts) == len(floor)
        rows.append(
            [
                name,
                f"{statistics.median(one.cpu for one in starts):,.0f}",
                f"{min(one.cpu for one in starts):,.0f}",
                f"{statistics.median(one.wall for one in starts):,.0f}",
                f"{statistics.median(one.peak for one in starts):,.1f}",
                f"{_ratio(starts, floor, 'cpu'):.2f}" if several else "-",
                f"{_ratio(starts, floor, 'wall'):.2f}" if several else "-",
            ]
        )
    return rows


def _ratio(starts: list[Start], floor: list[Start], what: Literal["cpu", "wall"]) -> float:
    pairs = zip(starts, floor, strict=True)
    ratios: list[float] = [getattr(one, what) / getattr(other, what) for one, other in pairs]
    return statistics.median(ratios)


def _aims(figures: Figures, task: Task) -> list[list[str]]:
    asleep, awake = (_highest(figures, group) for group in (STARTS, MANY_ANSWERS))
    cpu = _ratio(figures[OURS.name], figures[FLOOR.name], "cpu")
    zipped, files = ARCHIVE.stat().st_size / 1e6, task.unzipped / 1e6
    return [
        ["aim", "came out"],
        ["query ÷ bare, CPU until it polls ≤ 1.5", f"{cpu:.2f}"],
        ["peak RSS ≤ 90 MB when it polls, AWS' SDK loaded or not", f"{asleep:.1f} MB at the most"],
        [f"peak RSS ≤ 90 MB after {MANY} answers, local store", f"{awake:.1f} MB at the most"],
        ["zip ≤ 12 MB", f"{zipped:.1f} MB; {files:.1f} MB unzipped"],
    ]


def _highest(figures: Figures, subjects: Sequence[Subject]) -> float:
    return max(one.peak for subject in subjects for one in figures[subject.name])


def _write_json(file: Path, figures: Figures) -> None:
    told = {name: [dataclasses.asdict(one) for one in starts] for name, starts in figures.items()}
    file.write_text(json.dumps(told, indent=2) + "\n")


def _imports(ours: Told, floor: Told) -> list[list[str]]:
    header = ["importing, ms of each package's own", OURS.name, FLOOR.name]
    return [header] + [[name, f"{a:.1f}", f"{b:.1f}"] for name, a, b in top(ours, floor)]


if __name__ == "__main__":
    sys.exit(main())

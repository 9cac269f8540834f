"""Which packages a start spends its imports on: what `-X importtime` tells, added up."""

import re
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence

from benchmarks.cold_start.starts import Subject, log_of, start
from benchmarks.cold_start.task import Task

PROFILED = {"PYTHONPROFILEIMPORTTIME": "1"}
STANDARD_LIBRARY = "(standard library)"
_LINE = re.compile(r"^import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)$", re.MULTILINE)

Told = Mapping[str, float]


async def imported(subject: Subject, task: Task, times: int) -> Told:
    """ms of each top-level package's own modules; the least of several starts, since what is added
    to it is of other processes. Measuring has its price too: the sum is more than a start takes."""
    runs = []
    for _ in range(times):
        await start(subject, task, PROFILED)
        runs.append(_by_package(log_of(task).read_text(errors="replace")))
    names = {name for run in runs for name in run}
    return {name: min(run.get(name, 0.0) for run in runs) for name in names}


def _by_package(log: str) -> Told:
    own: defaultdict[str, float] = defaultdict(float)
    for microseconds, module in _LINE.findall(log):
        package = module.partition(".")[0]
        standard = package in sys.stdlib_module_names or package in ("zipimport", "__main__")
        own[STANDARD_LIBRARY if standard else package] += int(microseconds) / 1e3
    return own


def top(ours: Told, floor: Told, count: int = 20) -> Sequence[tuple[str, float, float]]:
    """Package, ours, the floor's."""
    names = sorted({*ours, *floor}, key=lambda name: -ours.get(name, 0.0))
    rows = [(name, ours.get(name, 0.0), floor.get(name, 0.0)) for name in names[:count]]
    rest = names[count:]
    if rest:
        own, others = (sum(told.get(name, 0.0) for name in rest) for told in (ours, floor))
        rows.append((f"{len(rest)} others", own, others))
    return [*rows, ("all", sum(ours.values()), sum(floor.values()))]

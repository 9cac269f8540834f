"""Measure the gateway beside its floors, on this machine, in one run.

python -m benchmarks.run [--quick] [--only raw,gateway] [--markdown] [--json FILE]
"""

import argparse
import dataclasses
import gc
import importlib.util
import json
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import uvloop

from benchmarks import measure
from benchmarks.load import WrongAnswer
from benchmarks.servers import Server, free_port
from benchmarks.subjects import (
    DIRECT_SUBJECT,
    FLOORS,
    GATEWAY_COMMAND,
    GATEWAY_IMPORT,
    GATEWAY_PATH,
    KEY,
    NAMES,
    ROOT,
    Subject,
    environment,
    gateway,
    make_key,
    write_config,
)
from benchmarks.table import table


def main() -> int:
    chosen = _options()
    figures = measure.Figures()
    subjects = list(_wanted(chosen))
    plan = _plan(chosen)
    # A collection in the middle of a block would be the client's time, told as a server's.
    gc.disable()
    with tempfile.TemporaryDirectory(prefix="sluicegate-bench-") as folder:
        make_key(Path(folder))
        uvloop.run(_measure(subjects, plan, Path(folder), figures))
    names = [subject.name for subject in subjects]
    for subject in subjects:
        print(f"{subject.name}: {subject.title}")
    print()
    print(table(figures, names, markdown=chosen.markdown))
    for fault in figures.faults:
        print(f"fault: {fault}", file=sys.stderr)
    if chosen.json:
        _write_json(Path(chosen.json), plan, names, figures)
    return 1 if figures.faults else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a smoke run of some seconds")
    parser.add_argument("--only", default=",".join(NAMES), help="a choice of these; direct always")
    parser.add_argument("--rounds", type=int, help="instead of the plan's own number")
    parser.add_argument("--soak", type=int, default=0, help="requests before the last RSS")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--json", metavar="FILE", help="write each round's figures there")
    parser.add_argument("--gateway-command", default=GATEWAY_COMMAND)
    parser.add_argument("--gateway-path", default=GATEWAY_PATH)
    parser.add_argument(
        "--gateway-header", action="append", default=[], help="a whole line; in place of the key"
    )
    parser.add_argument("--gateway-import", default=GATEWAY_IMPORT)
    chosen = parser.parse_args()
    if unknown := set(chosen.only.split(",")) - set(NAMES):
        parser.error(f"--only: {', '.join(sorted(unknown))} is none of {', '.join(NAMES)}")
    return chosen


def _wanted(chosen: argparse.Namespace) -> Iterator[Subject]:
    """Direct always, for it is what all others are measured over."""
    only = set(chosen.only.split(","))
    ours = gateway(
        command=chosen.gateway_command,
        path=chosen.gateway_path,
        headers=tuple(chosen.gateway_header) or (f"authorization: Bearer {KEY}",),
        imports=chosen.gateway_import,
    )
    yield DIRECT_SUBJECT
    for subject in (*FLOORS, ours):
        if subject.name not in only:
            continue
        if subject.needs and importlib.util.find_spec(subject.needs) is None:
            print(f"{subject.name}: left out, {subject.needs} is not installed", file=sys.stderr)
            continue
        yield subject


def _plan(chosen: argparse.Namespace) -> measure.Plan:
    plan = measure.QUICK if chosen.quick else measure.FULL
    return dataclasses.replace(plan, rounds=chosen.rounds or plan.rounds, soak=chosen.soak)


async def _measure(
    subjects: list[Subject], plan: measure.Plan, folder: Path, figures: measure.Figures
) -> None:
    cores = measure.Cores.of_this_process()
    with _stage(folder) as stage:
        started = [(subject, *stage.start(subject)) for subject in subjects]
        joined = [await _join(*each, figures) for each in started]
        field = [running for running in joined if running is not None]
        answered = [running.subject for running in field]
        measure.memory("rss_start_mb", field, figures)
        await measure.added_latency(field, plan, cores, figures)
        await measure.under_load(field, plan, cores, figures)
        await measure.paced_streams(field, plan, cores, figures)
        await measure.soak(field, plan.soak, figures)
        measure.memory("rss_end_mb", field, figures)
        os.sched_setaffinity(0, cores.all)
        stage.keep_only_the_provider()
        for _ in range(plan.imports):
            for subject in answered[1:]:
                measure.imports(subject, stage.env, ROOT, figures)
        for _ in range(plan.starts):
            for subject in answered[1:]:
                await measure.starts(subject, stage.start, figures)


async def _join(
    subject: Subject, server: Server, port: int, figures: measure.Figures
) -> measure.Running | None:
    """None for one that does not answer rightly: the others are measured all the same."""
    try:
        return await measure.checked(subject, server, port)
    except (WrongAnswer, OSError, TimeoutError) as error:
        figures.faults.append(f"{subject.name}, start: {error!r}; log: {server.log_tail()}")
        return None


class Stage:
    """All servers that were started, and the folder that holds their logs and configuration."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = count()
        self.servers: list[Server] = []
        self._provider_port = free_port()
        self._config = write_config(folder, self._provider_port)
        (folder / "home").mkdir(exist_ok=True)
        self.env = environment(folder, self._provider_port)

    def start(self, subject: Subject) -> tuple[Server, int]:
        port = self._provider_port if subject is DIRECT_SUBJECT else free_port()
        server = Server.start(
            subject.command_line(port=port, config=self._config),
            env=self.env,
            log=self._folder / f"{next(self._numbers)}-{subject.name}.log",
            cwd=ROOT,
        )
        self.servers.append(server)
        return server, port

    def keep_only_the_provider(self) -> None:
        _stop(self.servers[1:])


@contextmanager
def _stage(folder: Path) -> Iterator[Stage]:
    stage = Stage(folder)
    try:
        yield stage
    finally:
        _stop(stage.servers)


def _stop(servers: list[Server]) -> None:
    """All are asked before the first is waited for."""
    for server in servers:
        server.ask_to_stop()
    for server in servers:
        server.stop()


def _write_json(file: Path, plan: measure.Plan, names: list[str], figures: measure.Figures) -> None:
    told = {
        "python": platform.python_version(),
        "cores": len(os.sched_getaffinity(0)),
        "plan": dataclasses.asdict(plan),
        "medians": {
            figure: {name: figures.median(figure, name) for name in names}
            for figure in figures.seen
        },
        "rounds": figures.seen,
        "faults": figures.faults,
    }
    file.write_text(json.dumps(told, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())

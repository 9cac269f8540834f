"""The figures: the same calls to each subject in interleaved blocks, round after round."""

import asyncio
import dataclasses
import itertools
import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from benchmarks.load import Block, Budget, Call, Expected, WrongAnswer, ask_once, closed_loop
from benchmarks.payloads import chat_answer, chat_request, stream_events, text_of
from benchmarks.raw_http import post_request
from benchmarks.servers import Server
from benchmarks.subjects import DIRECT, Subject

PACED_EVENTS = 40
# The kinds of call: the name to ask for, and how many events to stream.
KINDS = {
    "chat": ("bench", 0),
    "short": ("bench", 20),
    "long": ("bench", 1000),
    "paced": ("bench-paced", PACED_EVENTS),
}
_CPU_AT = 16
_START_SECONDS = 60.0
_POLL_SECONDS = 0.002


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How often and how long."""

    rounds: int
    requests: int
    short_streams: int
    long_streams: int
    paced_at_once: int
    seconds: float
    imports: int
    starts: int
    soak: int = 0


FULL = Plan(
    rounds=7,
    requests=400,
    short_streams=150,
    long_streams=15,
    paced_at_once=64,
    seconds=1.0,
    imports=5,
    starts=5,
)
QUICK = Plan(
    rounds=1,
    requests=60,
    short_streams=20,
    long_streams=3,
    paced_at_once=16,
    seconds=0.1,
    imports=0,
    starts=1,
)


@dataclasses.dataclass(slots=True)
class Figures:
    """What was seen in each round, and what went wrong; a block with a fault gives no figure."""

    seen: dict[str, dict[str, list[float]]] = dataclasses.field(default_factory=dict)
    faults: list[str] = dataclasses.field(default_factory=list)

    def add(self, figure: str, subject: str, value: float) -> None:
        self.seen.setdefault(figure, {}).setdefault(subject, []).append(value)

    def median(self, figure: str, subject: str) -> float | None:
        values = self.seen.get(figure, {}).get(subject)
        return statistics.median(values) if values else None


@dataclasses.dataclass(slots=True)
class Running:
    """A subject that has been started and has answered each kind of call rightly once."""

    subject: Subject
    server: Server
    calls: dict[str, tuple[Call, Expected]]

    @property
    def name(self) -> str:
        return self.subject.name


@dataclasses.dataclass(frozen=True, slots=True)
class Cores:
    """One core for a subject under measure, and the others for those who put it under load."""

    one: set[int]
    others: set[int]
    all: set[int]

    @classmethod
    def of_this_process(cls) -> "Cores":
        cores = os.sched_getaffinity(0)
        one = {max(cores)}
        return cls(one, (cores - one) or cores, cores)


async def checked(subject: Subject, server: Server, port: int) -> Running:
    calls = {kind: call_to(subject, port, kind) for kind in KINDS}
    await first_answer(calls["chat"], server)
    return Running(
        subject, server, {kind: (call, await call.expected()) for kind, call in calls.items()}
    )


def call_to(subject: Subject, port: int, kind: str) -> Call:
    asked, events = KINDS[kind]
    body = chat_request(subject.model(asked), events=events)
    request = post_request(f"127.0.0.1:{port}", subject.path, body, subject.headers)
    answer = b"".join(stream_events(events, with_usage=True)) if events else chat_answer()
    return Call("127.0.0.1", port, request, text_of(answer))


async def first_answer(call: Call, server: Server) -> None:
    """Ask until there is an answer; 503 is what a server may say that is not ready yet."""
    async with asyncio.timeout(_START_SECONDS):
        while True:
            if not server.running:
                raise WrongAnswer("ended before its first answer")
            try:
                status, answer = await ask_once(call)
            except OSError:
                status, answer = 503, b""
            if status == 200:
                return
            if status != 503:
                raise WrongAnswer(f"status {status}: {answer[:300].decode(errors='replace')}")
            await asyncio.sleep(_POLL_SECONDS)


async def added_latency(field: list[Running], plan: Plan, cores: Cores, figures: Figures) -> None:
    """Everyone on one core: waking another one costs more than a gateway does, and hides it."""
    _pin(field, subjects=cores.one, load=cores.one)
    for _ in range(plan.rounds):
        chats = await _round(field, "chat", 1, Budget(plan.requests), figures)
        _add_each("p50_us", chats, lambda block: block.total_p50 * 1e6, figures)
        _add_over_direct("added_p50_us", chats, lambda block: block.total_p50 * 1e6, figures)
        _add_each("req_s_1", chats, lambda block: block.per_second, figures)
        short = await _round(field, "short", 1, Budget(plan.short_streams), figures)
        _add_over_direct("short_first_us", short, lambda block: block.first_p50 * 1e6, figures)
        _add_over_direct("short_total_us", short, lambda block: block.total_p50 * 1e6, figures)
        long = await _round(field, "long", 1, Budget(plan.long_streams), figures)
        _add_over_direct("long_total_ms", long, lambda block: block.total_p50 * 1e3, figures)


async def under_load(field: list[Running], plan: Plan, cores: Cores, figures: Figures) -> None:
    """The subject has a core to itself; the client and the provider share the others."""
    _pin(field, subjects=cores.one, load=cores.others)
    for _, connections, running in itertools.product(range(plan.rounds), (16, 64), field):
        before = running.server.cpu_seconds()
        block = await _block(running, "chat", connections, Budget(seconds=plan.seconds), figures)
        if block is None:
            continue
        figures.add(f"req_s_{connections}", running.name, block.per_second)
        if connections == _CPU_AT:
            spent = running.server.cpu_seconds() - before
            answers = len(block.total) + block.warm_up
            figures.add("cpu_us", running.name, spent / answers * 1e6)


async def paced_streams(field: list[Running], plan: Plan, cores: Cores, figures: Figures) -> None:
    """Many streams at once whose events come one by one: nothing can be saved by joining them."""
    _pin(field, subjects=cores.one, load=cores.others)
    streams = plan.paced_at_once
    for _, running in itertools.product(range(plan.rounds), field):
        before = running.server.cpu_seconds()
        block = await _block(running, "paced", streams, Budget(streams), figures)
        if block is not None:
            spent = running.server.cpu_seconds() - before
            events = (len(block.total) + block.warm_up) * PACED_EVENTS
            figures.add("paced_event_cpu_us", running.name, spent / events * 1e6)


async def soak(field: list[Running], requests: int, figures: Figures) -> None:
    for running in field:
        await _block(running, "chat", 64, Budget(requests, seconds=1800), figures)


def memory(figure: str, field: list[Running], figures: Figures) -> None:
    for running in field:
        figures.add(figure, running.name, running.server.rss_bytes() / 1e6)


async def starts(
    subject: Subject, start: Callable[[Subject], tuple[Server, int]], figures: Figures
) -> None:
    """From the spawn to the first right answer."""
    spawned = perf_counter()
    server, port = start(subject)
    try:
        await first_answer(call_to(subject, port, "chat"), server)
        figures.add("cold_ms", subject.name, (perf_counter() - spawned) * 1e3)
    except (WrongAnswer, TimeoutError) as error:
        figures.faults.append(f"{subject.name}, cold: {error!r}")
    finally:
        server.stop()


def imports(subject: Subject, env: dict[str, str], cwd: Path, figures: Figures) -> None:
    """In a fresh interpreter, without that interpreter's own start."""
    timed = (
        "from time import perf_counter as now; began = now()\n"
        f"{subject.imports}\nprint((now() - began) * 1e3)"
    )
    ended = subprocess.run(
        (sys.executable, "-c", timed), env=env, cwd=cwd, capture_output=True, text=True, check=False
    )
    if ended.returncode:
        reason = ended.stderr.strip().rpartition("\n")[2]
        figures.faults.append(f"{subject.name}, {subject.imports!r}: {reason}")
    else:
        figures.add("import_ms", subject.name, float(ended.stdout.split()[-1]))


def _pin(field: list[Running], *, subjects: set[int], load: set[int]) -> None:
    os.sched_setaffinity(0, load)
    for running in field:
        running.server.pin(load if running.name == DIRECT else subjects)


async def _round(
    field: list[Running], kind: str, connections: int, budget: Budget, figures: Figures
) -> dict[str, Block]:
    blocks = {
        running.name: await _block(running, kind, connections, budget, figures) for running in field
    }
    return {name: block for name, block in blocks.items() if block is not None}


async def _block(
    running: Running, kind: str, connections: int, budget: Budget, figures: Figures
) -> Block | None:
    where = f"{running.name}, {kind} at {connections}"
    try:
        block = await closed_loop(*running.calls[kind], connections, budget)
    except (OSError, TimeoutError) as error:
        figures.faults.append(f"{where}: {error!r}")
        return None
    if block.wrong:
        figures.faults.append(
            f"{where}: {len(block.wrong)} wrong answers, such as {block.wrong[0]}"
        )
        return None
    return block


def _add_each(
    figure: str, blocks: dict[str, Block], read: Callable[[Block], float], figures: Figures
) -> None:
    for name, block in blocks.items():
        figures.add(figure, name, read(block))


def _add_over_direct(
    figure: str, blocks: dict[str, Block], read: Callable[[Block], float], figures: Figures
) -> None:
    if DIRECT not in blocks:
        return
    floor = read(blocks[DIRECT])
    for name, block in blocks.items():
        if name != DIRECT:
            figures.add(figure, name, read(block) - floor)

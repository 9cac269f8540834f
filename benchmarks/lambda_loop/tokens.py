"""How long a token is under way: from the provider that sends it to the Runtime API that gets it.

The function is a process of its own, started as Lambda starts it; the floor is the same stream,
read from the provider with nothing in between.
"""

import asyncio
import os
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import handler
from benchmarks.fake_runtime import HOST
from benchmarks.lambda_loop.cases import chat
from benchmarks.lambda_loop.provider import SENT, provider
from benchmarks.raw_http import post_request
from examples.local_lambda.function import running
from examples.local_lambda.runtime_api import RuntimeApi

CODE = Path(handler.__file__).parents[1]
EVENT = chat("Count.", model="openai/m", stream=True)
PATIENCE = 120.0


class WrongStream(Exception):
    pass


@dataclass(frozen=True, slots=True)
class Plan:
    """``at_once``: streams in one process. ``pause``: seconds between a stream's tokens. ``apart``:
    the function has a core to itself; else all share one, since waking another one costs more."""

    tokens: int
    pause: float
    streams: int
    at_once: int = 1
    apart: bool = False


@dataclass(slots=True)
class Seen:
    """ms under way, of each token; CPU of the function in µs a token."""

    direct: list[float] = field(default_factory=list)
    through: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


def quantile(values: Iterable[float], part: float) -> float:
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)]


def under_way(plan: Plan) -> Seen:
    """Raises WrongStream."""
    cores = os.sched_getaffinity(0)
    one = {max(cores)}
    others = ((cores - one) or cores) if plan.apart else one
    try:
        with provider(plan.tokens, plan.pause, others) as address:
            return asyncio.run(_seen(plan, address, one, others))
    finally:
        os.sched_setaffinity(0, cores)


async def _seen(plan: Plan, address: str, one: set[int], others: set[int]) -> Seen:
    seen = Seen()
    told = {
        "OPENAI_API_KEY": "sk-bench-0123456789",
        "OPENAI_BASE_URL": f"http://{address}/v1",
        "AWS_LAMBDA_MAX_CONCURRENCY": str(plan.at_once),
    }
    os.sched_setaffinity(0, one)  # what is started now stays there
    async with (
        asyncio.timeout(PATIENCE),
        RuntimeApi(concurrency=plan.at_once) as api,
        running(api, code=CODE, python=sys.executable, environment=told) as function,
    ):
        os.sched_setaffinity(0, others)
        await _together(_through(api, plan) for _ in range(plan.at_once))
        for _ in range(plan.streams):
            seen.direct += await _together(_direct(address, plan) for _ in range(plan.at_once))
            before = _cpu(function.process.pid)
            seen.through += await _together(_through(api, plan) for _ in range(plan.at_once))
            await function.idle(plan.at_once)
            spent = _cpu(function.process.pid) - before
            seen.cpu.append(spent / plan.tokens / plan.at_once * 1e6)
        if api.faults:
            raise WrongStream(f"against the protocol: {api.faults[0]}")
    return seen


async def _together(streams: "Iterable[asyncio._CoroutineLike[list[float]]]") -> list[float]:
    return [token for stream in await asyncio.gather(*streams) for token in stream]


async def _through(api: RuntimeApi, plan: Plan) -> list[float]:
    posted = await (await api.invoke(EVENT)).finished()
    return _tokens(posted.chunks, plan, posted.body)


async def _direct(address: str, plan: Plan) -> list[float]:
    _, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(HOST, int(port))
    read: list[tuple[float, bytes]] = []
    try:
        writer.write(post_request(address, "/v1/chat/completions", b"{}"))
        while not read or not read[-1][1].endswith(b"0\r\n\r\n"):
            data = await reader.read(65536)
            read.append((time.monotonic(), data))
    finally:
        writer.close()
    return _tokens(read, plan, b"")


def _tokens(pieces: Iterable[tuple[float, bytes]], plan: Plan, body: bytes) -> list[float]:
    tokens = [at * 1e3 - int(sent) / 1e6 for at, data in pieces for sent in SENT.findall(data)]
    if len(tokens) != plan.tokens:
        raise WrongStream(f"{len(tokens)} of {plan.tokens} tokens arrived: {body[:300]!r}")
    return tokens


def _cpu(pid: int) -> float:
    """Seconds, to the nanosecond: of the threads that live."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((one / "schedstat").read_text().split()[0]) for one in threads) / 1e9

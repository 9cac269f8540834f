"""The same calls of the same app, straight and through the loop, in this process.

What the Runtime API costs is another process', and not counted as CPU.
"""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.types import Message

from benchmarks.lambda_loop.cases import Case
from benchmarks.lambda_loop.remote import RemoteRuntime
from handler.lambda_runtime.api import RuntimeApi, RuntimeLost
from handler.lambda_runtime.loop import Loop
from handler.lambda_runtime.mode import SETTING, STREAM
from handler.lambda_runtime.request import event_of, request_of

ENVIRONMENT = {SETTING: STREAM}
WARM_UP = 0.1  # of the calls that are counted


class WrongAnswer(Exception):
    pass


@dataclass(frozen=True, slots=True)
class Cost:
    """Microseconds of one call."""

    cpu: float
    wall: float


@dataclass(frozen=True, slots=True)
class Compared:
    straight: Cost
    looped: Cost
    added: Cost
    added_least: float


def compare(case: Case, calls: int, rounds: int, remote: RemoteRuntime) -> Compared:
    """In turn, round after round; what is added is counted within a round."""
    straight, looped = [], []
    for _ in range(rounds):
        straight.append(asyncio.run(_straight(case, calls)))
        looped.append(asyncio.run(_looped(case, calls, remote)))
    added = [
        Cost(one.cpu - other.cpu, one.wall - other.wall)
        for one, other in zip(looped, straight, strict=True)
    ]
    return Compared(
        _median(straight), _median(looped), _median(added), min(one.cpu for one in added)
    )


async def _straight(case: Case, calls: int) -> Cost:
    invocation = case.invocation()
    request = request_of(case.mangum, event_of(invocation), invocation)
    body: Message = {"type": "http.request", "body": request.body, "more_body": False}

    async def send(message: Message) -> None:
        pass

    async def call() -> None:
        asked = False

        async def receive() -> Message:
            nonlocal asked
            if asked:
                await asyncio.Event().wait()  # nobody hangs up
            asked = True
            return body

        await case.mangum.app({**request.scope, "state": {}}, receive, send)

    async def several(count: int) -> None:
        for _ in range(count):
            await call()

    await several(max(1, int(calls * WARM_UP)))
    return await _measured(lambda: several(calls), calls)


async def _looped(case: Case, calls: int, remote: RemoteRuntime) -> Cost:
    async def several(count: int) -> None:
        api = RuntimeApi(remote.opened(case.event, count, case.wanted))
        loop = Loop(api, case.mangum, {}, environment=ENVIRONMENT)
        try:
            await loop.run()
        except* RuntimeLost:  # as it was told to end
            pass
        answers, wrong = remote.closed()
        if wrong or answers != count:
            raise WrongAnswer(f"{case.name}: {answers} of {count} answers; {wrong[:1]}")

    await several(max(1, int(calls * WARM_UP)))
    return await _measured(lambda: several(calls), calls)


async def _measured(work: Callable[[], Awaitable[Any]], calls: int) -> Cost:
    cpu, wall = time.process_time(), time.perf_counter()
    await work()
    spent = time.process_time() - cpu, time.perf_counter() - wall
    return Cost(spent[0] / calls * 1e6, spent[1] / calls * 1e6)


def _median(costs: list[Cost]) -> Cost:
    return Cost(
        statistics.median(one.cpu for one in costs), statistics.median(one.wall for one in costs)
    )

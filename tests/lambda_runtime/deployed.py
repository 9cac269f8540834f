"""The gateway as a function behind front doors: a process, AWS' part of it in a thread."""

import asyncio
import json
import sqlite3
import threading
from collections.abc import Coroutine, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AsyncExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from examples.local_lambda.front_door import FrontDoor
from examples.local_lambda.function import Function, running
from examples.local_lambda.runtime_api import RuntimeApi as Aws

PATIENCE = 15.0  # seconds that anything here waits at most
SHORT = 3.0  # seconds that a call through the door in a hurry has
PROVIDERS_KEY = "sk-provider-canary-1234567890"
LARGEST_BODY = 100_000

Result = TypeVar("Result")


@dataclass
class Deployed:
    """``url``: its function URL; ``hurried``: another, of a function with a short timeout;
    ``whole``: an HTTP API, where nothing streams."""

    aws: Aws
    function: Function
    home: Path
    url: str
    hurried: str
    whole: str
    loop: asyncio.AbstractEventLoop

    def wait(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(PATIENCE)

    def idle(self, count: int = 1) -> None:
        """Wait until it is through with all that it does for the calls that it had."""
        self.wait(self.function.idle(count))

    def records(self) -> list[Any]:
        """Those that are kept by now, the oldest first."""
        with closing(sqlite3.connect(self.home / "gateway.db")) as db:
            rows = db.execute("SELECT body FROM records ORDER BY rowid").fetchall()
        return [json.loads(body) for (body,) in rows]

    def log(self) -> list[str]:
        return self.function.log.read_text().splitlines()


@contextmanager
def deployed(
    home: Path, environment: Mapping[str, str], *, concurrency: int = 1
) -> Iterator[Deployed]:
    """No rule of the Runtime API may be broken, and no front door be served badly."""
    ready, stop = Future[Deployed](), threading.Event()

    async def serve() -> None:
        async with AsyncExitStack() as stack:
            made, doors = await _entered(stack, home, environment, concurrency)
            ready.set_result(made)
            await asyncio.to_thread(stop.wait)
            assert made.aws.faults == [], made.aws.faults
            assert not any(door.faults for door in doors), [door.faults for door in doors]

    with ThreadPoolExecutor(1) as pool:
        serving = pool.submit(asyncio.run, serve())
        serving.add_done_callback(lambda _: ready.cancel())
        futures: list[Future[Any]] = [ready, serving]
        try:
            wait(futures, PATIENCE, FIRST_COMPLETED)
            if serving.done():
                serving.result()
            yield ready.result(0)
        finally:
            stop.set()
            serving.result(PATIENCE)


async def _entered(
    stack: AsyncExitStack, home: Path, environment: Mapping[str, str], concurrency: int
) -> tuple[Deployed, list[FrontDoor]]:
    aws = await stack.enter_async_context(Aws(concurrency=concurrency))
    several = {"AWS_LAMBDA_MAX_CONCURRENCY": str(concurrency)} if concurrency > 1 else {}
    environment = {"SLUICEGATE_HOME": str(home), **several, **environment}
    function = await stack.enter_async_context(running(aws, environment=environment))
    doors = [FrontDoor(aws), FrontDoor(aws, seconds=SHORT), FrontDoor(aws, "http_api_v2")]
    for door in doors:
        await stack.enter_async_context(door)
    url, hurried, whole = (door.url for door in doors)
    loop = asyncio.get_running_loop()
    return Deployed(aws, function, home, url, hurried, whole, loop), doors

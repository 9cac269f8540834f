"""The fake Runtime API in a process of its own, so that its CPU is not counted."""

import asyncio
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

from benchmarks.fake_runtime import FakeRuntime

PATIENCE = 60.0


class RemoteRuntime:
    """One after the other: opened for so many invocations of one event, then closed."""

    def __init__(self, pipe: "Connection[Any, Any]") -> None:
        self._pipe = pipe

    def opened(self, event: bytes, times: int, wanted: bytes) -> str:
        """Its address."""
        self._pipe.send((event, times, wanted))
        return str(self._received())

    def closed(self) -> tuple[int, list[bytes]]:
        """How many answers came, and those without what was wanted."""
        answers, wrong = self._received()
        return answers, wrong

    def _received(self) -> Any:
        if not self._pipe.poll(PATIENCE):
            raise TimeoutError("the fake Runtime API says nothing")
        return self._pipe.recv()


@contextmanager
def remote_runtime() -> Iterator[RemoteRuntime]:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there,), daemon=True)
    process.start()
    there.close()  # so that an end over there is one here
    try:
        yield RemoteRuntime(here)
    finally:
        process.terminate()
        process.join(PATIENCE)


def _serve(pipe: "Connection[Any, Any]") -> None:
    while True:
        asyncio.run(_once(pipe, *pipe.recv()))


async def _once(pipe: "Connection[Any, Any]", event: bytes, times: int, wanted: bytes) -> None:
    runtime = FakeRuntime(event, times, wanted=wanted, at_end="refuse")
    async with runtime.listening() as address, asyncio.timeout(PATIENCE):
        pipe.send(address)
        await runtime.through.wait()
    pipe.send((len(runtime.answers), runtime.wrong))

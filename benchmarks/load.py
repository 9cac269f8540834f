"""A closed-loop client: each connection asks, checks what came, and asks again at once.

python -m benchmarks.load http://127.0.0.1:9000/v1/chat/completions --connections 16 --seconds 2
"""

import argparse
import asyncio
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field
from time import perf_counter
from urllib.parse import urlsplit

import uvloop

from benchmarks.payloads import chat_request, text_of
from benchmarks.raw_http import Connection, connect, post_request

_EVENT = b"data: {"
# A block that takes so much longer than it was given is stuck.
_GRACE_SECONDS = 30.0


class WrongAnswer(Exception):
    """An answer that is not the one that the benchmark counts on."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What each answer of a block must look like: that of the first one, which was read in full."""

    size: int
    events: int

    def fault(self, status: int, answer: bytes) -> str:
        if status != 200:
            return f"status {status}: {answer[:200].decode(errors='replace')}"
        if len(answer) != self.size:
            return f"{len(answer)} bytes and not {self.size}"
        if self.events and (events := answer.count(_EVENT)) != self.events:
            return f"{events} events and not {self.events}"
        return ""


@dataclass(frozen=True, slots=True)
class Call:
    """One request to one subject, ready to be sent, and the text that must come back."""

    host: str
    port: int
    request: bytes
    text: str

    async def expected(self) -> Expected:
        """Ask once, read what came in full, and take its shape for that of all others."""
        status, answer = await ask_once(self)
        if status != 200:
            raise WrongAnswer(Expected(0, 0).fault(status, answer))
        try:
            text = text_of(answer)
        except (ValueError, LookupError, TypeError) as error:
            raise WrongAnswer(f"{error!r} in {answer[:200]!r}") from error
        if self.text and text != self.text:
            raise WrongAnswer(f"not the text that the provider gave, but {text[:200]!r}")
        return Expected(len(answer), answer.count(_EVENT))


@dataclass(slots=True)
class Block:
    """What one run of a closed loop saw. Wrong answers are never among the samples."""

    first: list[float] = field(default_factory=list)
    total: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0
    warm_up: int = 0  # answers before the first sample: they cost the server as much

    @property
    def first_p50(self) -> float:
        return statistics.median(self.first)

    @property
    def total_p50(self) -> float:
        return statistics.median(self.total)

    @property
    def per_second(self) -> float:
        return len(self.total) / self.seconds


@dataclass(frozen=True, slots=True)
class Budget:
    """A block ends when either is used up."""

    requests: int = 10_000_000
    seconds: float = 600.0


async def closed_loop(call: Call, expected: Expected, connections: int, budget: Budget) -> Block:
    """Each connection is warmed by a few answers, which are checked but not counted."""
    opened = [await connect(call.host, call.port) for _ in range(connections)]
    block = Block()
    few = min(budget.requests, 16 + 2 * connections)
    try:
        warm = await _run(call, expected, opened, Budget(few, budget.seconds))
        if not warm.wrong:
            block = await _run(call, expected, opened, budget)
        block.wrong += warm.wrong
        block.warm_up = len(warm.total)
    finally:
        for connection in opened:
            connection.close()
    return block


async def ask_once(call: Call) -> tuple[int, bytes]:
    connection = await connect(call.host, call.port)
    try:
        async with asyncio.timeout(_GRACE_SECONDS):
            receiver = _Once()
            connection.send(call.request, receiver)
            return await receiver.answer
    finally:
        connection.close()


async def _run(call: Call, expected: Expected, opened: list[Connection], budget: Budget) -> Block:
    block = Block()
    started = perf_counter()
    turns = _turns(budget.requests, started + budget.seconds)
    loops = [_Loop(connection, call.request, expected, block, turns) for connection in opened]
    async with asyncio.timeout(budget.seconds + _GRACE_SECONDS):
        for each in loops:
            each.ask()
        await asyncio.gather(*(each.ended for each in loops))
    block.seconds = perf_counter() - started
    return block


def _turns(requests: int, deadline: float) -> Iterator[None]:
    for _ in range(requests):
        if perf_counter() > deadline:
            return
        yield


class _Loop:
    """One connection that asks, checks and asks again, without a task to wake in between."""

    def __init__(
        self,
        connection: Connection,
        request: bytes,
        expected: Expected,
        block: Block,
        turns: Iterator[None],
    ) -> None:
        self.ended = asyncio.get_running_loop().create_future()
        self._connection = connection
        self._request = request
        self._expected = expected
        self._block = block
        self._turns = turns
        self._status = 0
        self._pieces: list[bytes] = []
        self._asked = self._first = 0.0

    def ask(self) -> None:
        try:
            next(self._turns)
        except StopIteration:
            self.ended.set_result(None)
            return
        self._asked = perf_counter()
        self._connection.send(self._request, self)

    def head(self, status: int) -> None:
        self._status = status

    def piece(self, body: bytes) -> None:
        if not self._pieces:
            self._first = perf_counter()
        self._pieces.append(body)

    def finished(self) -> None:
        ended = perf_counter()
        answer = b"".join(self._pieces)
        self._pieces.clear()
        if fault := self._expected.fault(self._status, answer):
            self._block.wrong.append(fault)
        else:
            self._block.first.append(self._first - self._asked)
            self._block.total.append(ended - self._asked)
        self.ask()

    def failed(self, error: Exception) -> None:
        self._block.wrong.append(repr(error))
        self.ended.set_result(None)


class _Once:
    def __init__(self) -> None:
        self.answer: asyncio.Future[tuple[int, bytes]]
        self.answer = asyncio.get_running_loop().create_future()
        self._status = 0
        self._pieces: list[bytes] = []

    def head(self, status: int) -> None:
        self._status = status

    def piece(self, body: bytes) -> None:
        self._pieces.append(body)

    def finished(self) -> None:
        self._settle((self._status, b"".join(self._pieces)))

    def failed(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)

    def _settle(self, answer: tuple[int, bytes]) -> None:
        if not self.answer.done():
            self.answer.set_result(answer)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--model", default="bench")
    parser.add_argument("--events", type=int, default=0, help="ask for a stream of so many")
    parser.add_argument("--connections", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--header", action="append", default=[], help="a whole line; repeatable")
    uvloop.run(_main(parser.parse_args()))


async def _main(chosen: argparse.Namespace) -> None:
    parts = urlsplit(chosen.url)
    body = chat_request(chosen.model, events=chosen.events)
    request = post_request(parts.netloc, parts.path, body, tuple(chosen.header))
    call = Call(parts.hostname or "", parts.port or 80, request, text="")
    budget = Budget(seconds=chosen.seconds)
    block = await closed_loop(call, await call.expected(), chosen.connections, budget)
    print(f"{len(block.total)} right, {len(block.wrong)} wrong {block.wrong[:1]}")
    if block.total:
        print(f"{block.per_second:,.0f} a second")
        print(f"p50 {block.total_p50 * 1e6:,.0f} µs, first byte {block.first_p50 * 1e6:,.0f} µs")


if __name__ == "__main__":
    main()

"""What carries the query path: CPU per request and per chunk of each candidate, side by side.

    PYTHONPATH=src python -m benchmarks.transports            # every candidate that is installed
    PYTHONPATH=src python -m benchmarks.transports own httpx  # some; ratios are to the first

The provider runs in a process of its own; what is measured is the CPU time of the client's process,
in rounds that take the candidates in turn, and of each candidate its best round. Candidates that
are not in the lock (aiohttp, httpx-aiohttp, pyreqwest) go into a throw-away virtualenv.
"""

import asyncio
import gc
import importlib
import subprocess
import sys
import time
from contextlib import AsyncExitStack
from typing import Any

import httptools
import uvloop

from benchmarks.transport_candidates import CANDIDATES, Candidate

ANSWER = b'{"choices":[{"message":{"content":"' + b"y" * 1360 + b'"}}]}'
EVENT = b'data: {"choices":[{"delta":{"content":"' + b"z" * 208 + b'"}}]}\n\n'
# uvloop's clock ticks in milliseconds: a shorter pause would be none.
EVENTS, PACED_EVENTS, PAUSE = 1_000, 100, 0.002
REQUESTS, STREAMS, ROUNDS = 1_500, 20, 5
HEAD = b"HTTP/1.1 200 OK\r\ndate: Sun, 22 Nov 2026 18:46:34 GMT\r\nserver: fake\r\n"


async def measure(candidate: Candidate, base: str) -> tuple[float, float, float]:
    """µs of CPU: per request, per event of a burst, per event that comes alone."""
    async with AsyncExitStack() as stack:
        client = await candidate.enter(stack)
        assert await client.post(f"{base}/answer") == ANSWER
        assert await client.stream(f"{base}/burst") == EVENTS * len(EVENT)
        gc.collect()
        begin = time.process_time()
        for _ in range(REQUESTS):
            await client.post(f"{base}/answer")
        posted = time.process_time()
        for _ in range(STREAMS):
            await client.stream(f"{base}/burst")
        burst = time.process_time()
        await client.stream(f"{base}/paced")
        paced = time.process_time()
    return (
        (posted - begin) / REQUESTS * 1e6,
        (burst - posted) / STREAMS / EVENTS * 1e6,
        (paced - burst) / PACED_EVENTS * 1e6,
    )


def import_seconds(modules: str) -> float:
    """The best of five, after FastAPI and asyncio, which we pay for anyway."""
    code = (
        "import time, asyncio, ssl, fastapi, gateway.ports; begin = time.perf_counter();"
        f"import {modules}; print(time.perf_counter() - begin)"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            capture_output=True,
            text=True,
        )
        for _ in range(5)
    ]
    return min(float(run.stdout) for run in runs)


def installed(name: str) -> bool:
    try:
        for module in CANDIDATES[name].imports.split(", "):
            importlib.import_module(module)
    except ImportError as error:
        print(f"skipped {name}: {error}")
        return False
    return True


def main(wanted: list[str]) -> None:
    names = [name for name in wanted or CANDIDATES if installed(name)]
    provider = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.transports", "provider"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert provider.stdout is not None
        base = f"http://127.0.0.1:{provider.stdout.readline().strip()}"
        rounds: dict[str, list[tuple[float, float, float]]] = {name: [] for name in names}
        for _ in range(ROUNDS):
            for name in names:
                rounds[name].append(uvloop.run(measure(CANDIDATES[name], base)))
    finally:
        provider.terminate()
        provider.wait()
    best = {
        name: [min(column) for column in zip(*runs, strict=True)] for name, runs in rounds.items()
    }
    unit = best[names[0]]
    print(f"{'':20} {'µs/request':>18} {'µs/event, burst':>18} {'µs/event, alone':>18}  import ms")
    for name, figures in best.items():
        cells = " ".join(f"{x:10.2f} ({x / u:5.1f})" for x, u in zip(figures, unit, strict=True))
        print(f"{name:20} {cells} {import_seconds(CANDIDATES[name].imports) * 1e3:10.0f}")


# The provider: as little as can answer, so that it never is what is waited for.


class Provider(asyncio.Protocol):
    def connection_made(self, transport: Any) -> None:
        self.transport: asyncio.Transport = transport
        self.parser = httptools.HttpRequestParser(self)
        self.tasks: set[asyncio.Task[None]] = set()

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self.path = url

    def on_message_complete(self) -> None:
        if self.path == b"/answer":
            self.transport.write(HEAD + b"content-length: %d\r\n\r\n" % len(ANSWER) + ANSWER)
            return
        self.transport.write(HEAD + b"transfer-encoding: chunked\r\n\r\n")
        if self.path == b"/burst":
            self.transport.write(chunk(EVENT) * EVENTS + chunk(b""))
        else:
            self.tasks.add(asyncio.ensure_future(self.pace()))

    async def pace(self) -> None:
        for _ in range(PACED_EVENTS):
            self.transport.write(chunk(EVENT))
            await asyncio.sleep(PAUSE)
        self.transport.write(chunk(b""))


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


async def serve() -> None:
    server = await asyncio.get_running_loop().create_server(Provider, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    if sys.argv[1:] == ["provider"]:
        uvloop.run(serve())
    else:
        main(sys.argv[1:])

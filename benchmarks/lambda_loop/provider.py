"""A provider that says with each token when it sent it."""

import asyncio
import multiprocessing
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

from benchmarks.fake_runtime import HOST
from benchmarks.raw_http import no_delay

# CLOCK_MONOTONIC is one for all processes of a machine.
SENT = re.compile(rb'"content":"(\d+) "')
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_EVENT = (
    b'data: {"id":"chatcmpl-123","object":"chat.completion.chunk","created":1700000000,"model":'
    b'"m","choices":[{"index":0,"delta":{"content":"%d "},"logprobs":null,"finish_reason":null}]}'
    b"\n\n"
)
_DONE = b"data: [DONE]\n\n"
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


@contextmanager
def provider(tokens: int, pause: float, cores: set[int]) -> Iterator[str]:
    """In a process of its own; its address. ``pause``: seconds between two tokens."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_run, args=(there, tokens, pause, cores), daemon=True)
    process.start()
    try:
        yield f"{HOST}:{here.recv()}"
    finally:
        process.terminate()
        process.join(10)


def _run(pipe: "Connection[Any, Any]", tokens: int, pause: float, cores: set[int]) -> None:
    import os

    os.sched_setaffinity(0, cores)
    asyncio.run(_serve(pipe, tokens, pause))


async def _serve(pipe: "Connection[Any, Any]", tokens: int, pause: float) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        no_delay(writer.transport)  # type: ignore[arg-type]
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = _LENGTH.search(head)
                await reader.readexactly(int(length[1]) if length else 0)
                await _stream(writer, tokens, pause)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(answer, HOST, 0)
    pipe.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


async def _stream(writer: asyncio.StreamWriter, tokens: int, pause: float) -> None:
    writer.write(_HEAD)
    for _ in range(tokens):
        await asyncio.sleep(pause)
        writer.write(_frame(_EVENT % time.monotonic_ns()))
    writer.write(_frame(_DONE) + b"0\r\n\r\n")
    await writer.drain()


def _frame(event: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(event), event)

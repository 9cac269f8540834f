"""What the Runtime API says to the runtime, and how: as Go's HTTP server does."""

import asyncio
import json
import time
from dataclasses import dataclass
from email.utils import formatdate

from examples.local_lambda.connection import Connection, Gone, Headers
from examples.local_lambda.posted import Invocation
from examples.local_lambda.rules import LARGEST_BUFFERED

ARN = "arn:aws:lambda:us-east-1:123456789012:function:sluicegate:live"
GO_BUFFERS = 2048  # bytes of an answer that Go's server sends with a length; a larger one in chunks
GO_DISCARDS = 256 * 1024  # bytes of a refused body that Go's server still reads
SECONDS_TO_DISCARD = 30.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the Runtime API answers."""

    status: int
    type: str = ""
    message: str = ""


ACCEPTED = Verdict(202)
TIMED_OUT = Verdict(410, "InvokeTimeout", "Invoke timeout")
INVALID_ID = Verdict(400, "InvalidRequestID", "Invalid request ID")
INVALID_MODE = Verdict(400, "InvalidFunctionResponseMode", "Invalid function response mode")
NOT_FOUND = Verdict(404, "NotFound", "404 page not found")
TOO_MANY = Verdict(500, "TooManyIdleRuntimes", "too many idle runtimes")
TOO_LARGE = Verdict(
    413,
    "RequestEntityTooLarge",
    f"Exceeded maximum allowed payload size ({LARGEST_BUFFERED} bytes).",
)


async def hand_out(line: Connection, invocation: Invocation) -> None:
    """Answer a poll."""
    terms = invocation.terms
    invocation.handed_at = time.monotonic()
    headers = [
        ("Content-Type", "application/json"),
        ("Lambda-Runtime-Aws-Request-Id", invocation.id),
        ("Lambda-Runtime-Deadline-Ms", str(invocation.deadline_ms)),
        ("Lambda-Runtime-Invoked-Function-Arn", ARN),
        (
            "Lambda-Runtime-Trace-Id",
            f"Root=1-{int(time.time()):08x}-{invocation.id.replace('-', '')[:24]};Sampled=0",
        ),
        ("Date", formatdate(usegmt=True)),
        *terms.headers,
    ]
    if invocation.invocation_id:
        headers.append(("Lambda-Runtime-Invocation-Id", invocation.invocation_id))
    if len(invocation.event) > GO_BUFFERS if terms.chunked is None else terms.chunked:
        headers.append(("Transfer-Encoding", "chunked"))
    if terms.hang_up == "told":
        headers.append(("Connection", "close"))
    await line.reply(200, headers, invocation.event, terms.dribble)
    if terms.hang_up:
        raise Gone("hung up, as the terms say")


async def conclude(line: Connection, verdict: Verdict) -> None:
    """Answer a request, read to its end or not, as Go's server does: of what is left it reads a
    little, answers, and hangs up if there was more."""
    told = (
        {"status": "OK"}
        if verdict is ACCEPTED
        else {"errorMessage": verdict.message, "errorType": verdict.type}
    )
    discarded = 0
    async with asyncio.timeout(SECONDS_TO_DISCARD):
        async for data in line.body():
            discarded += len(data)
            if discarded > GO_DISCARDS:
                break
    headers: Headers = [("Content-Type", "application/json"), ("Date", formatdate(usegmt=True))]
    if not line.ended:
        headers = [*headers, ("Connection", "close")]
    await line.reply(verdict.status, headers, json.dumps(told).encode() + b"\n")
    if not line.ended:
        await line.linger()


def _trace_id(invocation: Invocation) -> str:
    return f"Root=1-{int(time.time()):08x}-{invocation.id.replace('-', '')[:24]};Sampled=0"

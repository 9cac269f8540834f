"""The apps and the calls that are made with the loop and without."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from mangum import Mangum
from starlette.types import ASGIApp, Receive, Scope, Send

from examples.local_lambda.events import Request, Stamp, function_url
from gateway.adapters.echo import EchoTransport
from gateway.adapters.local_vault import LocalVault
from gateway.adapters.memory import MemoryEndpoints, MemoryItems, MemoryRecords
from gateway.adapters.schemes import SchemeTransport
from gateway.admission.admission import OpenAdmission
from gateway.bootstrap.choosing import Chosen
from gateway.bootstrap.wiring import Wired, wire
from gateway.exchange.background import Background
from gateway.metering.records import Record
from gateway.routing.endpoint import Endpoint, Target
from gateway.settings import Settings
from gateway.wire.json import Json, dumps
from handler.app import query_routes
from handler.lambda_runtime.connection import Reply
from handler.lambda_runtime.invocation import Invocation, invocation_of
from handler.on_lambda import OnLambda

CHUNKS = 1000
PAUSE = 0.001  # seconds; then each chunk is written, and read, by itself
CHUNK = (
    b'data: {"id":"chatcmpl-123","choices":[{"index":0,"delta":{"content":"token "}}]}\n\n'.ljust(
        250, b" "
    )
)
CHAT_PATH = "/gateway/openai/v1/chat/completions"
SAID = "Say hello in five words."
DEADLINE_MS = 4_000_000_000_000


@dataclass(frozen=True, slots=True)
class Case:
    """``chunks``: how many the app sends; 1 when the answer is whole. ``wanted``: in the answer."""

    name: str
    mangum: Mangum
    event: bytes
    wanted: bytes
    chunks: int = 1

    def invocation(self) -> Invocation:
        headers = {
            "lambda-runtime-aws-request-id": "00000000-0000-4000-8000-000000000000",
            "lambda-runtime-deadline-ms": str(DEADLINE_MS),
        }
        return invocation_of(Reply(200, headers, self.event))


def streaming(pause: float | None = None) -> ASGIApp:
    """An app that does nothing but stream: as fast as it goes, or one chunk after the other."""

    async def app(_: Scope, __: Receive, send: Send) -> None:
        kind = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": kind})
        for _number in range(CHUNKS):
            if pause is not None:
                await asyncio.sleep(pause)
            await send({"type": "http.response.body", "body": CHUNK, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    return app


def cases() -> list[Case]:
    gateway = _mangum(OnLambda(Chosen(_wired), query_routes, shared=False, eager=False))
    asked = chat(SAID, stream=True)
    return [
        Case("health", gateway, _event("GET", "/health"), b'"ok"'),
        Case("chat", gateway, chat(SAID), SAID.encode()),
        Case("stream", _mangum(streaming()), asked, CHUNK, CHUNKS),
        Case("paced", _mangum(streaming(PAUSE)), asked, CHUNK, CHUNKS),
    ]


class NoLedger:
    async def write(self, record: Record) -> None:
        pass


def _wired() -> Wired:
    """Nothing that is read or written takes a while: what is measured is not the stores."""
    items, home = MemoryItems(), Path("unused")
    return wire(
        settings=Settings(home=home),
        admission=OpenAdmission(),
        endpoints=MemoryEndpoints([Endpoint("demo", (Target("echo", "echo-instant"),))]),
        items=items,
        vault=LocalVault({}, home),
        records=MemoryRecords(),
        transport=SchemeTransport({"echo": EchoTransport()}),
        ledger=NoLedger(),
        signers={},
        background=Background(),
        hurry=lambda: None,
    )


def chat(said: str, *, model: str = "demo", stream: bool = False) -> bytes:
    asked: Json = {"model": model, "messages": [{"role": "user", "content": said}]}
    return _event("POST", CHAT_PATH, dumps(asked | ({"stream": True} if stream else {})))


def _mangum(app: ASGIApp) -> Mangum:
    return Mangum(app, lifespan="off")  # type: ignore[arg-type] # which wants a Coroutine


def _event(method: str, path: str, body: bytes = b"") -> bytes:
    headers = [("content-type", "application/json"), ("user-agent", "OpenAI/Python 2.8.1")]
    stamp = Stamp("5f0f3c1e-8a4b-4d57-9c8f-0d2b6f1c7a10", 1_764_000_000_000)
    return dumps(function_url(Request(method, path, headers, body), stamp))

"""Fakes of the ports, and a world made of them."""

import asyncio
from collections.abc import AsyncIterable, Coroutine, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeVar

from gateway.adapters.memory import MemoryEndpoints, MemoryLedger
from gateway.admission.admission import Caller, OpenAdmission
from gateway.dialects import OPENAI_CHAT, Dialect
from gateway.errors import Unavailable, UpstreamError, UpstreamUnreachable
from gateway.exchange.answer import Answer
from gateway.exchange.attempt import Outbound
from gateway.exchange.exchange import Call
from gateway.exchange.gateway import Gateway, Hours
from gateway.metering.records import Record
from gateway.routing.endpoint import Endpoint, Retries, Target, Timeouts
from gateway.wire.json import Json, dumps

Result = TypeVar("Result")


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run to the end, within bounds: a test may fail but never hang."""
    return asyncio.run(asyncio.wait_for(work, 20))


class Clock:
    """Seconds that pass only when a fake says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Silence:
    """In a script: nothing comes for so many seconds."""

    seconds: float


@dataclass
class Hang:
    """In a script: nothing comes any more, until the caller is cancelled."""

    reached: asyncio.Event = field(default_factory=asyncio.Event)


Part = bytes | Silence | Hang | Exception


class FakeUpstream:
    """Plays back parts; ``b""`` is the clean end of the body, which follows the last part anyway."""

    def __init__(
        self, *parts: Part, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        self.parts = list(parts)
        self.status, self.headers = status, headers or {}
        self.closed = 0
        self.clock = Clock()

    async def read(self, patience: float) -> bytes:
        body = b""
        while chunk := await self.next(patience):
            body += chunk
        if chunk is None:
            raise UpstreamError("silent")
        return body

    async def next(self, patience: float) -> bytes | None:
        match self.parts.pop(0) if self.parts else b"":
            case Silence(seconds) if seconds > patience:
                self.parts.insert(0, Silence(seconds - patience))
                self.clock.now += patience
                return None
            case Silence(seconds):
                self.clock.now += seconds
                return await self.next(patience - seconds)
            case Hang(reached) as hang:
                self.parts.insert(0, hang)
                reached.set()
                await asyncio.Event().wait()
                return None
            case Exception() as error:
                raise error
            case bytes(chunk):
                return chunk

    async def close(self) -> None:
        self.closed += 1


@dataclass
class Sent:
    url: str
    headers: dict[str, str]
    body: bytes
    method: str = "POST"


class FakeTransport:
    def __init__(self, clock: Clock, *answers: FakeUpstream | Exception | Hang) -> None:
        self.clock, self.answers = clock, list(answers)
        self.sent: list[Sent] = []

    async def open(
        self,
        url: str,
        headers: Mapping[str, str],
        body: bytes | AsyncIterable[bytes],
        *,
        patience: float,
        method: str = "POST",
    ) -> FakeUpstream:
        """A body that comes piece by piece is taken to its end, unless nobody can be reached."""
        del patience
        sent = Sent(url, dict(headers), b"", method)
        self.sent.append(sent)
        if not isinstance(self.answers[0], UpstreamUnreachable):
            await self._take(body, sent)
        match self.answers.pop(0):
            case Exception() as error:
                raise error
            case Hang(reached):
                reached.set()
                await asyncio.Event().wait()
                raise AssertionError
            case FakeUpstream() as upstream:
                upstream.clock = self.clock
                return upstream

    async def _take(self, body: bytes | AsyncIterable[bytes], sent: Sent) -> None:
        if isinstance(body, bytes):
            sent.body = body
            return
        async for piece in body:
            sent.body += piece

    async def close(self) -> None:
        pass


class FakeVault:
    """``replaced``: what a secret is once it is read anew, by reference."""

    def __init__(self, replaced: Mapping[str, str] | None = None, **secrets: str) -> None:
        self.secrets, self.replaced = secrets, dict(replaced or {})
        self.asked: list[tuple[str, str]] = []  # reference, origin
        self.refused: list[tuple[str, str, str]] = []  # reference, origin, value

    async def secret(self, reference: str, origin: str) -> str:
        self.asked.append((reference, origin))
        if reference not in self.secrets:
            raise Unavailable(f"secret {reference!r} is not set")
        return self.secrets[reference]

    async def renewed(self, reference: str, origin: str, refused: str) -> str | None:
        self.refused.append((reference, origin, refused))
        value = self.secrets[reference] = self.replaced.get(reference, self.secrets[reference])
        return None if value == refused else value

    async def put(self, name: str, value: str, origin: str) -> None:
        raise NotImplementedError

    async def delete(self, name: str) -> None:
        raise NotImplementedError


CALLER = Caller("local", frozenset({"caller", "admin"}))  # whom OpenAdmission lets in
GPT = Target("openai", "gpt", secret="key")
GROQ = Target("groq", "llama", secret="key")
HI: Json = {"model": "e", "messages": [{"role": "user", "content": "hi"}]}


def endpoint(*targets: Target, **more: Any) -> Endpoint:
    """An endpoint ``e``: the first target, and the others to fall back on."""
    first, *others = targets or (GPT,)
    return Endpoint("e", (first,), tuple(others), **more)


class World:
    """A gateway among fakes. ``answers``: what the providers say, in the order they are asked."""

    def __init__(
        self,
        served: Endpoint | None = None,
        *answers: FakeUpstream | Exception | Hang,
        vault: FakeVault | None = None,
    ) -> None:
        self.clock = Clock()
        self.transport = FakeTransport(self.clock, *answers)
        self.vault = vault or FakeVault(key="sk-secret")
        self.ledger = MemoryLedger()
        self.deadline: float | None = None  # of the calls
        self.pauses: list[float] = []
        self.gateway = Gateway(
            admission=OpenAdmission(),
            endpoints=MemoryEndpoints([served or endpoint()]),
            outbound=Outbound(self.transport, self.vault, self.clock),
            ledger=self.ledger,
            random=Random(1),
            hours=Hours(lambda: 1_700_000_000, self._sleep),
        )

    async def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)

    async def answer(
        self, body: Json, dialect: Dialect = OPENAI_CHAT, headers: Mapping[str, str] | None = None
    ) -> Answer:
        text, headers = dumps(body), headers or {}
        call = Call("req1", CALLER, dialect, "e", text, body, headers, self.deadline)
        return await self.gateway.answer(call)

    async def ask(
        self, body: Json, dialect: Dialect = OPENAI_CHAT, headers: Mapping[str, str] | None = None
    ) -> bytes:
        """The whole of the answer's body."""
        answer = await self.answer(body, dialect, headers)
        if isinstance(answer.body, bytes):
            return answer.body
        parts = []
        while part := await answer.body.next():
            parts.append(part)
        await answer.body.close()
        return b"".join(parts)

    @property
    def record(self) -> Record:
        """The one settlement."""
        (record,) = self.ledger.records
        return record


__all__ = [
    "CALLER",
    "GPT",
    "GROQ",
    "HI",
    "FakeTransport",
    "FakeUpstream",
    "FakeVault",
    "Hang",
    "Retries",
    "Silence",
    "Timeouts",
    "World",
    "endpoint",
    "run",
]

"""The SDK's clients. It knows no event loop, so all of it happens in threads of its own, its import
included."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from random import uniform
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from gateway.adapters.aws.use import Use

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_secretsmanager import SecretsManagerClient

    from gateway.adapters.aws.sdk import Session

Answer = TypeVar("Answer")
Service = Literal["dynamodb", "secretsmanager"]
SERVICES: tuple[Service, ...] = ("dynamodb", "secretsmanager")

# Not the loop's default threads: while AWS is slow, files are still read.
WORKERS = 16
DEADLINE = 3.0  # seconds for one operation
MAKING = 15  # seconds: the SDK reads its models, which takes long in a small function
PAUSES = (0.02, 0.05, 0.1, 0.2, 0.4)  # seconds, for what the SDK does not try again


class Clients:
    """``deadline``: seconds for one operation, its retries and its waiting for a thread included;
    None for the usual.

    Where AWS is (region, credentials, AWS_ENDPOINT_URL) the SDK finds by itself.
    """

    def __init__(self, *, deadline: float | None = None) -> None:
        self._deadline = DEADLINE if deadline is None else deadline
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="aws")
        self._making = threading.Lock()
        self._session: Session | None = None
        self._made: dict[Service, Any] = {}

    async def dynamodb(self, use: Use, work: "Callable[[DynamoDBClient], Answer]") -> Answer:
        """Raises Unavailable, or Refused for a code that is one of ``use.expected``."""
        return await self._ask("dynamodb", use, work)

    async def secrets(self, use: Use, work: "Callable[[SecretsManagerClient], Answer]") -> Answer:
        """Raises Unavailable, or Refused for a code that is one of ``use.expected``."""
        return await self._ask("secretsmanager", use, work)

    async def session(self, use: Use, work: "Callable[[Session], Answer]") -> Answer:
        """For what needs no client; within a deadline of the asker's own. Raises Unavailable."""
        return await self._in_thread(lambda: self._with_session(use, work))

    @asynccontextmanager
    async def deadline(self, use: Use) -> AsyncIterator[None]:
        """For what asks several times: all of it within the time of one operation."""
        async with _within(self._deadline, use):
            yield

    async def prepare(self) -> None:
        """Make both clients now: it takes a while, and asks AWS for credentials alone. Raises
        Unavailable."""
        for service in SERVICES:
            await self._new(service, Use("prepare", service))

    def refresh(self) -> None:
        """Let go of every connection; the clients stay good."""
        for client in self._made.values():
            client.close()

    async def close(self) -> None:
        """What is under way comes to its end by itself, within seconds."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        for client in self._made.values():
            client.close()

    async def _ask(self, service: Service, use: Use, work: Callable[[Any], Answer]) -> Answer:
        client = self._made.get(service) or await self._new(service, use)
        async with self.deadline(use):
            return await self._in_thread(lambda: _done(use, lambda: work(client)))

    async def _in_thread(self, work: Callable[[], Answer]) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    async def _new(self, service: Service, use: Use) -> Any:
        async with _within(MAKING, use):
            return await self._in_thread(lambda: self._make(service, use))

    def _make(self, service: Service, use: Use) -> Any:
        from gateway.adapters.aws import sdk

        with self._making:  # a session makes one client at a time
            if service not in self._made:
                self._made[service] = sdk.made(use, lambda: self._opened().client(service))
            return self._made[service]

    def _with_session(self, use: Use, work: "Callable[[Session], Answer]") -> Answer:
        from gateway.adapters.aws import sdk

        with self._making:
            session = sdk.made(use, self._opened)
        return sdk.done(use, lambda: work(session))

    def _opened(self) -> "Session":
        from gateway.adapters.aws import sdk

        self._session = self._session or sdk.Session(WORKERS)
        return self._session


def _done(use: Use, work: Callable[[], Answer]) -> Answer:
    from gateway.adapters.aws import sdk

    return sdk.done(use, work)


def pauses() -> Iterator[float]:
    """One before each try; the first is none."""
    yield 0
    for pause in PAUSES:
        yield pause * uniform(0.5, 1.5)


@asynccontextmanager
async def _within(seconds: float, use: Use) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise use.timed_out() from None

"""The SDK's clients. It knows no event loop, so all of it happens in threads of its own."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from random import uniform
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from gateway.adapters.aws.faults import Use, code_of, fault_of

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_secretsmanager import SecretsManagerClient

Answer = TypeVar("Answer")
Service = Literal["dynamodb", "secretsmanager"]

# Not the loop's default threads: while AWS is slow, files are still read.
WORKERS = 16
MAKING = 15  # seconds: the SDK reads its models, which takes long in a small function
PAUSES = (0.02, 0.05, 0.1, 0.2, 0.4)  # seconds, for what the SDK does not try again
CONFIG = Config(
    connect_timeout=1,
    read_timeout=1,
    retries={"total_max_attempts": 2, "mode": "standard"},
    max_pool_connections=WORKERS,
)


class Clients:
    """``deadline``: seconds for one operation, its retries and its waiting for a thread included.

    Where AWS is (region, credentials, AWS_ENDPOINT_URL) the SDK finds by itself.
    """

    def __init__(self, *, deadline: float = 3) -> None:
        self._deadline = deadline
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="aws")
        self._making = threading.Lock()
        self._session: botocore.session.Session | None = None
        self._made: dict[Service, Any] = {}

    async def dynamodb(self, use: Use, work: "Callable[[DynamoDBClient], Answer]") -> Answer:
        """Raises Unavailable, or ClientError when its code is one of ``use.expected``."""
        return await self._ask("dynamodb", use, work)

    async def secrets(self, use: Use, work: "Callable[[SecretsManagerClient], Answer]") -> Answer:
        """Raises Unavailable, or ClientError when its code is one of ``use.expected``."""
        return await self._ask("secretsmanager", use, work)

    @asynccontextmanager
    async def deadline(self, use: Use) -> AsyncIterator[None]:
        """For what asks several times: all of it within the time of one operation."""
        async with _within(self._deadline, use):
            yield

    async def close(self) -> None:
        """What is under way comes to its end by itself, within seconds."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        for client in self._made.values():
            client.close()

    async def _ask(self, service: Service, use: Use, work: Callable[[Any], Answer]) -> Answer:
        client = self._made.get(service) or await self._new(service, use)
        async with self.deadline(use):
            return await self._in_thread(use, lambda: work(client))

    async def _in_thread(self, use: Use, work: Callable[[], Answer]) -> Answer:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        except ClientError as error:
            if code_of(error) in use.expected:
                raise
            raise fault_of(use, error) from None
        except BotoCoreError as error:
            raise fault_of(use, error) from None

    async def _new(self, service: Service, use: Use) -> Any:
        try:
            async with _within(MAKING, use):
                return await self._in_thread(use, lambda: self._make(service))
        except ValueError as error:  # of what the environment says
            raise fault_of(use, error) from None

    def _make(self, service: Service) -> Any:
        with self._making:  # a session makes one client at a time
            if service not in self._made:
                if self._session is None:
                    _hush()
                    self._session = botocore.session.get_session()
                self._made[service] = self._session.create_client(service, config=CONFIG)
            return self._made[service]


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


def _hush() -> None:
    """At DEBUG the SDK logs what it sends, secrets and all, whatever the root logger is set to."""
    for name in ("botocore", "urllib3"):
        logging.getLogger(name).setLevel(logging.WARNING)

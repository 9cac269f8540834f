"""Where records go on their way to be kept: nobody's answer waits for it."""

import asyncio
import logging
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import islice

from gateway.errors import GatewayError
from gateway.exchange.background import Background
from gateway.metering.records import Record
from gateway.ports import Ledger, RecordStore

logger = logging.getLogger("sluicegate")

HOUR = 3600
BATCH = 250
PAUSE = 0.5  # a store has a cost for each writing
MOST_WAITING = 10_000
MOST_KEYS = 4096


class Ledgers:
    """Several ledgers seen as one."""

    def __init__(self, *ledgers: Ledger) -> None:
        self._ledgers = ledgers

    async def write(self, record: Record) -> None:
        for ledger in self._ledgers:
            await ledger.write(record)


class Keeping:
    """Keeps records, in batches and in the background; and when each gateway key was last used.

    ``pause``: seconds in which records gather.

    What cannot be kept is said in the log, and lost: the log line of each exchange has it too.
    """

    def __init__(
        self, records: RecordStore, background: Background, *, pause: float = PAUSE
    ) -> None:
        self._records, self._background, self._pause = records, background, pause
        self._waiting: deque[Record] = deque()
        self._writing = False
        self._under_way = 0
        self._hurry = asyncio.Event()
        self._hours: dict[str, int] = {}

    async def write(self, record: Record) -> None:
        if len(self._waiting) >= MOST_WAITING:
            logger.error("request %s is not kept: too many wait", record.request_id)
            return
        self._waiting.append(record)
        if not self._writing:
            self._writing = True
            self._background.start(self._write())

    def seen(self, key: str, now: float) -> None:
        """At most one writing an hour for each key."""
        hour = int(now) // HOUR * HOUR
        if self._hours.get(key) != hour:
            if len(self._hours) >= MOST_KEYS:
                self._hours.clear()
            self._hours[key] = hour
            self._background.start(self._touch(key, hour))

    def hurry(self) -> None:
        """Nobody knows how long the process will go on: keep now what waits."""
        self._hurry.set()

    async def close(self) -> None:
        """The process ends: what still waits is lost."""
        if lost := len(self._waiting) + self._under_way:
            logger.error("records (%d) could not be kept in time", lost)

    async def _write(self) -> None:
        try:
            while self._waiting:
                if len(self._waiting) < BATCH:
                    await self._gathered()
                batch = list(islice(self._waiting, BATCH))
                for _ in batch:
                    self._waiting.popleft()
                self._under_way = len(batch)
                with _noted(f"records ({len(batch)})"):
                    await self._records.add(batch)
                self._under_way = 0
        finally:
            self._writing = False
            self._hurry.clear()

    async def _gathered(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._pause):
                await self._hurry.wait()

    async def _touch(self, key: str, hour: int) -> None:
        with _noted(f"the use of key {key!r}"):
            await self._records.touch(key, hour)


@contextmanager
def _noted(what: str) -> Iterator[None]:
    try:
        yield
    except GatewayError as error:
        logger.error("%s could not be kept: %s", what, error.message)  # noqa: TRY400 - no surprise
    except Exception:
        logger.exception("%s could not be kept", what)

"""What a store says, remembered for seconds, so that a warm call reads none."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from gateway.errors import EndpointNotFound, GatewayError
from gateway.exchange.background import Background
from gateway.ports import EndpointStore
from gateway.routing.endpoint import Endpoint

Thing = TypeVar("Thing")

LONGEST_NAME = 256  # what is longer comes from a caller, and is not worth keeping


@dataclass(frozen=True, slots=True)
class Looked(Generic[Thing]):
    """What a reading found: None for a name that the store does not know, with a ``hint``."""

    found: Thing | None
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long what was read may be served; all in seconds.

    Up to ``fresh`` as it is; up to ``stale`` while it is read anew in the background; after that
    it is read before it is served, unless the store is down: then up to ``outage``. ``absent``: how
    long nothing is believed to be there. ``patience``: how long a caller waits for what is past
    ``stale``; ``pause``: between two readings of a store that is down; ``hope``: how long a caller
    waits for one of those. ``size``: how many names are remembered, the least
    used go first; of absent ones as many again.
    """

    fresh: float = 2
    stale: float = 30
    outage: float = 3600
    absent: float = 5
    pause: float = 1
    patience: float = 1
    hope: float = 0.25
    size: int = 1024


@dataclass(slots=True)
class Remembered(Generic[Thing]):
    """``quiet``: until when the store is not asked again, after it failed."""

    looked: Looked[Thing]
    at: float
    quiet: float | None = None


class Cached(Generic[Thing]):
    """Reads each name once, whoever waits for it. ``clock`` reads seconds from any fixed start.

    ``background`` holds what is read while nobody waits for it: a process that may be frozen waits
    for that too, or the reading would come to life, late and cut, in the middle of a later call.
    """

    def __init__(
        self,
        load: Callable[[str], Awaitable[Looked[Thing]]],
        *,
        clock: Callable[[], float],
        lifetimes: Lifetimes,
        background: Background | None = None,
    ) -> None:
        self._background = background or Background()
        self._load, self._clock, self._lifetimes = load, clock, lifetimes
        # Apart, so that calls for names that do not exist push out none that does.
        self._found: OrderedDict[str, Remembered[Thing]] = OrderedDict()
        self._absent: OrderedDict[str, Remembered[Thing]] = OrderedDict()
        self._reading: dict[str, asyncio.Task[Looked[Thing]]] = {}

    async def find(self, name: str) -> Looked[Thing]:
        """Raises what the reading raised, when there is nothing else to serve."""
        if len(name) > LONGEST_NAME:
            return await self._load(name)
        if (entry := self._found.get(name)) is not None:
            self._found.move_to_end(name)
            return await self._served(name, entry)
        if (entry := self._absent.get(name)) is not None:
            if self._clock() - entry.at <= self._lifetimes.absent:
                return entry.looked
            del self._absent[name]
        return await asyncio.shield(self._read(name))

    def knows(self, name: str) -> bool:
        """Whether it was found before."""
        return name in self._found

    async def renewed(self, name: str) -> Looked[Thing]:
        """Read anew, now."""
        return await asyncio.shield(self._read(name))

    async def _served(self, name: str, entry: Remembered[Thing]) -> Looked[Thing]:
        now, lives = self._clock(), self._lifetimes
        age = now - entry.at
        if age <= lives.fresh:
            return entry.looked
        if age > lives.outage:
            return await asyncio.shield(self._read(name))
        if entry.quiet is not None:
            return await self._hoped_for(name, entry, now)
        if age <= lives.stale:
            self._read(name)
            return entry.looked
        return await self._read_or(name, entry, lives.patience)

    async def _hoped_for(self, name: str, entry: Remembered[Thing], now: float) -> Looked[Thing]:
        """After a failure the store is asked once in a while, and one caller waits for it, shortly:
        so what was changed meanwhile is seen as soon as the store is back."""
        if name in self._reading or now < (entry.quiet or now):
            return entry.looked
        return await self._read_or(name, entry, self._lifetimes.hope)

    async def _read_or(self, name: str, entry: Remembered[Thing], patience: float) -> Looked[Thing]:
        """What is read anew, or, when the store fails or takes too long, what is remembered."""
        try:
            async with asyncio.timeout(patience):
                return await asyncio.shield(self._read(name))
        except (GatewayError, TimeoutError):
            return entry.looked

    def _read(self, name: str) -> asyncio.Task[Looked[Thing]]:
        task = self._reading.get(name)
        if task is None:
            task = self._reading[name] = self._background.start(self._refresh(name))
            task.add_done_callback(lambda done: self._done(name, done))
        return task

    def _done(self, name: str, task: asyncio.Task[Looked[Thing]]) -> None:
        self._reading.pop(name, None)
        if task.cancelled():
            return
        # Whoever waits has the error too; a reading in the background has nobody else to tell.
        if task.exception() is not None and (entry := self._found.get(name)) is not None:
            now, end = self._clock(), entry.at + self._lifetimes.stale
            quiet = now + self._lifetimes.pause
            entry.quiet = min(quiet, end) if now < end else quiet

    async def _refresh(self, name: str) -> Looked[Thing]:
        at = self._clock()  # what it says is as old as the question
        looked = await self._load(name)
        self._found.pop(name, None)
        self._absent.pop(name, None)
        kept = self._absent if looked.found is None else self._found
        kept[name] = Remembered(looked, at)
        while len(kept) > self._lifetimes.size:
            kept.popitem(last=False)
        return looked


class CachedEndpoints:
    """A store of endpoints, remembered."""

    def __init__(
        self,
        store: EndpointStore,
        *,
        clock: Callable[[], float],
        lifetimes: Lifetimes,
        background: Background | None = None,
    ) -> None:
        self._store = store
        self._named = Cached(self._find, clock=clock, lifetimes=lifetimes, background=background)
        self._listed = Cached(self._list, clock=clock, lifetimes=lifetimes, background=background)

    async def find(self, name: str) -> Endpoint:
        looked = await self._named.find(name)
        if looked.found is None:
            raise EndpointNotFound(name, looked.hint)
        return looked.found

    async def list(self) -> Sequence[Endpoint]:
        return (await self._listed.find("")).found or ()

    async def _find(self, name: str) -> Looked[Endpoint]:
        try:
            return Looked(await self._store.find(name))
        except EndpointNotFound as error:
            return Looked(None, error.hint)

    async def _list(self, _: str) -> Looked[Sequence[Endpoint]]:
        return Looked(await self._store.list())

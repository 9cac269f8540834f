"""A store remembered for seconds, so that a warm call reads none."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway.errors import EndpointNotFound, GatewayError
from gateway.ports import EndpointStore
from gateway.routing.endpoint import Endpoint


@dataclass(slots=True)
class Remembered:
    """``found``: None for a name that the store did not know; then ``hint`` is what it said."""

    found: Endpoint | None
    at: float
    hint: str | None = None


LONGEST_NAME = 256  # what is longer comes from a caller, and is not worth keeping


class CachedEndpoints:
    """Remembers what was found and what was not, ``size`` names of each, the least used go first.

    Past ``fresh`` seconds an entry is still served while it is read anew in the background; past
    ``stale`` seconds it is read before it is served, unless the store is down: then what is
    remembered must do. ``clock`` reads seconds from any fixed start.
    """

    def __init__(
        self,
        store: EndpointStore,
        *,
        clock: Callable[[], float],
        fresh: float = 2,
        stale: float = 30,
        size: int = 1024,
    ) -> None:
        self._store, self._clock = store, clock
        self._fresh, self._stale, self._size = fresh, stale, size
        # Apart, so that calls for names that do not exist push out none that does.
        self._entries: OrderedDict[str, Remembered] = OrderedDict()
        self._missing: OrderedDict[str, Remembered] = OrderedDict()
        self._reading: dict[str, asyncio.Task[Remembered]] = {}

    async def find(self, name: str) -> Endpoint:
        if len(name) > LONGEST_NAME:
            return await self._store.find(name)
        entry = self._entries.get(name) or self._missing.get(name)
        if entry is None:
            entry = await asyncio.shield(self._read(name))
        else:
            self._kept(entry).move_to_end(name)
            age = self._clock() - entry.at
            if age > self._stale:
                entry = await self._read_or(entry, name)
            elif age > self._fresh:
                self._read(name)
        if entry.found is None:
            raise EndpointNotFound(name, entry.hint)
        return entry.found

    async def list(self) -> Sequence[Endpoint]:
        return await self._store.list()

    async def _read_or(self, entry: Remembered, name: str) -> Remembered:
        try:
            return await asyncio.shield(self._read(name))
        except GatewayError:
            return entry

    def _read(self, name: str) -> asyncio.Task[Remembered]:
        """One reading at a time for each name, whoever waits for it."""
        task = self._reading.get(name)
        if task is None:
            task = self._reading[name] = asyncio.ensure_future(self._refresh(name))
            task.add_done_callback(lambda done: self._done(name, done))
        return task

    def _done(self, name: str, task: asyncio.Task[Remembered]) -> None:
        self._reading.pop(name, None)
        if not task.cancelled():
            task.exception()  # whoever waits has it; a reading in the background may fail

    async def _refresh(self, name: str) -> Remembered:
        try:
            entry = Remembered(await self._store.find(name), self._clock())
        except EndpointNotFound as error:
            entry = Remembered(None, self._clock(), error.hint)
        self._entries.pop(name, None)
        self._missing.pop(name, None)
        kept = self._kept(entry)
        kept[name] = entry
        while len(kept) > self._size:
            kept.popitem(last=False)
        return entry

    def _kept(self, entry: Remembered) -> "OrderedDict[str, Remembered]":
        return self._missing if entry.found is None else self._entries

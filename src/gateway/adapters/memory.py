"""Stores that live as long as the process."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence

from gateway.errors import ChangedMeanwhile, EndpointNotFound
from gateway.metering.records import Record
from gateway.ports import Change, Item, Kind, Page
from gateway.routing.endpoint import Endpoint
from gateway.wire.json import dumps, loads


class MemoryEndpoints:
    """Endpoints that were there from the start."""

    def __init__(self, endpoints: Iterable[Endpoint] = ()) -> None:
        self._endpoints = {endpoint.name: endpoint for endpoint in endpoints}

    async def find(self, name: str) -> Endpoint:
        if name not in self._endpoints:
            raise EndpointNotFound(name)
        return self._endpoints[name]

    async def list(self) -> Sequence[Endpoint]:
        return sorted(self._endpoints.values(), key=lambda endpoint: endpoint.name)


class MemoryItems:
    """Bodies are kept as text, so that what is handed out is nobody else's."""

    most_changes = 10_000

    def __init__(self) -> None:
        self._items: dict[tuple[Kind, str], tuple[bytes, int]] = {}

    async def get(self, kind: Kind, name: str) -> Item | None:
        kept = self._items.get((kind, name))
        return None if kept is None else Item(kind, name, loads(kept[0]), kept[1])

    async def page(self, kind: Kind, *, after: str | None = None, limit: int = 100) -> Page:
        names = sorted(name for of, name in self._items if of == kind)
        start = 0 if after is None else bisect_right(names, after)
        chosen = names[start : start + limit]
        items = [item for name in chosen if (item := await self.get(kind, name)) is not None]
        return Page(items, chosen[-1] if len(names) > start + limit else None)

    async def write(self, changes: Sequence[Change]) -> None:
        for change in changes:
            _, version = self._items.get((change.kind, change.name), (b"", 0))
            if version != change.expected:
                raise changed_meanwhile(change)
        for change in changes:
            at = (change.kind, change.name)
            if change.body is None:
                self._items.pop(at, None)
            else:
                self._items[at] = (dumps(change.body), change.expected + 1)


def changed_meanwhile(change: Change) -> ChangedMeanwhile:
    if change.expected == 0:
        return ChangedMeanwhile(f"{change.kind} {change.name!r} exists already", code="exists")
    return ChangedMeanwhile(
        f"{change.kind} {change.name!r} was changed meanwhile: read it again, and try again",
        code="changed_meanwhile",
    )


class MemoryLedger:
    def __init__(self) -> None:
        self.records: list[Record] = []

    async def write(self, record: Record) -> None:
        self.records.append(record)


class MemoryRecords:
    def __init__(self) -> None:
        self._records: dict[str, Record] = {}
        self._used: dict[str, int] = {}

    async def add(self, records: Sequence[Record]) -> None:
        for record in records:
            self._records.setdefault(record.request_id, record)

    async def find(self, request_id: str) -> Record | None:
        return self._records.get(request_id)

    async def touch(self, key: str, at: int) -> None:
        self._used[key] = max(at, self._used.get(key, 0))

    async def last_used(self, keys: Sequence[str]) -> Mapping[str, int]:
        return {key: self._used[key] for key in keys if key in self._used}

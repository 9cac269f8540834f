"""What calls need of configuration, read from its items."""

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

from gateway.adapters.cached import Cached, Lifetimes, Looked
from gateway.admission.keys import Grant, read_grant
from gateway.errors import EndpointNotFound, Unavailable
from gateway.exchange.background import Background
from gateway.ports import Item, ItemStore
from gateway.routing.endpoint import Endpoint
from gateway.routing.items import read_endpoint
from gateway.wire.json import Json

Read = TypeVar("Read")

STRANGERS = 4  # of a store's 16 threads
LONGEST_QUEUE = 256
PATIENCE = 4.0  # seconds; a store's own is a little less


class StoredEndpoints:
    def __init__(self, items: ItemStore) -> None:
        self._items = items

    async def find(self, name: str) -> Endpoint:
        item = await self._items.get("endpoint", name)
        if item is None:
            raise EndpointNotFound(name)
        return _read(item, read_endpoint)

    async def list(self) -> Sequence[Endpoint]:
        found: list[Endpoint] = []
        after = None
        while True:
            page = await self._items.page("endpoint", after=after)
            found += [_read(item, read_endpoint) for item in page.items]
            if page.next is None:
                return found
            after = page.next


class CachedGrants:
    """What each credential gives, remembered under the whole of its hash.

    Credentials that were never seen are looked up a few at a time: whoever makes them up must not
    keep those that are known from being read anew.
    """

    def __init__(
        self,
        items: ItemStore,
        *,
        clock: Callable[[], float],
        lifetimes: Lifetimes,
        background: Background | None = None,
    ) -> None:
        self._items = items
        self._remembered = Cached(
            self._find, clock=clock, lifetimes=lifetimes, background=background
        )
        self._strangers = asyncio.Semaphore(STRANGERS)
        self._queue = 0

    async def find(self, credential: str) -> Grant | None:
        if self._remembered.knows(credential):
            return (await self._remembered.find(credential)).found
        if self._queue >= LONGEST_QUEUE:
            raise Unavailable("too many unknown gateway keys at once: try again in a moment")
        self._queue += 1
        try:
            async with asyncio.timeout(PATIENCE), self._strangers:
                return (await self._remembered.find(credential)).found
        except TimeoutError:
            raise Unavailable("gateway keys cannot be looked up now: try again") from None
        finally:
            self._queue -= 1

    async def _find(self, credential: str) -> Looked[Grant]:
        item = await self._items.get("grant", credential)
        return Looked(None if item is None else _read(item, read_grant))


def _read(item: Item, read: Callable[[Json], Read]) -> Read:
    try:
        return read(item.body)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unavailable(f"the store holds an unreadable {item.kind}, {item.name!r}") from error

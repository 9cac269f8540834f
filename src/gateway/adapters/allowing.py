"""A transport that knows which private addresses an administrator has allowed."""

from collections.abc import AsyncIterable, Callable, Mapping

from gateway.adapters.cached import Cached, Lifetimes, Looked
from gateway.errors import Unavailable
from gateway.exchange.background import Background
from gateway.ports import SETTINGS, ItemStore, Transport, Upstream
from gateway.providers.catalog import PROVIDERS
from gateway.providers.egress import AllowList
from gateway.providers.origins import origin_of
from gateway.wire.json import Json

# Whatever is allowed, these are public: their calls need not wait for a reading of the settings.
PUBLIC = frozenset(
    origin_of(provider.base_url)
    for provider in PROVIDERS.values()
    if provider.base_url.startswith("https://")
)


class Allowances:
    """What the process was told to allow, and what the store's settings allow besides."""

    def __init__(
        self,
        fixed: tuple[str, ...],
        items: ItemStore,
        *,
        clock: Callable[[], float],
        lifetimes: Lifetimes,
        background: Background | None = None,
    ) -> None:
        self._fixed, self._items = fixed, items
        self._list = AllowList.parse(fixed)
        self._stored = Cached(self._read, clock=clock, lifetimes=lifetimes, background=background)
        self._seen: Looked[Json] | None = None

    def current(self) -> AllowList:
        """As last read."""
        return self._list

    async def read(self) -> None:
        """Raises Unavailable when the store is down and nothing is remembered."""
        looked = await self._stored.find(SETTINGS)
        if looked is not self._seen:
            stored = (looked.found or {}).get("allow_private", ())
            try:
                self._list = AllowList.parse((*self._fixed, *stored))
            except (TypeError, ValueError, AttributeError) as error:
                raise Unavailable("the store holds unreadable settings: allow_private") from error
            self._seen = looked

    async def _read(self, name: str) -> Looked[Json]:
        item = await self._items.get("settings", name)
        return Looked({} if item is None else item.body)


class AllowingTransport:
    def __init__(self, transport: Transport, allowances: Allowances) -> None:
        self._transport, self._allowances = transport, allowances

    async def open(
        self,
        url: str,
        headers: Mapping[str, str],
        body: bytes | AsyncIterable[bytes],
        *,
        patience: float,
        method: str = "POST",
    ) -> Upstream:
        if origin_of(url) not in PUBLIC:
            await self._allowances.read()
        return await self._transport.open(url, headers, body, patience=patience, method=method)

    async def close(self) -> None:
        await self._transport.close()

"""The gateway's own settings: what may change while it runs."""

from collections.abc import Sequence
from typing import Any

from gateway.admin.means import Means, amend
from gateway.admin.specs import SettingsSpec, checked
from gateway.errors import BadRequest, ChangedMeanwhile
from gateway.ports import SETTINGS, Change, Item
from gateway.wire.json import Json
from gateway.wire.merge import merged


class GatewaySettings:
    def __init__(self, means: Means) -> None:
        self._items, self._fixed = means.items, means.allowed

    async def show(self) -> Json:
        """``always_allowed``: what whoever starts the gateway allows besides."""
        item = await self._items.get("settings", SETTINGS)
        return {
            **settings_in(item),
            "always_allowed": list(self._fixed),
            "version": item.version if item else 0,
        }

    async def patch(self, patch: Any, *, version: int | None) -> Json:
        if not isinstance(patch, dict):
            raise BadRequest(
                None, "must be an object: the fields to change, null for their defaults"
            )

        async def prepare() -> Sequence[Change]:
            item = await self._items.get("settings", SETTINGS)
            now = item.version if item else 0
            if version is not None and version != now:
                raise ChangedMeanwhile(f"the settings are at version {now}: read them again")
            spec = checked(SettingsSpec, merged(settings_in(item), patch))
            return [Change("settings", SETTINGS, settings_after(item, spec), now)]

        await amend(self._items, prepare, version=version)
        return await self.show()


def settings_in(item: Item | None) -> Json:
    """Those that this program knows, defaults among them."""
    stored = item.body if item else {}
    known = {name: stored[name] for name in SettingsSpec.model_fields if name in stored}
    return checked(SettingsSpec, known).model_dump()


def settings_after(item: Item | None, spec: SettingsSpec) -> Json:
    """What another program wrote besides is kept."""
    return {**(item.body if item else {}), **spec.model_dump()}

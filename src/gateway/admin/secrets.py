"""Secrets, the providers' keys: written and never read back."""

import asyncio
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from gateway.admin.means import Means, amend, every, fingerprint, found, masked, undoing
from gateway.admin.references import VAULT
from gateway.admin.specs import SecretSpec, checked, checked_name
from gateway.errors import ChangedMeanwhile, Conflict, GatewayError, Invalid
from gateway.ports import Change, Item
from gateway.providers.catalog import PROVIDERS
from gateway.providers.origins import origin_of
from gateway.routing.items import read_endpoint
from gateway.wire.json import Json

logger = logging.getLogger("sluicegate.control")


class Secrets:
    """All raise Invalid that names fields, Conflict, NotFound, or Unavailable.

    Of a secret's value the store keeps its tail and a slow, salted fingerprint; the value itself is
    in the vault, with the origin that it goes to.
    """

    def __init__(self, means: Means) -> None:
        self._means, self._items = means, means.items

    async def show(self, name: str) -> Json:
        item = await found(self._items, "secret", name)
        return shown(item, await self.users())

    async def page(self, after: str | None, limit: int) -> tuple[list[Json], str | None]:
        page = await self._items.page("secret", after=after, limit=limit)
        users = await self.users()
        return [shown(item, users) for item in page.items], page.next

    async def put(self, name: str, spec: Any, *, version: int | None) -> Json:
        """Create or replace. Another origin needs the value to be entered again."""
        checked_name(name)
        told = checked(SecretSpec, spec)
        if told.value is None:
            raise Invalid([("value", "is required")])
        value, claimed, undo = told.value, list[Change](), list[Change]()

        async def prepare() -> Sequence[Change]:
            item = await self._items.get("secret", name)
            if version is not None:
                item = await found(self._items, "secret", name, version)
            origin = origin_told(told) or (item.body["origin"] if item else None)
            if origin is None:
                raise Invalid([("provider", UNBOUND)])
            if item is not None and item.body["origin"] != origin:
                await self._refuse_if_used(name)
            claimed[:] = [self.claim(name, value, origin, item)]
            undo[:] = await undoing(self._items, claimed)
            return claimed

        await amend(self._items, prepare, version=version)
        if not await self.enter([(claimed[0], value)], undo):
            raise ChangedMeanwhile(
                f"secret {name!r} was entered by somebody else at the same time: enter it again",
                code="changed_meanwhile",
            )
        return await self.show(name)

    async def delete(self, name: str, *, version: int | None) -> None:
        async def prepare() -> Sequence[Change]:
            item = await found(self._items, "secret", name, version)
            await self._refuse_if_used(name)
            # First, so that what fails half-way is still listed, and can be deleted again.
            await self._means.vault.delete(name)
            return [Change("secret", name, None, item.version)]

        await amend(self._items, prepare, version=version)

    async def _refuse_if_used(self, name: str) -> None:
        if users := (await self.users()).get(name):
            raise Conflict(
                f"secret {name!r} is used by {', '.join(users)}: change them first",
                field="name",
                code="in_use",
            )

    def claim(self, name: str, value: str, origin: str, item: Item | None) -> Change:
        """What the store keeps of it, written before the vault has it: whoever comes second is
        refused before anything is entered."""
        body = {
            "origin": origin,
            "tail": masked(value),
            "created": item.body["created"] if item else self._means.now,
            "updated": self._means.now,
        }
        return Change("secret", name, body, item.version if item else 0)

    async def enter(self, entered: Sequence[tuple[Change, str]], undo: Sequence[Change]) -> bool:
        """Into the vault, what the store has been told of; then fingerprints say that it is there.

        ``undo``: what takes back all that was written with them, if the vault does not take one.
        False where somebody else entered one of them at the same time: it needs entering again.
        """
        tried: list[str] = []
        try:
            for claimed, value in entered:
                tried.append(claimed.name)
                await self._means.vault.put(claimed.name, value, (claimed.body or {})["origin"])
        except GatewayError:
            await self._take_back([_doubted(one, tried) for one in undo], tried)
            raise
        told = [await _with_fingerprint(claimed, value) for claimed, value in entered]
        try:
            await self._items.write(told)
        except GatewayError:
            for claimed, _ in entered:
                await amend(self._items, partial(self._unsure, claimed.name))
            return False
        return True

    async def _take_back(self, undo: Sequence[Change], tried: Sequence[str]) -> None:
        try:
            await self._items.write(undo)
            gone = {one.name for one in undo if one.kind == "secret" and one.body is None}
            for name in gone.intersection(tried):
                await self._means.vault.delete(name)
        except GatewayError as error:
            logger.error("what was written could not be taken back: %s", error.message)  # noqa: TRY400

    async def _unsure(self, name: str) -> Sequence[Change]:
        """Written also where none is said: then the other's will not be said either."""
        item = await self._items.get("secret", name)
        if item is None:
            return []
        return [Change("secret", name, _without_fingerprint(item.body), item.version)]

    async def users(self) -> Mapping[str, Sequence[str]]:
        """Secret -> the endpoints that use it."""
        users: dict[str, list[str]] = {}
        async for item in every(self._items, "endpoint"):
            endpoint = read_endpoint(item.body)
            targets = endpoint.targets + endpoint.fallbacks
            for name in {one.secret for one in targets if (one.secret or "").startswith(VAULT)}:
                users.setdefault(str(name).removeprefix(VAULT), []).append(endpoint.name)
        return users


async def _with_fingerprint(claimed: Change, value: str) -> Change:
    told = await asyncio.to_thread(fingerprint, value, os.urandom(16))
    body = {**(claimed.body or {}), "fingerprint": told}
    return Change("secret", claimed.name, body, claimed.expected + 1)


def _doubted(undo: Change, tried: Sequence[str]) -> Change:
    """Which of two values the vault has, nobody knows: so it is not said."""
    if undo.kind != "secret" or undo.name not in tried or undo.body is None:
        return undo
    return replace(undo, body=_without_fingerprint(undo.body))


def _without_fingerprint(body: Json) -> Json:
    return {key: value for key, value in body.items() if key != "fingerprint"}


UNBOUND = "is required, or base_url: a secret goes to one provider and nowhere else"


def origin_told(spec: SecretSpec) -> str | None:
    """Where a specification says that the secret may go; None when it says nothing."""
    if spec.base_url is not None:
        return origin_of(spec.base_url)
    if spec.provider is None:
        return None
    base_url = PROVIDERS[spec.provider].base_url
    if not base_url:
        raise Invalid(
            [("base_url", f"is required for {spec.provider}: it has no address of its own")]
        )
    return origin_of(base_url)


def shown(item: Item, users: Mapping[str, Sequence[str]]) -> Json:
    told = {key: value for key, value in item.body.items() if key != "fingerprint"}
    used_by = list(users.get(item.name, ()))
    return {"name": item.name, "version": item.version, **told, "used_by": used_by}

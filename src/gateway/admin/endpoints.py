"""Endpoints: created, changed and deleted, with their targets and fallbacks."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

from gateway.admin.means import Means, amend, every, found
from gateway.admin.references import Rules, secrets_named
from gateway.admin.specs import EndpointSpec, checked, checked_both, checked_name, endpoint_of
from gateway.errors import BadRequest, Conflict, NotFound
from gateway.ports import Change, Item
from gateway.routing.endpoint import Endpoint
from gateway.routing.items import read_endpoint, write_endpoint
from gateway.wire.items import unknown
from gateway.wire.json import Json
from gateway.wire.merge import merged

Part = Literal["targets", "fallbacks"]
Edit = Callable[[Json], Json]  # one specification -> another


class Endpoints:
    """All raise Invalid that names fields, Conflict, NotFound, or Unavailable."""

    def __init__(self, means: Means) -> None:
        self._means, self._items = means, means.items

    async def show(self, name: str) -> Json:
        return shown(await found(self._items, "endpoint", name))

    async def create(self, name: Any, spec: Any) -> Json:
        name, _ = checked_both(name, EndpointSpec, spec, of_endpoint=True)
        change = await self._change(name, spec, None)
        await self._items.write([change])
        return shown(Item("endpoint", name, change.body or {}, 1))

    async def replace(self, name: str, spec: Any, *, version: int | None) -> Json:
        """Creates it where there is none and no version was named."""
        checked_name(name, of_endpoint=True)

        async def prepare() -> Sequence[Change]:
            item = await self._items.get("endpoint", name)
            if version is not None:
                item = await found(self._items, "endpoint", name, version)
            return [await self._change(name, spec, item)]

        await amend(self._items, prepare, version=version)
        return await self.show(name)

    async def edit(self, name: str, edit: Edit, *, version: int | None) -> Json:
        """Change what is there: ``edit`` gets its specification and returns another."""

        async def prepare() -> Sequence[Change]:
            item = await found(self._items, "endpoint", name, version)
            return [await self._change(name, edit(specification(item.body)), item)]

        await amend(self._items, prepare, version=version)
        return await self.show(name)

    async def delete(self, name: str, *, version: int | None) -> None:
        async def prepare() -> Sequence[Change]:
            item = await found(self._items, "endpoint", name, version)
            await self._refuse_if_used(name)
            return [Change("endpoint", name, None, item.version)]

        await amend(self._items, prepare, version=version)

    async def _change(self, name: str, spec: Any, item: Item | None) -> Change:
        told = checked(EndpointSpec, spec)
        rules = await Rules.read(self._means, secrets_named(told))
        created = item.body.get("created", 0) if item else self._means.now
        endpoint = endpoint_of(name, told, created=created, usual_secret=rules.usual_secret)
        rules.check(endpoint)
        body = {**unknown(Endpoint, item.body if item else {}), **write_endpoint(endpoint)}
        return Change("endpoint", name, body, item.version if item else 0)

    async def _refuse_if_used(self, name: str) -> None:
        users = [
            item.name
            async for item in every(self._items, "key")
            if name in (item.body.get("endpoints") or ())
        ]
        if users:
            raise Conflict(
                f"endpoint {name!r} is named by the keys {', '.join(users)}: "
                "take it out of their endpoints first",
                field="name",
                code="in_use",
            )


def shown(item: Item) -> Json:
    return {"name": item.name, **item.body, "version": item.version}


def specification(body: Json) -> Json:
    """What a person would write: without what the gateway itself keeps."""
    known = write_endpoint(read_endpoint(body))
    return {key: value for key, value in known.items() if key not in ("name", "created")}


def patched(patch: Any) -> Edit:
    """RFC 7396: an object merges, null takes away (back to the default), all else replaces."""
    if not isinstance(patch, dict):
        raise BadRequest(None, "must be an object: the fields to change, null for their defaults")
    return lambda spec: merged(spec, patch)


def with_one_more(part: Part, target: Any) -> Edit:
    return lambda spec: {**spec, part: [*spec.get(part, ()), target]}


def with_changed(part: Part, place: int, patch: Any) -> Edit:
    if not isinstance(patch, dict):
        raise BadRequest(None, "must be an object: the fields to change, null for their defaults")

    def edit(spec: Json) -> Json:
        targets = _at(spec, part, place)
        targets[place] = merged(targets[place], patch)
        return {**spec, part: targets}

    return edit


def without_one(part: Part, place: int) -> Edit:
    def edit(spec: Json) -> Json:
        targets = _at(spec, part, place)
        del targets[place]
        return {**spec, part: targets}

    return edit


def _at(spec: Json, part: Part, place: int) -> list[Any]:
    targets = list(spec.get(part, ()))
    if not 0 <= place < len(targets):
        raise NotFound(f"{part}[{place}] is not there: it has {len(targets)}", field=part)
    return targets

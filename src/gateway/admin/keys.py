"""Gateway keys: made, changed, rotated and revoked."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from gateway.admin.fields import LAST_MOMENT
from gateway.admin.means import Means, amend, every, found
from gateway.admin.specs import KeySpec, checked, checked_both
from gateway.admission.keys import (
    TAIL,
    Credential,
    GatewayKey,
    grants,
    hash_of,
    new_key,
    read_key,
    write_grant,
    write_key,
)
from gateway.errors import BadRequest, Conflict, EndpointNotFound, Invalid
from gateway.ports import Change, Item, Page
from gateway.wire.items import unknown
from gateway.wire.json import Json
from gateway.wire.merge import merged

DAY = 86_400
LONGEST_OVERLAP = 30 * DAY
MOST_CREDENTIALS = 5  # good at once: a rotation within the overlap of another


@dataclass(frozen=True, slots=True)
class Made:
    """``secret``: the key itself, told this once; None for a principal, who needs none."""

    item: Json
    secret: str | None


class Keys:
    """All raise Invalid that names fields, Conflict, NotFound, or Unavailable."""

    def __init__(self, means: Means) -> None:
        self._means, self._items = means, means.items

    async def show(self, name: str) -> Json:
        item = await found(self._items, "key", name)
        return shown(item, await self._means.records.last_used([name]), self._means.now)

    async def page(self, after: str | None, limit: int) -> tuple[list[Json], str | None]:
        page: Page = await self._items.page("key", after=after, limit=limit)
        used = await self._means.records.last_used([item.name for item in page.items])
        return [shown(item, used, self._means.now) for item in page.items], page.next

    async def create(self, name: Any, spec: Any) -> Made:
        changes, secret = await self.creation(*checked_both(name, KeySpec, spec, of_endpoint=False))
        await self._items.write(changes)
        item = Item("key", changes[0].name, changes[0].body or {}, 1)
        return Made(shown(item, {}, self._means.now), secret)

    async def creation(self, name: str, spec: KeySpec) -> tuple[list[Change], str | None]:
        """What to write for a new key, the key itself first; and its secret."""
        await self._refuse_unknown(spec.endpoints)
        key = _with(GatewayKey(name, created=self._means.now), spec)
        secret = None
        if key.principal is None:
            secret = new_key(self._means.entropy())
            key = replace(key, credentials=(self._credential(secret),))
        return [*_written(key, None), *await self._grants(None, key)], secret

    async def patch(self, name: str, patch: Any, *, version: int | None) -> Json:
        if not isinstance(patch, dict):
            raise BadRequest(None, "must be an object: the fields to change, null for none")

        async def prepare() -> Sequence[Change]:
            item = await found(self._items, "key", name, version)
            spec = checked(KeySpec, merged(specification(item.body), patch))
            return [*await self.changed(item, spec), *await self._still_governed(item, spec)]

        await amend(self._items, prepare, version=version)
        return await self.show(name)

    async def changed(self, item: Item, spec: KeySpec) -> list[Change]:
        """What to write so that this key is as the specification says."""
        before = read_key(item.body)
        key = _with(before, spec)
        if key.principal != before.principal and (key.principal is None or before.credentials):
            raise Invalid([("principal", "cannot be changed: make another key")])
        await self._refuse_unknown(spec.endpoints)
        return [*_written(key, item), *await self._grants(before, key)]

    async def rotate(self, name: str, overlap: int, *, version: int | None) -> Made:
        """A new secret for this key; those before stay good for ``overlap`` seconds."""
        if not 0 <= overlap <= LONGEST_OVERLAP:
            raise BadRequest("overlap", f"must be 0 to {LONGEST_OVERLAP} seconds")
        secret = new_key(self._means.entropy())

        async def prepare() -> Sequence[Change]:
            item = await found(self._items, "key", name, version)
            before = read_key(item.body)
            if before.principal is not None:
                raise Conflict(f"key {name!r} is a principal of IAM: it has no secret of ours")
            kept = tuple(_ending(before.credentials, self._means.now, overlap))
            if len(kept) >= MOST_CREDENTIALS:
                raise Conflict(
                    f"key {name!r} was rotated {len(kept)} times within the overlap: "
                    "rotate it with overlap 0 to end those before",
                    field="overlap",
                )
            key = replace(before, credentials=(self._credential(secret), *kept))
            return [*_written(key, item), *await self._grants(before, key)]

        await amend(self._items, prepare, version=version)
        return Made(await self.show(name), secret)

    async def revoke(self, name: str, *, version: int | None) -> None:
        async def prepare() -> Sequence[Change]:
            item = await found(self._items, "key", name, version)
            return [*await self.revoked(item), *await self._still_governed(item, None)]

        await amend(self._items, prepare, version=version)

    async def revoked(self, item: Item) -> list[Change]:
        key = read_key(item.body)
        gone = replace(key, credentials=(), principal=None)
        return [Change("key", key.name, None, item.version), *await self._grants(key, gone)]

    def _credential(self, secret: str) -> Credential:
        return Credential(hash_of(secret), secret[-TAIL:], self._means.now)

    async def _grants(self, before: GatewayKey | None, key: GatewayKey) -> list[Change]:
        """A key is written together with what each of its credentials gives."""
        gone = grants(before) if before else {}
        now = grants(key)
        changes = []
        for credential in {**gone, **now}:
            item = await self._items.get("grant", credential)
            if item is not None and item.body.get("key") != key.name:
                raise Conflict(
                    f"{credential.removeprefix('iam:')} is the principal of key "
                    f"{item.body.get('key')!r} already",
                    field="principal",
                )
            body = write_grant(now[credential]) if credential in now else None
            if item is not None or body is not None:
                changes.append(Change("grant", credential, body, item.version if item else 0))
        return changes

    async def _refuse_unknown(self, endpoints: list[str] | None) -> None:
        faults = []
        for place, name in enumerate(endpoints or ()):
            if await self._items.get("endpoint", name) is not None:
                continue  # calls may still remember that there was none
            try:
                await self._means.endpoints.find(name)
            except EndpointNotFound:
                faults.append((f"endpoints[{place}]", f"there is no endpoint {name!r}"))
        if faults:
            raise Invalid(faults)

    async def _still_governed(self, item: Item, spec: KeySpec | None) -> list[Change]:
        """Another admin key, written as it is: so it cannot go at the same time."""
        before, now = read_key(item.body), self._means.now
        if not governs(before, now) or (spec and governs(_with(before, spec), now)):
            return []
        async for other in every(self._items, "key"):
            if other.name != item.name and governs(read_key(other.body), now):
                return [Change("key", other.name, other.body, other.version)]
        raise Conflict(
            f"{item.name!r} is the last admin key: make another before this one goes, "
            "or nobody could configure the gateway",
            field="name",
            code="last_admin_key",
        )


def governs(key: GatewayKey, now: int) -> bool:
    return key.role == "admin" and not key.disabled and (key.expires is None or key.expires > now)


def _with(key: GatewayKey, spec: KeySpec) -> GatewayKey:
    return replace(
        key,
        role=spec.role,
        owner=spec.owner,
        tags=tuple(spec.tags),
        endpoints=None if spec.endpoints is None else tuple(spec.endpoints),
        expires=spec.expires,
        disabled=spec.disabled,
        principal=spec.principal,
    )


def _ending(credentials: Sequence[Credential], now: int, overlap: int) -> Sequence[Credential]:
    """Each ends with the overlap at the latest; those that have ended are left out."""
    end = now + overlap
    return [
        replace(one, expires=min(end, one.expires or end))
        for one in credentials
        if min(end, one.expires or end) > now
    ]


def _written(key: GatewayKey, item: Item | None) -> list[Change]:
    body = {**unknown(GatewayKey, item.body if item else {}), **write_key(key)}
    return [Change("key", key.name, body, item.version if item else 0)]


def specification(body: Json) -> Json:
    """What a person would write."""
    kept = ("name", "created", "credentials")
    told = {key: value for key, value in write_key(read_key(body)).items() if key not in kept}
    if 0 < (expires := body.get("expires") or 0) <= LAST_MOMENT:
        told["expires"] = datetime.fromtimestamp(expires, UTC).isoformat()
    return told


def shown(item: Item, used: Any, now: int) -> Json:
    """Those of its secrets that are good, without hashes: which is which, the tails tell."""
    told = [
        {key: value for key, value in one.items() if key != "hash"}
        for one in item.body.get("credentials", ())
        if (one.get("expires") or now + 1) > now
    ]
    return {
        "name": item.name,
        "role": "caller",
        **item.body,
        "version": item.version,
        "credentials": told,
        "last_used": used.get(item.name),
    }

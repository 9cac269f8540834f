"""What the control plane can do: a row for each path and method."""

import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from gateway import __version__
from gateway.admin import endpoints as edits
from gateway.admin.endpoints import Endpoints, Part
from gateway.admin.keys import DAY, Keys, Made
from gateway.admin.manifest import Manifests
from gateway.admin.means import Means
from gateway.admin.planning import Plan
from gateway.admin.secrets import Secrets
from gateway.admin.settings import GatewaySettings
from gateway.bootstrap.wiring import Wired
from gateway.errors import BadRequest, NotFound, shortened
from gateway.wire.json import Json
from handler.control.asked import Asked, Control, Told, Work
from handler.control.openapi import openapi_route
from handler.door import Door, GuardedRoute

PARTS: tuple[Part, ...] = ("targets", "fallbacks")


@dataclass(frozen=True, slots=True)
class Row:
    """``summary`` is what the OpenAPI document says of it."""

    method: str
    path: str
    summary: str
    work: Work


def control_routes(wired: Wired) -> list[GuardedRoute]:
    told, door = rows(means_of(wired)), Door(wired.admission)
    return [
        openapi_route(told, __version__),
        *(
            door.route(
                row.path,
                Control(row.work, writes=row.method != "GET" and row.path != "/api/plan"),
                role="admin",
                methods=(row.method,),
            )
            for row in told
        ),
    ]


def means_of(wired: Wired) -> Means:
    return Means(
        items=wired.items,
        vault=wired.vault,
        records=wired.records,
        endpoints=wired.endpoints,
        clock=time.time,
        entropy=lambda: os.urandom(32),
        allowed=wired.allowed,
        variables=wired.variables,
    )


def rows(means: Means) -> list[Row]:
    return [
        *_endpoint_rows(means),
        *_key_rows(means),
        *_secret_rows(means),
        *_other_rows(means),
    ]


def _endpoint_rows(means: Means) -> Iterator[Row]:
    cases, at = Endpoints(means), "/api/endpoints/{name}"

    async def listed(asked: Asked) -> Told:
        page = await means.items.page("endpoint", after=asked.after, limit=asked.limit)
        return _page([edits.shown(item) for item in page.items], page.next)

    async def create(asked: Asked) -> Told:
        body = {key: value for key, value in asked.body.items() if key != "name"}
        return _made(await cases.create(asked.body.get("name"), body), "/api/endpoints")

    async def show(asked: Asked) -> Told:
        return _one(await cases.show(asked.name))

    async def replace(asked: Asked) -> Told:
        return _one(await cases.replace(asked.name, asked.body, version=asked.version))

    async def patch(asked: Asked) -> Told:
        edit = edits.patched(asked.body)
        return _one(await cases.edit(asked.name, edit, version=asked.version))

    async def delete(asked: Asked) -> Told:
        await cases.delete(asked.name, version=asked.version)
        return GONE

    yield Row("GET", "/api/endpoints", "Endpoints, by name.", listed)
    yield Row("POST", "/api/endpoints", "Create an endpoint.", create)
    yield Row("GET", at, "One endpoint.", show)
    yield Row("PUT", at, "Create or replace an endpoint.", replace)
    yield Row("PATCH", at, "Change some fields of an endpoint; null for the default.", patch)
    yield Row("DELETE", at, "Delete an endpoint.", delete)
    for part in PARTS:
        yield from _part_rows(cases, part)


def _part_rows(cases: Endpoints, part: Part) -> Iterator[Row]:
    """Targets, or fallbacks: by their place, so If-Match must say of which version."""
    of, one = f"/api/endpoints/{{name}}/{part}", f"/api/endpoints/{{name}}/{part}/{{place}}"

    async def listed(asked: Asked) -> Told:
        endpoint = await cases.show(asked.name)
        told = {"items": endpoint.get(part, []), "version": endpoint["version"]}
        return Told(told, headers=_etag(endpoint))

    async def add(asked: Asked) -> Told:
        edit = edits.with_one_more(part, asked.body)
        return _one(await cases.edit(asked.name, edit, version=asked.version), status=201)

    async def patch(asked: Asked) -> Told:
        edit = edits.with_changed(part, _place(asked), asked.body)
        return _one(await cases.edit(asked.name, edit, version=_needed(asked)))

    async def remove(asked: Asked) -> Told:
        edit = edits.without_one(part, _place(asked))
        return _one(await cases.edit(asked.name, edit, version=_needed(asked)))

    yield Row("GET", of, f"An endpoint's {part}, in order.", listed)
    yield Row("POST", of, f"Add one to an endpoint's {part}.", add)
    yield Row("PATCH", one, f"Change one of an endpoint's {part}. Needs If-Match.", patch)
    yield Row("DELETE", one, f"Take one out of an endpoint's {part}. Needs If-Match.", remove)


def _key_rows(means: Means) -> Iterator[Row]:
    cases, at = Keys(means), "/api/keys/{name}"

    async def listed(asked: Asked) -> Told:
        return _page(*await cases.page(asked.after, asked.limit))

    async def create(asked: Asked) -> Told:
        body = {key: value for key, value in asked.body.items() if key != "name"}
        return _key(await cases.create(asked.body.get("name"), body), 201)

    async def show(asked: Asked) -> Told:
        return _one(await cases.show(asked.name))

    async def patch(asked: Asked) -> Told:
        return _one(await cases.patch(asked.name, asked.body, version=asked.version))

    async def rotate(asked: Asked) -> Told:
        overlap = _only(asked.body, "overlap", DAY)
        if not isinstance(overlap, int) or isinstance(overlap, bool):
            raise BadRequest("overlap", "must be a whole number of seconds")
        return _key(await cases.rotate(asked.name, overlap, version=asked.version), 200)

    async def revoke(asked: Asked) -> Told:
        await cases.revoke(asked.name, version=asked.version)
        return GONE

    yield Row("GET", "/api/keys", "Gateway keys, by name; never a key itself.", listed)
    yield Row("POST", "/api/keys", "Make a gateway key; the answer tells it, once.", create)
    yield Row("GET", at, "One gateway key.", show)
    yield Row("PATCH", at, "Change a key's owner, endpoints, expiry; disable it.", patch)
    yield Row("DELETE", at, "Revoke a gateway key.", revoke)
    yield Row("POST", f"{at}/rotate", "A new secret; the old is good for `overlap` s.", rotate)


def _secret_rows(means: Means) -> Iterator[Row]:
    cases, at = Secrets(means), "/api/secrets/{name}"

    async def listed(asked: Asked) -> Told:
        return _page(*await cases.page(asked.after, asked.limit))

    async def show(asked: Asked) -> Told:
        return _one(await cases.show(asked.name))

    async def put(asked: Asked) -> Told:
        return _one(await cases.put(asked.name, asked.body, version=asked.version))

    async def delete(asked: Asked) -> Told:
        await cases.delete(asked.name, version=asked.version)
        return GONE

    yield Row("GET", "/api/secrets", "Providers' keys, by name; never a value.", listed)
    yield Row("GET", at, "One secret: its tail, where it goes, what uses it.", show)
    yield Row("PUT", at, "Enter a secret, for one provider or base_url.", put)
    yield Row("DELETE", at, "Delete a secret that nothing uses.", delete)


def _other_rows(means: Means) -> Iterator[Row]:
    settings, manifests = GatewaySettings(means), Manifests(means)

    async def show(_: Asked) -> Told:
        return _one(await settings.show())

    async def patch(asked: Asked) -> Told:
        return _one(await settings.patch(asked.body, version=asked.version))

    async def plan(asked: Asked) -> Told:
        told = await manifests.plan(_manifest(asked.body), prune=_prune(asked.body))
        return _plan(told, tell_keys=False)

    async def apply(asked: Asked) -> Told:
        seen = asked.body.get("seen")
        if not (seen is None or isinstance(seen, str)):
            raise BadRequest("seen", "must be what the plan said")
        manifest, prune = _manifest(asked.body), _prune(asked.body)
        return _plan(await manifests.apply(manifest, prune=prune, seen=seen), tell_keys=True)

    async def export(_: Asked) -> Told:
        return Told(await manifests.export())

    yield Row("GET", "/api/settings", "What may change while the gateway runs.", show)
    yield Row("PATCH", "/api/settings", "Change some settings; null for the default.", patch)
    yield Row("POST", "/api/plan", "What a manifest would change.", plan)
    yield Row("POST", "/api/apply", "Make a manifest true, all of it or nothing.", apply)
    yield Row("GET", "/api/export", "What there is, as a manifest.", export)


GONE = Told(None, 204)


def _page(items: list[Json], after: str | None) -> Told:
    """``next``: what to give as ``after`` for the next page; null on the last."""
    return Told({"items": items, "next": after})


def _one(item: Json, status: int = 200) -> Told:
    return Told(item, status, _etag(item))


def _made(item: Json, path: str) -> Told:
    return Told(item, 201, {**_etag(item), "location": f"{path}/{item['name']}"})


def _key(made: Made, status: int) -> Told:
    told = {**made.item, "key": made.secret} if made.secret else made.item
    return Told(told, status, _etag(made.item))


def _etag(item: Json) -> dict[str, str]:
    return {"etag": f'"{item["version"]}"'}


def _needed(asked: Asked) -> int:
    if asked.version is None:
        raise BadRequest("if-match", "is required: the version whose targets you have seen")
    return asked.version


def _place(asked: Asked) -> int:
    told = str(asked.path["place"])
    if not (told.isascii() and told.isdecimal() and len(told) < 5):
        raise NotFound(f"{shortened(told)!r} is no place in a list", field="place")
    return int(told)


def _manifest(body: Json) -> Any:
    for other in body.keys() - {"manifest", "prune", "seen"}:
        raise BadRequest(other, "is no field here; there are manifest, prune and seen")
    if "manifest" not in body:
        raise BadRequest("manifest", "is required")
    return body["manifest"]


def _prune(body: Json) -> bool:
    prune = body.get("prune", False)
    if not isinstance(prune, bool):
        raise BadRequest("prune", "must be true or false")
    return prune


def _only(body: Json, field: str, default: Any) -> Any:
    """The one field that a body may hold."""
    for other in body:
        if other != field:
            raise BadRequest(other, f"is no field here; there is only {field}")
    return body.get(field, default)


def _plan(plan: Plan, *, tell_keys: bool) -> Told:
    told: Json = {"steps": [asdict(step) for step in plan.steps]}
    if not tell_keys:
        return Told({**told, "seen": plan.seen})
    return Told({**told, "keys": plan.made, "unfinished": plan.unfinished})

"""The OpenAPI document of the control plane: its rows, and the specifications that they take."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response

from gateway.admin.specs import EndpointSpec, KeySpec, ManifestSpec, SecretSpec, SettingsSpec, Spec
from gateway.providers.catalog import PROVIDERS
from gateway.wire.json import Json, dumps
from handler.control.asked import LARGEST_PAGE, PAGE
from handler.door import GuardedRoute
from handler.openapi_schemas import SCHEMAS

PATH = "/api/openapi.json"


class Row(Protocol):
    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def summary(self) -> str: ...


def openapi_route(rows: Iterable[Row], version: str) -> GuardedRoute:
    """Public: it tells what may be asked, and nothing of what is configured."""

    @cache
    def text() -> bytes:
        return dumps(document(rows, version))

    async def show(_: Request) -> Response:
        return Response(text(), media_type="application/json")

    return GuardedRoute(PATH, show, role=None)


def document(rows: Iterable[Row], version: str) -> Json:
    """The whole document, OpenAPI 3.1."""
    paths: dict[str, Json] = {}
    for row in rows:
        path = re.sub(":[a-z]+}", "}", row.path)
        operation = _operation(row, OPERATIONS[row.method, path])
        paths.setdefault(path, {})[row.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": "Sluicegate's control plane", "version": version},
        "security": [{name: []} for name in KEYS],
        "paths": paths,
        "components": {"schemas": _schemas(), "securitySchemes": KEYS},
    }


@dataclass(frozen=True, slots=True)
class Operation:
    """``takes`` and ``tells``: names of schemas; None for no body. ``pages``: limit and after.

    ``needs_version``: a write that takes no guess at what it changes.
    """

    id: str
    tells: str | None
    takes: str | None = None
    status: int = 200
    pages: bool = False
    needs_version: bool = False


AN_ENDPOINT, A_KEY, A_SECRET = "/api/endpoints/{name}", "/api/keys/{name}", "/api/secrets/{name}"


def _of_part(many: str, one: str) -> dict[tuple[str, str], Operation]:
    every, at = f"{AN_ENDPOINT}/{many}", f"{AN_ENDPOINT}/{many}/{{place}}"
    return {
        ("GET", every): Operation(f"list_{many}", "Targets"),
        ("POST", every): Operation(f"add_{one}", "Endpoint", "TargetSpec", 201),
        ("PATCH", at): Operation(f"patch_{one}", "Endpoint", "TargetPatch", needs_version=True),
        ("DELETE", at): Operation(f"remove_{one}", "Endpoint", needs_version=True),
    }


OPERATIONS: Mapping[tuple[str, str], Operation] = {
    **_of_part("targets", "target"),
    **_of_part("fallbacks", "fallback"),
    ("GET", "/api/endpoints"): Operation("list_endpoints", "EndpointPage", pages=True),
    ("POST", "/api/endpoints"): Operation("create_endpoint", "Endpoint", "NewEndpoint", 201),
    ("GET", AN_ENDPOINT): Operation("show_endpoint", "Endpoint"),
    ("PUT", AN_ENDPOINT): Operation("put_endpoint", "Endpoint", "EndpointSpec"),
    ("PATCH", AN_ENDPOINT): Operation("patch_endpoint", "Endpoint", "EndpointPatch"),
    ("DELETE", AN_ENDPOINT): Operation("delete_endpoint", None, status=204),
    ("GET", "/api/keys"): Operation("list_keys", "KeyPage", pages=True),
    ("POST", "/api/keys"): Operation("create_key", "MadeKey", "NewKey", 201),
    ("GET", A_KEY): Operation("show_key", "Key"),
    ("PATCH", A_KEY): Operation("patch_key", "Key", "KeyPatch"),
    ("DELETE", A_KEY): Operation("revoke_key", None, status=204),
    ("POST", f"{A_KEY}/rotate"): Operation("rotate_key", "MadeKey", "Rotation"),
    ("GET", "/api/secrets"): Operation("list_secrets", "SecretPage", pages=True),
    ("GET", A_SECRET): Operation("show_secret", "Secret"),
    ("PUT", A_SECRET): Operation("put_secret", "Secret", "NewSecret"),
    ("DELETE", A_SECRET): Operation("delete_secret", None, status=204),
    ("GET", "/api/settings"): Operation("show_settings", "Settings"),
    ("PATCH", "/api/settings"): Operation("patch_settings", "Settings", "SettingsPatch"),
    ("POST", "/api/plan"): Operation("plan", "Plan", "ManifestToApply"),
    ("POST", "/api/apply"): Operation("apply", "Applied", "ManifestToApply"),
    ("GET", "/api/export"): Operation("export", "ManifestSpec"),
}


def _operation(row: Row, operation: Operation) -> Json:
    told: Json = {
        "operationId": operation.id,
        "summary": row.summary,
        "responses": {
            str(operation.status): _answer(row, operation),
            "default": {"description": "An error.", "content": _json_of("Error")},
        },
    }
    if parameters := _parameters(row, operation):
        told["parameters"] = parameters
    if operation.takes is not None:
        required = operation.takes != "Rotation"
        told["requestBody"] = {"required": required, "content": _json_of(operation.takes)}
    return told


def _answer(row: Row, operation: Operation) -> Json:
    if operation.tells is None:
        return {"description": "It is gone."}
    answer: Json = {"description": row.summary, "content": _json_of(operation.tells)}
    if operation.tells in VERSIONED:
        answer["headers"] = {"etag": {"description": "The version, quoted.", "schema": TEXT}}
    return answer


def _parameters(row: Row, operation: Operation) -> list[Json]:
    found = []
    if "{name}" in row.path:
        found.append(_parameter("name", "path", TEXT, required=True))
    if "{place" in row.path:
        found.append(_parameter("place", "path", NUMBER | {"minimum": 0}, required=True))
    if operation.pages:
        limit = NUMBER | {"minimum": 1, "maximum": LARGEST_PAGE, "default": PAGE}
        found.append(_parameter("limit", "query", limit))
        after = _parameter("after", "query", TEXT)
        found.append(after | {"description": "The `next` of the page before."})
    if row.method == "PATCH" or (row.method != "GET" and "{name}" in row.path):
        version = _parameter("if-match", "header", TEXT, required=operation.needs_version)
        found.append(version | {"description": 'The version to change: "3", as ETag tells it.'})
    return found


def _parameter(name: str, place: str, schema: Json, *, required: bool = False) -> Json:
    return {"name": name, "in": place, "required": required, "schema": schema}


def _json_of(schema: str) -> Json:
    return {"application/json": {"schema": _ref(schema)}}


def _ref(schema: str) -> Json:
    return {"$ref": f"{REF}{schema}"}


def _schemas() -> Json:
    """Those of the specifications, and what is made of them."""
    specs: dict[str, Json] = {}
    for model in SPECS:
        schema = model.model_json_schema(ref_template=f"{REF}{{model}}")
        specs |= schema.pop("$defs", {})
        specs[model.__name__] = schema
    # Pydantic sees no checks that are functions.
    specs["TargetSpec"]["properties"]["provider"] = A_PROVIDER
    specs["SecretSpec"]["properties"]["provider"] = {"anyOf": [A_PROVIDER, NULL]}
    specs["KeySpec"]["properties"]["expires"] = A_DAY
    patches = {
        name.replace("Spec", "Patch"): _patch_of(schema, specs)
        for name, schema in specs.items()
        if name not in ("ManifestSpec", "SecretSpec")
    }
    return {**specs, **patches, **_shown(specs), **OTHERS}


def _patch_of(schema: Json, specs: Mapping[str, Json]) -> Json:
    """RFC 7396: nothing is required, and null is for the default."""
    properties = {}
    for name, one in schema["properties"].items():
        told = {key: value for key, value in one.items() if key not in ("default", "title")}
        choices = [_patched(one, specs) for one in told.pop("anyOf", [told]) if one != NULL]
        properties[name] = {"anyOf": [*choices, NULL]}
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _patched(choice: Json, specs: Mapping[str, Json]) -> Json:
    name = choice.get("$ref", "").removeprefix(REF)
    return _ref(name.replace("Spec", "Patch")) if name in specs else choice


def _shown(specs: Mapping[str, Json]) -> Json:
    endpoint, key = specs["EndpointSpec"]["properties"], specs["KeySpec"]["properties"]
    secret = specs["SecretSpec"]["properties"]
    kept = {"name": TEXT, "version": VERSION, "created": MOMENT}
    credential = _object(["tail", "created"], tail=TEXT, created=MOMENT, expires=MOMENT)
    held = {"credentials": _list(credential), "last_used": {"type": ["integer", "null"]}}
    return {
        "NewEndpoint": _only(["name", "targets"], name=TEXT, **endpoint),
        "Endpoint": _object(["name", "version", "targets"], **{**kept, **endpoint}),
        "NewKey": _only(["name"], name=TEXT, **key),
        "Key": _object(
            ["name", "version", "role", "credentials", "last_used"],
            **{**key, **kept, **held, "expires": MOMENT},
        ),
        "MadeKey": {"allOf": [_ref("Key"), _object([], key=TEXT | {"description": ONCE})]},
        "NewSecret": _only(["value"], **{**secret, "value": TEXT | {"writeOnly": True}}),
        "Settings": _object(
            ["allow_private", "always_allowed", "version"],
            **{**specs["SettingsSpec"]["properties"], "always_allowed": _list(TEXT)},
            version=VERSION,
        ),
    }


def _object(required: list[str], **properties: Json) -> Json:
    return {"type": "object", "required": required, "properties": properties}


def _only(required: list[str], **properties: Json) -> Json:
    return {**_object(required, **properties), "additionalProperties": False}


def _list(items: Json) -> Json:
    return {"type": "array", "items": items}


def _page_of(schema: str) -> Json:
    return _object(["items", "next"], items=_list(_ref(schema)), next=MAYBE)


REF = "#/components/schemas/"
ONCE = "The key itself, told this once."
NULL: Json = {"type": "null"}
TEXT: Json = {"type": "string"}
NUMBER: Json = {"type": "integer"}
MAYBE_THIS: Json = {"type": ["object", "null"]}
MAYBE: Json = {"type": ["string", "null"]}
MOMENT: Json = {"type": "integer", "description": "Seconds since 1970."}
VERSION: Json = NUMBER | {"description": "One more a writing; a secret is written twice."}
PRUNE: Json = {"type": "boolean", "default": False}
SEEN: Json = MAYBE | {"description": "As that plan told it: apply does no other, and answers 409."}
SPECS: tuple[type[Spec], ...] = (EndpointSpec, KeySpec, SecretSpec, SettingsSpec, ManifestSpec)
VERSIONED = frozenset({"Endpoint", "Key", "MadeKey", "Secret", "Settings", "Targets"})
KEYS: Json = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An admin key, sgk_…"},
    "x-api-key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
}
A_PROVIDER: Json = {"enum": sorted(PROVIDERS)}
A_DAY: Json = {"anyOf": [TEXT, NUMBER, NULL], "description": "2027-01-31, or a moment."}
STEP = _object(
    ["action", "kind", "name", "before", "after"],
    action={"enum": ["create", "update", "delete"]},
    kind={"enum": ["endpoint", "key", "secret", "settings"]},
    name=TEXT,
    before=MAYBE_THIS,
    after=MAYBE_THIS,
)
OTHERS: Json = {
    "EndpointPage": _page_of("Endpoint"),
    "KeyPage": _page_of("Key"),
    "SecretPage": _page_of("Secret"),
    "Targets": _object(["items", "version"], items=_list(_ref("TargetSpec")), version=VERSION),
    "Rotation": _only([], overlap=NUMBER | {"minimum": 0, "maximum": 2_592_000, "default": 86_400}),
    "Secret": _object(
        ["name", "version", "origin", "tail", "created", "updated", "used_by"],
        **dict.fromkeys(("name", "origin", "tail"), TEXT),
        **dict.fromkeys(("created", "updated"), MOMENT),
        version=VERSION,
        used_by=_list(TEXT),
    ),
    "ManifestToApply": _only(["manifest"], manifest=_ref("ManifestSpec"), prune=PRUNE, seen=SEEN),
    "Plan": _object(["steps", "seen"], steps=_list(STEP), seen=TEXT),
    "Applied": _object(
        ["steps", "keys", "unfinished"],
        steps=_list(STEP),
        unfinished=_list(TEXT),
        keys={"type": "object", "additionalProperties": TEXT, "description": ONCE},
    ),
    "Error": _object(
        ["error"],
        error=SCHEMAS["Error"]["properties"]["error"],
        faults={
            **_list(_object(["field", "problem"], field=MAYBE, problem=TEXT)),
            "description": "Everything that is wrong with what was sent.",
        },
    ),
}

"""The document of the control plane: every row is in it, and every reference leads somewhere."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.applications import Starlette

from gateway.admin.specs import EndpointSpec, KeySpec, SettingsSpec
from gateway.wire.json import Json, loads
from handler.control.openapi import OPERATIONS, document, openapi_route
from handler.control.routes import Row, control_routes, means_of, rows
from tests.fakes import run
from tests.handler.control.world import ECHO, World
from tests.handler.driver import Told, called

METHODS = {"get", "put", "post", "patch", "delete"}


def all_rows() -> list[Row]:
    return rows(means_of(World().wired))


def plain(path: str) -> str:
    """Without what kind of value stands in it."""
    return re.sub(":[a-z]+}", "}", path)


def written() -> Json:
    return document(all_rows(), "1.2.3")


def operations(told: Json) -> Iterator[tuple[str, str, Json]]:
    for path, at in told["paths"].items():
        for method, operation in at.items():
            yield method, path, operation


def inside(value: Any) -> Iterator[Json]:
    """Every object in it."""
    if isinstance(value, dict):
        yield value
    parts = value.values() if isinstance(value, dict) else value
    if isinstance(value, dict | list):
        for part in parts:
            yield from inside(part)


def test_it_says_what_it_is() -> None:
    told = written()
    assert {name: told[name] for name in ("openapi", "info", "security")} == {
        "openapi": "3.1.0",
        "info": {"title": "Sluicegate's control plane", "version": "1.2.3"},
        "security": [{"bearer": []}, {"x-api-key": []}],
    }
    assert set(told) == {"openapi", "info", "security", "paths", "components"}


def test_every_route_is_in_it_and_nothing_else() -> None:
    routes = {
        (method.lower(), plain(route.path))
        for route in control_routes(World().wired)
        if route.role is not None
        for method in (route.methods or set()) - {"HEAD"}
    }
    found = {(method, path) for method, path, _ in operations(written())}
    assert found == routes
    assert {(row.method, plain(row.path)) for row in all_rows()} == set(OPERATIONS)


def test_every_operation_has_a_name_of_its_own_and_answers() -> None:
    told = list(operations(written()))
    names = [operation["operationId"] for _, _, operation in told]
    assert len(set(names)) == len(names)
    for method, _, operation in told:
        assert method in METHODS
        assert set(operation) <= {
            "operationId",
            "summary",
            "responses",
            "parameters",
            "requestBody",
        }
        assert operation["summary"].endswith(".")
        success, other = operation["responses"]
        assert (success in ("200", "201", "204"), other) == (True, "default")
        schema = operation["responses"]["default"]["content"]["application/json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/Error"}


def test_what_stands_in_a_path_is_a_parameter_of_it() -> None:
    for _, path, operation in operations(written()):
        told = [one["name"] for one in operation.get("parameters", []) if one["in"] == "path"]
        assert told == [step.strip("{}") for step in path.split("/") if step.startswith("{")]


def test_every_reference_leads_somewhere_and_every_schema_is_used() -> None:
    told = written()
    schemas = told["components"]["schemas"]
    references = {one["$ref"] for one in inside(told) if "$ref" in one}
    assert references <= {f"#/components/schemas/{name}" for name in schemas}
    unused = {name for name in schemas if f"#/components/schemas/{name}" not in references}
    assert unused == set()


def test_schemas_are_schemas() -> None:
    kinds = {"object", "array", "string", "integer", "number", "boolean", "null"}
    for one in inside(written()["components"]["schemas"]):
        if isinstance(one.get("type"), str | list) and "properties" not in one.get("type", ()):
            told = one["type"] if isinstance(one["type"], list) else [one["type"]]
            assert set(told) <= kinds
        if isinstance(one.get("required"), list):
            assert set(one["required"]) <= set(one.get("properties", {}))


def test_if_match_stands_where_it_counts() -> None:
    told = {
        operation["operationId"]: parameter["required"]
        for _, _, operation in operations(written())
        for parameter in operation.get("parameters", [])
        if parameter["name"] == "if-match"
    }
    needed = ("patch_target", "remove_target", "patch_fallback", "remove_fallback")
    optional = (
        "put_endpoint", "patch_endpoint", "delete_endpoint", "add_target", "add_fallback",
        "patch_key", "revoke_key", "rotate_key", "put_secret", "delete_secret", "patch_settings",
    )  # fmt: skip
    assert told == dict.fromkeys(needed, True) | dict.fromkeys(optional, False)


def test_lists_have_pages() -> None:
    paged = [
        operation["operationId"]
        for _, _, operation in operations(written())
        if {"limit", "after"} <= {one["name"] for one in operation.get("parameters", [])}
    ]
    assert paged == ["list_endpoints", "list_keys", "list_secrets"]


@pytest.mark.parametrize(
    ("patch", "spec"),
    [("EndpointPatch", EndpointSpec), ("KeyPatch", KeySpec), ("SettingsPatch", SettingsSpec)],
)
def test_a_patch_needs_nothing_and_takes_null_for_everything(patch: str, spec: Any) -> None:
    told = written()["components"]["schemas"][patch]
    assert "required" not in told
    assert set(told["properties"]) == set(spec.model_fields)
    for one in told["properties"].values():
        assert one["anyOf"][-1] == {"type": "null"}


def test_the_fields_that_are_told_are_those_that_are_shown() -> None:
    world = World()
    world.put_secret()
    world.make_endpoint()
    key = world.ask("POST", "/api/keys", {"name": "k"}).json
    schemas = written()["components"]["schemas"]
    shown = {
        "Endpoint": world.ask("GET", "/api/endpoints/e").json,
        "Key": {name: value for name, value in key.items() if name != "key"},
        "Secret": world.ask("GET", "/api/secrets/openai").json,
        "Settings": world.ask("GET", "/api/settings").json,
        "Targets": world.ask("GET", "/api/endpoints/e/targets").json,
        "Plan": world.ask("POST", "/api/plan", {"manifest": {}}).json,
        "Applied": world.ask("POST", "/api/apply", {"manifest": {}}).json,
        "EndpointPage": world.ask("GET", "/api/endpoints").json,
        "Error": world.ask("POST", "/api/endpoints", {"targets": [ECHO]}).json,
    }
    for name, found in shown.items():
        assert set(schemas[name]["required"]) <= set(found) <= set(schemas[name]["properties"])


def test_a_secrets_value_is_written_and_not_read() -> None:
    schemas = written()["components"]["schemas"]
    assert schemas["NewSecret"]["properties"]["value"] == {"type": "string", "writeOnly": True}
    assert "value" not in schemas["Secret"]["properties"]


def test_the_plan_that_was_seen_may_be_told_when_it_is_applied() -> None:
    schemas = written()["components"]["schemas"]
    assert schemas["Plan"]["properties"]["seen"] == {"type": "string"}
    asked = schemas["ManifestToApply"]
    assert (asked["required"], set(asked["properties"])) == (
        ["manifest"],
        {"manifest", "prune", "seen"},
    )
    assert asked["properties"]["seen"] == {
        "type": ["string", "null"],
        "description": "As that plan told it: apply does no other, and answers 409.",
    }
    assert "seen" not in schemas["Applied"]["properties"]


def test_every_version_says_what_it_counts() -> None:
    told = {
        name: schema["properties"]["version"]
        for name, schema in written()["components"]["schemas"].items()
        if "version" in schema.get("properties", {})
    }
    version = {
        "type": "integer",
        "description": "One more a writing; a secret is written twice.",
    }
    assert told == dict.fromkeys(("Endpoint", "Key", "Secret", "Settings", "Targets"), version)


def test_it_is_served_to_anyone_and_built_once() -> None:
    asked: list[int] = []

    class Rows(list[Row]):
        def __iter__(self) -> Iterator[Row]:
            asked.append(1)
            return super().__iter__()

    route = openapi_route(Rows(all_rows()), "1.2.3")
    assert (route.path, route.role, asked) == ("/api/openapi.json", None, [])

    async def twice() -> list[Told]:
        app = Starlette(routes=[route])
        return [await called(app, "GET", "/api/openapi.json") for _ in range(2)]

    first, second = run(twice())
    assert (first.status, first.headers["content-type"]) == (200, "application/json")
    assert (loads(first.body), first.body) == (written(), second.body)
    assert asked == [1]

"""Configuration as code over HTTP: planned, applied, exported."""

import re
from typing import Any

import pytest

from gateway.wire.json import Json
from tests.handler.control.world import ECHO, GPT, World, faults, refusal, whole

MANIFEST: Json = {
    "endpoints": {"chat": {"targets": [{"provider": "openai", "model": "gpt", "secret": "vault:team"}]}},
    "keys": {"ann": {"owner": "Ann", "endpoints": ["chat"]}},
    "secrets": {"team": {"value": "sk-canary-0123456789"}},
    "settings": {"allow_private": ["10.0.0.0/8"]},
}  # fmt: skip
STEPS: list[Json] = [
    {
        "action": "create",
        "kind": "endpoint",
        "name": "chat",
        "before": None,
        "after": MANIFEST["endpoints"]["chat"],
    },
    {
        "action": "create",
        "kind": "secret",
        "name": "team",
        "before": None,
        "after": {"base_url": "https://api.openai.com", "value": "(entered)"},
    },
    {
        "action": "create",
        "kind": "key",
        "name": "ann",
        "before": None,
        "after": {"owner": "Ann", "endpoints": ["chat"]},
    },
    {
        "action": "update",
        "kind": "settings",
        "name": "gateway",
        "before": {"allow_private": []},
        "after": {"allow_private": ["10.0.0.0/8"]},
    },
]


def test_a_plan_tells_the_differences_and_changes_nothing() -> None:
    world = World()
    before = whole(world.items)  # type: ignore[arg-type]
    told = world.ask("POST", "/api/plan", {"manifest": MANIFEST})
    assert (told.status, told.json) == (200, {"steps": STEPS, "seen": told.json["seen"]})
    assert re.fullmatch("[0-9a-f]{32}", told.json["seen"])
    assert whole(world.items) == before  # type: ignore[arg-type]
    assert world.vault.entries == {}


def test_what_is_applied_is_there_and_applying_it_again_changes_nothing() -> None:
    world = World()
    told = world.ask("POST", "/api/apply", {"manifest": MANIFEST})
    assert (told.status, told.json["steps"], list(told.json["keys"])) == (200, STEPS, ["ann"])
    assert world.vault.entries == {"team": ("sk-canary-0123456789", "https://api.openai.com")}
    before = whole(world.items)  # type: ignore[arg-type]
    again = world.ask("POST", "/api/apply", {"manifest": MANIFEST})
    assert again.json == {"steps": [], "keys": {}, "unfinished": []}
    assert whole(world.items) == before  # type: ignore[arg-type]


def test_what_is_exported_is_what_there_is() -> None:
    world = World()
    world.ask("POST", "/api/apply", {"manifest": MANIFEST})
    told = world.ask("GET", "/api/export")
    assert told.json == {
        **MANIFEST,
        "keys": {**MANIFEST["keys"], "root": {"role": "admin"}},
        "secrets": {"team": {"base_url": "https://api.openai.com"}},
    }
    again = world.ask("POST", "/api/plan", {"manifest": told.json, "prune": True})
    assert again.json["steps"] == []


def test_pruning_deletes_what_is_not_named_of_the_kinds_that_are() -> None:
    world = World()
    world.ask("POST", "/api/apply", {"manifest": MANIFEST})
    world.make_endpoint("other")
    manifest = {name: MANIFEST[name] for name in ("endpoints", "secrets")}
    told = world.ask("POST", "/api/apply", {"manifest": manifest, "prune": True})
    step = {"action": "delete", "kind": "endpoint", "name": "other"}
    assert told.json["steps"] == [{**step, "before": {"targets": [ECHO]}, "after": None}]
    assert [one["name"] for one in world.ask("GET", "/api/keys").json["items"]] == ["ann", "root"]


def planned(world: World, manifest: Json) -> Json:
    """What to apply, as somebody agreed to it."""
    asked = {"manifest": manifest, "prune": True}
    return {**asked, "seen": world.ask("POST", "/api/plan", asked).json["seen"]}


def test_the_plan_that_was_seen_is_applied() -> None:
    world = World()
    world.make_endpoint("other")
    asked = planned(world, MANIFEST | {"keys": {"root": {"role": "admin"}}})
    told = world.ask("POST", "/api/apply", asked)
    assert (told.status, [one["name"] for one in told.json["steps"]]) == (
        200,
        ["chat", "team", "gateway", "other"],
    )
    assert refused_as_another(world, asked)


def refused_as_another(world: World, asked: Json) -> bool:
    told = world.ask("POST", "/api/apply", asked)
    message = "the configuration was changed since that plan was made: plan again"
    return (*refusal(told), told.json["error"]["code"]) == (409, None, message, "changed_meanwhile")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/endpoints", {"name": "new", "targets": [ECHO]}),
        ("PATCH", "/api/endpoints/e", {"retries": {"times": 1}}),
        ("PATCH", "/api/endpoints/e", {}),
        ("DELETE", "/api/endpoints/e", b""),
        ("POST", "/api/keys", {"name": "new"}),
        ("POST", "/api/keys/k/rotate", b""),
        ("DELETE", "/api/keys/k", b""),
        ("PUT", "/api/secrets/new", {"value": "v", "provider": "xai"}),
        ("PUT", "/api/secrets/openai", {"value": "sk-0123456789abcdef"}),
        ("DELETE", "/api/secrets/openai", b""),
        ("PATCH", "/api/settings", {"allow_private": ["10.0.0.1"]}),
        ("POST", "/api/apply", {"manifest": {"keys": {"new": {}}}}),
    ],
)
@pytest.mark.parametrize("manifest", [MANIFEST, {"endpoints": {}}, {}])
def test_another_plan_than_was_seen_is_a_409_with_nothing_written(
    method: str, path: str, body: Any, manifest: Json
) -> None:
    """Also where what was changed is nothing that the manifest speaks of."""
    manifest = manifest | {"keys": {"root": {"role": "admin"}}}
    world = World()
    world.make_endpoint()
    world.make_key("k")
    world.put_secret()
    asked = planned(world, manifest)
    assert world.ask(method, path, body).status in (200, 201, 204)
    before, kept = whole(world.items), dict(world.vault.entries)  # type: ignore[arg-type]
    assert refused_as_another(world, asked)
    assert (whole(world.items), world.vault.entries) == (before, kept)  # type: ignore[arg-type]
    assert world.ask("POST", "/api/apply", planned(world, manifest)).status == 200


@pytest.mark.parametrize("seen", ["", "f" * 32, "é"])
def test_what_no_plan_said_is_a_409(seen: str) -> None:
    assert refused_as_another(World(), {"manifest": {}, "seen": seen})


def test_whoever_saw_no_plan_applies_what_there_is_to_apply() -> None:
    told = World().ask("POST", "/api/apply", {"manifest": MANIFEST, "seen": None})
    assert (told.status, told.json["steps"]) == (200, STEPS)


@pytest.mark.parametrize("seen", [5, [], {}, True])
def test_what_can_be_no_plan_is_refused(seen: Any) -> None:
    told = World().ask("POST", "/api/apply", {"manifest": MANIFEST, "seen": seen})
    assert refusal(told) == (400, "seen", "seen: must be what the plan said")


UNKNOWN = "is no field here; there are manifest, prune and seen"


@pytest.mark.parametrize(
    ("body", "field", "problem"),
    [
        ({}, "manifest", "is required"),
        ({"manifest": {}, "prune": "yes"}, "prune", "must be true or false"),
        ({"manifest": {}, "prune": None}, "prune", "must be true or false"),
        ({"manifest": {}, "force": True}, "force", UNKNOWN),
        ({"endpoints": {}}, "endpoints", UNKNOWN),
    ],
)
@pytest.mark.parametrize("path", ["/api/plan", "/api/apply"])
def test_a_bad_wish_is_refused(path: str, body: Json, field: str, problem: str) -> None:
    assert refusal(World().ask("POST", path, body)) == (400, field, f"{field}: {problem}")


@pytest.mark.parametrize("manifest", [None, [], "a", 5, {"endpoint": {}}, {"endpoints": None}])
def test_what_is_no_manifest_is_refused(manifest: Any) -> None:
    assert World().ask("POST", "/api/apply", {"manifest": manifest}).status == 400


def test_all_that_is_wrong_is_told_at_once_and_nothing_is_written() -> None:
    world = World()
    before = whole(world.items)  # type: ignore[arg-type]
    manifest = {
        "endpoints": {
            "good": {"targets": [ECHO]},
            "bad": {"targets": [GPT | {"secret": "vault:absent"}]},
            "worse": {"targets": [GPT | {"secret": "env:HOME"}]},
        },
        "keys": {"k": {"endpoints": ["good", "nobody"]}},
        "secrets": {"lonely": {"value": "v"}, "empty": {"provider": "xai"}},
    }
    told = world.ask("POST", "/api/apply", {"manifest": manifest})
    assert told.status == 400
    assert set(faults(told)) == {
        "endpoints.bad.targets[0].secret",
        "endpoints.worse.targets[0].secret",
        "keys.k.endpoints[1]",
        "secrets.lonely.provider",
        "secrets.empty.value",
    }
    assert whole(world.items) == before  # type: ignore[arg-type]
    assert world.vault.entries == {}

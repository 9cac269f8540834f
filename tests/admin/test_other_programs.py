"""Items that another version of the program wrote: what this one does not know, it keeps."""

from typing import Any

import pytest

from gateway.admin.endpoints import patched, with_changed, with_one_more
from gateway.admin.settings import GatewaySettings
from gateway.ports import SETTINGS, Change
from gateway.wire.json import Json
from tests.admin.world import ECHO, World
from tests.fakes import run

OTHER: Json = {"provider": "echo", "model": "echo-instant"}
ENDPOINT: Json = {
    "name": "e",
    "created": 5,
    "owner": "Ann",
    "targets": [ECHO | {"region": "eu"}],
    "fallbacks": [OTHER | {"price": {"input": 1, "output": 2, "per_image": 3}}],
    "retries": {"times": 1, "on": [429]},
    "timeouts": {"idle": 9, "whole": 60},
}
KEY: Json = {
    "name": "k",
    "created": 5,
    "owner": "Ann",
    "team": {"id": 7},
    "credentials": [{"hash": "h1", "tail": "abcd", "created": 5, "device": "laptop"}],
}
ALLOWED: Json = {"allow_private": ["10.0.0.0/8"], "theme": "dark"}
EXPORTED: Json = {
    "endpoints": {
        "e": {
            "targets": [ECHO],
            "fallbacks": [OTHER | {"price": {"input": 1, "output": 2}}],
            "retries": {"times": 1},
            "timeouts": {"idle": 9},
        }
    },
    "keys": {"k": {"owner": "Ann"}},
    "settings": {"allow_private": ["10.0.0.0/8"]},
}


@pytest.fixture
def world() -> World:
    world = World()
    changes = [
        Change("endpoint", "e", ENDPOINT, 0),
        Change("key", "k", KEY, 0),
        Change("settings", SETTINGS, ALLOWED, 0),
    ]
    run(world.items.write(changes))
    return world


def body(world: World, at: str) -> Json:
    return world.held()[at][0]


def test_it_is_shown(world: World) -> None:
    assert run(world.endpoints.show("e")) == ENDPOINT | {"version": 1}
    shown = run(world.keys.show("k"))
    assert (shown["team"], shown["credentials"][0]["tail"]) == ({"id": 7}, "abcd")
    told = run(GatewaySettings(world.means).show())
    assert told == {"allow_private": ["10.0.0.0/8"], "always_allowed": [], "version": 1}


def test_it_is_exported_as_this_program_knows_it_and_that_plans_no_change(world: World) -> None:
    told = run(world.manifests.export())
    assert told == EXPORTED
    before = world.held()
    assert world.plan(told) == world.apply(told, prune=True) == []
    assert world.held() == before


@pytest.mark.parametrize(
    ("edit", "changed"),
    [
        (patched({"retries": {"times": 3}}), {"retries": {"times": 3}}),
        (patched({"timeouts": None, "retries": None}), {"timeouts": None, "retries": None}),
        (with_changed("targets", 0, {"weight": 2}), {"targets": [ECHO | {"weight": 2}]}),
        (with_one_more("targets", OTHER | {"weight": 3}), {"targets": [ECHO, OTHER | {"weight": 3}]}),
    ],
)  # fmt: skip
def test_an_endpoint_is_patched_and_keeps_what_is_not_known(
    world: World, edit: Any, changed: Json
) -> None:
    run(world.endpoints.edit("e", edit, version=1))
    expected = {**EXPORTED["endpoints"]["e"], "name": "e", "created": 5, "owner": "Ann", **changed}
    assert body(world, "endpoint/e") == {
        name: value for name, value in expected.items() if value is not None
    }


def test_an_endpoint_that_is_replaced_keeps_it_too(world: World) -> None:
    run(world.endpoints.replace("e", {"targets": [OTHER]}, version=None))
    assert body(world, "endpoint/e") == {
        "name": "e",
        "created": 5,
        "owner": "Ann",
        "targets": [OTHER],
    }


def test_a_key_is_patched_and_rotated_and_keeps_what_is_not_known(world: World) -> None:
    run(world.keys.patch("k", {"owner": "Bob"}, version=1))
    made = run(world.keys.rotate("k", 60, version=2))
    kept = body(world, "key/k")
    assert (kept["owner"], kept["team"], len(kept["credentials"])) == ("Bob", {"id": 7}, 2)
    assert made.item["team"] == {"id": 7}


def test_settings_are_patched_and_keep_what_is_not_known(world: World) -> None:
    settings = GatewaySettings(world.means)
    told = run(settings.patch({"allow_private": None}, version=1))
    assert told == {"allow_private": [], "always_allowed": [], "version": 2}
    assert body(world, f"settings/{SETTINGS}") == {"allow_private": [], "theme": "dark"}


def test_a_manifest_that_changes_them_keeps_what_is_not_known(world: World) -> None:
    manifest: Json = {
        "endpoints": {"e": {"targets": [OTHER]}},
        "keys": {"k": {"owner": "Bob"}},
        "settings": {"allow_private": ["10.1.0.0/16"]},
    }
    steps = ["update endpoint e", "update key k", "update settings gateway"]
    assert world.plan(manifest) == world.apply(manifest) == steps
    assert body(world, "endpoint/e")["owner"] == "Ann"
    assert body(world, "key/k")["team"] == {"id": 7}
    assert body(world, f"settings/{SETTINGS}") == {
        "allow_private": ["10.1.0.0/16"],
        "theme": "dark",
    }
    assert world.plan(manifest) == []

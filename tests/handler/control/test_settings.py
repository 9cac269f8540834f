"""What may change while the gateway runs."""

import pytest

from gateway.wire.json import Json
from tests.handler.control.world import World, refusal


def test_settings_begin_with_their_defaults() -> None:
    told = World(allowed=("127.0.0.1:11434",)).ask("GET", "/api/settings")
    expected = {"allow_private": [], "always_allowed": ["127.0.0.1:11434"], "version": 0}
    assert (told.status, told.json, told.headers["etag"]) == (200, expected, '"0"')


def test_settings_are_patched_and_null_returns_to_the_default() -> None:
    world = World()
    told = world.ask("PATCH", "/api/settings", {"allow_private": ["10.0.0.0/8"]})
    expected = {"allow_private": ["10.0.0.0/8"], "always_allowed": [], "version": 1}
    assert (told.status, told.json, told.headers["etag"]) == (200, expected, '"1"')
    assert world.ask("PATCH", "/api/settings", {}).json == expected | {"version": 2}
    told = world.ask("PATCH", "/api/settings", {"allow_private": None})
    assert told.json == expected | {"allow_private": [], "version": 3}


def test_settings_are_changed_only_at_the_version_that_was_seen() -> None:
    world = World()
    entry = {"allow_private": ["10.0.0.1"]}
    assert world.version("PATCH", "/api/settings", entry, '"0"').status == 200
    told = world.version("PATCH", "/api/settings", {"allow_private": None}, '"0"')
    assert (told.status, told.json["error"]["message"]) == (
        409,
        "the settings are at version 1: read them again",
    )
    assert world.ask("GET", "/api/settings").json["allow_private"] == ["10.0.0.1"]


@pytest.mark.parametrize(
    ("patch", "field", "problem"),
    [
        ({"allow_private": ["169.254.169.254"]}, "allow_private[0]", "'169.254.169.254' points at a metadata service (169.254.169.254), which nothing allows: leave it out"),
        ({"allow_private": ["0.0.0.0/0"]}, "allow_private[0]", "'0.0.0.0/0' is too wide: name a network of /8 or narrower"),
        ({"allow_private": ["10.0.0.1", "*"]}, "allow_private[1]", "'*': name each host, or give a network, such as 10.0.0.0/8"),
        ({"allow_private": ["http://10.0.0.1"]}, "allow_private[0]", "'http://10.0.0.1': leave out http:// and any path"),
        ({"allow_private": "10.0.0.1"}, "allow_private", "Input should be a valid list"),
        ({"always_allowed": []}, "always_allowed", "is no field here; endpoints.example.yaml shows those there are"),
    ],
)  # fmt: skip
def test_a_bad_setting_is_refused_by_its_field(patch: Json, field: str, problem: str) -> None:
    world = World()
    told = world.ask("PATCH", "/api/settings", patch)
    assert refusal(told) == (400, field, f"{field}: {problem}")
    assert world.ask("GET", "/api/settings").json["version"] == 0

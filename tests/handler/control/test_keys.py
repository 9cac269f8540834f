"""Gateway keys over HTTP: told once, changed at all their credentials, ended for good."""

import re
from typing import Any

import pytest

from gateway.adapters.memory import MemoryItems
from gateway.wire.json import Json
from tests.handler.control.world import NOW, ROLE, World, ageless, refusal, whole

CHAT: Json = {"model": "e", "messages": [{"role": "user", "content": "hi"}]}
SHAPE = re.compile("sgk_[0-9A-Za-z]{49}")


def passes(world: World, key: str) -> int:
    """The status that the key's holder gets."""
    headers = {"authorization": f"Bearer {key}"}
    return world.ask("POST", "/gateway/openai/v1/chat/completions", CHAT, headers=headers).status


def with_endpoint() -> World:
    world = World()
    world.make_endpoint()
    return world


def test_a_key_is_told_once_and_never_again() -> None:
    world = with_endpoint()
    spec = {"owner": "ann", "tags": ["a", "b"], "endpoints": ["e"], "expires": "2030-01-31"}
    made = world.ask("POST", "/api/keys", {"name": "k", **spec})
    told = dict(made.json)
    key = told.pop("key")
    assert SHAPE.fullmatch(key)
    assert (made.status, made.headers["etag"], made.headers["cache-control"]) == (
        201,
        '"1"',
        "no-store",
    )
    expected = {
        "name": "k",
        "version": 1,
        "role": "caller",
        **spec,
        "expires": 1896134399,
        "created": NOW,
        "credentials": [{"tail": key[-4:], "created": NOW}],
        "last_used": None,
    }
    assert ageless(told) == expected
    shown = world.ask("GET", "/api/keys/k")
    assert (shown.status, ageless(shown.json)) == (200, expected)
    for path in ("/api/keys", "/api/keys/k", "/api/export", "/api/settings"):
        assert key.encode() not in world.ask("GET", path).body
    assert passes(world, key) == 200


def test_neither_the_key_nor_what_it_is_found_by_is_shown() -> None:
    world = World()
    key = world.make_key("k")
    held = whole(world.items)["key/k"][0]["credentials"][0]["hash"]  # type: ignore[arg-type]
    for path in ("/api/keys", "/api/keys/k", "/api/export"):
        body = world.ask("GET", path).body.decode()
        assert [one for one in (key, held, key[4:30]) if one in body] == []
    assert key not in str(whole(world.items))  # type: ignore[arg-type]


def test_its_last_use_is_told_by_the_hour() -> None:
    world = with_endpoint()
    key = world.make_key("k")
    assert passes(world, key) == 200
    hour = int(world.clock.now) // 3600 * 3600
    assert world.ask("GET", "/api/keys/k").json["last_used"] == hour


def test_a_patch_reaches_every_credential_of_the_key() -> None:
    world = with_endpoint()
    first = world.make_key("k")
    second = world.ask("POST", "/api/keys/k/rotate", {"overlap": 600}).json["key"]
    told = world.ask("PATCH", "/api/keys/k", {"disabled": True})
    assert (told.status, told.json["disabled"], told.json["version"]) == (200, True, 3)
    assert [passes(world, key) for key in (first, second)] == [401, 401]
    world.clock.now += 60
    told = world.ask("PATCH", "/api/keys/k", {"disabled": None})
    assert "disabled" not in told.json
    world.clock.now += 60
    assert [passes(world, key) for key in (first, second)] == [200, 200]


def test_what_a_patch_leaves_out_stays() -> None:
    world = with_endpoint()
    world.make_key("k", owner="ann", tags=["a"], endpoints=["e"], expires="2030-01-31")
    before = world.ask("GET", "/api/keys/k").json
    told = world.ask("PATCH", "/api/keys/k", {"owner": "bob"})
    assert told.json == before | {"owner": "bob", "version": 2}
    told = world.ask("PATCH", "/api/keys/k", {"endpoints": None, "expires": None})
    left = {name: value for name, value in before.items() if name not in ("endpoints", "expires")}
    assert told.json == left | {"owner": "bob", "version": 3}


def test_a_rotation_overlaps_and_then_ends() -> None:
    world = with_endpoint()
    old = world.make_key("k")
    told = world.ask("POST", "/api/keys/k/rotate", {"overlap": 60})
    new = told.json["key"]
    assert (told.status, told.headers["etag"]) == (200, '"2"')
    assert [one["tail"] for one in told.json["credentials"]] == [new[-4:], old[-4:]]
    assert [passes(world, key) for key in (old, new)] == [200, 200]
    world.clock.now += 62
    assert [passes(world, key) for key in (old, new)] == [401, 200]


def test_a_rotation_without_overlap_ends_the_old_at_once() -> None:
    world = with_endpoint()
    old = world.make_key("k")
    new = world.ask("POST", "/api/keys/k/rotate", {"overlap": 0}).json["key"]
    assert [passes(world, key) for key in (old, new)] == [401, 200]


def test_a_rotation_overlaps_by_a_day_unless_it_is_told() -> None:
    world = World()
    world.make_key("k")
    told = world.ask("POST", "/api/keys/k/rotate").json["credentials"]
    assert 86_300 < told[1]["expires"] - told[0]["created"] <= 86_401


@pytest.mark.parametrize(
    ("body", "field", "problem"),
    [
        ({"overlap": -1}, "overlap", "must be 0 to 2592000 seconds"),
        ({"overlap": 2_592_001}, "overlap", "must be 0 to 2592000 seconds"),
        ({"overlap": True}, "overlap", "must be a whole number of seconds"),
        ({"overlap": "60"}, "overlap", "must be a whole number of seconds"),
        ({"overlap": 1.5}, "overlap", "must be a whole number of seconds"),
        ({"overlap": None}, "overlap", "must be a whole number of seconds"),
        ({"overlpa": 1}, "overlpa", "is no field here; there is only overlap"),
    ],
)
def test_a_bad_overlap_is_refused(body: Json, field: str, problem: str) -> None:
    world = World()
    world.make_key("k")
    told = world.ask("POST", "/api/keys/k/rotate", body)
    assert refusal(told) == (400, field, f"{field}: {problem}")
    assert world.ask("GET", "/api/keys/k").json["version"] == 1


def test_a_key_is_not_rotated_without_end() -> None:
    world = World()
    world.make_key("k")
    told = [world.ask("POST", "/api/keys/k/rotate").status for _ in range(5)]
    assert told == [200, 200, 200, 200, 409]
    assert len(world.ask("GET", "/api/keys/k").json["credentials"]) == 5


def test_revocation_takes_the_key_and_all_its_grants() -> None:
    world = with_endpoint()
    before = whole(world.items)  # type: ignore[arg-type]
    first = world.make_key("k")
    second = world.ask("POST", "/api/keys/k/rotate").json["key"]
    assert world.ask("DELETE", "/api/keys/k").status == 204
    assert whole(world.items) == before  # type: ignore[arg-type]
    assert [passes(world, key) for key in (first, second)] == [401, 401]
    assert world.ask("GET", "/api/keys/k").status == 404


def test_a_principal_is_given_no_key() -> None:
    world = World()
    told = world.ask("POST", "/api/keys", {"name": "ci", "role": "admin", "principal": ROLE})
    assert (told.status, ageless(told.json)) == (
        201,
        {
            "name": "ci",
            "version": 1,
            "role": "admin",
            "created": NOW,
            "principal": ROLE,
            "credentials": [],
            "last_used": None,
        },
    )
    rotated = world.ask("POST", "/api/keys/ci/rotate")
    message = "key 'ci' is a principal of IAM: it has no secret of ours"
    assert (rotated.status, rotated.json["error"]["message"]) == (409, message)


@pytest.mark.parametrize(
    "other", [ROLE, ROLE.replace("iam:", "sts:").replace("role/", "assumed-role/") + "/session"]
)
def test_a_principal_has_one_key(other: str) -> None:
    world = World()
    world.ask("POST", "/api/keys", {"name": "ci", "principal": ROLE})
    told = world.ask("POST", "/api/keys", {"name": "cd", "principal": other})
    message = f"{ROLE} is the principal of key 'ci' already"
    assert refusal(told) == (409, "principal", message)
    assert world.ask("GET", "/api/keys/cd").status == 404


def test_a_key_with_a_secret_becomes_no_principal() -> None:
    world = World()
    world.make_key("k")
    told = world.ask("PATCH", "/api/keys/k", {"principal": ROLE})
    message = "principal: cannot be changed: make another key"
    assert refusal(told) == (400, "principal", message)


LAST = (
    "'root' is the last admin key: make another before this one goes, "
    "or nobody could configure the gateway"
)


@pytest.mark.parametrize(
    ("method", "body"),
    [
        ("DELETE", b""),
        ("PATCH", {"disabled": True}),
        ("PATCH", {"role": "caller"}),
        ("PATCH", {"role": None}),
        ("PATCH", {"expires": "2020-01-01"}),
    ],
)
def test_the_last_admin_key_stays(method: str, body: Any) -> None:
    world = World()
    told = world.ask(method, "/api/keys/root", body)
    assert (*refusal(told), told.json["error"]["code"]) == (409, "name", LAST, "last_admin_key")
    world.ask("POST", "/api/keys", {"name": "next", "role": "admin"})
    assert world.ask(method, "/api/keys/root", body).status in (200, 204)


@pytest.mark.parametrize("other", [{"disabled": True}, {"expires": "2020-01-01"}])
def test_an_admin_key_that_is_no_good_does_not_count(other: Json) -> None:
    world = World()
    world.make_key("other", role="admin", **other)
    assert world.ask("DELETE", "/api/keys/root").status == 409


NO_LINE = "holds characters that it may not; endpoints.example.yaml has one"


@pytest.mark.parametrize(
    ("spec", "field", "problem"),
    [
        ({"owner": "a\r\nb"}, "owner", NO_LINE),
        ({"tags": ["a\nb"]}, "tags[0]", NO_LINE),
        ({"endpoints": ["nobody"]}, "endpoints[0]", "there is no endpoint 'nobody'"),
        ({"expires": "tomorrow"}, "expires", "must be a date or a moment: 2027-01-31, 2027-01-31T12:00Z"),
        ({"role": "root"}, "role", "Input should be 'caller' or 'admin'"),
        ({"principal": "ann"}, "principal", "must be an IAM ARN: arn:aws:iam::123456789012:role/NAME"),
        ({"key": "sgk_mine"}, "key", "is no field here; endpoints.example.yaml shows those there are"),
        ({"credentials": []}, "credentials", "is no field here; endpoints.example.yaml shows those there are"),
    ],
)  # fmt: skip
def test_a_bad_key_is_refused_by_its_field(spec: Json, field: str, problem: str) -> None:
    world = World()
    world.make_key("k")
    assert isinstance(world.items, MemoryItems)
    before = whole(world.items)
    for told in (
        world.ask("POST", "/api/keys", {"name": "new", **spec}),
        world.ask("PATCH", "/api/keys/k", spec),
    ):
        assert refusal(told) == (400, field, f"{field}: {problem}")
    assert whole(world.items) == before


def test_a_key_of_the_same_name_is_a_409() -> None:
    world = World()
    world.make_key("k", owner="ann")
    told = world.ask("POST", "/api/keys", {"name": "k"})
    assert (told.status, told.json["error"]["code"]) == (409, "exists")
    assert world.ask("GET", "/api/keys/k").json["owner"] == "ann"


def test_an_admin_key_names_no_endpoints() -> None:
    told = with_endpoint().ask(
        "POST", "/api/keys", {"name": "k", "role": "admin", "endpoints": ["e"]}
    )
    message = "endpoints is for callers: an admin key calls no endpoint"
    assert (told.status, told.json["error"]["message"]) == (400, message)

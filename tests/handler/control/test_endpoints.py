"""Endpoints over HTTP: made, shown, changed, deleted."""

from typing import Any

import pytest

from gateway.admin.fields import RESERVED
from gateway.wire.json import Json
from tests.handler.control.world import ECHO, GPT, NOW, World, ageless, faults, refusal, whole

MADE: Json = {"name": "e", "version": 1, "targets": [ECHO], "created": NOW}
RETRIES: Json = {"times": 2, "first_pause": 0.5}


def test_an_endpoint_is_created_and_can_be_called_at_once() -> None:
    world = World()
    made = world.ask("POST", "/api/endpoints", {"name": "e", "targets": [ECHO]})
    assert (made.status, ageless(made.json)) == (201, MADE)
    assert (made.headers["location"], made.headers["etag"]) == ("/api/endpoints/e", '"1"')
    assert made.headers["cache-control"] == "no-store"
    shown = world.ask("GET", "/api/endpoints/e")
    assert (shown.status, shown.json, shown.headers["etag"]) == (200, made.json, '"1"')
    key = {"authorization": f"Bearer {world.make_key('k')}"}
    chat = {"model": "e", "messages": [{"role": "user", "content": "hi"}]}
    assert world.ask("POST", "/gateway/openai/v1/chat/completions", chat, headers=key).status == 200


def test_an_endpoint_is_replaced_whole_and_keeps_its_age() -> None:
    world = World()
    made = world.make_endpoint(retries=RETRIES)
    told = world.ask("PUT", "/api/endpoints/e", {"targets": [GPT]})
    expected = {"name": "e", "version": 2, "targets": [GPT], "created": made["created"]}
    assert (told.status, told.json, told.headers["etag"]) == (200, expected, '"2"')


def test_put_creates_what_is_not_there() -> None:
    world = World()
    told = world.ask("PUT", "/api/endpoints/e", {"targets": [ECHO]})
    assert (told.status, ageless(told.json)) == (200, MADE)


def test_an_endpoint_is_deleted_once() -> None:
    world = World()
    world.make_endpoint()
    told = world.ask("DELETE", "/api/endpoints/e")
    assert (told.status, told.body) == (204, b"")
    gone = "there is no endpoint 'e'"
    for method in ("GET", "DELETE"):
        assert refusal(world.ask(method, "/api/endpoints/e")) == (404, "name", gone)
    assert refusal(world.ask("PATCH", "/api/endpoints/e", {})) == (404, "name", gone)


def test_a_patch_changes_what_it_names_and_nothing_else() -> None:
    world = World()
    world.make_endpoint(retries=RETRIES, timeouts={"idle": 5})
    told = world.ask("PATCH", "/api/endpoints/e", {"retries": {"times": 3}})
    expected = MADE | {"version": 2, "retries": RETRIES | {"times": 3}, "timeouts": {"idle": 5}}
    assert ageless(told.json) == expected


@pytest.mark.parametrize(
    ("patch", "left"),
    [
        ({"retries": None}, {"timeouts": {"idle": 5}}),
        ({"retries": {"first_pause": None}}, {"retries": {"times": 2}, "timeouts": {"idle": 5}}),
        ({"retries": None, "timeouts": None}, {}),
        ({"fallbacks": None}, {"retries": RETRIES, "timeouts": {"idle": 5}}),
        ({}, {"retries": RETRIES, "timeouts": {"idle": 5}}),
    ],
)
def test_null_returns_to_the_default(patch: Json, left: Json) -> None:
    world = World()
    world.make_endpoint(retries=RETRIES, timeouts={"idle": 5})
    told = world.ask("PATCH", "/api/endpoints/e", patch)
    assert ageless(told.json) == MADE | {"version": 2} | left


def test_what_has_no_default_cannot_be_taken_away() -> None:
    world = World()
    world.make_endpoint()
    told = world.ask("PATCH", "/api/endpoints/e", {"targets": None})
    assert refusal(told) == (400, "targets", "targets: is required")


LOCAL = "http://10.0.0.1:8080/v1"
BOUND = "'openai' was entered for https://api.openai.com: enter it again for https://api.x.ai"
USUALLY = "env:HOME may be sent only where it usually goes: put the key as a secret (vault:NAME), "
PRIVATE = (
    "10.0.0.1:8080 is not a public address; to let the gateway connect there, allow it "
    "first: allow_private: [10.0.0.1:8080] in the settings"
)
FILE = "or write the endpoint in a file for `serve --config`"


@pytest.mark.parametrize(
    ("target", "field", "problem"),
    [
        (
            GPT | {"provider": "opnai"},
            "provider",
            "unknown provider 'opnai'; did you mean 'openai'?",
        ),
        (GPT | {"weight": 0}, "weight", "Input should be greater than 0"),
        (GPT | {"weight": -1}, "weight", "Input should be greater than 0"),
        (
            GPT | {"wieght": 1},
            "wieght",
            "is no field here; endpoints.example.yaml shows those there are",
        ),
        ({"provider": "openai"}, "model", "is required"),
        (
            GPT | {"model": "a\r\nx: y"},
            "model",
            "holds characters that it may not; endpoints.example.yaml has one",
        ),
        ({"provider": "xai", "model": "m", "secret": "vault:openai"}, "secret", BOUND),
        (
            GPT | {"secret": "vault:absent"},
            "secret",
            "there is no secret 'absent': `sluicegate secrets put absent` first",
        ),
        (GPT | {"secret": "env:HOME"}, "secret", USUALLY + FILE),
        (
            GPT | {"base_url": "https://elsewhere.example/v1"},
            "secret",
            USUALLY.replace("HOME", "OPENAI_API_KEY") + FILE,
        ),
        (
            {"provider": "openai_compatible", "model": "m", "base_url": LOCAL},
            "base_url",
            PRIVATE,
        ),
        (
            {"provider": "openai_compatible", "model": "m", "base_url": "http://169.254.169.254/"},
            "base_url",
            "points at a metadata service (169.254.169.254)",
        ),
        (
            {"provider": "openai_compatible", "model": "m", "base_url": "https://u:p@example.com"},
            "base_url",
            "must not hold a user or a password: give the key as a secret",
        ),
    ],
)
@pytest.mark.parametrize("part", ["targets", "fallbacks"])
def test_a_bad_target_is_refused_by_its_field(
    target: Json, field: str, problem: str, part: str
) -> None:
    world = World()
    world.put_secret()
    world.make_endpoint()
    before = whole(world.items)  # type: ignore[arg-type]
    spec = {"targets": [ECHO | {"model": "other"}], part: [target]}
    place = f"{part}[0].{field}"
    for told in (
        world.ask("POST", "/api/endpoints", {"name": "new", **spec}),
        world.ask("PUT", "/api/endpoints/e", spec),
        world.ask("PATCH", "/api/endpoints/e", spec),
    ):
        assert refusal(told) == (400, place, f"{place}: {problem}")
        assert faults(told) == {place: problem}
    assert whole(world.items) == before  # type: ignore[arg-type]


def test_a_private_address_is_taken_once_it_is_allowed() -> None:
    world, target = World(), {"provider": "openai_compatible", "model": "m", "base_url": LOCAL}
    world.ask("PATCH", "/api/settings", {"allow_private": ["10.0.0.0/8"]})
    assert world.make_endpoint(targets=[target])["targets"] == [target]


def test_whoever_starts_the_process_may_allow_too() -> None:
    world, target = (
        World(allowed=("10.0.0.1:8080",)),
        {"provider": "openai_compatible", "model": "m", "base_url": LOCAL},
    )
    assert world.make_endpoint(targets=[target])["targets"] == [target]


def test_every_fault_is_told_at_once() -> None:
    told = World().ask(
        "POST",
        "/api/endpoints",
        {"name": "e", "targets": [GPT | {"weight": 0}, {"provider": "nobody"}], "retry": {}},
    )
    assert set(faults(told)) == {
        "targets[0].weight",
        "targets[1].provider",
        "targets[1].model",
        "retry",
    }


@pytest.mark.parametrize("secret", [GPT["secret"], None])
def test_a_target_does_not_fall_back_to_itself(secret: str | None) -> None:
    told = World().ask(
        "POST",
        "/api/endpoints",
        {"name": "e", "targets": [GPT], "fallbacks": [GPT | {"secret": secret}]},
    )
    problem = "is tried already: nothing falls back to itself; to try again, set retries"
    assert refusal(told) == (400, "fallbacks[0]", f"fallbacks[0]: {problem}")


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_a_name_of_our_own_paths_is_refused(name: str) -> None:
    problem = f"name: {name!r} is a word of the gateway's own paths; choose another name"
    world, spec = World(), {"targets": [ECHO]}
    told = world.ask("POST", "/api/endpoints", {"name": name, **spec})
    assert refusal(told) == (400, "name", problem)
    assert refusal(world.ask("PUT", f"/api/endpoints/{name}", spec)) == (400, "name", problem)


@pytest.mark.parametrize("name", [None, "", 5, "a/b", "a\r\nb", "é", "x" * 129, "-a", ["a"]])
def test_a_bad_name_is_refused(name: Any) -> None:
    world = World()
    told = world.ask("POST", "/api/endpoints", {"name": name, "targets": [ECHO]})
    assert refusal(told)[:2] == (400, "name")
    assert world.ask("GET", "/api/endpoints").json == {"items": [], "next": None}


def test_a_name_that_is_taken_is_a_409() -> None:
    world = World()
    world.make_endpoint()
    told = world.ask("POST", "/api/endpoints", {"name": "e", "targets": [GPT]})
    assert (told.status, told.json["error"]["code"]) == (409, "exists")
    assert told.json["error"]["message"] == "endpoint 'e' exists already"
    assert world.ask("GET", "/api/endpoints/e").json["targets"] == [ECHO]


def test_an_endpoint_that_a_key_names_is_not_deleted() -> None:
    world = World()
    world.make_endpoint()
    world.make_key("k", endpoints=["e"])
    told = world.ask("DELETE", "/api/endpoints/e")
    message = "endpoint 'e' is named by the keys k: take it out of their endpoints first"
    assert refusal(told) == (409, "name", message)
    assert told.json["error"]["code"] == "in_use"
    assert world.ask("GET", "/api/endpoints/e").status == 200
    world.ask("PATCH", "/api/keys/k", {"endpoints": None})
    assert world.ask("DELETE", "/api/endpoints/e").status == 204


@pytest.mark.parametrize("body", [[], "a", 5, None, True])
def test_a_body_that_is_no_object_is_refused(body: Any) -> None:
    world = World()
    world.make_endpoint()
    for method, path in (
        ("POST", "/api/endpoints"),
        ("PUT", "/api/endpoints/e"),
        ("PATCH", "/api/endpoints/e"),
    ):
        assert world.ask(method, path, body).status == 400
    assert world.ask("GET", "/api/endpoints/e").json["version"] == 1

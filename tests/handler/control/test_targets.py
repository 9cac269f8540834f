"""An endpoint's targets and fallbacks, one by one, by their place."""

import pytest

from gateway.wire.json import Json
from tests.handler.control.world import ECHO, GPT, NOW, World, ageless, refusal

XAI: Json = {"provider": "xai", "model": "grok", "secret": "env:XAI_API_KEY"}
NEEDED = "if-match: is required: the version whose targets you have seen"


def three(world: World) -> str:
    world.make_endpoint(targets=[ECHO, GPT], fallbacks=[XAI])
    return "/api/endpoints/e"


def test_targets_and_fallbacks_are_listed_with_the_version() -> None:
    world = World()
    at = three(world)
    for part, items in (("targets", [ECHO, GPT]), ("fallbacks", [XAI])):
        told = world.ask("GET", f"{at}/{part}")
        assert (told.status, told.json) == (200, {"items": items, "version": 1})
        assert told.headers["etag"] == '"1"'
    world.ask("PATCH", at, {"fallbacks": None})
    assert world.ask("GET", f"{at}/fallbacks").json == {"items": [], "version": 2}


@pytest.mark.parametrize("part", ["targets", "fallbacks"])
def test_one_is_added_at_the_end(part: str) -> None:
    world, more = World(), ECHO | {"model": "echo"}
    told = world.ask("POST", f"{three(world)}/{part}", more)
    expected: Json = {"targets": [ECHO, GPT], "fallbacks": [XAI]}
    expected[part] = [*expected[part], more]
    assert told.status == 201
    assert ageless(told.json) == {"name": "e", "version": 2, "created": NOW, **expected}


def test_one_is_changed_where_it_stands() -> None:
    world = World()
    at = three(world)
    told = world.version("PATCH", f"{at}/targets/1", {"weight": 3, "price": PRICE}, '"1"')
    changed = GPT | {"weight": 3, "price": PRICE}
    assert (told.status, told.json["targets"]) == (200, [ECHO, changed])
    told = world.version("PATCH", f"{at}/targets/1", {"weight": None}, '"2"')
    assert told.json["targets"] == [ECHO, GPT | {"price": PRICE}]


PRICE: Json = {"input": 1, "output": 2, "cache_read": 0.5}


@pytest.mark.parametrize(
    ("price", "left"),
    [
        ({"input": 9}, PRICE | {"input": 9}),
        ({"cache_read": None}, {"input": 1, "output": 2}),
        (None, None),
    ],
)
def test_a_price_is_patched_too(price: Json | None, left: Json | None) -> None:
    world = World()
    world.make_endpoint(targets=[ECHO | {"price": PRICE}])
    told = world.version("PATCH", "/api/endpoints/e/targets/0", {"price": price}, '"1"')
    assert told.json["targets"][0].get("price") == left


def test_one_is_taken_out() -> None:
    world = World()
    at = three(world)
    told = world.version("DELETE", f"{at}/targets/0", b"", '"1"')
    assert (told.status, told.json["targets"]) == (200, [GPT])
    assert "fallbacks" not in world.version("DELETE", f"{at}/fallbacks/0", b"", '"2"').json


def test_the_last_target_stays() -> None:
    world = World()
    world.make_endpoint()
    told = world.version("DELETE", "/api/endpoints/e/targets/0", b"", '"1"')
    assert refusal(told)[:2] == (400, "targets")
    assert world.ask("GET", "/api/endpoints/e").json["version"] == 1


@pytest.mark.parametrize("part", ["targets", "fallbacks"])
@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_a_place_means_nothing_without_its_version(method: str, part: str) -> None:
    world = World()
    at = f"{three(world)}/{part}/0"
    for headers in ({}, {"if-match": "*"}):
        assert refusal(world.ask(method, at, {}, headers=headers)) == (400, "if-match", NEEDED)
    stale = world.ask(method, at, {}, headers={"if-match": '"7"'})
    message = "endpoint 'e' is at version 1, not 7: read it again"
    assert (stale.status, stale.json["error"]["message"]) == (409, message)
    assert world.ask("GET", "/api/endpoints/e").json["version"] == 1


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_a_place_that_is_not_there_is_a_404(method: str) -> None:
    world = World()
    told = world.version(method, f"{three(world)}/targets/2", {}, '"1"')
    assert refusal(told) == (404, "targets", "targets[2] is not there: it has 2")


@pytest.mark.parametrize("place", ["-1", "x", "1.5", "", "%31"])
def test_what_is_no_place_is_no_path(place: str) -> None:
    world = World()
    assert world.version("PATCH", f"{three(world)}/targets/{place}", {}, '"1"').status == 404


@pytest.mark.parametrize("place", ["9" * 30, "9" * 5000])
def test_a_place_beyond_all_is_a_404_and_no_fault_of_ours(place: str) -> None:
    world = World()
    assert world.version("PATCH", f"{three(world)}/targets/{place}", {}, '"1"').status == 404


def test_what_is_added_is_checked_with_the_rest() -> None:
    world = World()
    told = world.ask("POST", f"{three(world)}/targets", GPT | {"secret": "vault:no"})
    problem = "there is no secret 'no': `sluicegate secrets put no` first"
    assert refusal(told) == (400, "targets[2].secret", f"targets[2].secret: {problem}")
    assert world.ask("GET", "/api/endpoints/e").json["version"] == 1


def test_a_key_stays_with_its_host_when_the_target_moves() -> None:
    world = World()
    world.put_secret()
    world.make_endpoint(targets=[GPT | {"secret": "vault:openai"}])
    moved = {"base_url": "https://elsewhere.example"}
    told = world.version("PATCH", "/api/endpoints/e/targets/0", moved, '"1"')
    assert refusal(told)[:2] == (400, "targets[0].secret")

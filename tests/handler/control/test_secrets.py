"""Providers' keys over HTTP: entered, bound to one origin, and never read again."""

from typing import Any

import pytest

from gateway.wire.json import Json
from tests.handler.control.world import ECHO, GPT, NOW, World, ageless, faults, refusal, whole

VALUE = "sk-0123456789abcdef"
SHOWN: Json = {
    "name": "openai",
    "version": 2,
    "origin": "https://api.openai.com",
    "tail": "…cdef",
    "created": NOW,
    "updated": NOW,
    "used_by": [],
}
OPENAI = "https://api.openai.com"


def test_a_secret_is_entered_and_its_value_never_told() -> None:
    world = World()
    told = world.put_secret(value=VALUE)
    assert (told.status, ageless(told.json), told.headers["etag"]) == (200, SHOWN, '"2"')
    assert ageless(world.ask("GET", "/api/secrets/openai").json) == SHOWN
    assert ageless(world.ask("GET", "/api/secrets").json) == {"items": [SHOWN], "next": None}
    assert world.vault.entries == {"openai": (VALUE, OPENAI)}
    assert VALUE not in str(whole(world.items))  # type: ignore[arg-type]


def test_of_a_short_secret_nothing_is_told() -> None:
    assert World().put_secret(value="short").json["tail"] == "…"


@pytest.mark.parametrize(
    ("told", "origin"),
    [
        ({"provider": "xai"}, "https://api.x.ai"),
        ({"base_url": "https://LLM.example.com:443/v1/"}, "https://llm.example.com"),
        ({"base_url": "http://10.0.0.1:8080/v1"}, "http://10.0.0.1:8080"),
        ({"provider": "azure", "base_url": "https://me.openai.azure.com/"}, "https://me.openai.azure.com"),
    ],
)  # fmt: skip
def test_a_secret_is_bound_to_where_it_goes(told: Json, origin: str) -> None:
    world = World()
    assert world.ask("PUT", "/api/secrets/s", {"value": VALUE, **told}).json["origin"] == origin
    assert world.vault.entries == {"s": (VALUE, origin)}


def test_another_value_stays_where_the_first_was() -> None:
    world = World()
    world.put_secret()
    told = world.ask("PUT", "/api/secrets/openai", {"value": "sk-another-0123456"})
    assert ageless(told.json) == SHOWN | {"version": 4, "tail": "…3456"}
    assert world.vault.entries == {"openai": ("sk-another-0123456", OPENAI)}


UNBOUND = "is required, or base_url: a secret goes to one provider and nowhere else"


@pytest.mark.parametrize(
    ("spec", "field", "problem"),
    [
        ({}, "value", "is required"),
        ({"value": None, "provider": "openai"}, "value", "is required"),
        ({"provider": "xai"}, "value", "is required"),
        ({"value": ""}, "value", "String should have at least 1 character"),
        ({"value": VALUE}, "provider", UNBOUND),
        ({"value": VALUE, "provider": "opnai"}, "provider", "unknown provider 'opnai'; did you mean 'openai'?"),
        ({"value": VALUE, "provider": "openai_compatible"}, "base_url", "is required for openai_compatible: it has no address of its own"),
        ({"value": f"{VALUE}\r\nx: y"}, "value", "holds characters that it may not; endpoints.example.yaml has one"),
        ({"value": VALUE, "base_url": "http://169.254.169.254"}, "base_url", "points at a metadata service (169.254.169.254)"),
        ({"value": VALUE, "origin": OPENAI}, "origin", "is no field here; endpoints.example.yaml shows those there are"),
    ],
)  # fmt: skip
def test_a_bad_secret_is_refused_by_its_field(spec: Json, field: str, problem: str) -> None:
    world = World()
    told = world.ask("PUT", "/api/secrets/new", spec)
    assert refusal(told) == (400, field, f"{field}: {problem}")
    assert faults(told) == {field: problem}
    assert VALUE.encode() not in told.body
    assert world.vault.entries == {}
    assert world.ask("GET", "/api/secrets").json["items"] == []


def test_a_value_of_a_wrong_type_is_not_said_back() -> None:
    for value in ([VALUE], {"sk": VALUE}, 5):
        told = World().ask("PUT", "/api/secrets/s", {"value": value, "provider": "openai"})
        assert refusal(told)[:2] == (400, "value")
        assert VALUE.encode() not in told.body


@pytest.mark.parametrize("name", [".a", "-a", "a b", "x" * 129, "é"])
def test_a_bad_name_is_refused(name: str) -> None:
    spec = {"value": VALUE, "provider": "openai"}
    assert refusal(World().ask("PUT", f"/api/secrets/{name}", spec))[:2] == (400, "name")


def used(world: World, **more: Any) -> None:
    world.put_secret()
    world.make_endpoint("a", targets=[GPT | {"secret": "vault:openai"}], **more)
    world.make_endpoint("b", targets=[ECHO], fallbacks=[GPT | {"secret": "vault:openai"}])


def test_what_uses_a_secret_is_told_and_keeps_it() -> None:
    world = World()
    used(world)
    assert world.ask("GET", "/api/secrets/openai").json["used_by"] == ["a", "b"]
    told = world.ask("DELETE", "/api/secrets/openai")
    message = "secret 'openai' is used by a, b: change them first"
    assert (*refusal(told), told.json["error"]["code"]) == (409, "name", message, "in_use")
    assert world.vault.entries == {"openai": (VALUE, OPENAI)}


def test_what_nothing_uses_is_deleted_everywhere() -> None:
    world = World()
    used(world)
    for name in ("a", "b"):
        world.ask("DELETE", f"/api/endpoints/{name}")
    assert world.ask("DELETE", "/api/secrets/openai").status == 204
    assert world.vault.entries == {}
    assert world.ask("GET", "/api/secrets/openai").status == 404
    assert world.ask("DELETE", "/api/secrets/openai").status == 404


def test_a_secret_in_use_is_not_taken_elsewhere() -> None:
    """Its endpoints would fail at the next call, and nobody was told."""
    world = World()
    used(world)
    told = world.ask("PUT", "/api/secrets/openai", {"value": VALUE, "provider": "xai"})
    assert told.status == 409
    assert world.vault.entries == {"openai": (VALUE, OPENAI)}


def test_a_target_takes_the_secret_of_its_providers_name() -> None:
    world = World()
    world.put_secret()
    target = {"provider": "openai", "model": "gpt"}
    assert world.make_endpoint(targets=[target])["targets"] == [target | {"secret": "vault:openai"}]


def test_on_aws_no_variable_is_a_secret() -> None:
    world = World(variables="none")
    told = world.ask("POST", "/api/endpoints", {"name": "e", "targets": [GPT]})
    problem = "must be vault:NAME here: variables are for a gateway on one machine"
    assert refusal(told) == (400, "targets[0].secret", f"targets[0].secret: {problem}")
    told = world.ask("POST", "/api/endpoints", {"name": "e", "targets": [GPT | {"secret": None}]})
    problem = "there is no secret 'openai': `sluicegate secrets put openai` first"
    assert refusal(told) == (400, "targets[0].secret", f"targets[0].secret: {problem}")


@pytest.mark.parametrize("secret", ["file:openai", "env:PATH", "env:ANTHROPIC_API_KEY"])
def test_what_the_process_has_goes_only_where_it_usually_goes(secret: str) -> None:
    told = World().ask(
        "POST", "/api/endpoints", {"name": "e", "targets": [GPT | {"secret": secret}]}
    )
    assert refusal(told)[:2] == (400, "targets[0].secret")


@pytest.mark.parametrize("secret", ["openai", "vault:", "vault:a b", "arn:aws:x", "env:A\n", 5])
def test_what_is_no_reference_is_refused(secret: Any) -> None:
    told = World().ask(
        "POST", "/api/endpoints", {"name": "e", "targets": [GPT | {"secret": secret}]}
    )
    assert refusal(told)[:2] == (400, "targets[0].secret")

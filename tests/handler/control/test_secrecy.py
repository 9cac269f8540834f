"""What is secret stays so: in answers, in errors, in the log, in stores."""

import logging
from typing import Any

import pytest

from gateway.wire.json import Json, dumps
from tests.handler.control.world import ECHO, GPT, ROLE, World, whole
from tests.handler.driver import Told

PROVIDERS_KEY = "sk-CANARY-provider-0123456789"
ANOTHERS_KEY = "sk-CANARY-another-0123456789"
MISPLACED = "sk-CANARY-misplaced-01234567"


def a_life(world: World) -> list[tuple[str, str, Told]]:
    """Every row, well and badly asked, with a secret wherever one could be sent."""
    told = []

    def ask(method: str, path: str, body: Any = b"", **more: Any) -> Told:
        told.append((method, path, world.ask(method, path, body, **more)))
        return told[-1][2]

    value = {"value": PROVIDERS_KEY, "provider": "openai"}
    ask("PUT", "/api/secrets/openai", value)
    ask("PUT", "/api/secrets/openai", {"value": ANOTHERS_KEY})
    manifest: Json = {
        "secrets": {"team": {"value": PROVIDERS_KEY, "provider": "xai"}},
        "endpoints": {"m": {"targets": [ECHO]}},
    }
    ask("POST", "/api/plan", {"manifest": manifest})
    ask("POST", "/api/apply", {"manifest": manifest})
    ask("POST", "/api/endpoints", {"name": "e", "targets": [GPT | {"secret": "vault:openai"}]})
    ask("POST", "/api/endpoints/e/fallbacks", ECHO)
    for path, body in (
        ("/api/endpoints", {"name": "x", "targets": [GPT | {"secret": MISPLACED}]}),
        ("/api/endpoints", {"name": "x", "targets": [GPT | {"secret": f"vault:{MISPLACED}\n"}]}),
        ("/api/endpoints", {"name": "x", "targets": [GPT | {"base_url": f"https://u:{MISPLACED}@h"}]}),
        ("/api/endpoints", {"name": "x", "targets": [GPT | {"price": MISPLACED}]}),
        ("/api/keys", {"name": "x", "expires": MISPLACED}),
        ("/api/keys", {"name": "x", "principal": MISPLACED}),
        ("/api/keys", {"name": "x", "role": MISPLACED}),
        ("/api/apply", {"manifest": {"secrets": {"x": {"value": [MISPLACED]}}}}),
        ("/api/apply", {"manifest": {"secrets": {"x": MISPLACED}}}),
        ("/api/apply", {"manifest": {"secrets": {"x": {"value": f"{MISPLACED} "}}}}),
        ("/api/apply", {"manifest": {"secrets": {"x": {"value": MISPLACED}}}}),
        ("/api/apply", b'{"manifest": {"secrets": {"x": {"value": "' + MISPLACED.encode()),
    ):  # fmt: skip
        ask("POST", path, body)
    ask("PUT", "/api/secrets/x", {"value": MISPLACED, "provider": "nobody"})
    ask("PUT", "/api/secrets/x", {"value": f"{MISPLACED}\r\n", "provider": "openai"})
    for path in ("endpoints", "endpoints/e", "endpoints/e/targets", "keys", "keys/root", "secrets",
                 "secrets/openai", "secrets/team", "settings", "export", "openapi.json"):  # fmt: skip
        ask("GET", f"/api/{path}")
    ask("DELETE", "/api/secrets/openai")
    ask("DELETE", "/api/endpoints/e")
    ask("DELETE", "/api/secrets/openai")
    return told


def holding(text: str, *canaries: str) -> list[str]:
    return [canary for canary in canaries if canary in text]


def test_no_answer_of_any_route_tells_a_secret() -> None:
    told = a_life(World())
    found = {
        (method, path): holding(f"{answer.headers}{answer.body.decode()}", *CANARIES)
        for method, path, answer in told
    }
    assert {at: canaries for at, canaries in found.items() if canaries} == {}


CANARIES = (PROVIDERS_KEY, ANOTHERS_KEY, MISPLACED)


def test_a_password_in_an_address_is_not_said_back() -> None:
    for entry in (f"https://u:{MISPLACED}@h", f"u:{MISPLACED}@10.0.0.1"):
        told = World().ask("PATCH", "/api/settings", {"allow_private": [entry]})
        assert (told.status, holding(told.body.decode(), MISPLACED)) == (400, [])


def test_no_line_of_the_log_tells_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    with caplog.at_level(logging.DEBUG):
        a_life(world)
        key = world.make_key("k")
        other = world.ask("POST", "/api/keys/k/rotate").json["key"]
    assert holding(caplog.text, *CANARIES, world.admin, key, other) == []
    assert "root: PUT /api/secrets/openai, 200" in caplog.messages


def test_no_item_of_the_store_tells_a_secret() -> None:
    world = World()
    a_life(world)
    key = world.make_key("k")
    assert holding(str(whole(world.items)), *CANARIES, world.admin, key) == []  # type: ignore[arg-type]


def test_what_is_told_of_a_secret_does_not_let_it_be_guessed() -> None:
    """Neither its fingerprint nor a fast hash of it goes out."""
    world = World()
    world.put_secret()
    kept = whole(world.items)["secret/openai"][0]["fingerprint"]  # type: ignore[arg-type]
    for path in ("secrets", "secrets/openai", "export"):
        assert kept.encode() not in world.ask("GET", f"/api/{path}").body


def test_each_change_is_one_line_with_who_and_what(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    with caplog.at_level(logging.INFO, "sluicegate.control"):
        world.make_endpoint(retries={"times": 3})
        world.ask("PATCH", "/api/endpoints/e", {"retries": None})
        world.make_key("k", owner="Ann")
        world.ask("GET", "/api/keys")
        world.ask("POST", "/api/endpoints", {"name": "e", "targets": [ECHO]})
        world.ask("DELETE", "/api/keys/k")
    assert caplog.messages == [
        "root: POST /api/endpoints, 201",
        "root: PATCH /api/endpoints/e, 200",
        "root: POST /api/keys, 201",
        "root: DELETE /api/keys/k, 204",
    ]


@pytest.mark.parametrize("name", ["a\r\nroot: DELETE /api/keys/x, 204", "a\n", "a\x1b[2J", "é"])
def test_nobody_writes_a_line_of_their_own(name: str, caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    with caplog.at_level(logging.DEBUG):
        world.ask("POST", "/api/endpoints", {"name": name, "targets": [ECHO]})
        world.ask("PUT", f"/api/endpoints/{name}", {"targets": [ECHO]})
        world.ask("DELETE", f"/api/endpoints/{name}")
        world.ask("POST", "/api/keys", {"name": name})
        world.ask("POST", "/api/keys", {"name": "k", "owner": name})
        world.ask("PUT", f"/api/secrets/{name}", {"value": "v", "provider": "openai"})
    assert [line for line in caplog.text.splitlines() if "DELETE /api/keys/x" in line] == []
    assert [char for message in caplog.messages for char in message if char < " "] == []


def test_what_a_key_may_do_is_not_wider_than_it_was_told() -> None:
    """A caller's key stays one: no field of a request makes it more."""
    world = World()
    caller = {"authorization": f"Bearer {world.make_key('k')}"}
    for body in ({"role": "admin"}, {"roles": ["admin"]}, {"endpoints": None}):
        assert world.ask("PATCH", "/api/keys/k", body, headers=caller).status == 403
    assert (
        world.ask("POST", "/api/keys", {"name": "x", "role": "admin"}, headers=caller).status == 403
    )
    assert (
        world.ask("POST", "/api/keys", {"name": "x", "principal": ROLE}, headers=caller).status
        == 403
    )
    assert [one["name"] for one in world.ask("GET", "/api/keys").json["items"]] == ["k", "root"]


def test_who_may_not_enter_is_refused_before_the_body_is_read() -> None:
    world = World()
    told = world.ask(
        "PUT", "/api/secrets/x", dumps({"value": "v"}) + b"{", headers={"authorization": ""}
    )
    assert told.status == 401
    huge = world.ask("POST", "/api/apply", b" " * 5_000_000, headers={"authorization": ""})
    assert huge.status == 401

"""A store or a vault that fails in the middle: a 503 that says so, and nothing half-written."""

from pathlib import Path
from typing import Any

import pytest

from gateway.adapters.local_vault import LocalVault
from gateway.wire.json import Json
from tests.handler.control.world import ECHO, GPT, FailingItems, World, faults, whole

OF_A_SECRET = ("PUT", "/api/secrets/openai", {"value": "sk-another-0123456"})
MANIFEST: Json = {"endpoints": {"n": {"targets": [ECHO]}}, "secrets": {"openai": {"value": "sk-n"}}}
APPLIED = ("POST", "/api/apply", {"manifest": MANIFEST})
READS = [
    "endpoints",
    "endpoints/e",
    "endpoints/e/targets",
    "keys",
    "keys/k",
    "secrets",
    "settings",
    "export",
]
WRITES: list[tuple[str, str, Any]] = [
    ("POST", "/api/endpoints", {"name": "n", "targets": [ECHO]}),
    ("PUT", "/api/endpoints/e", {"targets": [GPT]}),
    ("PATCH", "/api/endpoints/e", {"retries": {"times": 1}}),
    ("DELETE", "/api/endpoints/e", b""),
    ("POST", "/api/endpoints/e/targets", GPT),
    ("POST", "/api/keys", {"name": "n"}),
    ("PATCH", "/api/keys/k", {"owner": "o"}),
    ("POST", "/api/keys/k/rotate", b""),
    ("DELETE", "/api/keys/k", b""),
    ("PATCH", "/api/settings", {"allow_private": ["10.0.0.1"]}),
    OF_A_SECRET,
    ("DELETE", "/api/secrets/openai", b""),
    APPLIED,
]


def ready() -> tuple[World, FailingItems]:
    items = FailingItems()
    world = World(items=items)
    world.make_endpoint()
    world.make_key("k")
    world.put_secret()
    world.ask("GET", "/api/settings")  # the admin's grant is remembered from here on
    return world, items


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
def test_a_store_that_does_not_write_stays_as_it_was_and_asking_again_heals(
    method: str, path: str, body: Any
) -> None:
    world, items = ready()
    before = whole(items)
    items.down = {"write"}
    told = world.ask(method, path, body)
    assert (told.status, told.json["error"]["message"]) == (503, "the store is down")
    assert b"sgk_" not in told.body
    assert whole(items) == before
    items.down = set()
    assert world.ask(method, path, body).status in (200, 201, 204)


@pytest.mark.parametrize("way", ["get", "page"])
@pytest.mark.parametrize("path", READS)
def test_a_store_that_cannot_be_read_is_a_503_or_does_not_matter(path: str, way: str) -> None:
    world, items = ready()
    items.down = {way}
    assert world.ask("GET", f"/api/{path}").status in (200, 503)
    items.down = {"get", "page"}
    assert world.ask("GET", f"/api/{path}").status == 503


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
def test_a_store_that_cannot_be_read_is_not_written(method: str, path: str, body: Any) -> None:
    world, items = ready()
    before, kept = whole(items), dict(world.vault.entries)
    items.down = {"get", "page"}
    if path not in ("/api/endpoints", "/api/keys"):  # what is new there reads nothing first
        assert world.ask(method, path, body).status == 503
        assert (whole(items), world.vault.entries) == (before, kept)


OF_A_NEW_ONE = ("PUT", "/api/secrets/new", {"value": "sk-new-0123456789", "provider": "xai"})
ALL_NEW: Json = {
    "endpoints": {"n": {"targets": [ECHO]}, "e": {"targets": [GPT]}},
    "keys": {"n": {}, "k": {"owner": "o"}},
    "secrets": {"new": {"value": "sk-n", "provider": "xai"}},
}


@pytest.mark.parametrize(
    ("method", "path", "body"), [OF_A_NEW_ONE, ("POST", "/api/apply", {"manifest": ALL_NEW})]
)
def test_a_vault_that_does_not_take_a_new_secret_leaves_everything_as_it_was(
    method: str, path: str, body: Any
) -> None:
    world, items = ready()
    before, kept = bodies(items), dict(world.vault.entries)
    world.vault.down = True
    told = world.ask(method, path, body)
    assert (told.status, told.json["error"]["message"]) == (503, "the vault is down")
    assert b"sgk_" not in told.body
    assert (bodies(items), world.vault.entries) == (before, kept)
    world.vault.down = False
    assert world.ask(method, path, body).status == 200


@pytest.mark.parametrize(("method", "path", "body"), [OF_A_SECRET, APPLIED])
def test_a_vault_that_does_not_take_another_value_leaves_all_but_the_knowledge_of_which(
    method: str, path: str, body: Any
) -> None:
    world, items = ready()
    before = whole(items)
    secret, version = before["secret/openai"]
    del secret["fingerprint"]
    world.vault.down = True
    told = world.ask(method, path, body)
    assert (told.status, told.json["error"]["message"]) == (503, "the vault is down")
    assert whole(items) == before | {"secret/openai": (secret, version + 2)}
    world.vault.down = False
    kept = world.ask("POST", "/api/plan", {"manifest": {"secrets": {"openai": {}}}})
    problem = "is required: it did not come to be kept"
    assert faults(kept) == {"secrets.openai.value": problem}
    assert world.ask(method, path, body).status == 200
    assert world.ask("POST", "/api/plan", {"manifest": {"secrets": {"openai": {}}}}).status == 200


def bodies(items: FailingItems) -> Json:
    return {at: body for at, (body, _) in whole(items).items()}


def test_a_deletion_that_the_vault_failed_can_be_finished() -> None:
    """Else the value stays in the vault for good, and nothing shows it."""
    world, _ = ready()
    world.vault.down = True
    assert world.ask("DELETE", "/api/secrets/openai").status == 503
    world.vault.down = False
    assert world.ask("DELETE", "/api/secrets/openai").status == 204
    assert world.vault.entries == {}


def test_a_pruning_that_the_vault_failed_can_be_finished() -> None:
    world, _ = ready()
    prune = {"manifest": {"secrets": {}}, "prune": True}
    world.vault.down = True
    assert world.ask("POST", "/api/apply", prune).json["unfinished"] == ["the vault is down"]
    world.vault.down = False
    assert world.ask("POST", "/api/apply", prune).json["unfinished"] == []
    assert world.vault.entries == {}


def test_someone_who_writes_between_plan_and_apply_makes_it_a_409_with_nothing_entered() -> None:
    world, items = ready()
    kept = dict(world.vault.entries)
    items.meanwhile = True
    told = world.ask(*APPLIED)
    assert told.status == 409
    assert world.vault.entries == kept


def test_a_secrets_file_that_cannot_be_written_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    items, file = FailingItems(), tmp_path / "secrets.json"
    world = World(items=items, vault=LocalVault({}, file))  # type: ignore[arg-type]
    world.make_key("k")
    before = whole(items)
    file.mkdir()
    told = world.put_secret()
    message = f"the secrets file {file} cannot be read"
    assert (told.status, told.json["error"]["message"]) == (503, message)
    assert whole(items) == before
    file.rmdir()
    assert world.put_secret().status == 200

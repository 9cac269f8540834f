"""Many writers at once: nobody's change is lost."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters.memory import MemoryItems
from gateway.adapters.sqlite import SqliteItems
from gateway.admin.keys import governs
from gateway.admission.keys import read_key
from gateway.ports import Item, ItemStore, Kind
from gateway.wire.json import Json
from tests.fakes import run
from tests.handler.control.world import ECHO, KeptVault, World
from tests.handler.driver import Told

MANY = 64


class Interleaved(MemoryItems):
    """Lets others in between reading and writing, as a store over a network does."""

    async def get(self, kind: Kind, name: str) -> Item | None:
        item = await super().get(kind, name)
        await asyncio.sleep(0)
        return item


@pytest.fixture(params=["memory", "sqlite"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    items: ItemStore = Interleaved()
    if request.param == "sqlite":
        items = SqliteItems(tmp_path / "gateway.db")
    return World(items=items)


def all_at_once(world: World, *asked: tuple[str, str, Any]) -> list[Told]:
    async def work() -> list[Told]:
        return await asyncio.gather(*(world.asked(*one) for one in asked))

    return run(work())


def test_patches_of_different_fields_lose_nothing(world: World) -> None:
    world.make_endpoint()
    fields: list[Json] = [
        {"retries": {"times": 3}},
        {"retries": {"first_pause": 1}},
        {"retries": {"longest_pause": 9}},
        {"timeouts": {"first_content": 11}},
        {"timeouts": {"idle": 12}},
        {"timeouts": {"commit_after": 13}},
        {"timeouts": {"heartbeat": 14}},
        {"fallbacks": [ECHO | {"model": "b"}]},
    ]
    patches = [("PATCH", "/api/endpoints/e", fields[nth % 8]) for nth in range(MANY)]
    assert {one.status for one in all_at_once(world, *patches)} == {200}
    told = world.ask("GET", "/api/endpoints/e").json
    told.pop("created")
    assert told == {
        "name": "e",
        "version": MANY + 1,
        "targets": [ECHO],
        "fallbacks": [ECHO | {"model": "b"}],
        "retries": {"times": 3, "first_pause": 1.0, "longest_pause": 9.0},
        "timeouts": {"first_content": 11.0, "idle": 12.0, "commit_after": 13.0, "heartbeat": 14.0},
    }


def test_targets_that_are_added_at_once_are_all_there(world: World) -> None:
    world.make_endpoint()
    models = [f"m{nth}" for nth in range(31)]
    adds = [("POST", "/api/endpoints/e/targets", ECHO | {"model": model}) for model in models]
    assert {one.status for one in all_at_once(world, *adds)} == {201}
    first, *others = world.ask("GET", "/api/endpoints/e/targets").json["items"]
    assert first == ECHO
    assert sorted(one["model"] for one in others) == sorted(models)


def test_of_many_who_change_one_version_one_does(world: World) -> None:
    world.make_endpoint()

    async def work() -> list[Told]:
        patches = (
            world.asked("PATCH", "/api/endpoints/e", {"retries": {"times": nth % 10}}, headers=SEEN)
            for nth in range(MANY)
        )
        return await asyncio.gather(*patches)

    statuses = sorted(one.status for one in run(work()))
    assert statuses == [200, *[409] * (MANY - 1)]
    assert world.ask("GET", "/api/endpoints/e").json["version"] == 2


SEEN = {"if-match": '"1"'}


def test_of_many_who_make_one_name_one_does(world: World) -> None:
    makes = [("POST", "/api/keys", {"name": "k", "owner": f"o{nth}"}) for nth in range(16)]
    told = all_at_once(world, *makes)
    assert sorted(one.status for one in told) == [201, *[409] * 15]
    (made,) = [one.json for one in told if one.status == 201]
    assert world.ask("GET", "/api/keys/k").json["owner"] == made["owner"]
    assert [one for one in told if one.status != 201 and b"sgk_" in one.body] == []


def test_two_admin_keys_that_revoke_each_other_do_not_both_go(world: World) -> None:
    world.make_key("other", role="admin")
    revocations = [("DELETE", f"/api/keys/{name}", b"") for name in ("root", "other")]
    assert sorted(one.status for one in all_at_once(world, *revocations)) == [204, 409]


@pytest.mark.parametrize("spec", [{"role": "caller"}, {"role": "admin", "disabled": True}])
@pytest.mark.parametrize("turn", [1, -1])
def test_a_manifest_and_a_revocation_do_not_take_an_admin_key_each(
    world: World, spec: Json, turn: int
) -> None:
    world.make_key("other", role="admin")
    both: list[tuple[str, str, Any]] = [
        ("POST", "/api/apply", {"manifest": {"keys": {"other": spec}}}),
        ("DELETE", "/api/keys/root", b""),
    ]
    applied, revoked = all_at_once(world, *both[::turn])[::turn]
    keys = [read_key(item.body) for item in run(world.items.page("key")).items]
    left = [key.name for key in keys if governs(key, 0)]
    assert (applied.status, revoked.status, left) in (
        (200, 409, ["root"]),
        (409, 204, ["other"]),
        (400, 204, ["other"]),  # it was planned after the revocation
    )


class HeldVault(KeptVault):
    """Takes a value, tells so, and comes back only when it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.taken = {value: asyncio.Event() for value in BOTH}
        self.let_go = {value: asyncio.Event() for value in BOTH}

    async def put(self, name: str, value: str, origin: str) -> None:
        await super().put(name, value, origin)
        if value in BOTH:
            self.taken[value].set()
            await self.let_go[value].wait()


ENTERED = {"if-match": '"2"'}  # what was entered once
BOTH = ("sk-first-0123456789", "sk-second-012345678")


def test_a_secret_that_is_refused_for_its_version_is_not_put_in_the_vault() -> None:
    vault = HeldVault()
    world = World(vault=vault)
    world.put_secret()

    async def work() -> list[int]:
        asked = []
        for value in BOTH:
            put = world.asked("PUT", "/api/secrets/openai", {"value": value}, headers=ENTERED)
            asked.append(asyncio.ensure_future(put))
            taken = asyncio.ensure_future(vault.taken[value].wait())
            await asyncio.wait({asked[-1], taken}, return_when=asyncio.FIRST_COMPLETED)
            taken.cancel()
        statuses = []
        for value, answer in zip(BOTH, asked, strict=True):
            vault.let_go[value].set()
            statuses.append((await answer).status)
        return statuses

    assert run(work()) == [200, 409]
    told = world.ask("GET", "/api/secrets/openai").json
    assert (told["version"], told["tail"]) == (4, f"…{BOTH[0][-4:]}")
    assert world.vault.entries["openai"][0] == BOTH[0]
    assert [vault.taken[value].is_set() for value in BOTH] == [True, False]

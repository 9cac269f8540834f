"""Secrets: of the value the vault alone knows, of the rest the store."""

from collections.abc import Awaitable, Callable, Sequence

import pytest

from gateway.adapters.memory import MemoryItems
from gateway.admin.means import fingerprint, is_fingerprint_of, masked
from gateway.errors import ChangedMeanwhile, Conflict, Invalid, NotFound, Unavailable
from gateway.ports import Change
from gateway.wire.json import Json
from tests.admin.world import ECHO, GPT, KeptVault, Overtaken, World
from tests.fakes import run

VALUE, OTHER = "sk-0123456789abcdef", "sk-another-0123456"
OPENAI, XAI = "https://api.openai.com", "https://api.x.ai"
SPEC: Json = {"value": VALUE, "provider": "openai"}


def put(world: World, version: int | None = None, **spec: str) -> Json:
    return run(world.secrets.put("openai", SPEC | spec, version=version))


def test_what_is_kept_of_a_secret() -> None:
    world = World()
    assert put(world) == {
        "name": "openai",
        "version": 2,
        "origin": OPENAI,
        "tail": "…cdef",
        "created": 1000,
        "updated": 1000,
        "used_by": [],
    }
    (body, _) = world.held()["secret/openai"]
    assert is_fingerprint_of(VALUE, body.pop("fingerprint"))
    assert body == {"origin": OPENAI, "tail": "…cdef", "created": 1000, "updated": 1000}
    assert world.vault.entries == {"openai": (VALUE, OPENAI)}


def test_a_fingerprint_is_salted_and_of_the_whole_value() -> None:
    one, two = fingerprint(VALUE, b"a" * 16), fingerprint(VALUE, b"b" * 16)
    assert one != two
    assert [is_fingerprint_of(VALUE, told) for told in (one, two)] == [True, True]
    assert [is_fingerprint_of(value, one) for value in (VALUE[:-1], VALUE + "x", "")] == [False] * 3


@pytest.mark.parametrize(
    ("secret", "told"), [(VALUE, "…cdef"), ("x" * 15, "…"), ("x" * 16, "…xxxx"), ("", "…")]
)
def test_of_a_short_secret_no_part_is_shown(secret: str, told: str) -> None:
    assert masked(secret) == told


def test_another_value_keeps_its_age_and_its_origin() -> None:
    world = World()
    put(world)
    world.clock.now = 2000
    told = run(world.secrets.put("openai", {"value": "sk-another-0123456"}, version=2))
    assert told == {
        "name": "openai",
        "version": 4,
        "origin": OPENAI,
        "tail": "…3456",
        "created": 1000,
        "updated": 2000,
        "used_by": [],
    }


def test_another_version_than_there_is_puts_nothing_in_the_vault() -> None:
    world = World()
    put(world)
    with pytest.raises(ChangedMeanwhile):
        put(world, version=5, value="sk-another-0123456")
    with pytest.raises(NotFound):
        run(world.secrets.put("absent", SPEC, version=1))
    assert world.vault.entries == {"openai": (VALUE, OPENAI)}


@pytest.mark.parametrize(
    ("spec", "fault"),
    [
        ({"provider": "openai"}, ("value", "is required")),
        ({"provider": "xai"}, ("value", "is required")),
        ({}, ("value", "is required")),
    ],
)
def test_another_origin_needs_the_value(spec: Json, fault: tuple[str, str]) -> None:
    world = World()
    put(world)
    with pytest.raises(Invalid) as refused:
        run(world.secrets.put("openai", spec, version=None))
    assert refused.value.faults == (fault,)


def test_a_vault_that_does_not_take_a_new_value_leaves_no_item() -> None:
    world = World()
    world.vault.down = True
    with pytest.raises(Unavailable, match="the vault is down"):
        put(world)
    assert (world.held(), world.vault.entries) == ({}, {})


def test_a_vault_that_does_not_take_another_value_leaves_it_in_doubt_which_there_is() -> None:
    world = World()
    put(world)
    (before, _) = world.held()["secret/openai"]
    world.vault.down = True
    world.clock.now = 2000
    with pytest.raises(Unavailable, match="the vault is down"):
        put(world, version=2, value=OTHER)
    del before["fingerprint"]
    assert world.held() == {"secret/openai": (before, 4)}
    world.vault.down = False
    assert put(world, version=4, value=OTHER)["version"] == 6
    assert world.plan({"secrets": {"openai": {"value": OTHER}}}) == []


def test_the_store_is_told_before_the_vault_and_of_the_fingerprint_after_it() -> None:
    world, seen = World(), list[object]()

    class Watched(MemoryItems):
        async def write(self, changes: Sequence[Change]) -> None:
            (change,) = changes
            seen.append((change.expected, "fingerprint" in (change.body or {}), entered()))
            await super().write(changes)

    def entered() -> list[str]:
        return [value for value, _ in world.vault.entries.values()]

    world = World(items=Watched())
    put(world)
    put(world, value=OTHER)
    assert seen == [(0, False, []), (1, True, [VALUE]), (2, False, [VALUE]), (3, True, [OTHER])]


class Slow(KeptVault):
    """``first``: what others do before it takes the next value."""

    first: Callable[[], Awaitable[object]] | None = None

    async def put(self, name: str, value: str, origin: str) -> None:
        first, self.first = self.first, None
        if first is not None:
            await first()
        await super().put(name, value, origin)


def entering(world: World, value: str, version: int | None = None) -> Callable[[], Awaitable[Json]]:
    return lambda: world.secrets.put("openai", SPEC | {"value": value}, version=version)


def test_whoever_is_refused_for_the_version_never_reaches_the_vault() -> None:
    vault = Slow()
    world, refused = World(vault=vault), list[str]()
    put(world)

    async def too_late() -> None:
        try:
            await entering(world, "sk-too-late-01234567", version=2)()
        except ChangedMeanwhile as error:
            refused.append(error.message)
        assert vault.entries == {"openai": (VALUE, OPENAI)}

    vault.first = too_late
    assert put(world, version=2, value=OTHER)["version"] == 4
    assert refused == ["secret 'openai' is at version 3, not 2: read it again"]
    assert vault.entries == {"openai": (OTHER, OPENAI)}


def test_a_claim_that_is_overtaken_never_reaches_the_vault() -> None:
    items = Overtaken()
    world = World(items=items)
    put(world)
    items.first = entering(world, OTHER)
    with pytest.raises(ChangedMeanwhile):
        put(world, version=2, value="sk-too-late-01234567")
    assert world.vault.entries == {"openai": (OTHER, OPENAI)}
    assert world.plan({"secrets": {"openai": {"value": OTHER}}}) == []


def test_of_two_values_at_once_the_fingerprint_is_of_the_one_in_the_vault_or_of_none() -> None:
    """Else a plan would find the other one there, and never enter it again."""
    vault = Slow()
    world = World(vault=vault)
    put(world)
    vault.first = entering(world, OTHER)  # both were claimed; the first one is entered last
    with pytest.raises(ChangedMeanwhile, match="enter it again"):
        put(world, value="sk-entered-last-0123")
    assert vault.entries == {"openai": ("sk-entered-last-0123", OPENAI)}
    assert world.plan({"secrets": {"openai": {"value": OTHER}}}) == ["update secret openai"]


def test_what_uses_a_secret_is_told_once_each() -> None:
    world = World()
    put(world)
    twice: Json = {"targets": [GPT, GPT | {"model": "b"}], "fallbacks": [GPT | {"model": "c"}]}
    run(world.endpoints.create("b", twice))
    run(world.endpoints.create("a", {"targets": [GPT]}))
    run(world.endpoints.create("c", {"targets": [ECHO]}))
    assert run(world.secrets.show("openai"))["used_by"] == ["a", "b"]
    with pytest.raises(Conflict, match="secret 'openai' is used by a, b: change them first"):
        run(world.secrets.delete("openai", version=None))


def test_what_nothing_uses_is_deleted_in_both_places() -> None:
    world = World()
    put(world)
    with pytest.raises(ChangedMeanwhile):
        run(world.secrets.delete("openai", version=1))
    assert world.vault.entries == {"openai": (VALUE, OPENAI)}
    run(world.secrets.delete("openai", version=2))
    assert (world.held(), world.vault.entries) == ({}, {})


def test_a_secret_without_a_target_told_takes_the_one_of_the_providers_name() -> None:
    world = World()
    put(world)
    target = {"provider": "openai", "model": "gpt"}
    told = run(world.endpoints.create("e", {"targets": [target]}))
    assert told["targets"] == [target | {"secret": "vault:openai"}]
    bare = run(World().endpoints.create("e", {"targets": [target]}))
    assert bare["targets"] == [target | {"secret": "env:OPENAI_API_KEY"}]


def test_the_same_secret_goes_to_no_second_provider() -> None:
    world = World()
    put(world)
    with pytest.raises(Invalid) as refused:
        run(world.endpoints.create("e", {"targets": [GPT | {"provider": "xai"}]}))
    problem = f"'openai' was entered for {OPENAI}: enter it again for {XAI}"
    assert refused.value.faults == (("targets[0].secret", problem),)

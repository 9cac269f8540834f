"""Keys of a manifest: somebody can still configure the gateway when it is applied."""

import pytest

from gateway.errors import ChangedMeanwhile, Conflict, Invalid
from gateway.wire.json import Json
from tests.admin.world import ROLE, Overtaken, World
from tests.fakes import run


def admins(world: World) -> list[str]:
    return [
        at.partition("/")[2]
        for at, (body, _) in world.held().items()
        if at.startswith("key/") and body.get("role") == "admin" and not body.get("disabled")
    ]


@pytest.mark.parametrize(
    ("manifest", "prune"),
    [
        ({"keys": {}}, True),
        ({"keys": {"a": {"role": "admin", "disabled": True}, "b": {"role": "caller"}}}, False),
        ({"keys": {"a": {"role": "caller"}}}, True),
    ],
)
def test_a_manifest_that_takes_every_admin_key_is_refused(manifest: Json, prune: bool) -> None:
    world = World()
    for name in ("a", "b"):
        world.key(name, role="admin")
    with pytest.raises((Invalid, Conflict), match="admin key"):
        world.apply(manifest, prune=prune)
    assert admins(world) == ["a", "b"]


def test_a_manifest_may_put_one_admin_key_in_the_place_of_another() -> None:
    world = World()
    world.key("old", role="admin")
    manifest = {"keys": {"new": {"role": "admin"}}}
    assert world.apply(manifest, prune=True) == ["create key new", "delete key old"]
    assert admins(world) == ["new"]


def test_an_admin_key_that_stays_is_written_as_it_is_when_another_goes() -> None:
    world = World()
    for name in ("a", "b", "c"):
        world.key(name, role="admin")
    before = world.held()
    manifest: Json = {
        "keys": {"a": {"role": "admin"}, "b": {"role": "caller"}, "c": {"role": "admin"}}
    }
    assert world.apply(manifest) == ["update key b"]
    body, version = before["key/a"]
    assert world.held()["key/a"] == (body, version + 1)
    assert world.held()["key/c"] == before["key/c"]


@pytest.mark.parametrize(
    ("manifest", "prune"),
    [
        ({"keys": {"b": {"role": "admin"}}}, True),
        ({"keys": {"a": {"role": "caller"}}}, False),
        ({"keys": {"a": {"role": "admin", "disabled": True}}}, False),
        ({"keys": {"a": {"role": "admin", "expires": 1}}}, False),
    ],
)
def test_a_manifest_and_a_revocation_do_not_take_an_admin_key_each(
    manifest: Json, prune: bool
) -> None:
    """Whichever of them is the first to write."""
    overtaken = two_admins()
    overtaken.items.first = lambda: overtaken.keys.revoke("b", version=None)
    with pytest.raises(ChangedMeanwhile):
        overtaken.apply(manifest, prune=prune)
    assert admins(overtaken) == ["a"]

    overtaking = two_admins()
    overtaking.items.first = lambda: overtaking.manifests.apply(manifest, prune=prune)
    with pytest.raises(Conflict, match="'b' is the last admin key"):
        run(overtaking.keys.revoke("b", version=None))
    assert "b" in admins(overtaking)


def test_two_manifests_do_not_take_an_admin_key_each() -> None:
    world = two_admins()
    other: Json = {"keys": {"b": {"role": "caller"}}}
    world.items.first = lambda: world.manifests.apply(other, prune=False)
    with pytest.raises(ChangedMeanwhile):
        world.apply({"keys": {"a": {"role": "caller"}}})
    assert admins(world) == ["a"]


class Crowded(World):
    items: Overtaken


def two_admins() -> Crowded:
    world = Crowded(items=Overtaken())
    for name in ("a", "b"):
        world.key(name, role="admin")
    return world


def test_two_keys_of_one_manifest_do_not_share_a_principal() -> None:
    keys = {"one": {"principal": ROLE}, "two": {"principal": ROLE, "role": "admin"}}
    world = World()
    with pytest.raises(Invalid) as refused:
        world.plan({"keys": keys})
    problem = f"{ROLE} is the principal of key 'one' already"
    assert refused.value.faults == (("keys.two.principal", problem),)


def test_a_conflict_is_gathered_with_the_faults() -> None:
    world = World()
    world.key("one", principal=ROLE)
    with pytest.raises(Invalid) as refused:
        world.plan({"keys": {"two": {"principal": ROLE}, "three": {"endpoints": ["no"]}}})
    assert [name for name, _ in refused.value.faults] == [
        "keys.two.principal",
        "keys.three.endpoints[0]",
    ]

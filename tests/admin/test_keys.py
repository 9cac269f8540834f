"""Gateway keys and what they give: made, changed, rotated, ended."""

from dataclasses import replace

import pytest

from gateway.adapters.cached import CachedEndpoints, Lifetimes
from gateway.adapters.stored import StoredEndpoints
from gateway.admin.keys import Keys, Made
from gateway.admission.keys import credential_id
from gateway.errors import (
    BadRequest,
    ChangedMeanwhile,
    Conflict,
    EndpointNotFound,
    Invalid,
    NotFound,
)
from gateway.wire.json import Json
from tests.admin.world import ECHO, ROLE, World
from tests.fakes import run

SESSION = "arn:aws:sts::123456789012:assumed-role/deployer/session"


def test_a_key_and_its_grant_are_written_together() -> None:
    world = World()
    key = world.key("k", owner="Ann")
    found = credential_id(key)
    credential = {"hash": found, "tail": key[-4:], "created": 1000}
    body = {"name": "k", "owner": "Ann", "created": 1000, "credentials": [credential]}
    assert world.held() == {"key/k": (body, 1), f"grant/{found}": ({"key": "k"}, 1)}
    assert world.admitted(key) == "k: caller"


def test_what_a_key_gives_is_what_its_grant_says() -> None:
    world = World()
    run(world.endpoints.create("e", {"targets": [ECHO]}))
    key = world.key("k", endpoints=["e"], expires=5000)
    grant = {"key": "k", "endpoints": ["e"], "expires": 5000}
    assert world.held()[f"grant/{credential_id(key)}"] == (grant, 1)


def test_a_rotation_keeps_the_old_for_its_overlap() -> None:
    world = World()
    old = world.key("k")
    made = run(world.keys.rotate("k", 60, version=None))
    new = made.secret or ""
    tails = [(one["tail"], one.get("expires")) for one in made.item["credentials"]]
    assert tails == [(new[-4:], None), (old[-4:], 1060)]
    assert (world.admitted(old), world.admitted(new)) == ("k: caller", "k: caller")
    world.clock.now = 1059.9
    assert world.admitted(old) == "k: caller"
    world.clock.now = 1060
    assert (world.admitted(old), world.admitted(new)) == (None, "k: caller")


def test_a_rotation_within_the_overlap_of_another_ends_no_later() -> None:
    world = World()
    first = world.key("k")
    run(world.keys.rotate("k", 60, version=None))
    run(world.keys.rotate("k", 600, version=None))
    world.clock.now = 1060
    assert world.admitted(first) is None


def test_what_has_ended_is_swept_out_by_the_next_rotation() -> None:
    world = World()
    world.key("k")
    run(world.keys.rotate("k", 60, version=None))
    assert len(world.names("grant")) == 2
    world.clock.now = 2000
    run(world.keys.rotate("k", 60, version=None))
    assert len(world.names("grant")) == 2
    run(world.keys.rotate("k", 0, version=None))
    assert len(world.names("grant")) == 1


def test_the_keys_own_end_comes_before_that_of_a_credential() -> None:
    world = World()
    old = world.key("k", expires=1030)
    run(world.keys.rotate("k", 60, version=None))
    world.clock.now = 1030
    assert world.admitted(old) is None


@pytest.mark.parametrize("overlap", [-1, 30 * 86_400 + 1])
def test_an_overlap_has_bounds(overlap: int) -> None:
    world = World()
    world.key("k")
    with pytest.raises(BadRequest, match="overlap: must be 0 to 2592000 seconds"):
        run(world.keys.rotate("k", overlap, version=None))


@pytest.mark.parametrize(
    ("patch", "who"),
    [
        ({"disabled": True}, None),
        ({"expires": 1500}, "k: caller"),
        ({"expires": 1000}, None),
        ({"role": "admin"}, "k: admin"),
        ({"owner": "Bob"}, "k: caller"),
    ],
)
def test_a_patch_changes_every_grant_of_the_key(patch: Json, who: str | None) -> None:
    world = World()
    keys = [world.key("k")]
    keys += [run(world.keys.rotate("k", 600, version=None)).secret or "" for _ in range(2)]
    run(world.keys.patch("k", patch, version=None))
    assert [world.admitted(key) for key in keys] == [who] * 3


def test_a_patch_that_omits_a_field_leaves_it() -> None:
    world = World()
    world.key("k", owner="Ann", tags=["a"], expires=5000)
    before = run(world.keys.show("k"))
    assert run(world.keys.patch("k", {"tags": ["b"]}, version=1)) == before | {
        "tags": ["b"],
        "version": 2,
    }
    with pytest.raises(ChangedMeanwhile):
        run(world.keys.patch("k", {"tags": ["c"]}, version=1))


def test_a_revocation_leaves_nothing_behind() -> None:
    world = World()
    keys = [world.key("k"), run(world.keys.rotate("k", 600, version=None)).secret or ""]
    run(world.keys.revoke("k", version=2))
    assert world.held() == {}
    assert [world.admitted(key) for key in keys] == [None, None]
    with pytest.raises(NotFound):
        run(world.keys.revoke("k", version=None))


def test_the_name_of_a_revoked_key_gives_its_old_secrets_nothing() -> None:
    world = World()
    old = world.key("k")
    run(world.keys.revoke("k", version=None))
    new = world.key("k")
    assert (world.admitted(old), world.admitted(new)) == (None, "k: caller")


def test_a_principal_is_admitted_by_its_role_in_any_session() -> None:
    world = World()
    assert run(world.keys.create("ci", {"principal": SESSION, "role": "admin"})).secret is None
    for arn in (ROLE, SESSION, SESSION + "-2"):
        assert world.admitted(principal=arn) == "ci: admin"
    for arn in (ROLE + "x", ROLE.replace("role/", "user/"), ROLE[:-1], "deployer"):
        assert world.admitted(principal=arn) is None


def test_a_principal_that_moves_leaves_nothing_where_it_was() -> None:
    world = World()
    run(world.keys.create("ci", {"principal": ROLE}))
    other = ROLE.replace("deployer", "other")
    run(world.keys.patch("ci", {"principal": other}, version=None))
    assert (world.admitted(principal=ROLE), world.admitted(principal=other)) == (None, "ci: caller")
    assert world.names("grant") == [f"iam:{other}"]


def test_a_key_of_endpoints_that_are_not_there_is_refused_for_each() -> None:
    world = World()
    run(world.endpoints.create("e", {"targets": [ECHO]}))
    with pytest.raises(Invalid) as refused:
        world.key("k", endpoints=["a", "e", "b"])
    assert refused.value.faults == (
        ("endpoints[0]", "there is no endpoint 'a'"),
        ("endpoints[2]", "there is no endpoint 'b'"),
    )
    assert world.names("key") == []


def test_the_last_admin_key_stays_whoever_else_there_is() -> None:
    world = World()
    world.key("root", role="admin")
    world.key("caller")
    world.key("off", role="admin", disabled=True)
    world.key("over", role="admin", expires=999)
    for work in (
        world.keys.revoke("root", version=None),
        world.keys.patch("root", {"disabled": True}, version=None),
        world.keys.patch("root", {"role": "caller"}, version=None),
        world.keys.patch("root", {"expires": 1000}, version=None),
    ):
        with pytest.raises(Conflict) as refused:
            run(work)
        assert (refused.value.field, refused.value.code) == ("name", "last_admin_key")
    run(world.keys.create("ci", {"principal": ROLE, "role": "admin"}))
    run(world.keys.revoke("root", version=None))
    assert world.names("key") == ["caller", "ci", "off", "over"]


def test_an_endpoint_that_was_just_made_may_be_named_though_calls_remember_that_there_was_none() -> (
    None
):
    world = World()
    remembering = CachedEndpoints(
        StoredEndpoints(world.items), clock=world.clock, lifetimes=Lifetimes()
    )
    keys = Keys(replace(world.means, endpoints=remembering))

    async def story() -> Made:
        with pytest.raises(EndpointNotFound):
            await remembering.find("e")
        await world.endpoints.create("e", {"targets": [ECHO]})
        return await keys.create("k", {"endpoints": ["e"]})

    assert run(story()).item["endpoints"] == ["e"]

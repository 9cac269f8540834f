"""When a key ends: the last day there is, and what lies beyond it."""

import pytest

from gateway.admin.fields import LAST_MOMENT
from gateway.errors import Invalid
from gateway.ports import Change
from gateway.wire.json import Json
from tests.admin.world import World
from tests.fakes import run

LAST = "9999-12-31T23:59:59+00:00"
BEYOND = f"Input should be less than or equal to {LAST_MOMENT}"


@pytest.mark.parametrize("told", ["9999-12-31", LAST, "9999-12-31T23:59:59.999Z", LAST_MOMENT])
def test_a_key_may_end_with_the_last_day_there_is(told: str | int) -> None:
    world = World()
    key = world.key("k", expires=told)
    assert run(world.keys.show("k"))["expires"] == LAST_MOMENT
    assert world.admitted(key) == "k: caller"
    exported = run(world.manifests.export())
    assert exported == {"keys": {"k": {"expires": LAST}}}
    assert world.plan(exported) == world.plan({"keys": {"k": {"expires": told}}}) == []
    assert run(world.keys.patch("k", {"owner": "Ann"}, version=1))["expires"] == LAST_MOMENT


@pytest.mark.parametrize("told", [LAST_MOMENT + 1, 1 << 39, 1 << 40, "9999-12-31T23:59:59-01:00"])
def test_what_lies_beyond_the_year_9999_is_refused_by_its_field(told: str | int) -> None:
    world = World()
    spec: Json = {"expires": told}
    world.key("there")
    for field, work in {
        "expires": world.keys.create("k", spec),
        "expires ": world.keys.patch("there", spec, version=1),
        "keys.k.expires": world.manifests.plan({"keys": {"k": spec}}, prune=False),
    }.items():
        with pytest.raises(Invalid) as refused:
            run(work)
        assert refused.value.faults == ((field.strip(), BEYOND),)
    assert world.names("key") == ["there"]


def test_a_key_that_another_program_wrote_beyond_it_is_shown_exported_and_mended() -> None:
    world = World()
    body: Json = {"name": "k", "created": 5, "expires": 1 << 39}
    run(world.items.write([Change("key", "k", body, 0)]))
    assert run(world.keys.show("k"))["expires"] == 1 << 39
    assert run(world.manifests.export()) == {"keys": {"k": {"expires": 1 << 39}}}
    assert (
        run(world.keys.patch("k", {"expires": "9999-12-31"}, version=1))["expires"] == LAST_MOMENT
    )

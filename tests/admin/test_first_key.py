"""The first admin key: made once, whoever comes first, and good when it is found in the safe."""

import pytest

from gateway.admin.first_key import LONGEST, MARK, make_first_key
from gateway.errors import Unavailable
from gateway.ports import Change
from tests.admin.world import World
from tests.fakes import run

ADMIN = "admin: admin"


class Safe:
    """Holds the key that was put last."""

    def __init__(self) -> None:
        self.key = ""
        self.puts = 0

    async def put(self, key: str) -> None:
        self.puts += 1
        self.key = key


class Broken:
    async def put(self, key: str) -> None:
        del key
        raise Unavailable("the safe is shut")


class Slow(Safe):
    """So slow that, the first time, another process takes over and makes a key."""

    def __init__(self, world: World, other: Safe) -> None:
        super().__init__()
        self._world, self._other = world, other

    async def put(self, key: str) -> None:
        if not self.puts:
            self._world.clock.now += LONGEST
            assert await make_first_key(self._world.means, self._other)
        await super().put(key)


def test_it_is_made_once_and_opens_the_control_plane() -> None:
    world, safe = World(), Safe()
    assert run(make_first_key(world.means, safe))
    assert world.admitted(safe.key) == ADMIN
    assert run(make_first_key(world.means, safe))
    assert safe.puts == 1


def test_where_there_is_an_admin_key_none_is_made() -> None:
    world, safe = World(), Safe()
    world.key("root", role="admin")
    assert run(make_first_key(world.means, safe))
    assert (safe.puts, world.names("key")) == (0, ["root"])


def test_once_made_and_revoked_it_is_not_made_again() -> None:
    world, safe = World(), Safe()
    run(make_first_key(world.means, safe))
    world.key("root", role="admin")
    run(world.keys.revoke("admin", version=None))
    assert run(make_first_key(world.means, safe))
    assert (safe.puts, world.admitted(safe.key)) == (1, None)


def test_while_another_process_is_at_it_this_one_waits_and_then_goes_on() -> None:
    world, safe = World(), Safe()
    run(world.items.write([Change("settings", MARK, {"at": world.means.now}, 0)]))
    assert not run(make_first_key(world.means, safe))
    assert safe.puts == 0
    world.clock.now += LONGEST
    assert run(make_first_key(world.means, safe))
    assert world.admitted(safe.key) == ADMIN


def test_a_safe_that_takes_nothing_leaves_no_key_and_another_try_makes_it() -> None:
    world, safe = World(), Safe()
    with pytest.raises(Unavailable):
        run(make_first_key(world.means, Broken()))
    assert world.names("key") == []
    world.clock.now += LONGEST
    assert run(make_first_key(world.means, safe))
    assert world.admitted(safe.key) == ADMIN


def test_one_so_slow_that_another_took_over_leaves_a_good_key_in_the_safe() -> None:
    world = World()
    slow = Slow(world, Safe())
    assert run(make_first_key(world.means, slow))
    assert world.admitted(slow.key) == ADMIN

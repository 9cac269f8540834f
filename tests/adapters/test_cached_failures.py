"""What is remembered while its store fails, hangs, or has just come back."""

import asyncio

import pytest

from gateway.adapters.cached import Cached, Lifetimes, Looked
from gateway.errors import Unavailable
from tests.fakes import Clock, run

STALE, PAUSE = 30.0, 1.0
PATIENCE, HOPE = 0.03, 0.02  # these pass by the real clock: a caller waits them out


class Store:
    """Says its ``value`` of every name but ``nothing``; can be shut, held, or slow by the clock."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.value, self.slow = clock, "old", 0.0
        self.down, self.asked = False, 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def load(self, name: str) -> Looked[str]:
        self.asked += 1
        await self.gate.wait()
        self.clock.now += self.slow
        if self.down:
            raise Unavailable("down")
        return Looked(None if name == "nothing" else self.value)


class World:
    def __init__(self) -> None:
        self.clock = Clock()
        self.store = Store(self.clock)
        lifetimes = Lifetimes(
            fresh=2, stale=STALE, outage=3600, pause=PAUSE, patience=PATIENCE, hope=HOPE
        )
        self.cached = Cached(self.store.load, clock=self.clock, lifetimes=lifetimes)

    async def find(self, name: str = "e") -> str | None:
        return (await self.cached.find(name)).found

    async def fails_at(self, age: float) -> None:
        """It is remembered, and so long afterwards one reading in the background fails."""
        await self.find()
        self.store.down = True
        self.clock.now += age
        await self.find()
        await settled()
        self.store.down = False


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.mark.parametrize("age", [STALE + HOPE + 0.01, STALE + PAUSE, 300])
def test_one_failure_just_before_it_is_stale_does_not_make_it_live_longer(age: float) -> None:
    """A key that was revoked would be good for as long as the failure is remembered."""

    async def work() -> str | None:
        world = World()
        await world.fails_at(STALE - 0.1)
        world.store.value = "new"
        world.clock.now = 1000 + age
        return await world.find()

    assert run(work()) == "new"


def test_a_store_that_hangs_holds_nobody_up_for_long_even_when_what_is_remembered_is_stale() -> (
    None
):
    """A process that was idle finds out only now; without its patience it would wait them all out."""

    async def work() -> list[str | None]:
        world = World()
        seen = [await world.find()]
        world.store.value = "new"
        world.store.gate.clear()
        world.clock.now += STALE + 10
        async with asyncio.timeout(5):
            seen.append(await world.find())
        world.store.gate.set()
        await settled()
        return [*seen, await world.find()]

    assert run(work()) == ["old", "old", "new"]


def test_what_took_long_to_read_is_as_old_as_the_question() -> None:
    async def work() -> list[str | None]:
        world = World()
        world.store.slow = 3
        seen = [await world.find()]
        world.store.value, world.store.slow = "new", 0
        seen.append(await world.find())  # three seconds old, so it is read anew meanwhile
        await settled()
        return [*seen, await world.find()]

    assert run(work()) == ["old", "old", "new"]


def test_the_end_of_staleness_counts_from_the_question_too() -> None:
    async def work() -> str | None:
        world = World()
        world.store.slow = 3
        await world.find()
        world.store.value, world.store.slow = "new", 0
        world.clock.now = 1000 + STALE + 0.1
        return await world.find()

    assert run(work()) == "new"


def test_of_a_store_that_hangs_one_caller_waits_and_that_shortly() -> None:
    async def work() -> None:
        world = World()
        await world.fails_at(STALE - 0.1)
        world.store.gate.clear()
        world.store.asked = 0
        world.clock.now += PAUSE
        first, *others = (asyncio.ensure_future(world.find()) for _ in range(4))
        await settled()
        assert [one.done() for one in (first, *others)] == [False, True, True, True]
        assert await asyncio.gather(first, *others) == ["old"] * 4
        for seconds in (0, 0.5, 5, 60):
            world.clock.now += seconds
            later = asyncio.ensure_future(world.find())
            await settled()
            assert (later.done(), await later) == (True, "old")
        assert world.store.asked == 1
        world.store.value = "new"
        world.store.gate.set()
        await settled()
        world.clock.now += 3600
        assert await world.find() == "new"

    run(work())


def test_what_was_found_is_known_and_what_is_absent_or_gone_is_not() -> None:
    async def work() -> list[bool]:
        world = World()
        seen = [world.cached.knows("e")]
        await world.find("e")
        await world.find("nothing")
        seen += [world.cached.knows("e"), world.cached.knows("nothing")]
        await world.fails_at(STALE)
        return [*seen, world.cached.knows("e")]

    assert run(work()) == [False, True, False, True]

"""What a store says, remembered for seconds."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.adapters.cached import Cached, CachedEndpoints, Lifetimes, Looked
from gateway.errors import EndpointNotFound, Unavailable
from gateway.exchange.background import Background
from gateway.routing.endpoint import Endpoint, Target
from tests.fakes import Clock, run

GPT = Target("openai", "gpt")


def endpoint(name: str = "e", created: int = 1) -> Endpoint:
    return Endpoint(name, (GPT,), created=created)


class Store:
    """Counts its readings; can be shut, slowed or told what to raise."""

    def __init__(self, *endpoints: Endpoint) -> None:
        self.endpoints = {endpoint.name: endpoint for endpoint in endpoints}
        self.asked: list[str] = []
        self.down: Exception | None = None
        self.gate: asyncio.Event | None = None

    async def find(self, name: str) -> Endpoint:
        self.asked.append(name)
        if self.gate:
            await self.gate.wait()
        if self.down:
            raise self.down
        if name not in self.endpoints:
            raise EndpointNotFound(name, f"set {name.upper()}")
        return self.endpoints[name]

    async def list(self) -> Sequence[Endpoint]:
        return list(self.endpoints.values())


def world(*endpoints: Endpoint, size: int = 1024) -> tuple[Store, Clock, CachedEndpoints]:
    store, clock = Store(*endpoints), Clock()
    lifetimes = Lifetimes(fresh=2, stale=30, outage=3600, absent=5, pause=1, size=size)
    return store, clock, CachedEndpoints(store, clock=clock, lifetimes=lifetimes)


async def settled() -> None:
    """Let readings in the background come to their end."""
    for _ in range(5):
        await asyncio.sleep(0)


def test_a_warm_call_reads_no_store() -> None:
    async def work() -> list[str]:
        store, clock, cached = world(endpoint())
        for _ in range(3):
            assert await cached.find("e") == endpoint()
            clock.now += 0.9
        await settled()
        return store.asked

    assert run(work()) == ["e"]


def test_past_its_freshness_it_is_served_while_it_is_read_anew() -> None:
    async def work() -> list[int]:
        store, clock, cached = world(endpoint(created=1))
        seen = [(await cached.find("e")).created]
        store.endpoints["e"] = endpoint(created=2)
        clock.now += 2.1
        seen.append((await cached.find("e")).created)
        await settled()
        seen.append((await cached.find("e")).created)
        assert store.asked == ["e", "e"]
        return seen

    assert run(work()) == [1, 1, 2]


def test_past_its_staleness_it_is_read_before_it_is_served() -> None:
    async def work() -> int:
        store, clock, cached = world(endpoint(created=1))
        await cached.find("e")
        store.endpoints["e"] = endpoint(created=2)
        clock.now += 30.1
        return (await cached.find("e")).created

    assert run(work()) == 2


def test_a_store_that_is_down_leaves_what_is_remembered_for_an_hour() -> None:
    async def work() -> None:
        store, clock, cached = world(endpoint())
        await cached.find("e")
        store.down = Unavailable("down")
        for seconds in (2.1, 60, 3537):
            clock.now += seconds
            assert await cached.find("e") == endpoint()
            await settled()
        clock.now += 1
        with pytest.raises(Unavailable, match="down"):
            await cached.find("e")
        store.down, store.endpoints["e"] = None, endpoint(created=2)
        assert (await cached.find("e")).created == 2

    run(work())


def test_a_store_that_is_down_is_asked_once_for_a_name_that_is_too_old_to_serve() -> None:
    """Each asking may take the store's whole time-out, and a caller waits for it."""

    async def work() -> list[str]:
        store, clock, cached = world(endpoint())
        await cached.find("e")
        store.asked, store.down = [], Unavailable("down")
        clock.now += 3601
        with pytest.raises(Unavailable):
            await cached.find("e")
        return store.asked

    assert run(work()) == ["e"]


def test_a_store_that_is_down_delays_one_call_and_then_none() -> None:
    """What is asked of it is never answered: a call that waited for it would not come back."""

    async def work() -> list[str]:
        store, clock, cached = world(endpoint())
        await cached.find("e")
        store.down = Unavailable("down")
        clock.now += 30.1
        assert await cached.find("e") == endpoint()
        store.asked, store.gate = [], asyncio.Event()
        for _ in range(4):
            assert await cached.find("e") == endpoint()
            await settled()
            clock.now += 0.6
        return store.asked

    assert run(work()) == ["e"]


def test_between_two_readings_of_a_store_that_is_down_is_a_pause() -> None:
    async def work() -> list[float]:
        store, clock, cached = world(endpoint())
        await cached.find("e")
        store.down, asked = Unavailable("down"), []
        clock.now += 2.5
        started = clock.now
        for _ in range(9):
            before = len(store.asked)
            assert await cached.find("e") == endpoint()
            await settled()
            if len(store.asked) > before:
                asked.append(clock.now - started)
            clock.now += 0.25
        return asked

    assert run(work()) == [0, 1, 2]


def test_a_store_that_is_back_is_believed_after_the_pause() -> None:
    async def work() -> list[int]:
        store, clock, cached = world(endpoint())
        await cached.find("e")
        store.down = Unavailable("down")
        clock.now += 31
        seen = [(await cached.find("e")).created]
        store.down, store.endpoints["e"] = None, endpoint(created=2)
        clock.now += 1
        seen.append((await cached.find("e")).created)
        await settled()
        seen.append((await cached.find("e")).created)
        return seen

    assert run(work()) == [1, 2, 2]


def test_a_failure_of_long_ago_is_no_reason_to_serve_what_is_stale() -> None:
    """A process may sleep between two calls; a key that was taken back meanwhile must not pass."""

    async def work() -> list[int]:
        store, clock, cached = world(endpoint())
        await cached.find("e")
        store.down = Unavailable("down")
        clock.now += 2.1
        seen = [(await cached.find("e")).created]
        await settled()
        store.down, store.endpoints["e"] = None, endpoint(created=2)
        clock.now += 3000
        return [*seen, (await cached.find("e")).created]

    assert run(work()) == [1, 2]


def test_a_store_that_is_down_has_no_word_on_new_names() -> None:
    async def work() -> None:
        store, _, cached = world(endpoint())
        store.down = Unavailable("down")
        with pytest.raises(Unavailable):
            await cached.find("e")
        store.down = None
        assert await cached.find("e") == endpoint()

    run(work())


def test_a_name_that_was_not_found_is_remembered_with_its_hint() -> None:
    async def work() -> list[str]:
        store, clock, cached = world()
        for _ in range(3):
            with pytest.raises(EndpointNotFound) as missing:
                await cached.find("e")
            assert (missing.value.hint, missing.value.name) == ("set E", "e")
            clock.now += 2.4
        store.endpoints["e"] = endpoint()
        assert await cached.find("e") == endpoint()
        return store.asked

    assert run(work()) == ["e", "e"]


def test_that_nothing_is_there_is_believed_for_its_own_time_and_not_longer() -> None:
    async def work() -> None:
        store, clock, cached = world()
        with pytest.raises(EndpointNotFound):
            await cached.find("e")
        store.endpoints["e"] = endpoint()
        clock.now += 5
        with pytest.raises(EndpointNotFound):
            await cached.find("e")
        clock.now += 0.1
        store.down = Unavailable("down")
        with pytest.raises(Unavailable):
            await cached.find("e")

    run(work())


def test_a_deleted_endpoint_is_gone_after_seconds() -> None:
    async def work() -> None:
        store, clock, cached = world(endpoint())
        await cached.find("e")
        del store.endpoints["e"]
        clock.now += 2.1
        await cached.find("e")
        await settled()
        with pytest.raises(EndpointNotFound):
            await cached.find("e")

    run(work())


def test_it_remembers_so_many_names_and_the_least_used_go_first() -> None:
    async def work() -> list[str]:
        store, _, cached = world(*(endpoint(name) for name in "abc"), size=2)
        for name in "abaca":
            await cached.find(name)
        return store.asked

    assert run(work()) == ["a", "b", "c"]


def test_names_that_do_not_exist_do_not_push_out_those_that_do() -> None:
    """Or anyone who can call makes every call of everyone read the store."""

    async def work() -> list[str]:
        store, _, cached = world(endpoint(), size=10)
        await cached.find("e")
        for nth in range(50):
            with pytest.raises(EndpointNotFound):
                await cached.find(f"no-{nth}")
        await cached.find("e")
        return [name for name in store.asked if name == "e"]

    assert run(work()) == ["e"]


def test_a_name_that_no_endpoint_could_have_is_not_remembered() -> None:
    """A body holds 32 MiB, and so may the name in it: a thousand of them are too many to keep."""

    async def work() -> int:
        _, _, cached = world()
        for nth in range(20):
            with pytest.raises(EndpointNotFound):
                await cached.find(f"{nth}" + "x" * 1_000_000)
        return sum(map(len, (*cached._named._found, *cached._named._absent)))

    assert run(work()) < 1_000_000


def test_callers_at_once_share_one_reading() -> None:
    async def work() -> list[str]:
        store, _, cached = world(endpoint())
        store.gate = asyncio.Event()
        calls = [asyncio.ensure_future(cached.find("e")) for _ in range(5)]
        await settled()
        store.gate.set()
        assert await asyncio.gather(*calls) == [endpoint()] * 5
        return store.asked

    assert run(work()) == ["e"]


def test_a_caller_who_hangs_up_takes_nobody_elses_reading_away() -> None:
    async def work() -> list[str]:
        store, _, cached = world(endpoint())
        store.gate = asyncio.Event()
        first, second = (asyncio.ensure_future(cached.find("e")) for _ in range(2))
        await settled()
        first.cancel()
        await asyncio.wait({first})
        assert first.cancelled()
        store.gate.set()
        assert await second == endpoint()
        return store.asked

    assert run(work()) == ["e"]


def test_a_caller_who_hangs_up_on_a_stale_entry_takes_nobody_elses_reading_away() -> None:
    async def work() -> int:
        store, clock, cached = world(endpoint())
        await cached.find("e")
        store.endpoints["e"], store.gate = endpoint(created=2), asyncio.Event()
        clock.now += 31
        first, second = (asyncio.ensure_future(cached.find("e")) for _ in range(2))
        await settled()
        first.cancel()
        await asyncio.wait({first})
        store.gate.set()
        return (await second).created

    assert run(work()) == 2


def test_a_fault_nobody_expected_reaches_every_waiter_and_is_not_remembered() -> None:
    async def work() -> None:
        store, _, cached = world(endpoint())
        store.down = RuntimeError("broken")
        found = await asyncio.gather(cached.find("e"), cached.find("e"), return_exceptions=True)
        assert [type(one) for one in found] == [RuntimeError, RuntimeError]
        store.down = None
        assert await cached.find("e") == endpoint()

    run(work())


def test_a_list_is_remembered_too() -> None:
    async def work() -> list[Sequence[Endpoint]]:
        store, clock, cached = world(endpoint())
        seen = [await cached.list()]
        store.endpoints["f"] = endpoint("f")
        for seconds in (2, 0.1, 0):
            clock.now += seconds
            seen.append(await cached.list())
            await settled()
        return seen

    assert run(work()) == [[endpoint()]] * 3 + [[endpoint(), endpoint("f")]]


def test_an_empty_list_is_one() -> None:
    async def work() -> None:
        store, _, cached = world()
        assert list(await cached.list()) == []
        store.endpoints["e"] = endpoint()
        assert list(await cached.list()) == []

    run(work())


class Numbered:
    """Says how many times it was asked; nothing at all of the names of nothing."""

    def __init__(self) -> None:
        self.readings = 0

    async def load(self, name: str) -> Looked[int]:
        self.readings += 1
        return Looked(None if name == "nothing" else self.readings)


NUMBERS = st.lists(st.sampled_from(["a", "b", "c", "nothing"]), max_size=12)


def test_what_is_renewed_is_read_at_once_and_remembered() -> None:
    async def work() -> list[int | None]:
        cached = Cached(Numbered().load, clock=Clock(), lifetimes=Lifetimes())
        seen = [await cached.find("a"), await cached.find("a")]
        seen += [await cached.renewed("a"), await cached.find("a"), await cached.renewed("b")]
        return [looked.found for looked in seen]

    assert run(work()) == [1, 1, 2, 2, 3]


def test_renewals_at_once_share_one_reading() -> None:
    async def work() -> list[int | None]:
        cached = Cached(Numbered().load, clock=Clock(), lifetimes=Lifetimes())
        looked = await asyncio.gather(*(cached.renewed("a") for _ in range(3)))
        return [one.found for one in looked]

    assert run(work()) == [1, 1, 1]


def test_a_renewal_that_fails_says_so_and_takes_nothing_away() -> None:
    async def work() -> None:
        down = False

        async def load(name: str) -> Looked[str]:
            if down:
                raise Unavailable("down")
            return Looked(name)

        cached = Cached(load, clock=Clock(), lifetimes=Lifetimes())
        await cached.find("a")
        down = True
        with pytest.raises(Unavailable):
            await cached.renewed("a")
        assert await cached.find("a") == Looked("a")

    run(work())


@given(NUMBERS, st.integers(1, 3))
@settings(deadline=None)
def test_it_never_remembers_more_than_its_size(names: list[str], size: int) -> None:
    async def work() -> None:
        cached = Cached(Numbered().load, clock=Clock(), lifetimes=Lifetimes(size=size))
        for name in names:
            await cached.find(name)
        assert len(cached._found) <= size
        assert len(cached._absent) <= size

    run(work())


def test_a_reading_that_nobody_waits_for_is_held_by_the_background() -> None:
    """A process that is about to be frozen finishes it first."""

    async def work() -> list[int]:
        store, clock, background = Store(endpoint(created=1)), Clock(), Background()
        lifetimes = Lifetimes(fresh=2, stale=30)
        cached = CachedEndpoints(store, clock=clock, lifetimes=lifetimes, background=background)
        seen = [(await cached.find("e")).created]
        store.endpoints["e"] = endpoint(created=2)
        clock.now += 2.1
        seen.append((await cached.find("e")).created)
        await background.finish(5)
        store.down = Unavailable("down")
        seen.append((await cached.find("e")).created)
        return seen

    assert run(work()) == [1, 1, 2]

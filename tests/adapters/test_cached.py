"""Endpoints remembered for seconds."""

import asyncio
from collections.abc import Sequence

import pytest

from gateway.adapters.cached import CachedEndpoints
from gateway.errors import EndpointNotFound, Unavailable
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
    return store, clock, CachedEndpoints(store, clock=clock, fresh=2, stale=30, size=size)


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


def test_a_store_that_is_down_leaves_what_is_remembered() -> None:
    async def work() -> None:
        store, clock, cached = world(endpoint())
        await cached.find("e")
        store.down = Unavailable("down")
        for seconds in (2.1, 60, 100_000):
            clock.now += seconds
            assert await cached.find("e") == endpoint()
            await settled()
        store.down, store.endpoints["e"] = None, endpoint(created=2)
        assert (await cached.find("e")).created == 2

    run(work())


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
            clock.now += 0.9
        store.endpoints["e"] = endpoint()
        with pytest.raises(EndpointNotFound):
            await cached.find("e")
        await settled()
        assert await cached.find("e") == endpoint()
        return store.asked

    assert run(work()) == ["e", "e"]


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
        return sum(len(name) for name in cached._entries)

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


def test_a_list_is_read_each_time() -> None:
    async def work() -> Sequence[Endpoint]:
        store, _, cached = world(endpoint())
        await cached.list()
        store.endpoints["f"] = endpoint("f")
        return await cached.list()

    assert run(work()) == [endpoint(), endpoint("f")]

"""Endpoints and grants, read from the items of a store."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from gateway.adapters import stored
from gateway.adapters.cached import Lifetimes
from gateway.adapters.memory import MemoryItems
from gateway.adapters.stored import (
    LONGEST_QUEUE,
    STRANGERS,
    CachedGrants,
    StoredEndpoints,
)
from gateway.admission.keys import Grant, write_grant
from gateway.errors import EndpointNotFound, Unavailable
from gateway.ports import Change, Item, Kind, Page
from gateway.routing.endpoint import Endpoint, Price, Retries, Target, Timeouts
from gateway.routing.items import write_endpoint
from gateway.wire.json import Json
from tests.fakes import Clock, run

GPT = Target("openai", "gpt")
WHOLE = Endpoint(
    "whole",
    (Target("openai", "gpt", "env:K", 2, "http://h", Price(1, 2, 0.5, 0)), GPT),
    (GPT,),
    Retries(2, 0.5, 8),
    Timeouts(60, 30, 5, 10),
    created=1_700_000_000,
)


class Items(MemoryItems):
    """Hands out two items a page; notes what was asked for."""

    def __init__(self, bodies: Mapping[str, Json], kind: Kind = "endpoint") -> None:
        super().__init__()
        self.asked: list[str] = []
        changes = [Change(kind, name, body, 0) for name, body in bodies.items()]
        run(self.write(changes))

    async def get(self, kind: Kind, name: str) -> Item | None:
        self.asked.append(name)
        return await super().get(kind, name)

    async def page(self, kind: Kind, *, after: str | None = None, limit: int = 100) -> Page:
        return await super().page(kind, after=after, limit=min(limit, 2))


def named(*names: str) -> Sequence[Endpoint]:
    return [Endpoint(name, (GPT,)) for name in names]


def test_an_endpoint_is_found_whole() -> None:
    endpoints = StoredEndpoints(Items({"whole": write_endpoint(WHOLE)}))
    assert run(endpoints.find("whole")) == WHOLE
    with pytest.raises(EndpointNotFound, match="'e' not found"):
        run(endpoints.find("e"))


@pytest.mark.parametrize("count", range(6))
def test_every_endpoint_is_listed_however_many_pages_it_takes(count: int) -> None:
    wanted = named(*"abcdef"[:count])
    items = Items({one.name: write_endpoint(one) for one in reversed(wanted)})
    assert run(StoredEndpoints(items).list()) == wanted


def test_other_kinds_are_no_endpoints() -> None:
    items = Items({"e": write_grant(Grant("k"))}, "grant")
    assert run(StoredEndpoints(items).list()) == []
    with pytest.raises(EndpointNotFound):
        run(StoredEndpoints(items).find("e"))


def test_an_endpoint_of_another_version_is_read() -> None:
    item: Json = {
        "name": "e",
        "owner": "ann",
        "targets": [{"provider": "openai", "model": "gpt", "region": "eu"}],
        "retries": {"times": 1, "on": [429]},
        "limits": {"rpm": 5},
    }
    assert run(StoredEndpoints(Items({"e": item})).find("e")) == Endpoint(
        "e", (GPT,), retries=Retries(1)
    )


UNREADABLE: list[Json] = [
    {},
    {"name": "e"},
    {"name": "e", "targets": 5},
    {"name": "e", "targets": [5]},
    {"name": "e", "targets": [{}]},
    {"name": "e", "targets": None},
    {"name": "e", "targets": [], "retries": 5},
    {"targets": []},
]


@pytest.mark.parametrize("body", UNREADABLE)
def test_an_endpoint_that_cannot_be_read_is_the_stores_fault_and_named(body: Json) -> None:
    endpoints = StoredEndpoints(Items({"e": body, "whole": write_endpoint(WHOLE)}))
    with pytest.raises(Unavailable) as refused:
        run(endpoints.find("e"))
    assert refused.value.message == "the store holds an unreadable endpoint, 'e'"
    with pytest.raises(Unavailable):
        run(endpoints.list())
    assert run(endpoints.find("whole")) == WHOLE


LIFETIMES = Lifetimes(fresh=2, stale=30, outage=3600, absent=5)
GRANT = Grant("k", endpoints=("e",), expires=5)
OTHER = Grant("k", endpoints=("e", "f"))


def test_a_grant_is_found_and_remembered() -> None:
    items = Items({"h1": write_grant(GRANT)}, "grant")

    async def work() -> list[Grant | None]:
        grants = CachedGrants(items, clock=Clock(), lifetimes=LIFETIMES)
        return [await grants.find(name) for name in ("h1", "h1", "h2", "h2", "h1")]

    assert run(work()) == [GRANT, GRANT, None, None, GRANT]
    assert items.asked == ["h1", "h2"]


def test_a_grant_that_is_taken_back_is_good_for_so_long_and_no_longer() -> None:
    items = Items({"h1": write_grant(GRANT)}, "grant")

    async def work() -> list[Grant | None]:
        clock = Clock()
        grants = CachedGrants(items, clock=clock, lifetimes=LIFETIMES)
        seen = [await grants.find("h1")]
        await items.write([Change("grant", "h1", None, 1)])
        for seconds in (2, 28.1):
            clock.now += seconds
            seen.append(await grants.find("h1"))
        return seen

    assert run(work()) == [GRANT, GRANT, None]


@pytest.mark.parametrize("body", [{}, {"role": "admin"}, {"key": "k", "endpoints": 5}])
def test_a_grant_that_cannot_be_read_gives_nothing(body: Json) -> None:
    items = Items({"h1": body}, "grant")
    with pytest.raises(Unavailable, match="an unreadable grant, 'h1'"):
        run(CachedGrants(items, clock=Clock(), lifetimes=LIFETIMES).find("h1"))


class Held(Items):
    """Holds back whoever is made up, until ``gate`` is open."""

    def __init__(self) -> None:
        super().__init__({"h1": write_grant(GRANT)}, "grant")
        self.gate = asyncio.Event()

    async def get(self, kind: Kind, name: str) -> Item | None:
        found = await super().get(kind, name)
        if name.startswith("made-up"):
            await self.gate.wait()
        return found


def test_made_up_credentials_wait_for_each_other_and_keep_nobody_else_waiting() -> None:
    items, clock = Held(), Clock()

    async def work() -> None:
        grants = CachedGrants(items, clock=clock, lifetimes=LIFETIMES)
        assert await grants.find("h1") == GRANT
        names = [f"made-up-{nth}" for nth in range(LONGEST_QUEUE)]
        strangers = [asyncio.ensure_future(grants.find(name)) for name in names]
        for _ in range(5):
            await asyncio.sleep(0)
        with pytest.raises(Unavailable, match="too many unknown gateway keys at once"):
            await grants.find("made-up-too")
        assert items.asked == ["h1", *names[:STRANGERS]]

        await items.write([Change("grant", "h1", write_grant(OTHER), 1)])
        clock.now += LIFETIMES.stale + 0.1
        assert await grants.find("h1") == OTHER
        assert items.asked[-1] == "h1"

        items.gate.set()
        assert await asyncio.gather(*strangers) == [None] * LONGEST_QUEUE
        assert sorted(items.asked[STRANGERS + 2 :]) == sorted(names[STRANGERS:])
        assert await grants.find("made-up-too") is None

    run(work())


def test_made_up_credentials_do_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "PATIENCE", 0.01)
    items = Held()

    async def work() -> None:
        grants = CachedGrants(items, clock=Clock(), lifetimes=LIFETIMES)
        waiting = (grants.find(f"made-up-{nth}") for nth in range(STRANGERS + 1))
        found = await asyncio.gather(*waiting, return_exceptions=True)
        message = "gateway keys cannot be looked up now: try again"
        assert [str(one) for one in found] == [message] * (STRANGERS + 1)
        items.gate.set()
        assert await grants.find("made-up-0") is None
        assert await grants.find("h1") == GRANT

    run(work())

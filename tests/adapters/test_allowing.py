"""Which private addresses are allowed, as the process was told and as the store's settings say."""

from collections.abc import Sequence

import pytest

from gateway.adapters.allowing import Allowances, AllowingTransport
from gateway.adapters.cached import Lifetimes
from gateway.adapters.memory import MemoryItems
from gateway.errors import Unavailable
from gateway.ports import SETTINGS, Change, Item, Kind
from gateway.providers.catalog import PROVIDERS
from gateway.providers.egress import AllowList
from gateway.wire.json import Json
from tests.fakes import Clock, FakeTransport, FakeUpstream, run

PRIVATE = "http://10.0.0.1:8080/v1/chat"
LIFETIMES = Lifetimes(fresh=2, stale=30, outage=3600, absent=5)


class Items(MemoryItems):
    """Counts its readings; can be shut."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[Kind, str]] = []
        self.down = False

    async def get(self, kind: Kind, name: str) -> Item | None:
        self.asked.append((kind, name))
        if self.down:
            raise Unavailable("the store is down")
        return await super().get(kind, name)


class World:
    def __init__(self, *fixed: str) -> None:
        self.items, self.clock = Items(), Clock()
        self.allowances = Allowances(fixed, self.items, clock=self.clock, lifetimes=LIFETIMES)
        self.web = FakeTransport(self.clock)
        self.transport = AllowingTransport(self.web, self.allowances)

    async def store(self, body: Json) -> None:
        kept = await MemoryItems.get(self.items, "settings", SETTINGS)
        version = 0 if kept is None else kept.version
        await self.items.write([Change("settings", SETTINGS, body, version)])

    async def call(self, url: str = PRIVATE) -> None:
        self.web.answers.append(FakeUpstream(b"x"))
        upstream = await self.transport.open(url, {"a": "b"}, b"body", patience=1)
        assert await upstream.read(1) == b"x"

    def allowed(self, *entries: str) -> bool:
        return self.allowances.current() == AllowList.parse(entries)


def test_what_the_process_was_told_is_allowed_before_anything_is_read() -> None:
    world = World("10.0.0.0/8", "localhost:1234")
    assert world.allowed("10.0.0.0/8", "localhost:1234")
    assert world.items.asked == []


def test_what_the_settings_allow_comes_besides_before_the_call_goes_out() -> None:
    async def work() -> World:
        world = World("localhost:1")
        await world.store({"allow_private": ["10.0.0.1:8080"]})
        await world.call()
        return world

    world = run(work())
    assert world.allowed("localhost:1", "10.0.0.1:8080")
    assert world.items.asked == [("settings", "gateway")]
    (sent,) = world.web.sent
    assert (sent.url, sent.headers, sent.body) == (PRIVATE, {"a": "b"}, b"body")


@pytest.mark.parametrize("body", [None, {}, {"allow_private": []}, {"later": 5}])
def test_settings_that_allow_nothing_leave_what_the_process_was_told(body: Json | None) -> None:
    async def work() -> World:
        world = World("localhost:1")
        if body is not None:
            await world.store(body)
        await world.call()
        return world

    assert run(work()).allowed("localhost:1")


def test_a_warm_call_reads_no_settings() -> None:
    async def work() -> int:
        world = World()
        await world.store({"allow_private": ["10.0.0.1"]})
        for _ in range(5):
            await world.call()
        return len(world.items.asked)

    assert run(work()) == 1


def test_an_entry_that_is_taken_out_is_allowed_no_more() -> None:
    async def work() -> None:
        world = World("localhost:1")
        await world.store({"allow_private": ["10.0.0.1"]})
        await world.call()
        assert world.allowed("localhost:1", "10.0.0.1")
        await world.store({})
        world.clock.now += 30.1
        await world.call()
        assert world.allowed("localhost:1")

    run(work())


def public() -> Sequence[str]:
    return sorted(one.base_url for one in PROVIDERS.values() if one.base_url.startswith("https://"))


@pytest.mark.parametrize("base_url", public())
def test_a_call_to_a_provider_of_the_catalog_waits_for_no_settings(base_url: str) -> None:
    async def work() -> World:
        world = World()
        world.items.down = True
        await world.call(f"{base_url}/chat/completions")
        return world

    assert run(work()).items.asked == []


@pytest.mark.parametrize(
    "url",
    [
        PRIVATE,
        "http://localhost:11434/v1/chat",
        "http://api.openai.com/v1/chat",
        "https://api.openai.com:8443/v1/chat",
        "https://api.openai.com.evil.example/v1/chat",
        "https://api.openai.com@10.0.0.1/v1/chat",
        "https://[fd00::1]/v1",
    ],
)
def test_any_other_call_has_the_settings_read(url: str) -> None:
    async def work() -> World:
        world = World()
        await world.call(url)
        return world

    assert run(work()).items.asked == [("settings", "gateway")]


def test_a_store_that_is_down_from_the_start_stops_calls_that_need_the_settings() -> None:
    async def work() -> World:
        world = World()
        world.items.down = True
        with pytest.raises(Unavailable, match="the store is down"):
            await world.call()
        return world

    assert run(work()).web.sent == []


@pytest.mark.parametrize("body", [{"allow_private": ["10.0.0.1:8080"]}, {}])
def test_a_store_that_is_down_later_leaves_what_is_remembered(body: Json) -> None:
    async def work() -> None:
        world = World()
        await world.store(body)
        await world.call()
        world.items.down = True
        for seconds in (6, 60, 3000):
            world.clock.now += seconds
            await world.call()
        assert world.allowed(*body.get("allow_private", ()))

    run(work())


def test_that_there_are_no_settings_is_remembered_while_the_store_is_down_too() -> None:
    """The usual case: most gateways allow nothing, and call providers outside the catalog too."""

    async def work() -> None:
        world = World()
        await world.call("https://mine.openai.azure.com/openai/v1/chat")
        world.items.down = True
        for seconds in (6, 60, 3000):
            world.clock.now += seconds
            await world.call("https://mine.openai.azure.com/openai/v1/chat")

    run(work())


@pytest.mark.parametrize(
    "unreadable", [["10.0.0.0/8 until 2030"], ["http://10.0.0.1"], [5], 5, None]
)
def test_settings_that_cannot_be_read_are_the_stores_fault(unreadable: object) -> None:
    """A newer program may know entries that this one does not: another target may do better."""

    async def work() -> World:
        world = World("localhost:1")
        await world.store({"allow_private": unreadable})
        with pytest.raises(Unavailable, match="unreadable settings"):
            await world.call()
        return world

    world = run(work())
    assert world.allowed("localhost:1")
    assert world.web.sent == []


def test_closing_closes_the_transport_below() -> None:
    closed: list[str] = []

    class Closing(FakeTransport):
        async def close(self) -> None:
            closed.append("web")

    world = World()
    run(AllowingTransport(Closing(world.clock), world.allowances).close())
    assert closed == ["web"]

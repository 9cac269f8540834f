"""What is done before the first call, and what goes on meanwhile where it takes longer."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi import FastAPI

from gateway.adapters.memory import MemoryItems
from gateway.errors import Unavailable
from gateway.ports import Item, Kind
from gateway.settings import Settings
from handler import app as app_module
from handler.app import create_app, query_routes
from handler.cli import serve
from tests.fakes import run
from tests.handler.driver import World, called

Start = Callable[[], Awaitable[object]]


def app_that(start: Start) -> FastAPI:
    wired = World().wired()
    return create_app(wired, query_routes(wired), start=start)


def test_what_is_done_first_is_done_before_a_call() -> None:
    done: list[str] = []

    async def start() -> None:
        await asyncio.sleep(0)
        done.append("started")

    async def work() -> None:
        app = app_that(start)
        async with app.router.lifespan_context(app):
            assert done == ["started"]

    run(work())


def test_what_takes_longer_holds_no_call_up_and_ends_with_the_gateway(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(app_module, "STARTING", 0.01)
    ended = asyncio.Event()

    async def start() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def work() -> None:
        app = app_that(start)
        async with app.router.lifespan_context(app):
            assert (await called(app, "GET", "/health")).status == 200
            assert not ended.is_set()
        await ended.wait()

    run(work())


class Flaky(MemoryItems):
    """Fails a few times, and then no more."""

    def __init__(self, faults: int) -> None:
        super().__init__()
        self.faults = faults

    async def get(self, kind: Kind, name: str) -> Item | None:
        if self.faults:
            self.faults -= 1
            raise Unavailable("the table is not there yet")
        return await super().get(kind, name)


class Safe:
    """One for the process, as the one of AWS is."""

    kept: tuple[str, ...] = ()
    closed = 0

    def __init__(self, _: Settings) -> None:
        Safe.kept, Safe.closed = (), 0

    async def put(self, key: str) -> None:
        Safe.kept = (*Safe.kept, key)

    async def close(self) -> None:
        Safe.closed += 1


@pytest.fixture
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "BETWEEN_TRIES", 0)
    monkeypatch.setattr("gateway.bootstrap.aws.AdminKeySafe", Safe)


def first_key(items: MemoryItems) -> Start:
    wired = replace(World().wired(), items=items, settings=Settings(home=Path("unused")))
    return serve._first_key(wired)


@pytest.mark.usefixtures("no_pause")
def test_a_first_key_that_could_not_be_made_is_tried_again_until_it_is(
    caplog: pytest.LogCaptureFixture,
) -> None:
    items = Flaky(3)
    started = first_key(items)

    async def work() -> None:
        await started()

    run(work())
    said = "the first admin key is not made yet: the table is not there yet"
    assert [record.getMessage() for record in caplog.records] == [said] * 3
    assert (len(Safe.kept), Safe.closed, items.faults) == (1, 1, 0)
    item = run(items.get("key", "admin"))
    assert item is not None
    assert item.body["credentials"][0]["tail"] == Safe.kept[0][-4:]


@pytest.mark.usefixtures("no_pause")
def test_a_gateway_that_ends_before_its_first_key_is_made_closes_the_safe(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(app_module, "STARTING", 0.01)
    caplog.set_level("ERROR")
    start = first_key(Flaky(1_000_000))

    async def work() -> None:
        app = app_that(start)
        async with app.router.lifespan_context(app):
            assert (await called(app, "GET", "/health")).status == 200

    run(work())
    assert (Safe.kept, Safe.closed) == ((), 1)


def test_a_start_that_breaks_is_told_while_the_gateway_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def start() -> None:
        raise RuntimeError("nobody expected this")

    async def work() -> list[str]:
        app = app_that(start)
        async with app.router.lifespan_context(app):
            assert (await called(app, "GET", "/health")).status == 200
            return [record.levelname for record in caplog.records]

    assert run(work()) == ["ERROR"]

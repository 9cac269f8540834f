"""The gateway as a function: its settings, and what it does before it may be frozen."""

import os
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Message, Scope

from gateway.bootstrap.choosing import Chosen, choose
from gateway.bootstrap.local import local
from gateway.bootstrap.wiring import Wired
from gateway.settings import Settings
from handler import on_lambda
from handler.app import query_routes
from handler.door import GuardedRoute
from handler.lambda_time import seconds_left
from handler.on_lambda import Drift, OnLambda, function, settings_on_lambda
from tests.fakes import Clock, run

PATH = "/do"


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of whoever runs the tests is a setting, and the log stays as it is."""
    for name in [name for name in os.environ if name.startswith("SLUICEGATE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(on_lambda, "start_logging", lambda _: None)


def told(settings: Settings) -> tuple[str, bool, bool]:
    return settings.store, settings.require_keys, settings.logs_json


def test_on_lambda_the_stores_are_aws_and_every_caller_shows_a_key() -> None:
    assert told(settings_on_lambda({})) == ("aws", True, True)


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("SLUICEGATE_STORE", "local", ("local", True, True)),
        ("SLUICEGATE_REQUIRE_KEYS", "false", ("aws", False, True)),
        ("SLUICEGATE_LOG_FORMAT", "text", ("aws", True, False)),
        ("SLUICEGATE_STORE", "", ("aws", True, True)),
        ("SLUICEGATE_REQUIRE_KEYS", "", ("aws", True, True)),
    ],
)
def test_what_it_is_told_goes_before_that(
    variable: str, value: str, expected: tuple[str, bool, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    assert told(settings_on_lambda({})) == expected


def test_under_sam_local_it_stands_on_the_embedded_store_and_is_open() -> None:
    settings = settings_on_lambda({"AWS_SAM_LOCAL": "true"})
    assert told(settings) == ("local", False, True)
    assert settings.home.is_relative_to("/tmp")  # noqa: S108 - the only place that can be written


@dataclass
class World:
    """An app whose route answers, and what was done with the gateway around it."""

    home: Path
    fails: bool = False
    done: list[str] = field(default_factory=list)
    wall: Clock = field(default_factory=Clock)
    clock: Clock = field(default_factory=Clock)

    def wired(self) -> Wired:
        self.done.append("wired")
        made = local(Settings(home=self.home), environment={})
        return replace(made, hurry=lambda: self.done.append("settled"))

    def app(self, *, shared: bool = False, eager: bool = False) -> OnLambda:
        async def prepare() -> None:
            self.done.append("prepared")

        chosen = Chosen(self.wired, prepare, lambda: self.done.append("refreshed"))
        drift = Drift(self.wall, self.clock)
        return OnLambda(chosen, self.routes, shared=shared, eager=eager, drift=drift)

    def routes(self, _: Wired) -> list[GuardedRoute]:
        async def do(__: Request) -> Response:
            self.done.append("called")
            if self.fails:
                raise ValueError
            return PlainTextResponse("done")

        return [GuardedRoute(PATH, do, role=None)]


async def call(app: OnLambda, done: list[str]) -> None:
    scope: Scope = {
        "type": "http",
        "method": "GET",
        "path": PATH,
        "raw_path": None,
        "root_path": "",
        "headers": [],
        "query_string": b"",
        "server": ("x", 443),
        "client": ("y", 0),
        "scheme": "https",
        "http_version": "1.1",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "state": {},
    }

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body" and not message.get("more_body"):
            done.append("answered")

    await app(scope, receive, send)


def test_what_is_to_be_kept_of_a_call_is_kept_after_its_answer_and_before_it_is_over(
    tmp_path: Path,
) -> None:
    world = World(tmp_path)
    run(call(world.app(), world.done))
    assert world.done == ["wired", "called", "answered", "settled"]


def test_it_is_kept_of_a_call_that_failed_too(tmp_path: Path) -> None:
    world = World(tmp_path, fails=True)
    with pytest.raises(ValueError):
        run(call(world.app(), world.done))
    assert world.done == ["wired", "called", "answered", "settled"]


def test_who_is_never_frozen_need_not_wait_for_it(tmp_path: Path) -> None:
    world = World(tmp_path)
    run(call(world.app(shared=True), world.done))
    assert world.done == ["wired", "called", "answered"]


def test_a_freeze_that_our_clock_does_not_see_has_all_made_anew(tmp_path: Path) -> None:
    """Else what is remembered, and connections that lie idle, would seem as young as before."""
    world = World(tmp_path)

    async def work() -> None:
        app = world.app()
        await call(app, world.done)
        world.wall.now += 600
        world.clock.now += 600  # a clock that goes on: everything ages by itself
        await call(app, world.done)
        assert "refreshed" not in world.done
        world.wall.now += 600
        world.done.clear()
        await call(app, world.done)
        assert world.done == ["refreshed", "wired", "called", "answered", "settled"]
        world.done.clear()
        await call(app, world.done)
        assert world.done == ["called", "answered", "settled"]

    run(work())


def test_a_restored_gateway_is_made_anew_with_its_connections_let_go_before(
    tmp_path: Path,
) -> None:
    world = World(tmp_path)

    async def work() -> None:
        app = world.app()
        await app.before_snapshot()
        before = app._wired
        await app.after_restore()
        assert app._wired is not before
        assert app._wired.gateway is not before.gateway
        await call(app, world.done)

    run(work())
    snapshot = ["wired", "prepared", "refreshed", "wired"]
    assert world.done == [*snapshot, "called", "answered", "settled"]


async def begun(app: OnLambda, done: list[str]) -> None:
    """From the start of the app to its end."""
    messages = iter(["lifespan.startup", "lifespan.shutdown"])

    async def receive() -> Message:
        return {"type": next(messages)}

    async def send(message: Message) -> None:
        done.append(message["type"])

    await app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, receive, send)


@pytest.mark.parametrize(("eager", "ahead"), [(True, ["prepared"]), (False, [])])
def test_who_starts_long_before_its_first_call_does_then_what_takes_long(
    tmp_path: Path, eager: bool, ahead: list[str]
) -> None:
    world = World(tmp_path)
    run(begun(world.app(eager=eager), world.done))
    assert world.done == [
        "wired",
        *ahead,
        "lifespan.startup.complete",
        "settled",
        "lifespan.shutdown.complete",
    ]


@pytest.mark.parametrize(
    ("environment", "shared", "eager"),
    [
        ({}, False, False),
        ({"AWS_LAMBDA_MAX_CONCURRENCY": ""}, False, False),
        ({"AWS_LAMBDA_MAX_CONCURRENCY": "1"}, False, False),
        ({"AWS_LAMBDA_MAX_CONCURRENCY": "8"}, True, True),
        ({"AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand"}, False, False),
        ({"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}, False, False),
        ({"AWS_LAMBDA_INITIALIZATION_TYPE": "provisioned-concurrency"}, False, True),
        ({"AWS_LAMBDA_INITIALIZATION_TYPE": "lambda-managed-instances"}, False, True),
    ],
)
def test_the_environment_says_how_it_is_run(
    environment: dict[str, str], shared: bool, eager: bool
) -> None:
    """As where it is imported: within the loop that is to run it."""

    async def made() -> object:
        return function(query_routes, environment | {"AWS_SAM_LOCAL": "true"}).app

    app = run(made())
    assert isinstance(app, OnLambda)
    assert (app._shared, app._start is not None) == (shared, eager)


def test_the_embedded_store_needs_nothing_ahead(tmp_path: Path) -> None:
    async def work() -> None:
        chosen = choose(Settings(home=tmp_path), {})
        await chosen.prepare()
        chosen.refresh()
        assert chosen.wired() is not chosen.wired()

    run(work())


@dataclass
class Left:
    left: int

    def get_remaining_time_in_millis(self) -> int:
        return self.left


@pytest.mark.parametrize(
    ("left", "seconds"),
    [(900_000, 898.0), (8_000, 6.0), (4_000, 3.0), (1_000, 0.75), (0, 0.0), (-5, 0.0)],
)
def test_a_call_is_over_a_little_before_lambda_ends_it(left: int, seconds: float) -> None:
    assert seconds_left({"aws.context": Left(left)}) == seconds


@pytest.mark.parametrize("scope", [{}, {"aws.context": None}])
def test_elsewhere_nobody_ends_it(scope: Scope) -> None:
    assert seconds_left(scope) is None

"""A caller who hangs up, and failures of our own: what they leave behind."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress

import pytest
from starlette.types import Message

from gateway.adapters.memory import MemoryEndpoints, MemoryLedger
from gateway.metering.records import Record
from gateway.routing.endpoint import Endpoint
from gateway.wire.json import Json, dumps
from tests.fakes import FakeUpstream, Hang, run
from tests.handler.driver import Caller, Told, World, post, scope

CHAT: Json = {"model": "gpt", "messages": [{"role": "user", "content": "hi"}]}
STREAM = CHAT | {"stream": True}
OPENAI, MLFLOW = "/gateway/openai/v1", "/gateway/mlflow/v1"
PATH = f"{OPENAI}/chat/completions"
HELLO = b'data: {"id":"c","choices":[{"index":0,"delta":{"content":"Hello"}}]}\n\n'


async def hung_up(world: World, body: Json, when: asyncio.Event) -> Caller:
    """The caller after it has hung up as soon as ``when`` came to pass."""
    caller = Caller(dumps(body))
    serving = asyncio.ensure_future(world.app()(scope("POST", PATH), caller.receive, caller.send))
    await when.wait()
    caller.gone.set()
    await serving
    return caller


@pytest.mark.parametrize("body", [CHAT, STREAM])
def test_a_caller_who_goes_while_a_connection_is_made_is_settled_once(body: Json) -> None:
    async def work() -> tuple[World, Caller]:
        connecting = Hang()
        world = World((connecting,))
        return world, await hung_up(world, body, connecting.reached)

    world, caller = run(work())
    assert caller.sent == []
    assert outcome(world) == ("hung_up", 499)


@pytest.mark.parametrize("body", [CHAT, STREAM])
def test_a_caller_who_goes_while_the_provider_thinks_closes_the_upstream(body: Json) -> None:
    async def work() -> tuple[World, Caller, int]:
        thinking = Hang()
        upstream = FakeUpstream(thinking)
        world = World((upstream,))
        caller = await hung_up(world, body, thinking.reached)
        return world, caller, upstream.closed

    world, caller, closed = run(work())
    assert (caller.sent, closed) == ([], 1)
    assert outcome(world) == ("hung_up", 499)


def test_a_caller_who_goes_in_the_middle_of_a_stream_closes_the_upstream() -> None:
    async def work() -> tuple[World, Caller, int]:
        silent = Hang()
        upstream = FakeUpstream(HELLO, silent)
        world = World((upstream,))
        caller = await hung_up(world, STREAM, silent.reached)
        return world, caller, upstream.closed

    world, caller, closed = run(work())
    assert [message.get("body") for message in caller.sent] == [None, HELLO]
    assert closed == 1
    assert outcome(world) == ("hung_up", 499)


def outcome(world: World) -> tuple[str, int]:
    record: Record
    (record,) = world.ledger.records
    return record.outcome, record.status


def test_a_caller_who_goes_before_the_body_is_in_costs_nothing() -> None:
    async def work() -> tuple[World, Caller]:
        world, caller = World(), Caller(b"{", b"")
        caller._parts.pop()  # what is announced never comes

        async def receive() -> dict[str, object]:
            caller.gone.set()
            return {**await caller.receive(), "more_body": True}

        await world.app()(scope("POST", PATH), receive, caller.send)
        return world, caller

    world, caller = run(work())
    assert (caller.sent, world.ledger.records) == ([], [])


def test_a_caller_who_has_its_answer_may_go_without_harm() -> None:
    async def work() -> tuple[World, Told]:
        world, caller = World(), Caller(dumps(CHAT | {"model": "e"}))
        await world.app()(scope("POST", PATH), caller.receive, caller.send)
        caller.gone.set()
        for _ in range(3):
            await asyncio.sleep(0)
        return world, caller.told

    world, told = run(work())
    assert told.status == 200
    assert outcome(world) == ("answered", 200)


def test_a_caller_that_cannot_be_written_to_is_settled_too() -> None:
    async def work() -> World:
        upstream = FakeUpstream(HELLO, HELLO)
        world, caller = World((upstream,)), Caller(dumps(STREAM))

        async def send(message: Message) -> None:
            raise OSError(f"the pipe is broken: {message['type']}")

        with pytest.raises(OSError, match="broken"):
            await world.app()(scope("POST", PATH), caller.receive, send)
        assert upstream.closed == 1
        return world

    assert outcome(run(work())) == ("hung_up", 499)


def test_a_server_that_stops_is_no_caller_who_hung_up() -> None:
    """Its cancellation must go through: the server waits for it."""

    async def work() -> World:
        connecting = Hang()
        world, caller = World((connecting,)), Caller(dumps(CHAT))
        serving = asyncio.ensure_future(
            world.app()(scope("POST", PATH), caller.receive, caller.send)
        )
        await connecting.reached.wait()
        serving.cancel()
        await asyncio.wait({serving})
        assert serving.cancelled()
        return world

    assert outcome(run(work())) == ("hung_up", 499)


SECRET = "sk-secret in /opt/gateway/store.py"


class Bug(MemoryEndpoints):
    """Fails as nobody expected."""

    async def find(self, name: str) -> Endpoint:
        raise RuntimeError(SECRET + name)

    async def list(self) -> Sequence[Endpoint]:
        raise RuntimeError(SECRET)


def is_our_failure(told: Told) -> None:
    assert told.status == 500
    assert told.error["type"] == "server_error"
    assert told.error["message"].startswith("the gateway failed")
    for internal in ("Traceback", "RuntimeError", "secret", ".py", "opt"):
        assert internal not in told.body.decode()


@pytest.mark.parametrize("path", [PATH, f"{MLFLOW}/chat/completions"])
@pytest.mark.parametrize("stream", [True, False])
def test_a_failure_of_our_own_is_a_500_that_tells_nothing(
    path: str, caplog: pytest.LogCaptureFixture, *, stream: bool
) -> None:
    with caplog.at_level(logging.ERROR):
        told = post(path, CHAT | {"stream": stream}, World(endpoints=Bug()))
    is_our_failure(told)
    assert SECRET in caplog.text
    assert told.headers["x-gateway-request-id"] in caplog.text


@pytest.mark.parametrize(
    "path", [f"{OPENAI}/models", f"{OPENAI}/models/e", f"{MLFLOW}/models/e", "/ready"]
)
def test_a_failure_of_our_own_is_a_500_on_every_other_path_too(path: str) -> None:
    async def work() -> Told:
        caller = Caller()
        with suppress(RuntimeError):  # Starlette raises it once more, for the server's own log
            await World(endpoints=Bug()).app()(scope("GET", path), caller.receive, caller.send)
        return caller.told

    is_our_failure(run(work()))


def test_a_failure_of_our_own_in_the_middle_of_a_stream_cuts_it() -> None:
    """No end is sent, so the server closes the connection and nobody takes it for whole."""

    async def work() -> tuple[World, Caller, int]:
        upstream = FakeUpstream(HELLO, RuntimeError(SECRET))
        world, caller = World((upstream,)), Caller(dumps(STREAM))
        with pytest.raises(RuntimeError):
            await world.app()(scope("POST", PATH), caller.receive, caller.send)
        return world, caller, upstream.closed

    world, caller, closed = run(work())
    assert [message.get("body") for message in caller.sent] == [None, HELLO]
    assert caller.sent[-1]["more_body"] is True
    assert closed == 1
    assert outcome(world) == ("failed", 500)


def test_only_the_message_that_says_so_means_that_the_caller_has_gone() -> None:
    """Some servers send the end of the body once more."""

    async def work() -> World:
        connecting = Hang()
        world, caller = World((connecting,)), Caller(dumps(CHAT))
        again = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive() -> Message:
            whole = not caller._parts
            return again.pop() if whole and again else await caller.receive()

        serving = asyncio.ensure_future(world.app()(scope("POST", PATH), receive, caller.send))
        await connecting.reached.wait()
        for _ in range(5):
            await asyncio.sleep(0)
        assert (again, serving.done()) == ([], False)
        caller.gone.set()
        await serving
        return world

    assert outcome(run(work())) == ("hung_up", 499)


class Full(MemoryLedger):
    """A ledger that cannot be written."""

    async def write(self, record: Record) -> None:
        raise RuntimeError(SECRET + record.endpoint)


def test_a_ledger_that_fails_takes_nobodys_answer_away() -> None:
    assert post(PATH, CHAT | {"model": "e"}, World(ledger=Full())).status == 200

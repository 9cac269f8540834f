"""The raw proxy's route, without a server: bodies as they arrive, callers, errors."""

import asyncio
import logging
from contextlib import closing
from typing import Any

import pytest
from mangum import Mangum
from starlette.types import ASGIApp, Message

from gateway.adapters.memory import MemoryEndpoints
from gateway.admission.admission import Caller as Who
from gateway.admission.admission import OpenAdmission, Presented
from gateway.errors import BadRequest, Forbidden, UpstreamBroke
from gateway.routing.endpoint import Endpoint, Target
from handler.proxy import SMALL, Arriving
from tests.fakes import FakeUpstream, Hang, run
from tests.handler.driver import Caller, World, called, get, post, scope

PATH = "/gateway/proxy/gpt/v1/files"


def arriving(*messages: Message) -> Arriving:
    """After these messages nothing comes for ever."""
    waiting = list(messages)

    async def receive() -> Message:
        if not waiting:
            await asyncio.Event().wait()
        return waiting.pop(0)

    return Arriving(receive)


def part(body: bytes, *, more: bool = True) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


async def pieces(body: Any) -> list[bytes]:
    return [piece async for piece in body]


@pytest.mark.parametrize(
    ("messages", "announced", "expected"),
    [
        ([part(b"", more=False)], None, b""),
        ([part(b"x" * 999_999, more=False)], None, b"x" * 999_999),
        ([part(b"ab"), part(b"cd"), part(b"", more=False)], "4", b"abcd"),
        ([part(b"ab"), part(b"cd"), part(b"", more=False)], None, [b"ab", b"cd", b""]),
        ([part(b"ab"), part(b"cd", more=False)], str(SMALL + 1), [b"ab", b"cd"]),
        ([part(b"ab"), part(b"cd", more=False)], "4" * 5000, [b"ab", b"cd"]),
        ([part(b"ab"), part(b"cd", more=False)], "-1", [b"ab", b"cd"]),
        # Whatever was announced, no more than that is held.
        (
            [part(b"x" * SMALL), part(b"y"), part(b"z", more=False)],
            "3",
            [b"x" * SMALL + b"y", b"z"],
        ),
    ],
)
def test_a_short_body_is_read_whole_and_a_long_one_as_it_comes(
    messages: list[Message], announced: str | None, expected: Any
) -> None:
    async def story() -> Any:
        body = await arriving(*messages).body(announced)
        return body if isinstance(body, bytes) else await pieces(body)

    assert run(story()) == expected


def test_that_the_caller_has_gone_is_heard_in_the_middle_of_a_body_and_after_it() -> None:
    async def story() -> None:
        for before in ([], [part(b"a")], [part(b"a", more=False)]):
            caller = arriving(*before, {"type": "http.disconnect"})
            reading = asyncio.ensure_future(caller.body("2"))
            assert await caller.gone() == {"type": "http.disconnect"}
            reading.cancel()

    run(story())


def test_what_the_server_cannot_read_is_refused_as_it_says() -> None:
    async def story() -> tuple[int, Any]:
        caller = Caller()

        async def receive() -> Message:
            raise BadRequest(None, "the body is not the base64 that its event says it is")

        await World().app()(scope("POST", PATH), receive, caller.send)
        return caller.told.status, caller.told.json["detail"]

    assert run(story()) == (400, "the body is not the base64 that its event says it is")


class Limited(OpenAdmission):
    """Everyone is a caller who may call ``other`` alone."""

    async def identify(self, presented: Presented) -> Who:
        del presented
        return Who("limited", endpoints=frozenset({"other"}))

    def admit(self, caller: Who, endpoint: str) -> None:
        if not caller.may_call(endpoint):
            raise Forbidden("not this endpoint", code="endpoint_not_allowed")


@pytest.mark.parametrize("name", ["gpt", "nope", "gpt%2Fother"])
def test_who_may_not_call_an_endpoint_learns_nothing_of_it(name: str) -> None:
    upstream = FakeUpstream(b"secret")
    told = get(f"/gateway/proxy/{name}/v1/x", World((upstream,), admission=Limited()))
    code = told.json["error"]["code"]
    assert (told.status, code, upstream.parts) == (403, "endpoint_not_allowed", [b"secret"])


def test_the_path_is_read_as_it_was_written() -> None:
    named = Endpoint("a/b", (Target("openai", "m", "key"),))

    async def asked(raw_path: bytes | None, path: str) -> int:
        world = World((FakeUpstream(b"ok"),), endpoints=MemoryEndpoints([named]))
        caller = Caller()
        given = scope("GET", path) | {"raw_path": raw_path}
        await world.app()(given, caller.receive, caller.send)
        return caller.told.status

    assert run(asked(b"/gateway/proxy/a%2Fb/v1/x", "/gateway/proxy/a/b/v1/x")) == 200
    assert run(asked(None, "/gateway/proxy/a/b/v1/x")) == 200
    assert run(asked(b"/gateway/%70roxy/a/b/v1/x", "/gateway/proxy/a/b/v1/x")) == 400


def test_the_demo_answers_here_as_elsewhere() -> None:
    body = {"model": "echo-instant", "messages": [{"role": "user", "content": "hi"}]}
    for path in ("v1/chat/completions", "chat/completions"):
        told = post(f"/gateway/proxy/demo/{path}", body)
        assert (told.status, told.json["object"]) == (200, "chat.completion")
    parts = called(World().app(), "POST", "/gateway/proxy/demo/v1/chat/completions", b"[", b"]")
    assert run(parts).status == 400
    refused = get("/gateway/proxy/demo/v1/chat/completions")
    assert (refused.status, refused.json["detail"]) == (
        405,
        "the echo takes POST at /chat/completions, not GET",
    )
    assert get("/gateway/proxy/demo/v1/files").status == 404


def test_other_methods_are_refused_with_those_that_there_are() -> None:
    told = run(called(World().app(), "OPTIONS", PATH))
    assert (told.status, told.headers["allow"]) == (405, "DELETE, GET, HEAD, PATCH, POST, PUT")


def test_a_failure_of_our_own_is_said_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    world = World((ValueError("a bug"),))
    with caplog.at_level(logging.ERROR):
        told = post(PATH, b"{}", world)
    assert (told.status, "a bug" in told.body.decode()) == (500, False)
    assert "a bug" in caplog.text
    assert [record.status for record in world.ledger.records] == [500]


async def cut(app: ASGIApp, caller: Caller) -> None:
    with pytest.raises(UpstreamBroke):
        await app(scope("GET", PATH), caller.receive, caller.send)


def test_an_answer_that_breaks_off_is_never_ended() -> None:
    world, caller = World((FakeUpstream(b"half", UpstreamBroke("cut")),)), Caller()
    run(cut(world.app(), caller))
    assert [message.get("body") for message in caller.sent] == [None, b"half"]
    assert caller.sent[-1]["more_body"] is True
    assert [record.error for record in world.ledger.records] == ["UpstreamBroke"]


EVENT = {
    "version": "2.0",
    "rawPath": PATH,
    "rawQueryString": "",
    "headers": {"host": "127.0.0.1"},
    "requestContext": {"http": {"method": "GET", "path": PATH, "sourceIp": "127.0.0.1"}},
    "isBase64Encoded": False,
}


def test_an_answer_that_breaks_off_is_an_error_of_a_function_whose_answers_are_whole() -> None:
    world = World((FakeUpstream(b"half", UpstreamBroke("cut")),))
    with closing(asyncio.new_event_loop()) as loop:
        asyncio.set_event_loop(loop)  # Mangum would make one and leave it open
        handler = Mangum(world.app(), lifespan="off")  # type: ignore[arg-type]
        told = handler(EVENT, None)  # type: ignore[arg-type]
        asyncio.set_event_loop(None)
    assert (told["statusCode"], told["body"]) == (500, "Internal Server Error")


@pytest.mark.parametrize("where", ["the body", "the provider", "the answer"])
def test_a_caller_who_goes_is_settled_once(where: str) -> None:
    hang = Hang()

    async def story() -> tuple[World, Caller, int]:
        upstream = FakeUpstream(b"half", hang)
        world = World((hang if where == "the provider" else upstream,))
        caller = Caller(b"ab", b"cd")
        if where == "the body":
            upstream.parts = [b"never"]
            asked = iter([part(b"ab")])

            async def receive() -> Message:
                for message in asked:
                    return message
                hang.reached.set()
                await caller.gone.wait()
                return {"type": "http.disconnect"}

            caller.receive = receive  # type: ignore[method-assign]
        serving = asyncio.ensure_future(
            world.app()(scope("POST", PATH), caller.receive, caller.send)
        )
        await hang.reached.wait()
        caller.gone.set()
        await serving
        return world, caller, upstream.closed

    world, caller, closed = run(story())
    sent = [message.get("body") for message in caller.sent]
    assert (sent, closed) == (([None, b"half"], 1) if where == "the answer" else ([], 0))
    (record,) = world.ledger.records
    assert (record.outcome, record.status, record.dialect) == ("hung_up", 499, "proxy")


def test_a_caller_who_goes_before_a_short_body_is_in_has_called_nobody() -> None:
    async def story() -> World:
        world, caller = World(), Caller()
        caller.gone.set()
        caller._parts = []  # it goes at once
        length = {"content-length": "4"}
        await world.app()(scope("POST", PATH, length), caller.receive, caller.send)
        assert caller.sent == []
        return world

    assert run(story()).ledger.records == []


@pytest.mark.parametrize("messages", [[], [part(b"ab")]])
def test_a_body_that_never_comes_is_not_waited_for_for_ever(
    messages: list[Message], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handler.proxy.PATIENCE", 0.01)
    with pytest.raises(BadRequest) as refused:
        run(arriving(*messages).body("4"))
    assert (refused.value.status, refused.value.code) == (408, "body_stalled")


def test_an_endpoint_may_be_closed_to_raw_calls() -> None:
    closed = Endpoint("gpt", (Target("openai", "gpt", "key"),), raw=False)
    told = post(PATH, b"{}", World(endpoints=MemoryEndpoints([closed])))
    assert (told.status, told.error["code"]) == (403, "raw_forbidden")

"""Anthropic's paths: whatever goes wrong on them is said in Anthropic's shape."""

from typing import Any

import pytest

from gateway.adapters.memory import MemoryEndpoints
from gateway.dialects import ANTHROPIC_MESSAGES, OPENAI_CHAT
from gateway.errors import (
    BadRequest,
    EndpointNotFound,
    GatewayError,
    OutOfTime,
    Unavailable,
    UpstreamRejected,
)
from gateway.routing.endpoint import Endpoint, Target
from gateway.wire.json import Json, dumps, loads
from handler.errors import answer_for, dialect_at, early_answer
from handler.lambda_runtime.answering import Whole
from handler.lambda_runtime.api import RuntimeApi
from tests.dialects.messages import OVERLOADED, REPLY
from tests.fakes import FakeUpstream, run
from tests.handler.control.world import World as GuardedWorld
from tests.handler.driver import LIMIT, Caller, Told, World, called, get, post, scope

ROOTS = ("/gateway/anthropic/v1", "/gateway/anthropic/v1/v1")
MESSAGES, COUNT = f"{ROOTS[0]}/messages", f"{ROOTS[0]}/messages/count_tokens"
EVERY = [f"{root}/messages{more}" for root in ROOTS for more in ("", "/count_tokens")]
HI: Json = {"model": "c", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}
CLAUDE = Endpoint("c", (Target("anthropic", "claude-real", "key"),), created=1_700_000_000)


def world(*answers: FakeUpstream, **more: Any) -> World:
    demo = Endpoint("demo", (Target("echo", "echo"),))
    llama = Endpoint("llama", (Target("groq", "llama", "key"),))
    return World(answers, endpoints=MemoryEndpoints([demo, CLAUDE, llama]), **more)


def said(told: Told) -> tuple[int, str]:
    """The status and the type, of an answer that must be an error as Anthropic says it."""
    assert told.headers["content-type"] == "application/json"
    assert set(told.json) <= {"type", "error", "request_id"}
    assert ANTHROPIC_MESSAGES.is_error(told.json)
    if "request_id" in told.json:
        assert told.headers["request-id"] == told.json["request_id"]
    return told.status, told.json["error"]["type"]


@pytest.mark.parametrize("root", ROOTS)
def test_a_message_is_answered_wherever_the_base_url_ended(root: str) -> None:
    told = post(f"{root}/messages", HI, world(FakeUpstream(REPLY)))
    assert (told.status, told.body) == (200, REPLY)
    assert "x-mlflow-gateway-duration-ms" not in told.headers


@pytest.mark.parametrize("root", ROOTS)
def test_tokens_are_counted(root: str) -> None:
    counted = b'{"input_tokens":588}'
    told = post(f"{root}/messages/count_tokens", HI, world(FakeUpstream(counted)))
    assert (told.status, told.body) == (200, counted)


@pytest.mark.parametrize("path", EVERY)
@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        (b"", 400, "invalid_request_error"),
        (b"{", 400, "invalid_request_error"),
        (b"[]", 400, "invalid_request_error"),
        (b"\xff", 400, "invalid_request_error"),
        (b"[" * 20_000, 400, "invalid_request_error"),
        ({}, 400, "invalid_request_error"),
        (HI | {"model": 5}, 400, "invalid_request_error"),
        (HI | {"messages": "hi"}, 400, "invalid_request_error"),
        (HI | {"stream": "yes"}, 400, "invalid_request_error"),
        (HI | {"model": "nobody"}, 404, "not_found_error"),
        (b" " * (LIMIT + 1), 413, "request_too_large"),
    ],
)
def test_a_callers_mistake_is_said_as_anthropic_says_it(
    path: str, body: Any, status: int, kind: str
) -> None:
    assert said(post(path, body, world())) == (status, kind)


def test_an_endpoint_that_speaks_otherwise_answers_all_the_same() -> None:
    told = post(MESSAGES, HI | {"model": "demo"}, world())
    assert told.json["content"] == [{"type": "text", "text": "This is an echo,"}]
    assert told.json["stop_reason"] == "max_tokens"
    assert post(COUNT, HI | {"model": "demo"}, world()).json == {"input_tokens": 1}


def test_an_endpoint_whose_provider_does_not_count_says_so() -> None:
    told = post(COUNT, HI | {"model": "llama"}, world())
    assert said(told) == (400, "invalid_request_error")
    assert told.json["error"]["message"].startswith(
        "endpoint 'llama' is served by 'groq', which does not offer anthropic_count_tokens"
    )


def test_a_body_packed_in_an_unknown_way_is_refused_in_the_same_shape() -> None:
    headers = {"content-encoding": "br"}
    told = run(called(world().app(), "POST", MESSAGES, b"{}", headers=headers))
    assert said(told) == (415, "invalid_request_error")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/gateway/anthropic", 404),
        ("GET", "/gateway/anthropic/", 404),
        ("POST", "/gateway/anthropic/messages", 404),
        ("POST", f"{ROOTS[0]}/messages/batches", 404),
        ("POST", f"{ROOTS[0]}/messages/", 404),
        ("POST", f"{ROOTS[0]}/complete", 404),
        ("GET", f"{ROOTS[0]}/mlflow/x", 404),
        ("GET", MESSAGES, 405),
        ("PUT", COUNT, 405),
        ("DELETE", f"{ROOTS[1]}/models", 405),
    ],
)
def test_what_is_no_path_or_no_method_is_said_so_too(method: str, path: str, status: int) -> None:
    told = run(called(world().app(), method, path))
    kind = "not_found_error" if status == 404 else "invalid_request_error"
    assert said(told) == (status, kind)
    assert ("allow" in told.headers) == (status == 405)


@pytest.mark.parametrize("path", ["/gateway/anthropics", "/gateway/openai/v1/x", "/anthropic/v1"])
def test_elsewhere_it_is_openais_shape(path: str) -> None:
    assert dialect_at(path) is OPENAI_CHAT
    assert get(path).error["code"] == "unknown_path"


def test_an_endpoint_named_as_a_provider_keeps_mlflows_manners() -> None:
    path = "/gateway/anthropic/claude/mlflow/invocations"
    assert dialect_at(path) is OPENAI_CHAT
    told = run(called(world().app(), "GET", path))
    assert (told.status, "detail" in told.json) == (405, True)


@pytest.mark.parametrize(("header", "value"), [("x-api-key", "{}"), ("authorization", "Bearer {}")])
def test_a_gateway_key_is_taken_from_where_the_sdk_puts_it(header: str, value: str) -> None:
    guarded = GuardedWorld()
    guarded.make_endpoint("e")
    key = guarded.make_key("caller")

    def ask(with_key: str, path: str = f"{ROOTS[0]}/models") -> Told:
        headers = {header: value.format(with_key)}
        return run(called(guarded.app, "GET", path, headers=headers))

    assert [model["id"] for model in ask(key).json["data"]] == ["e"]
    assert said(ask("sk-ant-junk")) == (401, "authentication_error")
    assert said(ask(guarded.admin)) == (403, "permission_error")
    assert said(ask(key, f"{ROOTS[0]}/models/nobody")) == (404, "not_found_error")


@pytest.mark.parametrize("path", EVERY)
def test_a_key_that_may_not_call_an_endpoint_is_told_so(path: str) -> None:
    guarded = GuardedWorld()
    guarded.make_endpoint("other")
    key = guarded.make_key("limited", endpoints=["other"])
    told = run(called(guarded.app, "POST", path, dumps(HI), headers={"x-api-key": key}))
    assert said(told) == (403, "permission_error")


def test_a_page_of_another_site_is_turned_away_in_the_same_shape() -> None:
    told = get(f"{ROOTS[0]}/models", world(local_only=True), origin="https://evil.example")
    assert said(told) == (403, "permission_error")


def test_a_fault_of_ours_is_no_stack_trace() -> None:
    class Broken(MemoryEndpoints):
        async def find(self, name: str) -> Endpoint:
            raise RuntimeError(name)

    told = post(MESSAGES, HI, World(endpoints=Broken([])))
    assert said(told) == (500, "api_error")
    assert told.headers["x-should-retry"] == "false"
    assert told.json["request_id"] == told.headers["x-gateway-request-id"]


def test_on_lambda_an_answer_that_comes_to_nothing_is_said_in_it_too() -> None:
    class Api(RuntimeApi):
        def __init__(self) -> None:
            self.told = b""

        async def answer(self, _: Any, told: bytes) -> None:
            self.told = told

    api = Api()
    invocation: Any = None
    whole = Whole(api, invocation, lambda answer: {"body": answer["body"].decode()}, MESSAGES)
    run(whole.fail("late", OutOfTime()))
    assert loads(loads(api.told)["body"])["error"]["type"] == "timeout_error"


THEIRS = b'{ "type":"error","error":{"type":"rate_limit_error","message":"m"},"request_id":"req_9"}'


def test_the_providers_own_error_is_handed_on_byte_for_byte() -> None:
    headers = {"request-id": "req_9", "retry-after": "7", "x-should-retry": "true", "cf-ray": "1"}
    limits = {"anthropic-ratelimit-requests-reset": "2026-01-01T00:00:00Z"}
    upstream = FakeUpstream(THEIRS, status=429, headers={**headers, **limits})
    told = post(MESSAGES, HI, world(upstream))
    assert (told.status, told.body) == (429, THEIRS)
    del headers["cf-ray"]
    assert {**headers, **limits}.items() <= told.headers.items()
    assert "cf-ray" not in told.headers


@pytest.mark.parametrize(
    ("status", "body", "kind", "message"),
    [
        (
            400,
            b'{"error": {"message": "as told", "code": null}}',
            "invalid_request_error",
            "as told",
        ),
        (402, b'{"error": "as told"}', "billing_error", "as told"),
        (413, b"<html>", "request_too_large", "provider 'anthropic' answered 413"),
        (529, b"", "overloaded_error", "provider 'anthropic' answered 529"),
        (500, b'{"type": "error"}', "api_error", "provider 'anthropic' answered 500"),
    ],
)
def test_another_shape_of_error_is_put_in_anthropics(
    status: int, body: bytes, kind: str, message: str
) -> None:
    told = post(MESSAGES, HI, world(FakeUpstream(body, status=status)))
    assert said(told) == (status, kind)
    assert told.json["error"]["message"] == message
    assert told.json["request_id"] == told.headers["x-gateway-request-id"]


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (BadRequest("n", "no"), 400, "invalid_request_error"),
        (EndpointNotFound("x"), 404, "not_found_error"),
        (Unavailable("no"), 503, "overloaded_error"),
        (OutOfTime(), 504, "timeout_error"),
        (GatewayError("no"), 500, "api_error"),
        (UpstreamRejected("p", 529, {}, dumps({"error": OVERLOADED})), 529, "overloaded_error"),
    ],
)
def test_every_error_has_a_type_of_anthropics(error: GatewayError, status: int, kind: str) -> None:
    answer = answer_for(error, detail=False, dialect=ANTHROPIC_MESSAGES)
    assert isinstance(answer.body, bytes)
    assert (answer.status, loads(answer.body)["error"]["type"]) == (status, kind)
    early = early_answer(error, "/gateway/anthropic/v1/messages")
    assert early.body == answer.body


def listed(query: str = "", root: str = ROOTS[0]) -> Told:
    named = [Endpoint(name, CLAUDE.targets, created=5) for name in ("a", "b", "c/d", "e")]
    asked = scope("GET", f"{root}/models") | {"query_string": query.encode()}

    async def go() -> Told:
        caller = Caller()
        await World(endpoints=MemoryEndpoints(named)).app()(asked, caller.receive, caller.send)
        return caller.told

    return run(go())


@pytest.mark.parametrize("root", ROOTS)
def test_endpoints_are_listed_as_anthropic_lists_models(root: str) -> None:
    told = listed(root=root).json
    assert [model["id"] for model in told["data"]] == ["a", "b", "c/d", "e"]
    assert told["data"][2] == {
        "type": "model",
        "id": "c/d",
        "display_name": "c/d",
        "created_at": "1970-01-01T00:00:05Z",
        "lifecycle": "active",
    }
    assert {**told, "data": []} == {
        "data": [],
        "has_more": False,
        "first_id": "a",
        "last_id": "e",
    }


@pytest.mark.parametrize(
    ("query", "names", "more"),
    [
        ("limit=2", ["a", "b"], True),
        ("limit=4", ["a", "b", "c/d", "e"], False),
        ("limit=2&after_id=b", ["c/d", "e"], False),
        ("limit=1&after_id=a", ["b"], True),
        ("limit=2&before_id=e", ["b", "c/d"], True),
        ("limit=2&before_id=b", ["a"], False),
        ("after_id=e", [], False),
        ("after_id=gone", [], False),
        ("after_id=a&before_id=e", ["b", "c/d"], False),
    ],
)
def test_the_list_comes_in_pages_to_who_asks_for_them(
    query: str, names: list[str], more: bool
) -> None:
    told = listed(query).json
    assert ([model["id"] for model in told["data"]], told["has_more"]) == (names, more)
    assert (told["first_id"], told["last_id"]) == (
        names[0] if names else None,
        names[-1] if names else None,
    )


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "x", "", "\u00b2", "9" * 5000])
def test_a_page_of_no_size_is_a_400(limit: str) -> None:
    assert said(listed(f"limit={limit}")) == (400, "invalid_request_error")


@pytest.mark.parametrize("root", ROOTS)
def test_one_endpoint_is_shown(root: str) -> None:
    shown = get(f"{root}/models/c", world()).json
    assert shown == {
        "type": "model",
        "id": "c",
        "display_name": "c",
        "created_at": "2023-11-14T22:13:20Z",
        "lifecycle": "active",
    }
    assert said(get(f"{root}/models/nobody", world())) == (404, "not_found_error")

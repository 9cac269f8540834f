"""Gemini's paths: wherever SDKs look for them, and whatever goes wrong said in Google's shape."""

from typing import Any

import pytest

from gateway.adapters.memory import MemoryEndpoints
from gateway.dialects import GEMINI, OPENAI_CHAT
from gateway.routing.endpoint import Endpoint, Target
from gateway.wire.json import Json, dumps, loads
from handler.errors import dialect_at
from handler.inference import GEMINI_ROOTS
from tests.fakes import FakeUpstream, run
from tests.handler.control.world import World as GuardedWorld
from tests.handler.driver import LIMIT, Caller, Told, World, called, get, post, scope

HI: Json = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
REPLY = (
    b'{ "candidates":[{"content":{"parts":[{"text":"Hello"}],"role":"model"},"finishReason":"STOP"}],'
    b'"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":1,"totalTokenCount":4}}'
)
PIECE = (
    b'data: {"candidates": [{"content": {"parts": [{"text": "Hel"}],"role": "model"},"index": 0}]}'
    b"\r\n\r\n"
)
LAST = (
    b'data: {"candidates": [{"content": {"parts": [{"text": "lo"}],"role": "model"},'
    b'"finishReason": "STOP"}],"usageMetadata": {"promptTokenCount": 3,"totalTokenCount": 4}}\r\n\r\n'
)
NATIVE = Endpoint("g", (Target("gemini", "gemini-real", "key"),), created=1_700_000_000)
SLASHED = Endpoint("team/g:1", NATIVE.targets)
ROOT = "/gateway/gemini/v1beta"


def world(*answers: FakeUpstream, **more: Any) -> World:
    demo = Endpoint("demo", (Target("echo", "echo-instant"),))
    return World(answers, endpoints=MemoryEndpoints([demo, NATIVE, SLASHED]), **more)


def sse(*parts: bytes) -> FakeUpstream:
    return FakeUpstream(*parts, headers={"content-type": "text/event-stream"})


def asked(path: str, query: str, world: World) -> Told:
    """A POST with a query string."""
    at = scope("POST", path, {"content-type": "application/json"})

    async def go() -> Told:
        caller = Caller(dumps(HI))
        await world.app()(at | {"query_string": query.encode()}, caller.receive, caller.send)
        return caller.told

    return run(go())


def said(told: Told) -> tuple[int, str]:
    """The status and Google's word for it, of an answer that must be an error as Google says it."""
    assert told.headers["content-type"] == "application/json"
    assert GEMINI.is_error(told.json)
    assert told.json["error"]["code"] == told.status
    return told.status, told.json["error"]["status"]


@pytest.mark.parametrize("root", GEMINI_ROOTS)
@pytest.mark.parametrize("name", ["g", "team/g:1", "team%2Fg:1"])
def test_content_is_generated_wherever_an_sdk_looks(root: str, name: str) -> None:
    told = post(
        f"{root}/models/{name}:generateContent".replace("%2F", "/"), HI, world(FakeUpstream(REPLY))
    )
    assert (told.status, told.body) == (200, REPLY)


@pytest.mark.parametrize("root", GEMINI_ROOTS)
def test_a_stream_of_events_is_relayed_byte_for_byte(root: str) -> None:
    told = asked(f"{root}/models/g:streamGenerateContent", "alt=sse", world(sse(PIECE, LAST)))
    assert (told.status, told.body) == (200, PIECE + LAST)
    assert told.headers["content-type"].startswith("text/event-stream")


def test_without_alt_sse_a_stream_is_an_array() -> None:
    told = asked(f"{ROOT}/models/g:streamGenerateContent", "", world(sse(PIECE, LAST)))
    assert told.headers["content-type"].startswith("application/json")
    assert loads(told.body) == [loads(PIECE[6:]), loads(LAST[6:])]
    assert told.body.startswith(b"[" + PIECE[6:].strip())


def test_an_array_that_breaks_off_ends_with_the_error() -> None:
    told = asked(f"{ROOT}/models/g:streamGenerateContent", "", world(sse(PIECE)))
    first, last = loads(told.body)
    assert first == loads(PIECE[6:])
    assert last["error"]["status"] == "UNAVAILABLE"


def test_an_event_stream_that_breaks_off_ends_with_the_error() -> None:
    told = asked(f"{ROOT}/models/g:streamGenerateContent", "alt=sse", world(sse(PIECE)))
    error = loads(told.body.removeprefix(PIECE).removeprefix(b"data: "))
    assert error["error"]["status"] == "UNAVAILABLE"


@pytest.mark.parametrize("method", ["generateContent", "streamGenerateContent"])
def test_the_model_of_the_target_is_in_the_providers_path(method: str) -> None:
    body = REPLY if method == "generateContent" else PIECE + LAST
    upstream = FakeUpstream(body) if method == "generateContent" else sse(body)
    known = world(upstream)
    wired = known.wired()
    assert post(f"{ROOT}/models/g:{method}", HI, known).status == 200
    del wired


@pytest.mark.parametrize(
    ("method", "body", "reply"),
    [
        ("countTokens", HI, b'{"totalTokens":31}'),
        (
            "embedContent",
            {"content": {"parts": [{"text": "a"}]}},
            b'{"embedding":{"values":[1.0]}}',
        ),
        (
            "batchEmbedContents",
            {"requests": [{"model": "models/g", "content": {"parts": [{"text": "a"}]}}]},
            b'{"embeddings":[{"values":[1.0]}]}',
        ),
    ],
)
def test_the_other_methods_are_relayed_too(method: str, body: Json, reply: bytes) -> None:
    told = post(f"{ROOT}/models/g:{method}", body, world(FakeUpstream(reply)))
    assert (told.status, told.body) == (200, reply)


@pytest.mark.parametrize("method", ["generateContent", "streamGenerateContent", "countTokens"])
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 20_000, {}, {"contents": "hi"}])
def test_a_callers_mistake_is_said_as_google_says_it(method: str, body: Any) -> None:
    assert said(post(f"{ROOT}/models/g:{method}", body, world())) == (400, "INVALID_ARGUMENT")


@pytest.mark.parametrize(
    ("path", "method", "expected"),
    [
        (f"{ROOT}/models/nobody:generateContent", "POST", (404, "NOT_FOUND")),
        (f"{ROOT}/models/g:predict", "POST", (405, "INVALID_ARGUMENT")),
        (f"{ROOT}/files", "POST", (404, "NOT_FOUND")),
        ("/gateway/gemini", "GET", (404, "NOT_FOUND")),
        (f"{ROOT}/models/g:generateContent", "PUT", (405, "INVALID_ARGUMENT")),
    ],
)
def test_what_is_no_path_or_no_method_is_said_so_too(
    path: str, method: str, expected: tuple[int, str]
) -> None:
    told = run(called(world().app(), method, path, dumps(HI)))
    assert said(told) == expected


def test_a_body_that_is_too_large_is_said_so() -> None:
    told = post(f"{ROOT}/models/g:generateContent", b" " * (LIMIT + 1), world())
    assert said(told) == (413, "INVALID_ARGUMENT")


@pytest.mark.parametrize("path", ["/gateway/geminis", "/gemini/v1beta/models"])
def test_elsewhere_it_is_openais_shape(path: str) -> None:
    assert dialect_at(path) is OPENAI_CHAT
    assert get(path).error["code"] == "unknown_path"


def test_an_endpoint_named_as_the_provider_keeps_mlflows_manners() -> None:
    assert dialect_at("/gateway/gemini/x/mlflow/invocations") is OPENAI_CHAT


THEIRS = b'{"error": {"code": 429, "message": "m", "status": "RESOURCE_EXHAUSTED", "details": []}}'


def test_the_providers_own_error_is_handed_on_byte_for_byte() -> None:
    upstream = FakeUpstream(THEIRS, status=429, headers={"retry-after": "7"})
    told = post(f"{ROOT}/models/g:generateContent", HI, world(upstream))
    assert (told.status, told.body, told.headers["retry-after"]) == (429, THEIRS, "7")


@pytest.mark.parametrize("where", ["x-goog-api-key", "authorization", "query"])
def test_a_gateway_key_is_taken_from_where_the_sdk_puts_it(where: str) -> None:
    guarded = GuardedWorld()
    guarded.make_endpoint("e")
    key = guarded.make_key("caller")

    def ask(with_key: str) -> Told:
        headers = {"x-goog-api-key": with_key} if where == "x-goog-api-key" else {}
        if where == "authorization":
            headers = {"authorization": f"Bearer {with_key}"}
        at = scope("GET", "/gateway/gemini/models", headers)
        if where == "query":
            at |= {"query_string": f"key={with_key}".encode()}

        async def go() -> Told:
            caller = Caller()
            await guarded.app(at, caller.receive, caller.send)
            return caller.told

        return run(go())

    assert [model["name"] for model in ask(key).json["models"]] == ["models/e"]
    assert said(ask("AIza-junk")) == (401, "UNAUTHENTICATED")
    assert said(ask(guarded.admin)) == (403, "PERMISSION_DENIED")


def listed(query: str = "") -> Told:
    named = [Endpoint(name, NATIVE.targets) for name in ("a", "b", "c/d")]
    at = scope("GET", f"{ROOT}/models") | {"query_string": query.encode()}

    async def go() -> Told:
        caller = Caller()
        await World(endpoints=MemoryEndpoints(named)).app()(at, caller.receive, caller.send)
        return caller.told

    return run(go())


def names(told: Told) -> list[str]:
    return [model["name"] for model in told.json["models"]]


def test_models_are_listed_as_google_lists_them() -> None:
    assert names(listed()) == ["models/a", "models/b", "models/c/d"]
    assert "nextPageToken" not in listed().json
    first = listed("pageSize=2")
    assert names(first) == ["models/a", "models/b"]
    assert names(listed(f"pageSize=2&pageToken={first.json['nextPageToken']}")) == ["models/c/d"]
    assert said(listed("pageSize=x")) == (400, "INVALID_ARGUMENT")


@pytest.mark.parametrize("root", GEMINI_ROOTS)
def test_one_model_is_shown(root: str) -> None:
    told = get(f"{root}/models/team/g:1", world())
    assert told.json["name"] == "models/team/g:1"
    assert "generateContent" in told.json["supportedGenerationMethods"]
    assert said(get(f"{root}/models/nobody", world())) == (404, "NOT_FOUND")

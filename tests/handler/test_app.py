"""The app, called as a server would: routes, what is no route, and what it says of itself."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from gateway.adapters.memory import MemoryEndpoints
from gateway.errors import EndpointNotFound, Unavailable
from gateway.routing.endpoint import Endpoint
from gateway.wire.json import Json, loads
from handler.openapi import document
from tests.fakes import run
from tests.handler.driver import GPT, INSTANT, Told, World, called, get, post

CHAT: Json = {"messages": [{"role": "user", "content": "hi"}]}
HELLO = "This is an echo, not a model. You said: hi"
OPENAI, MLFLOW = "/gateway/openai/v1", "/gateway/mlflow/v1"


@pytest.mark.parametrize("prefix", [OPENAI, MLFLOW])
def test_a_chat_is_answered(prefix: str) -> None:
    told = post(f"{prefix}/chat/completions", CHAT | {"model": "e"})
    assert told.json["choices"][0]["message"]["content"] == HELLO
    assert ("x-mlflow-gateway-duration-ms" in told.headers) == (prefix == MLFLOW)
    names = {"x-gateway-endpoint": "e", "x-gateway-target": "echo/echo-instant"}
    assert names.items() <= told.headers.items()
    assert told.headers["content-length"] == str(len(told.body))


def test_a_stream_is_answered_event_by_event() -> None:
    told = post(f"{OPENAI}/chat/completions", CHAT | {"model": "e", "stream": True})
    assert told.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert "content-length" not in told.headers
    *chunks, done, rest = told.body.split(b"\n\n")
    deltas = [loads(chunk.removeprefix(b"data: "))["choices"][0]["delta"] for chunk in chunks]
    assert "".join(delta.get("content", "") for delta in deltas) == HELLO
    assert (done, rest) == (b"data: [DONE]", b"")


@pytest.mark.parametrize(
    ("path", "body", "found"),
    [
        (f"{OPENAI}/embeddings", {"model": "e", "input": "a"}, "list"),
        (f"{MLFLOW}/embeddings", {"model": "e", "input": ["a"]}, "list"),
        (f"{OPENAI}/responses", {"model": "e", "input": "a"}, "response"),
        ("/gateway/e/mlflow/invocations", CHAT, "chat.completion"),
        ("/gateway/e/mlflow/invocations", {"input": "a"}, "list"),
    ],
)
def test_every_api_is_answered(path: str, body: Json, found: str) -> None:
    told = post(path, body)
    assert (told.status, told.json["object"]) == (200, found)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("POST", "/gateway"),
        ("POST", "/gateway/openai/v1/chat/completions/"),
        ("POST", "/gateway/openai/v1/unknown"),
        ("POST", "/gateway/mlflow/v1/unknown"),
        ("GET", "/gateway/mlflow/v1/"),
        ("POST", "/gateway/e/mlflow/invocation"),
        ("POST", "/gateway/a\nb/mlflow/invocations"),
        ("GET", "/\r\nx-evil: 1"),
        ("GET", "/docs"),
    ],
)
def test_what_is_no_path_is_a_404_in_json(method: str, path: str) -> None:
    told = run(called(World().app(), method, path))
    message = f"no such path: {path}; /openapi.json lists them"
    assert told.status == 404
    assert told.error == {
        "message": message,
        "type": "not_found_error",
        "param": None,
        "code": "unknown_path",
    }
    assert told.json.get("detail") == (message if "/mlflow/" in path else None)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", f"{OPENAI}/chat/completions", "POST"),
        ("PUT", f"{MLFLOW}/chat/completions", "POST"),
        ("OPTIONS", f"{OPENAI}/embeddings", "POST"),
        ("DELETE", "/gateway/e/mlflow/invocations", "POST"),
        ("POST", f"{MLFLOW}/models", "GET, HEAD"),
        ("PATCH", f"{OPENAI}/models/e", "GET, HEAD"),
        ("POST", "/health", "GET, HEAD"),
        ("POST", "/openapi.json", "GET, HEAD"),
    ],
)
def test_another_method_is_a_405_in_json(method: str, path: str, allowed: str) -> None:
    told = run(called(World().app(), method, path))
    assert told.status == 405
    assert sorted(told.headers["allow"].split(", ")) == allowed.split(", ")
    assert told.error["message"].startswith(f"{path} takes ")
    assert told.error["message"].endswith(f", not {method}")
    assert ("detail" in told.json) == ("/mlflow/" in path)


@pytest.mark.parametrize(("prefix", "owner"), [(OPENAI, "sluicegate"), (MLFLOW, "mlflow")])
def test_endpoints_are_listed_as_models(prefix: str, owner: str) -> None:
    listed = get(f"{prefix}/models").json
    assert listed["object"] == "list"
    assert [model["id"] for model in listed["data"]] == ["demo", "e", "gpt"]
    assert {model["owned_by"] for model in listed["data"]} == {owner}
    assert get(f"{prefix}/models/e").json == listed["data"][1]


def test_a_model_may_have_slashes_in_its_name() -> None:
    endpoint = Endpoint("openai/gpt/x", GPT.targets, created=5)
    told = get(f"{OPENAI}/models/openai/gpt/x", World(endpoints=MemoryEndpoints([endpoint])))
    assert told.json == {
        "id": "openai/gpt/x",
        "object": "model",
        "created": 5,
        "owned_by": "sluicegate",
    }


@pytest.mark.parametrize("prefix", [OPENAI, MLFLOW])
def test_an_unknown_model_is_a_404(prefix: str) -> None:
    told = get(f"{prefix}/models/nobody")
    assert (told.status, told.error["code"]) == (404, "model_not_found")
    assert ("detail" in told.json) == (prefix == MLFLOW)


class Down(MemoryEndpoints):
    """A store that cannot be read."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    async def find(self, name: str) -> Endpoint:
        del name
        raise self._error

    async def list(self) -> Sequence[Endpoint]:
        raise self._error


def every_reading(world: World) -> Iterator[Told]:
    for prefix in (OPENAI, MLFLOW):
        yield get(f"{prefix}/models", world)
        yield get(f"{prefix}/models/e", world)
    yield post(f"{OPENAI}/chat/completions", CHAT | {"model": "e"}, world)
    yield post("/gateway/e/mlflow/invocations", CHAT, world)


def test_a_store_that_is_down_is_a_503() -> None:
    world = World(endpoints=Down(Unavailable("the store is down")))
    for told in every_reading(world):
        assert (told.status, told.error["message"]) == (503, "the store is down")


def test_it_is_ready_while_its_store_can_be_read(caplog: pytest.LogCaptureFixture) -> None:
    assert (get("/ready").status, get("/ready").json) == (200, {"status": "ready", "endpoints": 3})
    down = get("/ready", World(endpoints=Down(Unavailable("the store is down"))))
    assert down.status == 503
    reason = "the store cannot be read; the log says why"
    assert down.json == {"status": "unavailable", "reason": reason}
    assert [record.getMessage() for record in caplog.records] == ["not ready: the store is down"]


def test_it_is_healthy_while_it_is_up() -> None:
    told = get("/health", World(endpoints=Down(Unavailable("the store is down"))))
    assert (told.status, told.json) == (200, {"status": "ok"})


def test_the_document_describes_every_route_and_nothing_else() -> None:
    app = World().app()
    assert isinstance(app, Starlette)
    routes = {
        (re.sub(r":path}", "}", route.path), method.lower())
        for route in app.routes
        if isinstance(route, Route) and route.path != "/openapi.json"
        for method in (route.methods or set()) - {"HEAD"}
    }
    paths = get("/openapi.json").json["paths"]
    assert {(path, method) for path, of in paths.items() for method in of} == routes


def test_every_reference_of_the_document_leads_somewhere() -> None:
    whole = document("1")
    for pointer in references(whole):
        found: Any = whole
        for step in pointer.removeprefix("#/").split("/"):
            found = found[step]
        assert isinstance(found, dict)
    assert set(references(whole)) <= {f"#/components/schemas/{n}" for n in schemas(whole)}
    unused = {f"#/components/schemas/{name}" for name in schemas(whole)} - set(references(whole))
    assert unused == set()


def schemas(whole: Json) -> list[str]:
    return list(whole["components"]["schemas"])


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_the_document_is_what_openapi_asks_for() -> None:
    whole = get("/openapi.json").json
    assert whole["openapi"].startswith("3.1")
    operations = [of for path in whole["paths"].values() for of in path.values()]
    ids = [operation["operationId"] for operation in operations]
    assert len(ids) == len(set(ids))
    assert [one for one in ids if not re.fullmatch(r"\w+(\.\w+)*", one)] == []
    for path, methods in whole["paths"].items():
        for operation in methods.values():
            named = {p["name"] for p in operation.get("parameters", ()) if p["in"] == "path"}
            assert named == set(re.findall(r"{(\w+)}", path))
            assert operation["responses"]


def test_a_target_is_named_in_headers_fit_for_the_wire() -> None:
    """``Told`` refuses a line break in any value; this asks the widest answer for one."""
    told = post(f"{MLFLOW}/chat/completions", CHAT | {"model": "e"})
    assert INSTANT.targets[0].model in told.headers["x-gateway-target"]
    with pytest.raises(EndpointNotFound):
        run(MemoryEndpoints([INSTANT]).find("e\r\nx: y"))

"""Bad input on every query path: always a true status, OpenAI's shape, and the field by name."""

import gzip
import zlib
from typing import Any

import pytest

from gateway.errors import UpstreamUnreachable
from gateway.metering.records import Record
from gateway.wire.json import Json, dumps
from tests.fakes import FakeUpstream, run
from tests.handler.driver import LIMIT, Caller, Told, World, post, scope

OPENAI, MLFLOW = "/gateway/openai/v1", "/gateway/mlflow/v1"
INVOKE = "/gateway/e/mlflow/invocations"
CHATS = (f"{OPENAI}/chat/completions", f"{MLFLOW}/chat/completions")
EMBEDDINGS = (f"{OPENAI}/embeddings", f"{MLFLOW}/embeddings")
RESPONSES = (f"{OPENAI}/responses", f"{OPENAI}/responses/compact")
NAMED = (*CHATS, *EMBEDDINGS, *RESPONSES)  # where the body names the endpoint
EVERY = (*NAMED, INVOKE)
GZIP: Json = {"content-encoding": "gzip"}
BROTLI: Json = {"content-encoding": "br"}
LONG: Json = {"content-length": str(LIMIT + 1)}
GOOD: Json = {"model": "e", "messages": [{"role": "user", "content": "hi"}], "input": "hi"}


def refused(path: str, told: Told, status: int = 400) -> Json:
    """The error, whatever the path; on MLflow's with its detail."""
    assert told.status == status
    error: Json = told.error
    assert sorted(error) == ["code", "message", "param", "type"]
    assert ("detail" in told.json) == ("/mlflow/" in path)
    if "/mlflow/" in path and error["code"] != "endpoint_not_found":
        assert told.json["detail"] == error["message"]
    assert "Traceback" not in told.body.decode()
    assert told.headers["x-gateway-request-id"]
    return error


def deep(opening: bytes, closing: bytes) -> bytes:
    """Ten thousand deep, where the gateway would have to look."""
    value = opening * 10_000 + b"1" + closing * 10_000
    return b'{"model":"e","messages":[{"role":"user","content":' + value + b"}]}"


@pytest.mark.parametrize("path", EVERY)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"  \n",
        b"hello",
        b"{",
        b"{'model': 'e'}",
        b"[]",
        b'[{"model": "e"}]',
        b"null",
        b"true",
        b"5",
        b'"model"',
        b'{"model": "e", "input": "\xff\xfe"}',
        b'{"model": "e", "input": "\\ud800"}',
        b'{"model": "e", "input": "\xed\xa0\x80"}',
        b'{"model": "e", "temperature": NaN}',
        b'{"model": "e", "temperature": -Infinity}',
        b'{"model": "e", "temperature": 1e999}',
        b'{"model": "e"}garbage',
        b"\x00\x01\x02",
        b"\xef\xbb\xbf{}",
        deep(b"[", b"]"),
        deep(b'{"a":', b"}"),
    ],
)
def test_what_is_no_json_object_is_a_400_on_every_path(path: str, body: bytes) -> None:
    error = refused(path, post(path, body))
    assert error["type"] == "invalid_request_error"
    assert error["message"].startswith("Invalid ")


@pytest.mark.parametrize("path", EVERY)
def test_an_empty_object_is_a_400_on_every_path(path: str) -> None:
    refused(path, post(path, {}))


@pytest.mark.parametrize("path", NAMED)
@pytest.mark.parametrize("model", ["(gone)", None, 5, 1.5, True, "", [], ["e"], {"name": "e"}])
def test_a_model_that_is_none_is_a_400(path: str, model: Any) -> None:
    body = {key: value for key, value in GOOD.items() if key != "model"}
    if model != "(gone)":
        body["model"] = model
    error = refused(path, post(path, body))
    missing = model == "(gone)" or model is None
    assert error["param"] == (None if missing else "model")


@pytest.mark.parametrize("path", NAMED)
@pytest.mark.parametrize(
    "name", ["nobody", "e ", "E", "e\r\nx-evil: 1", "\u00e9", "\U0001f600", "../e", "x" * 50_000]
)
def test_an_unknown_endpoint_is_a_404(path: str, name: str) -> None:
    told = post(path, GOOD | {"model": name})
    error = refused(path, told, 404)
    assert (error["code"], error["param"]) == ("endpoint_not_found", "model")
    assert len(told.body) < 2000


@pytest.mark.parametrize("name", ["nobody", "e/e", "", "\u00e9", "x" * 50_000])
def test_an_unknown_endpoint_in_the_path_is_a_404(name: str) -> None:
    path = f"/gateway/{name}/mlflow/invocations"
    told = post(path, {"messages": GOOD["messages"]})
    assert refused(path, told, 404)["code"] == "endpoint_not_found"
    assert len(told.body) < 2000


@pytest.mark.parametrize("path", CHATS)
@pytest.mark.parametrize("messages", ["(gone)", None, "hi", 5, {}, [], True])
def test_messages_that_are_none_are_named(path: str, messages: Any) -> None:
    body = {"model": "e"} | ({} if messages == "(gone)" else {"messages": messages})
    assert refused(path, post(path, body))["param"] == "messages"


@pytest.mark.parametrize("path", [*EMBEDDINGS, *RESPONSES])
@pytest.mark.parametrize("given", ["(gone)", None, 5, 1.5, True, {}])
def test_an_input_that_is_none_is_named(path: str, given: Any) -> None:
    if path == EMBEDDINGS[0] and given not in ("(gone)", None):
        return  # for the provider to say: on OpenAI's own paths only what we rely on is checked
    body = {"model": "e"} | ({} if given == "(gone)" else {"input": given})
    assert refused(path, post(path, body))["param"] == "input"


@pytest.mark.parametrize("path", [CHATS[1], INVOKE])
@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"temperature": 3}, "temperature"),
        ({"temperature": 1e308}, "temperature"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"n": "1"}, "n"),
        ({"stop": [1]}, "stop"),
        ({"stream": "yes"}, "stream"),
        ({"stream_options": []}, "stream_options"),
        ({"tools": [{"type": "function"}]}, "tools[0].function.name"),
        ({"messages": [{"role": "user"}, {"content": "x"}]}, "messages[1].role"),
    ],
)
def test_on_mlflows_paths_each_field_is_checked(path: str, fields: Json, param: str) -> None:
    body = {key: value for key, value in GOOD.items() if key != "input"} | fields
    if path == INVOKE:
        del body["model"]
    assert refused(path, post(path, body))["param"] == param


def test_a_body_may_not_name_an_endpoint_that_the_path_names() -> None:
    error = refused(INVOKE, post(INVOKE, GOOD), 422)
    assert error["param"] == "model"
    assert error["message"].startswith("The parameter 'model' is not permitted to be passed.")


@pytest.mark.parametrize("path", EVERY)
@pytest.mark.parametrize(
    ("hops", "loops"), [("4", True), ("9999", True), ("3", False), ("\u00b2", False), ("-9", False)]
)
def test_a_call_that_comes_back_to_the_gateway_is_stopped(
    path: str, hops: str, *, loops: bool
) -> None:
    body = {key: value for key, value in GOOD.items() if path != INVOKE or key == "messages"}
    told = post(path, body, **hopping(hops))
    assert (told.status == 508) is loops
    if loops:
        refused(path, told, 508)


def hopping(hops: str) -> Json:
    return {"x-gateway-hops": hops}


def test_encodings_on_lines_of_their_own_are_one_upon_the_other() -> None:
    async def told() -> Told:
        caller = Caller(zlib.compress(gzip.compress(dumps(GOOD))))
        asked = scope("POST", CHATS[0])
        asked["headers"] += [(b"content-encoding", b"gzip"), (b"content-encoding", b"deflate")]
        await World().app()(asked, caller.receive, caller.send)
        return caller.told

    assert run(told()).status == 200


def test_an_invocation_is_of_a_chat_or_of_embeddings() -> None:
    error = refused(INVOKE, post(INVOKE, {"prompt": "hi"}))
    assert "either chat or embeddings" in error["message"]


@pytest.mark.parametrize("path", EVERY)
def test_a_body_over_the_limit_is_a_413(path: str) -> None:
    for told in (
        post(path, b"x" * (LIMIT + 1)),
        post(path, b"{}", **LONG),
        post(path, gzip.compress(b" " * (LIMIT + 1)), **GZIP),
    ):
        assert refused(path, told, 413)["code"] == "body_too_large"


@pytest.mark.parametrize("path", EVERY)
def test_packed_bodies_are_taken_or_refused_by_name(path: str) -> None:
    body = {key: value for key, value in GOOD.items() if path != INVOKE or key == "messages"}
    packed = gzip.compress(dumps(body))
    told = post(path, packed, World((FakeUpstream(b"{}"),)), **GZIP)
    assert told.status == (400 if path == RESPONSES[1] else 200)  # the echo compacts nothing
    refused(path, post(path, packed[:20], **GZIP))
    refused(path, post(path, b"{}", **BROTLI), 415)


ANSWERED = "provider 'openai' answered 400"


@pytest.mark.parametrize(
    ("body", "headers", "message"),
    [
        (b'{"error": "no"}', {}, "no"),
        (b'{"message": "no", "object": "error"}', {}, "no"),
        (b'{"detail": "no"}', {}, "no"),
        (b"", {}, ANSWERED),
        (b"\xff", {}, ANSWERED),
        (
            b"<html>trace</html>",
            {"content-type": "text/html; charset=utf-8"},
            f"{ANSWERED} with a body of type 'text/html'",
        ),
    ],
)
@pytest.mark.parametrize("path", CHATS)
def test_a_providers_refusal_is_told_in_openais_shape(
    path: str, body: bytes, headers: dict[str, str], message: str
) -> None:
    world = World((FakeUpstream(body, status=400, headers=headers),))
    told = post(path, GOOD | {"model": "gpt"}, world)
    error = refused(path, told)
    assert error["message"] == message
    assert b"trace" not in told.body


def test_a_refusal_before_any_target_is_asked_is_not_written_down() -> None:
    world = World()
    for body in (b"{", dumps(GOOD | {"model": "nobody"}), dumps({"model": "e"})):
        post(CHATS[0], body, world)
    assert world.ledger.records == []


def test_a_failure_of_every_target_is_written_down_once() -> None:
    world = World((UpstreamUnreachable("no route"),))
    told = post(CHATS[0], GOOD | {"model": "gpt"}, world)
    assert refused(CHATS[0], told, 502)["message"] == "no route"
    record: Record
    (record,) = world.ledger.records
    assert (record.outcome, record.status, record.error) == ("failed", 502, "UpstreamUnreachable")


@pytest.mark.parametrize("path", [f"{OPENAI}/chat/completions", "/gateway/proxy/gpt/v1/files"])
@pytest.mark.parametrize("length", [{"content-length": "9"}, {"transfer-encoding": "chunked"}])
def test_a_body_that_the_server_takes_for_another_protocol_is_not_lost_in_silence(
    path: str, length: Json
) -> None:
    """uvicorn gives nothing of it on, and Java's HttpClient asks for HTTP/2 of itself."""
    told = post(path, b"", upgrade="h2c", connection="HTTP2-Settings, Upgrade", **length)
    assert (told.status, told.error["code"]) == (400, "upgrade")
    assert "speak HTTP/1.1 without it" in told.error["message"]

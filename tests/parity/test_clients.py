"""What each client really sends, header by header, answered by the built-in echo."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.dialects.messages import REPLY, WHOLE
from tests.live import KEY, LiveGateway, ScriptedProvider, answer, sse
from tests.parity.wire import SHARED, Told, ask

FOLDER = SHARED / "clients"
if not FOLDER.is_dir():
    pytest.skip(f"the recorded clients are not here: {FOLDER}", allow_module_level=True)

ECHOED = ("/gateway/openai/", "/gateway/mlflow/", "/gateway/my-endpoint/mlflow/")
ANTHROPICS = ("/gateway/anthropic/",)
Request = dict[str, Any]


def recorded(ours: tuple[str, ...]) -> Iterator[tuple[str, Request]]:
    """Each different request to these of our routes, named after its file and SDK generation."""
    seen: set[str] = set()
    for file in sorted(FOLDER.glob("*.json")):
        for generation, told in json.loads(file.read_text()).items():
            for nth, request in enumerate(told["requests"]):
                once = json.dumps([request["path"], request["headers"], request["body"]])
                if request["path"].startswith(ours) and once not in seen:
                    seen.add(once)
                    yield f"{file.stem}-{generation[0]}{nth}", request


REQUESTS = dict(recorded(ECHOED))
OF_ANTHROPICS = dict(recorded(ANTHROPICS))


@pytest.mark.parametrize("name", REQUESTS)
def test_a_recorded_request_is_answered(name: str, gateway: LiveGateway) -> None:
    request = REQUESTS[name]
    body = None if request["body"] is None else json.dumps(request["body"]).encode()
    headers = [(n, v) for n, v in request["headers"] if n.lower() != "content-length"]
    told = ask(gateway.url, request["method"], request["path"], headers, body)
    assert told.status == 200, told.body
    if request["method"] == "GET":
        assert "my-endpoint" in [model["id"] for model in told.json["data"]]
    elif request["path"].endswith("/embeddings"):
        assert_embeds(told, request["body"])
    elif request["path"].endswith("/responses"):
        assert_responds(told, request["body"])
    else:
        assert_chats(told, request["body"])


@pytest.mark.parametrize("name", OF_ANTHROPICS)
def test_a_recorded_request_reaches_anthropic(
    name: str, gateway: LiveGateway, provider: ScriptedProvider
) -> None:
    request = OF_ANTHROPICS[name]
    asked = request["body"]
    whole = b'{"input_tokens":9}' if "count_tokens" in request["path"] else REPLY
    provider.will(sse(WHOLE) if asked.get("stream") else answer(whole))
    headers = [(n, v) for n, v in request["headers"] if n.lower() != "content-length"]
    told = ask(gateway.url, "POST", request["path"], headers, json.dumps(asked).encode())
    assert (told.status, told.body) == (200, WHOLE if asked.get("stream") else whole)
    (sent,) = provider.requests
    assert sent.json == {**asked, "model": "the-model"}
    given = {name.lower(): value for name, value in request["headers"]}
    for passed in ("anthropic-version", "anthropic-beta"):
        assert sent.headers.get(passed) == given.get(passed)
    assert sent.headers["x-api-key"] == KEY
    assert "authorization" not in sent.headers


def assert_embeds(told: Told, asked: Any) -> None:
    inputs = [asked["input"]] if isinstance(asked["input"], str) else asked["input"]
    assert [row["index"] for row in told.json["data"]] == list(range(len(inputs)))
    kind = str if asked.get("encoding_format") == "base64" else list
    assert all(isinstance(row["embedding"], kind) for row in told.json["data"])


def assert_chats(told: Told, asked: Any) -> None:
    if not asked.get("stream"):
        (choice,) = told.json["choices"]
        assert choice["finish_reason"] in ("stop", "tool_calls", "length")
        assert choice["message"]["content"] or choice["message"]["tool_calls"]
        return
    *chunks, last = told.events
    assert last == "[DONE]"
    wants_usage = asked.get("stream_options", {}).get("include_usage", False)
    parsed = [json.loads(chunk) for chunk in chunks]
    assert [bool(chunk["choices"]) for chunk in parsed].count(False) == wants_usage
    assert bool(parsed[-1].get("usage")) == wants_usage
    assert any(
        choice["delta"].get("content") or choice["delta"].get("tool_calls")
        for chunk in parsed
        for choice in chunk["choices"]
    )


def assert_responds(told: Told, asked: Any) -> None:
    response = told.json if not asked.get("stream") else json.loads(told.events[-1])["response"]
    assert response["status"] == "completed"
    assert {item["type"] for item in response["output"]} <= {"message", "function_call"}
    assert response["output"]

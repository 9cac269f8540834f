"""What each client really sends, header by header: answered by the built-in echo, or relayed."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.dialects.messages import REPLY, WHOLE, faults
from tests.live import KEY, LiveGateway, ScriptedProvider, answer, event, sse
from tests.parity.clients import FOLDER, method_of, recorded, sent
from tests.parity.wire import Told, key_in

if not FOLDER.is_dir():
    pytest.skip(f"the recorded clients are not here: {FOLDER}", allow_module_level=True)

REQUESTS = recorded("/")
OF_ANTHROPICS = recorded("/gateway/anthropic/")
OF_GEMINIS = recorded("/gateway/gemini/")
ECHOES = "echo"  # what every answer of the echo says that it is


@pytest.mark.parametrize("name", REQUESTS)
def test_the_echo_answers_in_the_clients_own_shape(name: str, gateway: LiveGateway) -> None:
    request = REQUESTS[name]
    ours = sent(request, gateway)
    assert ours.status == 200, ours.body
    SHAPES[method_of(request)](ours, request["body"])


def lists_models(ours: Told, _: Any) -> None:
    assert "my-endpoint" in [model["id"] for model in ours.json["data"]]


def embeds(ours: Told, asked: Any) -> None:
    inputs = [asked["input"]] if isinstance(asked["input"], str) else asked["input"]
    assert [row["index"] for row in ours.json["data"]] == list(range(len(inputs)))
    kind = str if asked.get("encoding_format") == "base64" else list
    assert all(isinstance(row["embedding"], kind) for row in ours.json["data"])


def embeds_for_gemini(ours: Told, asked: Any) -> None:
    vectors = [one["values"] for one in ours.json["embeddings"]]
    assert len(vectors) == len(asked["requests"])
    assert all(isinstance(number, float) for vector in vectors for number in vector)
    assert all(vectors)


def chats(ours: Told, asked: Any) -> None:
    if not asked.get("stream"):
        (choice,) = ours.json["choices"]
        assert choice["finish_reason"] in ("stop", "tool_calls", "length")
        assert choice["message"]["content"] or choice["message"]["tool_calls"]
        return
    *chunks, last = ours.events
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


def responds(ours: Told, asked: Any) -> None:
    response = ours.json if not asked.get("stream") else json.loads(ours.events[-1])["response"]
    assert response["status"] == "completed"
    assert {item["type"] for item in response["output"]} <= {"message", "function_call"}
    assert response["output"]


def gives_message(ours: Told, asked: Any) -> None:
    if asked.get("stream"):
        assert faults(ours.body) == []
        pieces = [json.loads(one).get("delta", {}).get("text", "") for one in ours.events]
        assert ECHOES in "".join(pieces)
        return
    message = ours.json
    assert (message["type"], message["role"]) == ("message", "assistant")
    assert {block["type"] for block in message["content"]} <= {"text", "tool_use"}
    ends = "tool_use" if message["content"][-1]["type"] == "tool_use" else "end_turn"
    assert message["stop_reason"] == ends
    assert message["usage"]["output_tokens"] > 0


def generates(ours: Told, _: Any) -> None:
    (candidate,) = ours.json["candidates"]
    assert (candidate["finishReason"], candidate["content"]["role"]) == ("STOP", "model")
    assert all(part.keys() <= {"text", "functionCall"} for part in candidate["content"]["parts"])
    assert candidate["content"]["parts"]
    assert ours.json["usageMetadata"]["candidatesTokenCount"] > 0


def streams_contents(ours: Told, _: Any) -> None:
    *_, last = replies = [json.loads(one) for one in ours.events]
    parts = [part for one in replies for part in one["candidates"][0]["content"].get("parts", ())]
    assert ECHOES in "".join(part["text"] for part in parts)
    assert last["candidates"][0]["finishReason"] == "STOP"
    assert last["usageMetadata"]["candidatesTokenCount"] > 0
    assert not any(line.startswith(b":") for line in ours.body.splitlines())  # its SDK breaks


def counts(ours: Told, _: Any) -> None:
    assert ours.json["input_tokens"] > 0


def counts_for_gemini(ours: Told, _: Any) -> None:
    assert ours.json["totalTokens"] > 0


SHAPES: Mapping[str, Callable[[Told, Any], None]] = {
    "v1/models": lists_models,
    "messages/count_tokens": counts,
    "countTokens": counts_for_gemini,
    "v1/embeddings": embeds,
    "batchEmbedContents": embeds_for_gemini,
    "chat/completions": chats,
    "mlflow/invocations": chats,
    "v1/responses": responds,
    "v1/messages": gives_message,
    "generateContent": generates,
    "streamGenerateContent": streams_contents,
}


@pytest.mark.parametrize("name", OF_ANTHROPICS)
def test_a_recorded_request_reaches_anthropic(
    name: str, gateway: LiveGateway, provider: ScriptedProvider
) -> None:
    request = OF_ANTHROPICS[name]
    asked = request["body"]
    whole = b'{"input_tokens":9}' if "count_tokens" in request["path"] else REPLY
    provider.will(sse(WHOLE) if asked.get("stream") else answer(whole))
    ours = sent(request, gateway, "at-anthropic")
    assert (ours.status, ours.body) == (200, WHOLE if asked.get("stream") else whole)
    (received,) = provider.requests
    assert received.json == {**asked, "model": "the-model"}
    given = {name.lower(): value for name, value in request["headers"]}
    for passed in ("anthropic-version", "anthropic-beta"):
        assert received.headers.get(passed) == given.get(passed)
    assert key_in(received.headers) == f"x-api-key: {KEY}"


SAID = {"candidates": [{"content": {"parts": [{"text": "Hi"}]}, "finishReason": "STOP"}]}
OF_GEMINI: Mapping[str, Any] = {
    "generateContent": SAID,
    "streamGenerateContent": SAID,
    "countTokens": {"totalTokens": 9},
    "batchEmbedContents": {"embeddings": [{"values": [0.5]}, {"values": [0.25]}]},
}


@pytest.mark.parametrize("name", OF_GEMINIS)
def test_a_recorded_request_reaches_gemini(
    name: str, gateway: LiveGateway, provider: ScriptedProvider
) -> None:
    request = OF_GEMINIS[name]
    method, asked = method_of(request), request["body"]
    streams = method == "streamGenerateContent"
    said = event(OF_GEMINI[method]) if streams else json.dumps(OF_GEMINI[method]).encode()
    provider.will(sse(said) if streams else answer(said))
    ours = sent(request, gateway, "at-gemini")
    assert (ours.status, ours.body) == (200, said)
    (received,) = provider.requests
    query = "?alt=sse" if streams else ""
    assert received.path == f"/v1/models/the-model:{method}{query}"
    for one in asked.get("requests", ()):  # each of a batch names the model, and not ours
        one["model"] = "models/the-model"
    assert received.json == asked
    assert key_in(received.headers) == f"x-goog-api-key: {KEY}"
    assert "x-goog-api-client" not in received.headers

"""What each client really sends, served by a provider of every other dialect."""

import base64
import json
import struct
from collections.abc import Mapping
from typing import Any

import pytest

from gateway.chat.blocks import Text, ToolUse
from gateway.chat.in_words import JSON_WORD, ONE_OBJECT
from gateway.chat.reply import ChatReply
from gateway.chat.request import ChatRequest, Tool
from gateway.dialects import (
    ANTHROPIC_MESSAGES,
    CHAT_DIALECTS,
    GEMINI,
    OPENAI_CHAT,
    OPENAI_RESPONSES,
    Dialect,
)
from gateway.dialects.forms import ChatForm, Identity
from gateway.wire.sse import data_of, events, name_of
from tests.compatibility.streams import gathered
from tests.live import KEY, LiveGateway, ScriptedProvider, answer, sse
from tests.parity.clients import FOLDER, Request, bodies_of, method_of, recorded, sent
from tests.parity.meaning import holds
from tests.parity.wire import Told, key_in
from tests.sdk.providers import ANSWERS, CALLS, STREAMS, TEXT

if not FOLDER.is_dir():
    pytest.skip(f"the recorded clients are not here: {FOLDER}", allow_module_level=True)

SPOKEN: Mapping[str, Dialect] = {
    "chat/completions": OPENAI_CHAT,
    "mlflow/invocations": OPENAI_CHAT,
    "v1/responses": OPENAI_RESPONSES,
    "v1/messages": ANTHROPIC_MESSAGES,
    "generateContent": GEMINI,
    "streamGenerateContent": GEMINI,
}
NAMED = {dialect.name: dialect for dialect in CHAT_DIALECTS}
REQUESTS = bodies_of(recorded("/"))
CROSSINGS = [
    (name, provider)
    for name, request in REQUESTS.items()
    for provider in NAMED
    if SPOKEN.get(method_of(request), NAMED[provider]) is not NAMED[provider]
]
# All that is lost of what they send, and told in the answer's header.
LOST: Mapping[str, set[str]] = {
    # Gemini holds every answer to its schema, OpenAI only to one that allows no more than it names.
    "openai_chat": {
        "reasoning.budget",
        "response_format.strict",
        "tools[].functionDeclarations[].response_json_schema",
    },
    "openai_responses": {
        "reasoning.budget",
        "response_format.strict",
        "tools[].functionDeclarations[].response_json_schema",
        "foo",
        "max_tokens",
        "seed",
        "stop",
    },
    "anthropic_messages": {
        "response_format",
        "response_format.name",
        "tools[].functionDeclarations[].response_json_schema",
        "foo",
        "seed",
    },
    # Gemini before 3 forms no JSON beside tools.
    "gemini": {"response_format", "response_format.name", "tools.strict", "foo"},
}
IN_WORDS = frozenset({ONE_OBJECT, JSON_WORD})
ME = Identity("0" * 32, 1_700_000_000)


def form_of(dialect: Dialect) -> ChatForm:
    assert dialect.chat is not None
    return dialect.chat


def streams(request: Request) -> bool:
    return method_of(request) == "streamGenerateContent" or bool(request["body"].get("stream"))


@pytest.mark.parametrize(("name", "spoken"), CROSSINGS)
def test_a_recorded_chat_is_served_by_a_provider_of_another_dialect(
    name: str, spoken: str, gateway: LiveGateway, provider: ScriptedProvider
) -> None:
    request, caller = REQUESTS[name], SPOKEN[method_of(REQUESTS[name])]
    provider.will(sse(*STREAMS[spoken]) if streams(request) else answer(ANSWERS[spoken]))
    ours = sent(request, gateway, f"any-{spoken}")
    assert ours.status == 200, ours.body
    assert said_to(caller, ours, stream=streams(request)) == (TEXT, CALLS)
    lost = ours.headers.get("x-gateway-dropped")
    assert set(lost.split(", ") if lost else ()) <= LOST[spoken]
    (received,) = provider.requests
    NAMED[spoken].check(received.json)
    asked = form_of(caller).read_request(request["body"])
    reached = form_of(NAMED[spoken]).read_request(received.json)
    assert reached.unread == {}
    assert holds(told_in(reached), told_in(asked))  # Anthropic wants its schemas closed
    assert KEY in key_in(received.headers)


def said_to(caller: Dialect, ours: Told, *, stream: bool) -> tuple[str, tuple[Any, ...]]:
    """The text of an answer and its calls of tools, as the caller's dialect reads them."""
    reply = streamed(caller, ours.body) if stream else form_of(caller).read_reply(ours.json, ME)
    (choice,) = reply.choices
    text = "".join(block.text for block in choice.content if isinstance(block, Text))
    uses = [block for block in choice.content if isinstance(block, ToolUse)]
    assert len({use.id for use in uses}) == len(uses)
    assert choice.stop_reason == "tool_use"
    return text, tuple((use.name, json.loads(use.arguments)) for use in uses)


def streamed(caller: Dialect, body: bytes) -> ChatReply:
    reader = form_of(caller).reader(ME)
    told = [
        one
        for event in events(body)
        if (data := data_of(event))
        for one in reader.feed(data, name_of(event))
    ]
    told += reader.finish()
    assert reader.ended
    return gathered(told)


def told_in(request: ChatRequest) -> Any:
    """What every dialect can say of a request: who said what, the tools, the limit, the sampling.
    What an API asks of a model in words, for want of a field, is none of it."""
    return [
        [block.text for block in request.system if block.text not in IN_WORDS],
        [[message.role, texts(message.content)] for message in request.messages],
        [[tool.name, tool.schema] for tool in request.tools if isinstance(tool, Tool)],
        request.sampling.temperature,
        request.response_format.schema if request.response_format else None,
    ]


def texts(content: Any) -> list[str]:
    return [block.text for block in content if isinstance(block, Text)]


COUNTS = [
    name
    for name in REQUESTS
    if method_of(REQUESTS[name]) in ("messages/count_tokens", "countTokens")
]
COUNTED = {"any-anthropic_messages": {"input_tokens": 9}, "any-gemini": {"totalTokens": 9}}


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize("endpoint", COUNTED)
def test_a_recorded_count_is_answered_by_whoever_counts(
    name: str, endpoint: str, gateway: LiveGateway, provider: ScriptedProvider
) -> None:
    request = REQUESTS[name]
    provider.will(answer(COUNTED[endpoint]))
    ours = sent(request, gateway, endpoint)
    said = {"messages/count_tokens": "input_tokens", "countTokens": "totalTokens"}
    assert (ours.status, ours.json[said[method_of(request)]]) == (200, 9)
    (received,) = provider.requests
    assert "Hello!" in received.body.decode()


VECTORS = [[0.5, 0.25], [0.125, 0.0]]
EMBEDS = [
    name
    for name in REQUESTS
    if method_of(REQUESTS[name]) in ("v1/embeddings", "batchEmbedContents")
]


@pytest.mark.parametrize("name", EMBEDS)
def test_recorded_embeddings_are_made_by_a_provider_of_the_other_dialect(
    name: str, gateway: LiveGateway, provider: ScriptedProvider
) -> None:
    request = REQUESTS[name]
    texts = texts_in(request["body"])
    vectors = VECTORS[: len(texts)]
    if "requests" in request["body"]:
        provider.will(answer({"object": "list", "model": "m", "data": numbered(vectors)}))
        ours = sent(request, gateway, "any-openai_chat")
        told = [one["values"] for one in ours.json["embeddings"]]
    else:
        provider.will(answer({"embeddings": [{"values": one} for one in vectors]}))
        ours = sent(request, gateway, "any-gemini")
        told = [numbers(one["embedding"]) for one in ours.json["data"]]
    (received,) = provider.requests
    assert (told, texts_in(received.json)) == (vectors, texts)


def numbered(vectors: list[list[float]]) -> list[Any]:
    return [{"object": "embedding", "index": n, "embedding": one} for n, one in enumerate(vectors)]


def numbers(embedding: Any) -> list[float]:
    """OpenAI's SDK asks for base64, of 32-bit floats."""
    if isinstance(embedding, list):
        return embedding
    packed = base64.b64decode(embedding)
    return [*struct.unpack(f"<{len(packed) // 4}f", packed)]


def texts_in(body: Any) -> list[str]:
    if "input" in body:
        return body["input"] if isinstance(body["input"], list) else [body["input"]]
    return [one["content"]["parts"][0]["text"] for one in body["requests"]]

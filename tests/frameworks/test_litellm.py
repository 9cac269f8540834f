"""LiteLLM by its three prefixes: each speaks another dialect to the same endpoints."""

import threading
from typing import Any

import litellm
import pytest
from pydantic import BaseModel

from tests.dialects.messages import END as CLAUDE_ENDS
from tests.dialects.messages import START, STOP, TEXT, TOLD, delta
from tests.frameworks.conftest import Run
from tests.live import DONE, LiveGateway, ScriptedProvider, answer, sse
from tests.sdk.said import BEGIN, COUNTED, END, completion, part, says, tool_call

ECHO = "This is an echo, not a model. You said:"
HELLO = [{"role": "user", "content": "Hello!"}]
BASES = {
    "openai": "/gateway/openai/v1",
    "anthropic": "/gateway/anthropic",
    "gemini": "/gateway/gemini/v1beta",
}
PREFIXES = pytest.mark.parametrize("prefix", BASES)
WORDS = ("one ", "after ", "another")


def tool(name: str) -> dict[str, Any]:
    city = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    return {"type": "function", "function": {"name": name, "parameters": city}}


TOOLS = [tool("get_weather"), tool("get_time")]
ASK_BOTH = [{"role": "user", "content": "get_weather and get_time"}]


class City(BaseModel):
    name: str
    inhabitants: int


def through(url: str, prefix: str, endpoint: str = "demo") -> dict[str, Any]:
    return {
        "model": f"{prefix}/{endpoint}",
        "base_url": url + BASES[prefix],
        "api_key": "not-needed",
        "max_retries": 0,
        "timeout": 10,
    }


def completed(url: str, prefix: str, *, endpoint: str = "demo", **asked: Any) -> Any:
    return litellm.completion(**through(url, prefix, endpoint), **{"messages": HELLO, **asked})


def text_of(chunks: list[Any]) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


@PREFIXES
def test_chat(prefix: str, gateway: LiveGateway) -> None:
    reply = completed(gateway.url, prefix)
    (choice,) = reply.choices
    assert (choice.message.content, choice.finish_reason) == (f"{ECHO} Hello!", "stop")
    used = reply.usage
    assert used.total_tokens == used.prompt_tokens + used.completion_tokens > 0


@PREFIXES
def test_stream(prefix: str, gateway: LiveGateway) -> None:
    asked: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}}
    chunks = list(completed(gateway.url, prefix, **asked))
    assert text_of(chunks) == f"{ECHO} Hello!"
    assert len(chunks) > 5
    built = litellm.stream_chunk_builder(chunks)
    assert built.choices[0].finish_reason == "stop"
    assert built.usage.completion_tokens == completed(gateway.url, prefix).usage.completion_tokens


@PREFIXES
def test_an_async_stream(prefix: str, gateway: LiveGateway, run: Run) -> None:
    async def listen() -> list[Any]:
        asked = {"messages": HELLO, "stream": True}
        stream = await litellm.acompletion(**through(gateway.url, prefix), **asked)
        return [chunk async for chunk in stream]

    assert text_of(run(listen())) == f"{ECHO} Hello!"


@PREFIXES
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_parallel_tools_and_their_answers(stream: bool, prefix: str, gateway: LiveGateway) -> None:
    asked: dict[str, Any] = {"tools": TOOLS, "stream": stream}
    reply = completed(gateway.url, prefix, messages=ASK_BOTH, **asked)
    if stream:
        reply = litellm.stream_chunk_builder(list(reply))
    (choice,) = reply.choices
    calls = choice.message.tool_calls
    assert choice.finish_reason == "tool_calls"
    assert [call.function.name for call in calls] == ["get_weather", "get_time"]
    results = [
        {"role": "tool", "tool_call_id": call.id, "content": f"{call.function.name}: 1"}
        for call in calls
    ]
    after = [*ASK_BOTH, choice.message.model_dump(), *results]
    final = completed(gateway.url, prefix, messages=after, tools=TOOLS)
    said = final.choices[0].message.content
    assert "get_weather: 1" in said
    assert "get_time: 1" in said


@PREFIXES
def test_structured_output(
    prefix: str, gateway: LiveGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To Gemini, LiteLLM sends a schema only for models that it knows to take one."""
    known = {"litellm_provider": "gemini", "mode": "chat", "supports_response_schema": True}
    monkeypatch.setitem(litellm.model_cost, "gemini/demo", known)
    reply = completed(gateway.url, prefix, response_format=City)
    got = City.model_validate_json(reply.choices[0].message.content)
    assert (got.name.removeprefix(f"{ECHO} "), got.inhabitants) == ("Hello!", 1)


OPENAI_SAYS = (BEGIN, lambda word: part(content=word), (END, COUNTED, DONE))
ANTHROPIC_SAYS = (
    START + TEXT,
    lambda word: delta("text_delta", text=word),
    (STOP, TOLD, CLAUDE_ENDS),
)


@PREFIXES
@pytest.mark.parametrize(
    ("endpoint", "says"),
    [("model", OPENAI_SAYS), ("claude", ANTHROPIC_SAYS)],
    ids=["of openai", "of anthropic"],
)
def test_a_stream_arrives_as_it_is_said(
    endpoint: str, says: Any, prefix: str, provider: ScriptedProvider, gateway: LiveGateway
) -> None:
    """Relayed or translated: the provider waits until each piece has arrived."""
    cues = [threading.Event() for _ in WORDS]
    begin, say, end = says
    said = [step for word, cue in zip(WORDS, cues, strict=True) for step in (say(word), cue)]
    provider.will(sse(begin, *said, *end))
    heard: list[str] = []
    for chunk in completed(gateway.url, prefix, endpoint=endpoint, stream=True):
        if word := chunk.choices[0].delta.content:
            cues[len(heard)].set()
            heard.append(word)
    assert heard == list(WORDS)


def test_two_calls_and_a_text_in_one_answer(
    provider: ScriptedProvider, gateway: LiveGateway
) -> None:
    calls = [tool_call("call_1", "get_weather", "{}"), tool_call("call_2", "get_time", "{}")]
    provider.will(answer(completion(says("Let me see.", "tool_calls", tool_calls=calls))))
    message = completed(gateway.url, "openai", endpoint="model", tools=TOOLS).choices[0].message
    assert message.content == "Let me see."
    assert [call.id for call in message.tool_calls] == ["call_1", "call_2"]


def test_it_tries_a_busy_provider_again(provider: ScriptedProvider, gateway: LiveGateway) -> None:
    busy = answer({"error": {"message": "slow down", "type": "rate_limit_error"}}, 429)
    provider.will(busy, answer(completion(says("Hello"))))
    asked = through(gateway.url, "openai", "model") | {"max_retries": 1}
    assert litellm.completion(**asked, messages=HELLO).choices[0].message.content == "Hello"


def test_the_responses_api(gateway: LiveGateway) -> None:
    where = {
        "model": "openai/demo",
        "api_base": f"{gateway.url}/gateway/openai/v1",
        "api_key": "not-needed",
    }
    reply = litellm.responses(**where, input="Hello!")
    assert reply.output[0].content[0].text == f"{ECHO} Hello!"
    events = list(litellm.responses(**where, input="Hello!", stream=True))
    assert "".join(e.delta for e in events if e.type == "response.output_text.delta") == (
        f"{ECHO} Hello!"
    )
    assert events[-1].type == "response.completed"


def test_embeddings(gateway: LiveGateway) -> None:
    vectors = litellm.embedding(
        model="openai/demo",
        api_base=f"{gateway.url}/gateway/openai/v1",
        api_key="not-needed",
        input=["a cat", "a dog"],
        dimensions=64,
        # Else LiteLLM drops what it thinks that an unknown model cannot do.
        allowed_openai_params=["dimensions"],
    )
    assert [len(row["embedding"]) for row in vectors.data] == [64, 64]
    assert vectors.usage.prompt_tokens > 0

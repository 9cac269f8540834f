"""LangChain over OpenAI's API and over MLflow's: what arrives when, tools, schemas, embeddings."""

import itertools
import json
import threading
import time
from typing import Any

import pytest
from langchain_core.messages import AIMessageChunk, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel, SecretStr

from tests.frameworks.conftest import Run
from tests.live import DONE, LiveGateway, ScriptedProvider, answer, sse
from tests.sdk.said import BEGIN, COUNTED, END, completion, part, says, tool_call

ECHO = "This is an echo, not a model. You said:"
ROUTES = pytest.mark.parametrize("route", ["openai", "mlflow"])
WORDS = ("one ", "after ", "another")


def chat(url: str, route: str = "openai", model: str = "model", **more: Any) -> ChatOpenAI:
    return ChatOpenAI(
        model=model,
        base_url=f"{url}/gateway/{route}/v1",
        api_key=SecretStr("not-needed"),
        max_retries=0,
        timeout=10,
        **more,
    )


@tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"sunny in {city}"


@tool
def get_time(city: str) -> str:
    """The time in a city."""
    return f"noon in {city}"


class City(BaseModel):
    """A city and what is known of it."""

    name: str
    inhabitants: int
    rivers: list[str]


ECHOED_CITY = City(name=f"{ECHO} Paris", inhabitants=1, rivers=[f"{ECHO} Paris"])


# --- streams --------------------------------------------------------------------------------------


@ROUTES
def test_a_chunk_is_in_hand_before_the_provider_says_the_next(
    route: str, provider: ScriptedProvider, gateway: LiveGateway
) -> None:
    """The provider waits for its cue, which is given when the chunk before has arrived."""
    cues = [threading.Event() for _ in WORDS]
    script = [step for word, cue in zip(WORDS, cues, strict=True) for step in (said(word), cue)]
    provider.will(sse(BEGIN, *script, END, COUNTED, DONE))
    heard: list[str] = []
    for chunk in chat(gateway.url, route).stream("Hello"):
        if chunk.content:
            cues[len(heard)].set()
            heard.append(chunk.content)
    assert heard == list(WORDS)


@ROUTES
def test_an_async_stream_arrives_as_it_is_said(
    route: str, provider: ScriptedProvider, gateway: LiveGateway, run: Run
) -> None:
    cues = [threading.Event() for _ in WORDS]
    script = [step for word, cue in zip(WORDS, cues, strict=True) for step in (said(word), cue)]
    provider.will(sse(BEGIN, *script, END, COUNTED, DONE))

    async def listen() -> list[str]:
        heard: list[str] = []
        async for chunk in chat(gateway.url, route).astream("Hello"):
            if chunk.content:
                cues[len(heard)].set()
                heard.append(str(chunk.content))
        return heard

    assert run(listen()) == list(WORDS)


def test_chunks_are_as_far_apart_as_the_provider_said_them(
    provider: ScriptedProvider, gateway: LiveGateway
) -> None:
    pause = 0.3
    script = [step for word in WORDS for step in (said(word), pause)]
    provider.will(sse(BEGIN, *script, END, COUNTED, DONE))
    arrived = [
        time.monotonic() for chunk in chat(gateway.url).stream("Hello") if chunk.content in WORDS
    ]
    gaps = [later - earlier for earlier, later in itertools.pairwise(arrived)]
    assert gaps == pytest.approx([pause, pause], abs=0.2)


@ROUTES
def test_a_stream_tells_its_usage(
    route: str, provider: ScriptedProvider, gateway: LiveGateway
) -> None:
    provider.will(sse(BEGIN, said("Hello"), END, COUNTED, DONE))
    whole = AIMessageChunk("")
    for chunk in chat(gateway.url, route, stream_usage=True).stream("Hello"):
        assert isinstance(chunk, AIMessageChunk)
        whole += chunk
    assert (whole.content, whole.response_metadata["finish_reason"]) == ("Hello", "stop")
    assert whole.usage_metadata is not None
    assert whole.usage_metadata["total_tokens"] == 12


def test_the_batch_of_a_chain_is_answered_each_to_its_own(gateway: LiveGateway) -> None:
    asked = [f"number {nth}" for nth in range(8)]
    replies = chat(gateway.url, model="demo").batch(asked, config={"max_concurrency": 8})
    assert [reply.content for reply in replies] == [f"{ECHO} {text}" for text in asked]


# --- tools ----------------------------------------------------------------------------------------


@ROUTES
def test_parallel_tools_and_their_answers(route: str, gateway: LiveGateway) -> None:
    model = chat(gateway.url, route, "demo").bind_tools([get_weather, get_time])
    asked = HumanMessage("get_weather and get_time")
    reply = model.invoke([asked])
    assert [(call["name"], call["args"]) for call in reply.tool_calls] == [
        ("get_weather", {"city": asked.content}),
        ("get_time", {"city": asked.content}),
    ]
    results = [ToolMessage(f"{c['name']}: 1", tool_call_id=c["id"]) for c in reply.tool_calls]
    final = model.invoke([asked, reply, *results])
    assert str(final.content).endswith("The tools answered: get_weather: 1; get_time: 1")


@ROUTES
def test_streamed_parallel_tools_are_put_together(route: str, gateway: LiveGateway) -> None:
    model = chat(gateway.url, route, "demo").bind_tools([get_weather, get_time])
    chunks = list(model.stream("get_weather and get_time"))
    assert len(chunks) > 4
    whole = AIMessageChunk("")
    for chunk in chunks:
        whole += chunk
    assert [(call["name"], call["args"]) for call in whole.tool_calls] == [
        (name, {"city": "get_weather and get_time"}) for name in ("get_weather", "get_time")
    ]
    assert whole.invalid_tool_calls == []


def test_a_tool_may_be_demanded_and_parallel_calls_forbidden(
    provider: ScriptedProvider, gateway: LiveGateway
) -> None:
    call = tool_call("call_1", "get_time", '{"city": "Paris"}')
    provider.will(answer(completion(says(None, "tool_calls", tool_calls=[call]))))
    model = chat(gateway.url).bind_tools(
        [get_weather, get_time], tool_choice="get_time", parallel_tool_calls=False
    )
    reply = model.invoke("now?")
    assert [call["args"] for call in reply.tool_calls] == [{"city": "Paris"}]
    (sent,) = provider.requests
    assert sent.json["parallel_tool_calls"] is False
    assert sent.json["tool_choice"] == {"type": "function", "function": {"name": "get_time"}}


# --- schemas --------------------------------------------------------------------------------------


@ROUTES
@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_structured_output(method: str, route: str, gateway: LiveGateway) -> None:
    model = chat(gateway.url, route, "demo")
    got = model.with_structured_output(City, method=method).invoke("Paris")
    said_as = ECHOED_CITY
    if method == "function_calling":  # the echo puts what was said where a model would think
        said_as = City(name="Paris", inhabitants=1, rivers=["Paris"])
    assert got == said_as


def test_json_mode(provider: ScriptedProvider, gateway: LiveGateway) -> None:
    told = {"name": "Paris", "inhabitants": 2, "rivers": ["Seine"]}
    provider.will(answer(completion(says(json.dumps(told)))))
    model = chat(gateway.url).with_structured_output(City, method="json_mode")
    assert model.invoke("Paris as JSON") == City.model_validate(told)
    assert provider.requests[0].json["response_format"] == {"type": "json_object"}


# --- the other APIs -------------------------------------------------------------------------------


def test_the_responses_api(gateway: LiveGateway) -> None:
    model = chat(gateway.url, model="demo", use_responses_api=True)
    assert model.invoke("Hello").text == f"{ECHO} Hello"
    assert "".join(chunk.text for chunk in model.stream("Hello")) == f"{ECHO} Hello"
    asked = model.bind_tools([get_weather]).invoke("get_weather")
    assert [call["args"] for call in asked.tool_calls] == [{"city": "get_weather"}]


@ROUTES
def test_embeddings(route: str, gateway: LiveGateway, run: Run) -> None:
    embeddings = OpenAIEmbeddings(
        model="demo",
        base_url=f"{gateway.url}/gateway/{route}/v1",
        api_key=SecretStr("not-needed"),
        dimensions=64,
        check_embedding_ctx_length=False,
    )
    cat, dog = embeddings.embed_documents(["a cat", "a dog"])
    assert (len(cat), len(dog)) == (64, 64)
    assert embeddings.embed_query("a cat") == pytest.approx(cat)
    assert run(embeddings.aembed_query("a dog")) == pytest.approx(dog)


def said(word: str) -> bytes:
    return part(content=word)

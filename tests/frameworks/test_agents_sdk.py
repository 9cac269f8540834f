"""OpenAI's Agents SDK over Chat Completions and over Responses."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from agents import (
    Agent,
    ModelSettings,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    Runner,
    function_tool,
)
from openai import AsyncOpenAI
from pydantic import BaseModel

from tests.frameworks.conftest import Run
from tests.live import DONE, LiveGateway, ScriptedProvider, sse
from tests.sdk.said import BEGIN, COUNTED, END, Numbered, part, response, streamed_response

ECHO = "This is an echo, not a model. You said:"
ANSWERED = "This is an echo, not a model. The tools answered:"
MODELS: dict[str, Any] = {"chat": OpenAIChatCompletionsModel, "responses": OpenAIResponsesModel}
APIS = pytest.mark.parametrize("api", MODELS)
WORDS = ("one ", "after ", "another")


@function_tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"sunny in {city}"


@function_tool
def get_time(city: str) -> str:
    """The time in a city."""
    return f"noon in {city}"


class City(BaseModel):
    name: str
    inhabitants: int


@pytest.fixture
def client(gateway: LiveGateway, run: Run) -> Iterator[AsyncOpenAI]:
    client = AsyncOpenAI(
        base_url=f"{gateway.url}/gateway/openai/v1", api_key="not-needed", max_retries=0, timeout=10
    )
    yield client
    run(client.close())


def agent(client: AsyncOpenAI, api: str, model: str = "demo", **more: Any) -> Agent:
    return Agent(name="Forecaster", model=MODELS[api](model, client), **more)


@APIS
def test_an_answer_and_its_usage(api: str, client: AsyncOpenAI, run: Run) -> None:
    result = run(Runner.run(agent(client, api, instructions="Be brief."), "Hello!"))
    assert result.final_output == f"{ECHO} Hello!"
    used = result.context_wrapper.usage
    assert used.total_tokens == used.input_tokens + used.output_tokens > 0


@APIS
def test_a_typed_answer(api: str, client: AsyncOpenAI, run: Run) -> None:
    result = run(Runner.run(agent(client, api, output_type=City), "Paris"))
    assert result.final_output == City(name=f"{ECHO} Paris", inhabitants=1)


@APIS
def test_parallel_tools(api: str, client: AsyncOpenAI, run: Run) -> None:
    tools = [get_weather, get_time]
    asked = "get_weather and get_time"
    result = run(Runner.run(agent(client, api, tools=tools), asked))
    assert result.final_output == f"{ANSWERED} sunny in {asked}; noon in {asked}"


@APIS
def test_one_tool_at_a_time(api: str, client: AsyncOpenAI, run: Run) -> None:
    settings = ModelSettings(parallel_tool_calls=False)
    asking = agent(client, api, tools=[get_weather, get_time], model_settings=settings)
    result = run(Runner.run(asking, "get_weather and get_time"))
    assert result.final_output == f"{ANSWERED} sunny in get_weather and get_time"


@APIS
def test_a_streamed_tool_call_and_what_follows(api: str, client: AsyncOpenAI, run: Run) -> None:
    async def listen() -> tuple[list[str], list[str], str]:
        result = Runner.run_streamed(agent(client, api, tools=[get_weather]), "get_weather")
        items, raw = [], []
        async for event in result.stream_events():
            if event.type == "run_item_stream_event":
                items.append(event.name)
            elif event.type == "raw_response_event":
                raw.append(event.data.type)
        return items, raw, result.final_output

    items, raw, final = run(listen())
    assert items == ["tool_called", "tool_output", "message_output_created"]
    assert raw.count("response.completed") == 2
    assert raw.count("response.function_call_arguments.delta") > 0
    assert raw.count("response.output_text.delta") > 8
    assert final == f"{ANSWERED} sunny in get_weather"


@APIS
def test_a_stream_arrives_as_it_is_said(
    api: str, provider: ScriptedProvider, client: AsyncOpenAI, run: Run
) -> None:
    """The provider waits until each piece has arrived."""
    cues = [threading.Event() for _ in WORDS]
    if api == "chat":
        said = [
            step
            for word, cue in zip(WORDS, cues, strict=True)
            for step in (part(content=word), cue)
        ]
        provider.will(sse(BEGIN, *said, END, COUNTED, DONE))
    else:
        *opening, first, second, third = streamed_response(*WORDS)[: 4 + len(WORDS)]
        pieces = (first, cues[0], second, cues[1], third, cues[2])
        provider.will(sse(*opening, *pieces, *streamed_response(*WORDS)[4 + len(WORDS) :]))

    async def listen() -> list[str]:
        heard: list[str] = []
        result = Runner.run_streamed(agent(client, api, "model"), "Hello")
        async for event in result.stream_events():
            if event.type == "raw_response_event" and event.data.type.endswith("text.delta"):
                cues[len(heard)].set()
                heard.append(event.data.delta)
        return heard

    assert run(listen()) == list(WORDS)


def test_streamed_parallel_calls_over_responses(
    provider: ScriptedProvider, client: AsyncOpenAI, run: Run
) -> None:
    say = Numbered()
    calls = [
        {
            "id": f"fc_{name}",
            "type": "function_call",
            "call_id": f"call_{name}",
            "name": name,
            "arguments": json.dumps({"city": city}),
            "status": "completed",
        }
        for name, city in (("get_weather", "Paris"), ("get_time", "Rome"))
    ]
    events = [say("response.created", response=response(status="in_progress", usage=None))]
    for index, call in enumerate(calls):
        place = {"item_id": call["id"], "output_index": index}
        begun = {**call, "arguments": "", "status": "in_progress"}
        half = len(call["arguments"]) // 2
        events += [
            say("response.output_item.added", output_index=index, item=begun),
            *(
                say("response.function_call_arguments.delta", **place, delta=piece)
                for piece in (call["arguments"][:half], call["arguments"][half:])
            ),
            say("response.function_call_arguments.done", **place, arguments=call["arguments"]),
            say("response.output_item.done", output_index=index, item=call),
        ]
    events.append(say("response.completed", response=response(*calls)))
    provider.will(sse(*events), sse(*streamed_response("Done.")))

    async def listen() -> tuple[list[str], str]:
        tools = [get_weather, get_time]
        result = Runner.run_streamed(agent(client, "responses", "model", tools=tools), "How is it?")
        told = [
            event.item.output
            async for event in result.stream_events()
            if event.type == "run_item_stream_event" and event.name == "tool_output"
        ]
        return told, result.final_output

    assert run(listen()) == (["sunny in Paris", "noon in Rome"], "Done.")
    second = provider.requests[1].json["input"]
    assert [(i["type"], i["call_id"]) for i in second if "call_id" in i] == [
        ("function_call", "call_get_weather"),
        ("function_call", "call_get_time"),
        ("function_call_output", "call_get_weather"),
        ("function_call_output", "call_get_time"),
    ]


@APIS
def test_an_agent_hands_over_to_another(api: str, client: AsyncOpenAI, run: Run) -> None:
    """A handoff is a tool, `transfer_to_…`, which the echo calls as it calls any."""
    second = Agent(name="Second", model=MODELS[api]("demo", client))
    first = Agent(name="First", model=MODELS[api]("demo", client), handoffs=[second])
    result = run(Runner.run(first, "transfer_to_second"))
    assert result.last_agent.name == "Second"
    assert result.final_output.startswith(ANSWERED)

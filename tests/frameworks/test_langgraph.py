"""LangGraph: the loop of an agent, whole and streamed, with tools side by side."""

from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from pydantic import SecretStr

from tests.frameworks.conftest import Run
from tests.live import DONE, LiveGateway, ScriptedProvider, answer, sse
from tests.sdk.said import BEGIN, COUNTED, END, completion, part, says, tool_call

ANSWERED = "This is an echo, not a model. The tools answered:"
QUESTION = "get_weather and get_time"


@tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"sunny in {city}"


@tool
def get_time(city: str) -> str:
    """The time in a city."""
    return f"noon in {city}"


TOOLS = [get_weather, get_time]


def agent(url: str, model: str, *, route: str = "openai", **more: Any) -> Any:
    chat = ChatOpenAI(
        model=model,
        base_url=f"{url}/gateway/{route}/v1",
        api_key=SecretStr("not-needed"),
        max_retries=0,
        timeout=10,
    ).bind_tools(TOOLS)

    async def think(state: MessagesState) -> dict[str, list[Any]]:
        return {"messages": [await chat.ainvoke(state["messages"])]}

    graph = StateGraph(MessagesState)
    graph.add_node("think", think)
    graph.add_node("tools", ToolNode(TOOLS))
    graph.add_edge(START, "think")
    graph.add_conditional_edges("think", tools_condition)
    graph.add_edge("tools", "think")
    return graph.compile(**more)


def told(messages: list[Any]) -> list[tuple[str, Any]]:
    return [(m.type, m.content or [call["name"] for call in m.tool_calls]) for m in messages]


@pytest.mark.parametrize("route", ["openai", "mlflow"])
def test_an_agent_calls_its_tools_and_ends(route: str, gateway: LiveGateway, run: Run) -> None:
    asked = {"messages": [HumanMessage(QUESTION)]}
    final = run(agent(gateway.url, "demo", route=route).ainvoke(asked))
    results = [f"sunny in {QUESTION}", f"noon in {QUESTION}"]
    assert told(final["messages"]) == [
        ("human", QUESTION),
        ("ai", ["get_weather", "get_time"]),
        ("tool", results[0]),
        ("tool", results[1]),
        ("ai", f"{ANSWERED} {'; '.join(results)}"),
    ]


def test_what_an_agent_says_is_streamed_word_by_word(gateway: LiveGateway, run: Run) -> None:
    """`stream_mode="messages"` turns every call of the model into a stream, tools and all."""

    async def listen() -> list[str]:
        asked = {"messages": [HumanMessage("get_time")]}
        events = agent(gateway.url, "demo").astream(asked, stream_mode="messages")
        return [
            chunk.content
            async for chunk, where in events
            if where["langgraph_node"] == "think" and chunk.content
        ]

    heard = run(listen())
    assert "".join(heard) == f"{ANSWERED} noon in get_time"
    assert len(heard) > 8


def test_the_provider_sees_each_turn_with_its_tools_and_their_answers(
    provider: ScriptedProvider, gateway: LiveGateway, run: Run
) -> None:
    calls = [
        tool_call("call_1", "get_weather", '{"city": "Paris"}'),
        tool_call("call_2", "get_time", '{"city": "Rome"}'),
    ]
    provider.will(
        answer(completion(says(None, "tool_calls", tool_calls=calls))),
        answer(completion(says("Sunny, and noon."))),
    )
    asked = {"messages": [HumanMessage("How is it?")]}
    final = run(agent(gateway.url, "model").ainvoke(asked))
    assert final["messages"][-1].content == "Sunny, and noon."
    first, second = (request.json for request in provider.requests)
    assert [one["function"]["name"] for one in first["tools"]] == ["get_weather", "get_time"]
    assert [(m["role"], m.get("tool_call_id"), m["content"]) for m in second["messages"]] == [
        ("user", None, "How is it?"),
        ("assistant", None, None),
        ("tool", "call_1", "sunny in Paris"),
        ("tool", "call_2", "noon in Rome"),
    ]
    assert [call["id"] for call in second["messages"][1]["tool_calls"]] == ["call_1", "call_2"]


def test_streamed_calls_whose_arguments_come_in_turns_are_kept_apart(
    provider: ScriptedProvider, gateway: LiveGateway, run: Run
) -> None:
    def piece(index: int, arguments: str, **head: Any) -> bytes:
        function = {"arguments": arguments, **head.pop("named", {})}
        return part(tool_calls=[{"index": index, "function": function, **head}])

    opened = {"type": "function"}
    provider.will(
        sse(
            BEGIN,
            piece(0, "", id="call_1", named={"name": "get_weather"}, **opened),
            piece(1, "", id="call_2", named={"name": "get_time"}, **opened),
            *(piece(0, '{"city": '), piece(1, '{"city": "Ro'), piece(0, '"Paris"}')),
            piece(1, 'me"}'),
            part("tool_calls"),
            *(COUNTED, DONE),
        ),
        sse(BEGIN, part(content="Done."), END, COUNTED, DONE),
    )

    async def listen() -> list[Any]:
        asked = {"messages": [HumanMessage("How is it?")]}
        events = agent(gateway.url, "model").astream(asked, stream_mode=["messages", "values"])
        return [value async for mode, value in events if mode == "values"]

    *_, final = run(listen())
    assert told(final["messages"])[2:] == [
        ("tool", "sunny in Paris"),
        ("tool", "noon in Rome"),
        ("ai", "Done."),
    ]


def test_a_conversation_goes_on_from_its_checkpoint(gateway: LiveGateway, run: Run) -> None:
    talk = agent(gateway.url, "demo", checkpointer=InMemorySaver())
    thread = {"configurable": {"thread_id": "1"}}

    async def twice() -> list[Any]:
        await talk.ainvoke({"messages": [HumanMessage("get_time")]}, thread)
        after = await talk.ainvoke({"messages": [HumanMessage("Hello!")]}, thread)
        return list(after["messages"])

    messages = run(twice())
    assert len(messages) == 6
    assert messages[-1].content == "This is an echo, not a model. You said: Hello!"

"""LangGraph (`pip install langgraph langchain-openai`): an agent with tools."""

import os

from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition

URL = os.environ.get("SLUICEGATE_URL", "http://127.0.0.1:8000")
KEY = os.environ.get("SLUICEGATE_API_KEY", "not-needed")
ENDPOINT = "demo"


@tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"sunny ({city})"


@tool
def get_time(city: str) -> str:
    """The time in a city."""
    return f"noon ({city})"


TOOLS = [get_weather, get_time]
model = ChatOpenAI(model=ENDPOINT, base_url=f"{URL}/gateway/openai/v1", api_key=KEY)


def think(state: MessagesState) -> dict[str, list[object]]:
    return {"messages": [model.bind_tools(TOOLS).invoke(state["messages"])]}


graph = StateGraph(MessagesState)
graph.add_node("think", think)
graph.add_node("tools", ToolNode(TOOLS))
graph.add_edge(START, "think")
graph.add_conditional_edges("think", tools_condition)
graph.add_edge("tools", "think")
agent = graph.compile()

question = {"messages": [("user", "get_weather and get_time, please")]}
for message in agent.invoke(question)["messages"]:
    calls = [call["name"] for call in getattr(message, "tool_calls", [])]
    print(f"{message.type}:", message.content or calls)

print("stream: ", end="")
for chunk, where in agent.stream({"messages": [("user", "Hello!")]}, stream_mode="messages"):
    if where["langgraph_node"] == "think":
        print(chunk.content, end="", flush=True)
print()

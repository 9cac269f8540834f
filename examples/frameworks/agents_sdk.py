"""OpenAI's Agents SDK (`pip install openai-agents`): the same agent over both of OpenAI's APIs."""

import asyncio
import os

from agents import (
    Agent,
    ItemHelpers,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    Runner,
    function_tool,
    set_tracing_disabled,
)
from openai import AsyncOpenAI

URL = os.environ.get("SLUICEGATE_URL", "http://127.0.0.1:8000")
KEY = os.environ.get("SLUICEGATE_API_KEY", "not-needed")
ENDPOINT = "demo"

set_tracing_disabled(True)  # or traces of every run go to OpenAI
client = AsyncOpenAI(base_url=f"{URL}/gateway/openai/v1", api_key=KEY)


@function_tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"sunny ({city})"


async def main() -> None:
    for model in (
        OpenAIChatCompletionsModel(ENDPOINT, client),
        OpenAIResponsesModel(ENDPOINT, client),
    ):
        api = type(model).__name__
        agent = Agent(name="Forecaster", model=model, tools=[get_weather])
        whole = await Runner.run(agent, "Hello!")
        print(f"{api}:", whole.final_output)

        streamed = Runner.run_streamed(agent, "get_weather, please")
        async for event in streamed.stream_events():
            if event.type != "run_item_stream_event":
                continue
            match event.name:
                case "tool_called":
                    print(f"{api} called:", event.item.raw_item.name)
                case "tool_output":
                    print(f"{api} tool said:", event.item.output)
                case "message_output_created":
                    print(f"{api} said:", ItemHelpers.text_message_output(event.item))


asyncio.run(main())

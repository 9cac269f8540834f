"""Anthropic's SDK (`pip install anthropic`): a message, a stream, a tool."""

import os

from anthropic import Anthropic

URL = os.environ.get("SLUICEGATE_URL", "http://127.0.0.1:8000")
KEY = os.environ.get("SLUICEGATE_API_KEY", "not-needed")
ENDPOINT = "demo"

client = Anthropic(base_url=f"{URL}/gateway/anthropic", api_key=KEY)  # the SDK adds /v1

message = client.messages.create(
    model=ENDPOINT, max_tokens=200, messages=[{"role": "user", "content": "Hello!"}]
)
print("message:", "".join(block.text for block in message.content if block.type == "text"))

print("stream: ", end="")
with client.messages.stream(
    model=ENDPOINT, max_tokens=200, messages=[{"role": "user", "content": "Hello!"}]
) as stream:
    for text in stream.text_stream:
        print(text, end="", flush=True)
print()

asked = client.messages.create(
    model=ENDPOINT,
    max_tokens=200,
    messages=[{"role": "user", "content": "Ask get_weather about Paris."}],
    tools=[
        {
            "name": "get_weather",
            "description": "The weather in a city",
            "input_schema": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
            },
        }
    ],
)
for block in asked.content:
    if block.type == "tool_use":
        print("tool:", block.name, block.input)

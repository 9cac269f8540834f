"""The built-in `demo` endpoint, as someone meets it who has no key yet."""

import json
from typing import Any

import pytest
from pydantic import BaseModel

from tests.sdk.clients import Ask, Sdk

pytestmark = pytest.mark.sdk

ECHOED = "This is an echo, not a model. You said: Hi, Zoë 👋"
HI = [{"role": "user", "content": "Hi, Zoë 👋"}]
PARAMETERS = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city"],
}
NAMES = ("get_weather", "get_time")
TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": PARAMETERS}} for name in NAMES
]
ASK_BOTH = [{"role": "user", "content": "Use get_weather and get_time"}]


def chat(**more: Any) -> Ask:
    asked = {"model": "demo", "messages": HI, **more}
    return lambda client: client.chat.completions.create(**asked)


def test_chat(sdk: Sdk) -> None:
    reply = sdk.call(chat())
    (choice,) = reply.choices
    assert (choice.message.content, choice.finish_reason) == (ECHOED, "stop")
    used = reply.usage
    assert used.prompt_tokens > 0
    assert used.completion_tokens > used.prompt_tokens
    assert used.total_tokens == used.prompt_tokens + used.completion_tokens


def test_stream(sdk: Sdk) -> None:
    told = sdk.stream(chat(stream=True, stream_options={"include_usage": True}))
    assert (told.text, told.error) == (ECHOED, None)
    assert len(told.chunks) > 10
    assert told.chunks[-2].choices[0].finish_reason == "stop"
    assert told.chunks[-1].usage.to_dict() == sdk.call(chat()).usage.to_dict()


def test_limits_are_honoured(sdk: Sdk) -> None:
    stopped = sdk.call(chat(stop=[", not"])).choices[0]
    assert (stopped.message.content, stopped.finish_reason) == ("This is an echo", "stop")
    cut = sdk.call(chat(max_tokens=2)).choices[0]
    assert (cut.message.content, cut.finish_reason) == ("This is", "length")


def test_parallel_tools_and_their_answers(sdk: Sdk) -> None:
    reply = sdk.call(chat(messages=ASK_BOTH, tools=TOOLS)).choices[0]
    assert reply.finish_reason == "tool_calls"
    calls = reply.message.tool_calls
    assert [call.function.name for call in calls] == list(NAMES)
    assert len({call.id for call in calls}) == 2
    results = [
        {"role": "tool", "tool_call_id": call.id, "content": f"{call.function.name} says 1"}
        for call in calls
    ]
    after = [*ASK_BOTH, reply.message.to_dict(), *results]
    final = sdk.call(chat(messages=after, tools=TOOLS)).choices[0]
    assert final.finish_reason == "stop"
    assert final.message.content.endswith(": get_weather says 1; get_time says 1")


def test_one_tool_at_a_time(sdk: Sdk) -> None:
    reply = sdk.call(chat(messages=ASK_BOTH, tools=TOOLS, parallel_tool_calls=False))
    assert [call.function.name for call in reply.choices[0].message.tool_calls] == ["get_weather"]


def test_streamed_tools_are_put_together(openai_sdk: Sdk) -> None:
    def ask(client: Any) -> Any:
        return client.chat.completions.stream(model="demo", messages=ASK_BOTH, tools=TOOLS)

    _, final = openai_sdk.gather(ask, "get_final_completion")
    (choice,) = final.choices
    assert choice.finish_reason == "tool_calls"
    said = ASK_BOTH[0]["content"]
    assert [
        (call.function.name, json.loads(call.function.arguments))
        for call in choice.message.tool_calls
    ] == [(name, {"city": said, "days": 1}) for name in NAMES]


class Place(BaseModel):
    name: str
    inhabitants: int
    capital: bool
    rivers: list[str]


def test_structured_output(sdk: Sdk) -> None:
    reply = sdk.call(
        lambda client: client.chat.completions.parse(
            model="demo", messages=HI, response_format=Place
        )
    )
    parsed = reply.choices[0].message.parsed
    assert parsed == Place(name=ECHOED, inhabitants=1, capital=True, rivers=[ECHOED])


def test_embeddings_are_the_same_in_either_encoding(sdk: Sdk) -> None:
    def ask(encoding: str) -> list[list[float]]:
        reply = sdk.call(
            lambda client: client.embeddings.create(
                model="demo", input=["a cat", "a dog"], dimensions=64, encoding_format=encoding
            )
        )
        return [row.embedding for row in reply.data]

    floats = ask("float")
    assert [len(vector) for vector in floats] == [64, 64]
    by_default = sdk.call(
        lambda client: client.embeddings.create(
            model="demo", input=["a cat", "a dog"], dimensions=64
        )
    )
    for row, vector in zip(by_default.data, floats, strict=True):
        assert row.embedding == pytest.approx(vector, rel=1e-6)


def test_response(openai_sdk: Sdk) -> None:
    reply = openai_sdk.call(lambda client: client.responses.create(model="demo", input=HI))
    assert (reply.output_text, reply.status) == (ECHOED, "completed")
    assert reply.usage.total_tokens == reply.usage.input_tokens + reply.usage.output_tokens


def test_streamed_response(openai_sdk: Sdk) -> None:
    events, final = openai_sdk.gather(
        lambda client: client.responses.stream(model="demo", input=HI), "get_final_response"
    )
    assert final.output_text == ECHOED
    assert [e.sequence_number for e in events] == list(range(len(events)))


def test_structured_response(openai_sdk: Sdk) -> None:
    reply = openai_sdk.call(
        lambda client: client.responses.parse(model="demo", input=HI, text_format=Place)
    )
    assert reply.output_parsed == Place(name=ECHOED, inhabitants=1, capital=True, rivers=[ECHOED])


def test_a_loop_of_responses_with_tools(openai_sdk: Sdk) -> None:
    tools = [{"type": "function", "name": name, "parameters": PARAMETERS} for name in NAMES]
    asked: list[Any] = [*ASK_BOTH]
    first = openai_sdk.call(
        lambda client: client.responses.create(model="demo", input=asked, tools=tools)
    )
    assert [(item.type, item.name) for item in first.output] == [
        ("function_call", name) for name in NAMES
    ]
    asked += [item.to_dict() for item in first.output]
    asked += [
        {"type": "function_call_output", "call_id": item.call_id, "output": f"{item.name}: 1"}
        for item in first.output
    ]
    second = openai_sdk.call(
        lambda client: client.responses.create(model="demo", input=asked, tools=tools)
    )
    assert second.output_text.endswith(": get_weather: 1; get_time: 1")


def test_the_demo_says_what_it_does_not_offer(openai_sdk: Sdk) -> None:
    with pytest.raises(Exception, match="the echo answers once"):
        openai_sdk.call(chat(n=2))
    with pytest.raises(Exception, match="does not offer openai_compaction"):
        openai_sdk.call(lambda client: client.responses.compact(model="demo", input="Hi"))

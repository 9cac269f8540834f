"""The echo as a chat model: deterministic, and honest about what it is."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.echo.samples import sample
from gateway.adapters.echo.speech import words_of
from gateway.wire.json import Json, dumps, loads
from tests.adapters.echo_world import ask, refusal, stream

CHAT = "/chat/completions"
HELLO = "This is an echo, not a model. You said: hello"


def chat(said: Any = "hello", **more: Any) -> Json:
    return {"model": "echo", "messages": [{"role": "user", "content": said}], **more}


def tool(name: str, **properties: Json) -> Json:
    parameters = {"type": "object", "properties": properties}
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


def choice(body: Json) -> Json:
    (found,) = ask(CHAT, body)["choices"]
    return dict(found)


def text(body: Json) -> str:
    return str(choice(body)["message"]["content"])


def called(body: Json) -> list[tuple[str, Any]]:
    """Which tools, with what arguments."""
    found = choice(body)
    assert (found["finish_reason"] == "tool_calls") == ("tool_calls" in found["message"])
    calls = [call["function"] for call in found["message"].get("tool_calls", ())]
    return [(call["name"], loads(call["arguments"])) for call in calls]


def test_it_says_that_it_is_an_echo_and_what_was_said() -> None:
    answer = ask(CHAT, chat())
    assert answer.pop("id").startswith("chatcmpl-")
    assert answer.pop("created") > 1_700_000_000
    message = {"role": "assistant", "content": HELLO, "refusal": None}
    assert answer == {
        "object": "chat.completion",
        "model": "echo",
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": {
            "prompt_tokens": 1,
            "completion_tokens": 13,
            "total_tokens": 14,
            "prompt_tokens_details": {"cached_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0},
        },
    }


def test_the_same_chat_has_the_same_words_and_another_id() -> None:
    one, other = ask(CHAT, chat()), ask(CHAT, chat())
    assert one["choices"] == other["choices"]
    assert one["id"] != other["id"]


@pytest.mark.parametrize(
    ("more", "said", "reason"),
    [
        ({"stop": "echo"}, "This is an ", "stop"),
        ({"stop": ["said", "echo"]}, "This is an ", "stop"),
        ({"stop": ["nowhere"]}, HELLO, "stop"),
        ({"stop": []}, HELLO, "stop"),
        ({"stop": ""}, HELLO, "stop"),
        ({"stop": ["", "echo"]}, "This is an ", "stop"),
        ({"stop": HELLO}, None, "stop"),
        ({"max_tokens": 3}, "This is an", "length"),
        ({"max_completion_tokens": 1}, "This", "length"),
        ({"max_tokens": 13}, HELLO, "stop"),
        ({"max_tokens": 12}, HELLO.removesuffix(" hello"), "length"),
        ({"max_tokens": 0}, None, "length"),
        ({"max_tokens": 3, "stop": "model"}, "This is an", "length"),
        ({"max_tokens": 9, "stop": "an"}, "This is ", "stop"),
    ],
)
def test_it_honours_limits(more: Json, said: str | None, reason: str) -> None:
    found = choice(chat(**more))
    assert (found["message"]["content"], found["finish_reason"]) == (said, reason)


TWO = [tool("weather", city={"type": "string"}), tool("clock")]


@pytest.mark.parametrize(
    ("body", "names"),
    [
        (chat("hello", tools=TWO), []),
        (chat("call weather", tools=TWO), ["weather"]),
        (chat("weather and clock", tools=TWO), ["weather", "clock"]),
        (chat("weather and clock", tools=TWO, parallel_tool_calls=False), ["weather"]),
        (chat("hello", tools=TWO, tool_choice="auto"), []),
        (chat("hello", tools=TWO, tool_choice="required"), ["weather"]),
        (chat("clock", tools=TWO, tool_choice="required"), ["clock"]),
        (chat("weather", tools=TWO, tool_choice="none"), []),
        (chat("weather", tools=[], tool_choice="required"), []),
        (
            chat("x", tools=TWO, tool_choice={"type": "function", "function": {"name": "clock"}}),
            ["clock"],
        ),
    ],
)
def test_it_calls_the_tools_that_are_named_or_demanded(body: Json, names: list[str]) -> None:
    assert [name for name, _ in called(body)] == names


def test_a_custom_tool_is_called_with_text() -> None:
    message = choice(chat("custom", tools=[{"type": "custom", "custom": {"name": "custom"}}]))
    (call,) = message["message"]["tool_calls"]
    assert (call["type"], call["custom"]) == ("custom", {"name": "custom", "input": "custom"})


def test_arguments_fit_the_tools_schema() -> None:
    assert called(chat("weather and clock", tools=TWO)) == [
        ("weather", {"city": "weather and clock"}),
        ("clock", {}),
    ]


def test_once_the_tools_have_answered_it_says_what() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": "weather"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
        {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "noon"}]},
    ]
    body = {"model": "echo", "messages": messages, "tools": TWO, "tool_choice": "required"}
    assert text(body) == "This is an echo, not a model. The tools answered: sunny; noon"


def test_parallel_calls_have_ids_of_their_own() -> None:
    calls = choice(chat("weather and clock", tools=TWO))["message"]["tool_calls"]
    assert len({call["id"] for call in calls}) == 2


def test_json_is_answered_where_json_is_asked() -> None:
    assert loads(text(chat(response_format={"type": "json_object"}))) == {"echo": HELLO}


LIST: Json = {
    "type": "object",
    "properties": {
        "value": {"type": "integer"},
        "next": {"anyOf": [{"type": "null"}, {"$ref": "#"}]},
    },
}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string"}, HELLO),
        ({"type": "string", "maxLength": 4}, "This"),
        ({"type": ["string", "null"]}, HELLO),
        ({"type": "integer", "minimum": 5}, 5),
        ({"type": "number"}, 1),
        ({"type": "boolean"}, True),
        ({"type": "null"}, None),
        ({"enum": ["a", "b"]}, "a"),
        ({"const": 7}, 7),
        ({"type": "string", "default": "d"}, "d"),
        ({"type": "array", "items": {"type": "boolean"}, "minItems": 2}, [True, True]),
        ({"anyOf": [{"type": "null"}, {"type": "string"}]}, None),
        ({"oneOf": [{"type": "boolean"}]}, True),
        ({"allOf": [{"type": "integer"}]}, 1),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"type": "boolean"}}}, True),
        ({"$ref": "#/$defs/a~1b", "$defs": {"a/b": {"type": "boolean"}}}, True),
        ({"$ref": "#/nowhere"}, None),
        ({"type": "object", "properties": {"a": {"type": "boolean"}}}, {"a": True}),
        (LIST, {"value": 1, "next": None}),
        ({}, {}),
    ],
)
def test_a_schema_is_answered_with_a_value_of_it(schema: Json, value: Any) -> None:
    described = {"type": "json_schema", "json_schema": {"name": "s", "schema": schema}}
    assert loads(text(chat(response_format=described))) == value


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"type": "object", "properties": {"a": {"$ref": "#"}}},
        {"type": "array", "items": {"$ref": "#"}},
        {"type": "object", "properties": {name: {"$ref": "#"} for name in "abcd"}},
        {"type": "array", "minItems": 4, "items": {"$ref": "#"}},
        {"anyOf": [{"type": "array", "minItems": 3, "items": {"$ref": "#"}}]},
    ],
)
def test_a_schema_that_holds_itself_comes_to_an_end_soon(schema: Json) -> None:
    assert len(dumps(sample(schema, "x"))) < 10_000


@pytest.mark.parametrize(("more", "field"), [({"n": 2}, "n"), ({"logprobs": True}, "logprobs")])
def test_what_an_echo_cannot_do_is_refused(more: Json, field: str) -> None:
    assert refusal(CHAT, chat(**more))["param"] == field
    assert refusal(CHAT, chat(stream=True, **more))["param"] == field


@given(st.text(max_size=40))
def test_a_text_is_streamed_in_pieces_that_join_to_it(said: str) -> None:
    assert "".join(words_of(said)) == said


@pytest.mark.parametrize("said", ["hello  there,\n world", "", " ", "ends in blanks \n"])
@pytest.mark.parametrize("show", [True, False])
def test_a_stream_says_what_the_whole_answer_says(said: str, *, show: bool) -> None:
    body = chat(said, stream_options={"include_usage": show})
    whole, events = ask(CHAT, body), stream(CHAT, body)
    chunks = [event for event in events[:-1] if event["choices"]]
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    assert deltas[0] == {"role": "assistant", "content": ""}
    assert (
        "".join(d.get("content", "") for d in deltas) == whole["choices"][0]["message"]["content"]
    )
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks][-1] == "stop"
    assert [event["usage"] for event in events[:-1] if "usage" in event] == [whole["usage"]] * show
    assert events[-1] == "[DONE]"
    assert len({event["id"] for event in events[:-1]}) == 1


def test_tool_calls_are_streamed_by_their_index() -> None:
    joined: dict[int, tuple[str, str]] = {}
    for event in stream(CHAT, chat("weather and clock", tools=TWO))[:-1]:
        for call in event["choices"][0]["delta"].get("tool_calls", ()):
            name, arguments = joined.get(call["index"], ("", ""))
            function = call["function"]
            joined[call["index"]] = (
                name + function.get("name", ""),
                arguments + function.get("arguments", ""),
            )
    assert joined == {0: ("weather", '{"city":"weather and clock"}'), 1: ("clock", "{}")}

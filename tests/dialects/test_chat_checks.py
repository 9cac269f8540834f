"""What a Chat request must be before it is worth sending: each refusal names its field."""

from typing import Any

import pytest

from gateway.dialects import OPENAI_CHAT
from gateway.errors import BadRequest
from gateway.wire.json import Json

HI: Json = {"role": "user", "content": "hi"}
GOOD: Json = {"model": "m", "messages": [HI]}

# What the gateway itself relies on, on every path.
REFUSED: list[tuple[Json, str]] = [
    ({}, "messages: is required: a list of messages, each with a role"),
    ({"messages": None}, "messages: is required: a list of messages, each with a role"),
    ({"messages": "hi"}, "messages: must be an array, not a string"),
    ({"messages": {}}, "messages: must be an array, not an object"),
    ({"messages": True}, "messages: must be an array, not a boolean"),
    ({"messages": []}, "messages: must hold at least one message"),
    (GOOD | {"stream": "true"}, "stream: must be a boolean, not a string"),
    (GOOD | {"stream": 1}, "stream: must be a boolean, not an integer"),
    (GOOD | {"stream_options": []}, "stream_options: must be an object, not an array"),
]
A_CHOICE = "must be none, auto, required, or an object naming a tool"
FORMATS = "must be one of text, json_object, json_schema"
A_ROLE = "is required: system, developer, user, assistant or tool"
# What is held to the documented types and ranges on MLflow's routes.
REFUSED_CLOSELY: list[tuple[Json, str]] = [
    ({"messages": ["hi"]}, "messages[0]: must be an object, not a string"),
    ({"messages": [HI, None]}, "messages[1]: must be an object, not null"),
    ({"messages": [{"content": "x"}]}, f"messages[0].role: {A_ROLE}"),
    ({"messages": [{"role": 5}]}, f"messages[0].role: {A_ROLE}"),
    (
        {"messages": [{"role": "user", "content": 5}]},
        "messages[0].content: must be a string or an array of parts, not an integer",
    ),
    (
        {"messages": [{"role": "user", "content": [{"type": "text"}, "x"]}]},
        "messages[0].content[1]: must be an object with a type",
    ),
    (
        {"messages": [{"role": "user", "content": [{"type": 1}]}]},
        "messages[0].content[0]: must be an object with a type",
    ),
    ({"temperature": "1"}, "temperature: must be a number, not a string"),
    ({"temperature": True}, "temperature: must be a number, not a boolean"),
    ({"temperature": 2.1}, "temperature: must be between 0 and 2, not 2.1"),
    ({"temperature": -0.1}, "temperature: must be between 0 and 2, not -0.1"),
    ({"top_p": 1.5}, "top_p: must be between 0 and 1, not 1.5"),
    ({"presence_penalty": -3}, "presence_penalty: must be between -2 and 2, not -3"),
    ({"frequency_penalty": 1e300}, "frequency_penalty: must be between -2 and 2, not 1e+300"),
    ({"n": 0}, "n: must be at least 1, not 0"),
    ({"n": 1.5}, "n: must be an integer, not a number"),
    ({"max_tokens": "5"}, "max_tokens: must be an integer, not a string"),
    ({"max_completion_tokens": False}, "max_completion_tokens: must be an integer, not a boolean"),
    ({"top_k": -1}, "top_k: must be at least 1, not -1"),
    ({"stop": 5}, "stop: must be a string or an array of strings"),
    ({"stop": ["a", 5]}, "stop: must be a string or an array of strings"),
    ({"tools": {}}, "tools: must be an array, not an object"),
    ({"tools": [5]}, "tools[0]: must be an object, not an integer"),
    ({"tools": [{}]}, "tools[0].type: must be one of function, custom, not None"),
    ({"tools": [{"type": []}]}, "tools[0].type: must be one of function, custom, not []"),
    ({"tools": [{"type": "function"}]}, "tools[0].function.name: is required: a string"),
    (
        {"tools": [{"type": "custom", "custom": {"name": 5}}]},
        "tools[0].custom.name: is required: a string",
    ),
    ({"tool_choice": "any"}, f"tool_choice: {A_CHOICE}"),
    ({"tool_choice": []}, f"tool_choice: {A_CHOICE}"),
    ({"response_format": "json"}, "response_format: must be an object, not a string"),
    ({"response_format": {}}, f"response_format.type: {FORMATS}"),
    ({"response_format": {"type": {}}}, f"response_format.type: {FORMATS}"),
    (
        {"response_format": {"type": "json_schema"}},
        "response_format.json_schema.name: is required: a string",
    ),
    (
        {"response_format": {"type": "json_schema", "json_schema": {"schema": {}}}},
        "response_format.json_schema.name: is required: a string",
    ),
]


@pytest.mark.parametrize(("body", "message"), REFUSED)
def test_what_no_provider_could_serve_is_refused_by_its_field(body: Json, message: str) -> None:
    for check in (OPENAI_CHAT.check, OPENAI_CHAT.check_closely):
        with pytest.raises(BadRequest) as refused:
            check(body)
        assert refused.value.message == message
        assert refused.value.field == message.partition(":")[0]


@pytest.mark.parametrize(("fields", "message"), REFUSED_CLOSELY)
def test_a_field_out_of_its_range_is_refused_by_name(fields: Json, message: str) -> None:
    with pytest.raises(BadRequest) as refused:
        OPENAI_CHAT.check_closely(GOOD | fields)
    assert refused.value.message == message
    assert refused.value.field == message.partition(":")[0]


@pytest.mark.parametrize(("fields", "message"), REFUSED_CLOSELY)
def test_elsewhere_that_is_for_the_provider_to_say(fields: Json, message: str) -> None:
    del message
    OPENAI_CHAT.check(GOOD | fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"temperature": 0},
        {"temperature": 2},
        {"temperature": 0.7},
        {"temperature": None},
        {"top_p": 1},
        {"presence_penalty": -2},
        {"frequency_penalty": 2},
        {"n": 1},
        {"max_tokens": 2**40},
        {"max_completion_tokens": 1},
        {"stop": None},
        {"stop": "END"},
        {"stop": []},
        {"stop": ["a", "b"]},
        {"stream": None},
        {"stream": True, "stream_options": {"include_usage": True}},
        {"tools": None},
        {"tools": []},
        {"tools": [{"type": "function", "function": {"name": "f"}}]},
        {"tools": [{"type": "custom", "custom": {"name": "f"}}]},
        {"tool_choice": "none"},
        {"tool_choice": "auto"},
        {"tool_choice": "required"},
        {"tool_choice": {"type": "function", "function": {"name": "f"}}},
        {"response_format": None},
        {"response_format": {"type": "text"}},
        {"response_format": {"type": "json_object"}},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "s"}}},
        {"messages": [{"role": "assistant", "content": None}, HI]},
        {"messages": [{"role": "user", "content": [{"type": "anything"}]}]},
        {"unheard_of": {"a": [1]}},
    ],
)
def test_what_is_documented_passes(fields: Json) -> None:
    OPENAI_CHAT.check(GOOD | fields)
    OPENAI_CHAT.check_closely(GOOD | fields)


@pytest.mark.parametrize(
    ("body", "changes"),
    [
        ({}, {}),
        ({"stream": False}, {}),
        ({"stream": None}, {}),
        ({"stream": True}, {"stream_options": {"include_usage": True}}),
        ({"stream": True, "stream_options": None}, {"stream_options": {"include_usage": True}}),
        ({"stream": True, "stream_options": {"include_usage": True}}, {}),
        (
            {"stream": True, "stream_options": {"include_usage": False, "x": 1}},
            {"stream_options": {"include_usage": True, "x": 1}},
        ),
    ],
)
def test_the_usage_of_a_stream_is_asked_for(body: Any, changes: Json) -> None:
    assert OPENAI_CHAT.amend(body) == changes

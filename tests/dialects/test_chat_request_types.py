"""Fields of a Chat request whose type nobody downstream checks again."""

from typing import Any

import pytest

from gateway.dialects.openai_chat import read_request
from gateway.errors import BadRequest
from gateway.wire.json import Json

HI: Json = {"role": "user", "content": "hi"}


def calling(**function: Any) -> Json:
    call = {"id": "c", "type": "function", "function": {"name": "f", **function}}
    return {"messages": [{"role": "assistant", "tool_calls": [call]}]}


def offering(**function: Any) -> Json:
    return {"tools": [{"type": "function", "function": {"name": "f", **function}}]}


def formed(**schema: Any) -> Json:
    return {"response_format": {"type": "json_schema", "json_schema": {"name": "s", **schema}}}


def shown(**image: Any) -> Json:
    part = {"type": "image_url", "image_url": {"url": "u", **image}}
    return {"messages": [{"role": "user", "content": [part]}]}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        (calling(arguments={"a": 1}), "messages[0].tool_calls[0].function.arguments"),
        (calling(arguments=5), "messages[0].tool_calls[0].function.arguments"),
        (offering(parameters="x"), "tools[0].function.parameters"),
        (offering(parameters=[1]), "tools[0].function.parameters"),
        (offering(description=5), "tools[0].function.description"),
        (offering(strict="yes"), "tools[0].function.strict"),
        (formed(schema="x"), "response_format.json_schema.schema"),
        (formed(schema={}, description=5), "response_format.json_schema.description"),
        (formed(schema={}, strict=1), "response_format.json_schema.strict"),
        ({"stop": [5]}, "stop"),
        ({"stop": [None]}, "stop"),
        (shown(detail=5), "messages[0].content[0].image_url.detail"),
        ({"messages": [HI, {"role": "assistant", "refusal": 5}]}, "messages[1].refusal"),
        ({"messages": [{"role": "assistant", "tool_calls": {}}]}, "messages[0].tool_calls"),
        ({"messages": [{"role": "assistant", "tool_calls": [5]}]}, "messages[0].tool_calls[0]"),
        (
            {"messages": [{"role": "assistant", "thinking_blocks": [{}]}]},
            "messages[0].thinking_blocks[0].thinking",
        ),
    ],
)
def test_a_field_of_the_wrong_type_is_refused_by_its_path(fields: Json, field: str) -> None:
    with pytest.raises(BadRequest) as refused:
        read_request({"model": "m", "messages": [HI], **fields})
    assert refused.value.field == field

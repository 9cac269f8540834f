"""Fields of a Chat request whose type nobody downstream checks again."""

from typing import Any

import pytest

from gateway.dialects.openai_chat import CHAT_FORM
from gateway.errors import BadRequest
from gateway.wire.json import Json

HI: Json = {"role": "user", "content": "hi"}


TEXT: Json = {"type": "text", "text": "a"}
IMAGE: Json = {"type": "image_url", "image_url": {"url": "u"}}
MARK: Json = {"cache_control": "ephemeral"}
CALLED = "messages[0].function_call.name"


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
        ({"modalities": [5]}, "modalities[0]"),
        ({"modalities": "text"}, "modalities"),
        ({"reasoning_effort": "much"}, "reasoning_effort"),
        ({"reasoning": {"effort": "much"}}, "reasoning.effort"),
        ({"reasoning": {"max_tokens": "9"}}, "reasoning.max_tokens"),
        ({"reasoning": "high"}, "reasoning"),
        ({"thinking": {}}, "thinking.type"),
        ({"thinking": {"type": "some"}}, "thinking.type"),
        ({"thinking": {"type": "enabled", "budget_tokens": "9"}}, "thinking.budget_tokens"),
        ({"user": 5}, "user"),
        ({"metadata": []}, "metadata"),
        ({"logit_bias": []}, "logit_bias"),
        ({"functions": [{}]}, "functions[0].name"),
        ({"tool_choice": {"type": "function"}}, "tool_choice"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
        ({"messages": [{"role": "system", "content": [IMAGE]}]}, "messages[0].content[0]"),
        ({"messages": [HI, {"role": "system", "content": [IMAGE]}]}, "messages[1].content[0]"),
        ({"messages": [{**HI, "content": [TEXT | MARK]}]}, "messages[0].content[0].cache_control"),
        ({"messages": [{**HI, "name": 5}]}, "messages[0].name"),
        ({"messages": [HI, {"role": "assistant", "audio": {"id": 5}}]}, "messages[1].audio.id"),
        ({"messages": [{"role": "assistant", "annotations": [5]}]}, "messages[0].annotations[0]"),
        ({"messages": [{"role": "assistant", "function_call": {}}]}, CALLED),
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
        CHAT_FORM.read_request({"model": "m", "messages": [HI], **fields})
    assert refused.value.field == field

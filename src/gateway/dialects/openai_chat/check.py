"""What a Chat Completions request must be before it is worth sending."""

from collections.abc import Mapping
from typing import Any

from gateway.dialects.base import json_type
from gateway.errors import BadRequest
from gateway.wire.json import Json

Kinds = type | tuple[type, ...]


def check(body: Json) -> None:
    """What the gateway itself relies on."""
    messages = body.get("messages")
    if messages is None:
        raise BadRequest("messages", "is required: a list of messages, each with a role")
    if not isinstance(messages, list):
        raise BadRequest("messages", f"must be an array, not {json_type(messages)}")
    if not messages:
        raise BadRequest("messages", "must hold at least one message")
    _expect(body, "stream", bool, "a boolean")
    _expect(body, "stream_options", dict, "an object")


def check_closely(body: Json) -> None:
    """The documented types and ranges, each refusal naming the field."""
    check(body)
    for index, message in enumerate(body["messages"]):
        _check_message(message, f"messages[{index}]")
    for field, (low, high) in RANGES.items():
        if (value := body.get(field)) is not None:
            _check_number(field, value, low, high)
    for field in WHOLE_NUMBERS:
        if (value := body.get(field)) is not None:
            _check_count(field, value)
    _check_stop(body.get("stop"))
    for index, tool in enumerate(_expect(body, "tools", list, "an array") or ()):
        _check_tool(tool, f"tools[{index}]")
    _check_choice(body.get("tool_choice"))
    _check_format(_expect(body, "response_format", dict, "an object"))


RANGES: Mapping[str, tuple[float, float]] = {
    "temperature": (0, 2),
    "top_p": (0, 1),
    "presence_penalty": (-2, 2),
    "frequency_penalty": (-2, 2),
}
WHOLE_NUMBERS = ("n", "max_tokens", "max_completion_tokens", "top_k")
TOOL_TYPES = ("function", "custom")
FORMATS = ("text", "json_object", "json_schema")


def _expect(body: Json, field: str, kind: Kinds, words: str, place: str = "") -> Any:
    value = body.get(field)
    if value is not None and not isinstance(value, kind):
        raise BadRequest(place + field, f"must be {words}, not {json_type(value)}")
    return value


def _check_message(message: Any, place: str) -> None:
    if not isinstance(message, dict):
        raise BadRequest(place, f"must be an object, not {json_type(message)}")
    if not isinstance(message.get("role"), str):
        raise BadRequest(f"{place}.role", "is required: system, developer, user, assistant or tool")
    content = message.get("content")
    if isinstance(content, list):
        for index, part in enumerate(content):
            if not isinstance(part, dict) or not isinstance(part.get("type"), str):
                raise BadRequest(f"{place}.content[{index}]", "must be an object with a type")
    elif content is not None and not isinstance(content, str):
        raise BadRequest(
            f"{place}.content", f"must be a string or an array of parts, not {json_type(content)}"
        )


def _check_number(field: str, value: Any, low: float, high: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadRequest(field, f"must be a number, not {json_type(value)}")
    if not low <= value <= high:
        raise BadRequest(field, f"must be between {low} and {high}, not {value}")


def _check_count(field: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadRequest(field, f"must be an integer, not {json_type(value)}")
    if value < 1:
        raise BadRequest(field, f"must be at least 1, not {value}")


def _check_stop(stop: Any) -> None:
    strings = isinstance(stop, list) and all(isinstance(one, str) for one in stop)
    if not (stop is None or isinstance(stop, str) or strings):
        raise BadRequest("stop", "must be a string or an array of strings")


def _check_tool(tool: Any, place: str) -> None:
    if not isinstance(tool, dict):
        raise BadRequest(place, f"must be an object, not {json_type(tool)}")
    kind = tool.get("type")
    if kind not in TOOL_TYPES:
        raise BadRequest(f"{place}.type", f"must be one of {', '.join(TOOL_TYPES)}, not {kind!r}")
    described = tool.get(kind)
    if not isinstance(described, dict) or not isinstance(described.get("name"), str):
        raise BadRequest(f"{place}.{kind}.name", "is required: a string")


def _check_choice(choice: Any) -> None:
    if choice is None or isinstance(choice, dict):
        return
    if choice not in ("none", "auto", "required"):
        raise BadRequest("tool_choice", "must be none, auto, required, or an object naming a tool")


def _check_format(asked: Json | None) -> None:
    if asked is None:
        return
    if asked.get("type") not in FORMATS:
        raise BadRequest("response_format.type", f"must be one of {', '.join(FORMATS)}")
    if asked["type"] == "json_schema":
        schema = asked.get("json_schema")
        if not isinstance(schema, dict) or not isinstance(schema.get("name"), str):
            raise BadRequest("response_format.json_schema.name", "is required: a string")

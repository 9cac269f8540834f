"""Tools: what is offered, what must be chosen, what was called."""

from typing import Any

from gateway.chat.blocks import Foreign, ToolUse
from gateway.chat.request import Tool, ToolChoice
from gateway.dialects.base import Fields
from gateway.dialects.openai_chat.parts import NAME
from gateway.errors import BadRequest
from gateway.wire.json import Json


def read_tool(tool: object, place: str) -> Tool | Foreign:
    fields = Fields(tool, place)
    if fields.rest.get("type") != "function":
        return Foreign(NAME, fields.rest)
    function = Fields(fields.need("function", dict), f"{place}.function")
    return Tool(
        function.need("name", str),
        function.may("description", str),
        function.may("parameters", dict) or {},
        function.may("strict", bool),
    )


def write_tool(tool: Tool | Foreign) -> Json:
    if isinstance(tool, Foreign):
        return tool.data
    function: Json = {"name": tool.name, "parameters": tool.schema}
    if tool.description is not None:
        function["description"] = tool.description
    if tool.strict is not None:
        function["strict"] = tool.strict
    return {"type": "function", "function": function}


def read_choice(choice: Any) -> ToolChoice | None:
    match choice:
        case None:
            return None
        case "auto" | "required" | "none":
            return ToolChoice(choice)
        case {"function": {"name": str(name)}}:
            return ToolChoice("named", name)
    raise BadRequest("tool_choice", "must be none, auto, required, or an object naming a function")


def write_choice(choice: ToolChoice) -> Json | str:
    if choice.mode == "named":
        return {"type": "function", "function": {"name": choice.name}}
    return choice.mode


def read_tool_use(call: Fields) -> ToolUse:
    function = Fields(call.need("function", dict), call.path("function"))
    return ToolUse(
        call.need("id", str), function.need("name", str), function.may("arguments", str) or ""
    )


def write_tool_use(block: ToolUse) -> Json:
    return {
        "id": block.id,
        "type": "function",
        "function": {"name": block.name, "arguments": block.arguments},
    }

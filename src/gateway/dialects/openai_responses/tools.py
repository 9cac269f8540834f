"""Tools: what is offered, and what must be chosen.

https://platform.openai.com/docs/guides/function-calling?api-mode=responses
"""

from typing import Any

from gateway.chat.blocks import Foreign
from gateway.chat.request import Tool, ToolChoice
from gateway.dialects.base import Fields
from gateway.dialects.openai_custom import CUSTOM, INPUT, LOST, as_function, is_grammar
from gateway.dialects.openai_responses.parts import NAME
from gateway.dialects.openai_schemas import of_an_object, strictly
from gateway.errors import BadRequest
from gateway.wire.json import Json

CALLED_BY_NAME = ("function", CUSTOM)


def read_tools(body: Fields, unread: Json) -> list[Tool | Foreign]:
    return [_read_tool(Fields(*one), unread) for one in body.each("tools")]


def _read_tool(fields: Fields, unread: Json) -> Tool | Foreign:
    """``strict`` stays None where the caller does not say: the API then makes a schema strict if it
    can, which others cannot be told."""
    kind = fields.need("type", str)
    if kind == CUSTOM:
        return _read_custom(fields, unread)
    if kind != "function":
        return Foreign(NAME, {"type": kind, **fields.rest})
    tool = Tool(
        fields.need("name", str),
        fields.may("description", str),
        fields.may("parameters", dict),
        fields.may("strict", bool),
    )
    fields.leave(unread)
    return tool


def _read_custom(fields: Fields, unread: Json) -> Tool:
    """A grammar that the text must match binds nobody then: the model is asked to keep to it, which
    most know of no other way (Codex describes its patches by a grammar alone)."""
    tool = as_function(fields.need("name", str), fields.may("description", str))
    form = fields.may("format", dict) or {}
    if form and is_grammar(form):
        unread[LOST] = form
    if isinstance(grammar := form.get("definition"), str):
        rule = f"It must match this grammar ({form.get('syntax')}):\n{grammar}"
        text = {"type": "string", "description": rule}
        tool.schema = {**(tool.schema or {}), "properties": {INPUT: text}}
    fields.leave(unread)
    return tool


def custom_names(body: Json) -> frozenset[str]:
    """Of the custom tools in a body that can be read: their calls are told as such."""
    tools = body.get("tools") or ()
    return frozenset(tool["name"] for tool in tools if tool.get("type") == CUSTOM)


def write_tools(tools: list[Tool | Foreign], dropped: set[str]) -> list[Json]:
    written = (_write_tool(tool, dropped) for tool in tools)
    return [tool for tool in written if tool is not None]


def _write_tool(tool: Tool | Foreign, dropped: set[str]) -> Json | None:
    """Without ``strict`` the API would rewrite the schema so that every property is required,
    unlike any other API: so it is always said."""
    if isinstance(tool, Foreign):
        if tool.dialect == NAME:
            return tool.data
        dropped.add(f"tools.{tool.kind}")
        return None
    if tool.cache_ttl is not None:
        dropped.add("cache_control")
    described = {} if tool.description is None else {"description": tool.description}
    schema, strict = of_an_object(tool.schema or {}), tool.strict
    if strict:
        schema, strict = strictly(schema or {}, dropped)
    return {
        "type": "function",
        "name": tool.name,
        **described,
        "parameters": schema,
        "strict": strict or False,
    }


def read_choice(
    body: Fields, tools: list[Tool | Foreign], unread: Json
) -> tuple[ToolChoice | None, list[Tool | Foreign]]:
    """What must be chosen, and of which tools: ``allowed_tools`` leaves only some of them.

    A tool of the API's own that must be called is unread: nobody else has it.
    """
    choice = body.rest.pop("tool_choice", None)
    match choice:
        case None:
            return None, tools
        case "auto" | "required" | "none":
            return ToolChoice(choice), tools
        case {"type": "function" | "custom", "name": str(name)}:
            return ToolChoice("named", name), tools
        case {"type": "allowed_tools"}:
            return _read_allowed(Fields(choice, "tool_choice"), tools)
        case {"type": str(kind)} if kind not in CALLED_BY_NAME:
            unread["tool_choice"] = choice
            return None, tools
    raise BadRequest(
        "tool_choice", "must be auto, required, none, or an object with the type of a tool"
    )


def _read_allowed(
    fields: Fields, tools: list[Tool | Foreign]
) -> tuple[ToolChoice, list[Tool | Foreign]]:
    mode = fields.may("mode", str) or "auto"
    if mode not in ("auto", "required"):
        raise BadRequest(fields.path("mode"), f"must be auto or required, not {mode!r}")
    allowed = [Fields(*one).rest for one in fields.each("tools")]
    chosen = [tool for tool in tools if any(_is(tool, one) for one in allowed)]
    return ToolChoice("required" if mode == "required" else "auto"), chosen


def _is(tool: Tool | Foreign, allowed: Json) -> bool:
    """``{"type": "function", "name"}``, ``{"type": "mcp", "server_label"}``, or the type alone."""
    if isinstance(tool, Tool):
        return allowed.get("type") in CALLED_BY_NAME and allowed.get("name") == tool.name
    return all(tool.data.get(name) == value for name, value in allowed.items())


def write_choice(choice: ToolChoice) -> Any:
    if choice.mode == "named":
        return {"type": "function", "name": choice.name}
    return choice.mode

"""Tools: what is offered, what must be chosen, what was called."""

from typing import Any

from gateway.chat.blocks import Foreign, ToolUse
from gateway.chat.request import ChatRequest, Tool, ToolChoice
from gateway.chat.seals import without_seal
from gateway.dialects.base import Fields
from gateway.dialects.openai_chat.parts import NAME, note_marks, read_cache_mark
from gateway.dialects.openai_chat.thoughts import read_google_seal
from gateway.dialects.openai_custom import (
    CUSTOM,
    LOST,
    as_arguments,
    as_function,
    as_text,
    is_grammar,
)
from gateway.dialects.openai_schemas import of_an_object, strictly
from gateway.errors import BadRequest
from gateway.wire.json import Json, dumps


def read_tools(fields: Fields, unread: Json) -> list[Tool | Foreign]:
    """Pop ``tools``, or ``functions``, which they were once."""
    tools = [_read_tool(Fields(*one), unread) for one in fields.each("tools")]
    return tools + [_read_function(Fields(*one), unread) for one in fields.each("functions")]


def _read_tool(tool: Fields, unread: Json) -> Tool | Foreign:
    kind = tool.may("type", str)
    if kind == CUSTOM:
        return _read_custom(tool, unread)
    if kind not in (None, "function"):
        return Foreign(NAME, {"type": kind, **tool.rest})
    ttl = read_cache_mark(tool, unread)
    read = _read_function(Fields(tool.need("function", dict), tool.path("function")), unread)
    read.cache_ttl = ttl or read.cache_ttl
    tool.leave(unread)
    return read


def _read_custom(tool: Fields, unread: Json) -> Tool:
    """What it is called with is told to its caller as it was asked for; see ``custom_names``."""
    custom = Fields(tool.need(CUSTOM, dict), tool.path(CUSTOM))
    read = as_function(custom.need("name", str), custom.may("description", str))
    form = custom.may("format", dict)
    if is_grammar(form):
        unread[LOST] = form
    custom.leave(unread)
    read.cache_ttl = read_cache_mark(tool, unread)
    tool.leave(unread)
    return read


def custom_names(body: Json) -> frozenset[str]:
    """The tools that a caller wants to be told of as custom ones. ``body``: one that was read."""
    tools = body.get("tools") or ()
    return frozenset(tool[CUSTOM]["name"] for tool in tools if tool.get("type") == CUSTOM)


def _read_function(function: Fields, unread: Json) -> Tool:
    tool = Tool(
        function.need("name", str),
        function.may("description", str),
        function.may("parameters", dict),
        function.may("strict", bool),
        read_cache_mark(function, unread),
    )
    function.leave(unread)
    return tool


def write_tools(request: ChatRequest, dropped: set[str]) -> Json:
    """The members of a request that offer them and say how to choose. Without any to choose from
    OpenAI refuses the others."""
    tools = [written for tool in request.tools if (written := _write_tool(tool, dropped))]
    choice = request.tool_choice
    if not tools:
        if choice is not None and choice.mode not in ("auto", "none"):
            dropped.add("tool_choice")
        return {}
    said: Json = {"tools": tools}
    if choice is not None:
        said["tool_choice"] = _write_choice(choice)
    if request.parallel_tools is not None:
        said["parallel_tool_calls"] = request.parallel_tools
    return said


def _write_tool(tool: Tool | Foreign, dropped: set[str]) -> Json | None:
    if isinstance(tool, Foreign):
        if tool.dialect == NAME:
            return tool.data
        dropped.add(f"tools.{tool.kind}")
        return None
    if tool.cache_ttl is not None:
        dropped.add("cache_control")
    schema, strict = of_an_object(tool.schema), tool.strict
    if strict and schema is not None:
        schema, strict = strictly(schema, dropped)
    said = {
        "name": tool.name,
        "description": tool.description,
        "parameters": schema,
        "strict": strict,
    }
    function = {name: value for name, value in said.items() if value is not None}
    return {"type": "function", "function": function}


def read_choice(fields: Fields, unread: Json) -> ToolChoice | None:
    """Pop ``tool_choice``, or ``function_call``, which it was once. What of it has no neutral
    meaning (some of the tools) is left unread."""
    legacy = fields.rest.pop("function_call", None)
    choice = fields.rest.pop("tool_choice", None)
    if choice is None and legacy is not None:
        choice = {"function": legacy} if isinstance(legacy, dict) else legacy
    match choice:
        case None:
            return None
        case "auto" | "required" | "none":
            return ToolChoice(choice)
        case "any":  # Mistral's word
            return ToolChoice("required")
        case {"function": {"name": str(name)}} | {"type": "custom", "custom": {"name": str(name)}}:
            return ToolChoice("named", name)
        case {"type": "allowed_tools", "allowed_tools": {"mode": "auto" | "required" as mode}}:
            unread["tool_choice.allowed_tools"] = choice["allowed_tools"]
            return ToolChoice(mode)
        case {"type": str(kind)} if kind != "function":
            unread["tool_choice"] = choice
            return None
    raise BadRequest("tool_choice", "must be none, auto, required, or an object naming a function")


def _write_choice(choice: ToolChoice) -> Json | str:
    if choice.mode == "named":
        return {"type": "function", "function": {"name": choice.name}}
    return choice.mode


def read_call(call: Fields, unread: Json) -> ToolUse | Foreign:
    """A call that a caller tells back. Its id may have taken a seal along."""
    call.may("index", int)  # some providers number them, and callers send them back so
    kind = call.may("type", str)
    if kind not in (None, "function", CUSTOM):
        return Foreign(NAME, {"type": kind, **call.rest})
    clean, seal = without_seal(call.need("id", str))
    called = Fields(call.need(kind or "function", dict), call.path(kind or "function"))
    name = called.need("name", str)
    if kind == CUSTOM:
        arguments = as_arguments(called.need("input", str))
    else:
        arguments = called.may("arguments", str) or ""
    read = ToolUse(clean, name, arguments, read_google_seal(call) or seal)
    read.cache_ttl = read_cache_mark(call, unread)
    called.leave(unread)
    call.leave(unread)
    return read


def is_custom_call(call: Fields) -> bool:
    """Some name it empty in every call (https://github.com/earendil-works/pi/issues/8504)."""
    custom = call.rest.get(CUSTOM)
    return isinstance(custom, dict) and any(custom.get(name) for name in ("name", "input"))


def read_arguments(function: Fields) -> str:
    """A provider's. Some (Ollama, Mistral's own types) give an object in place of its text."""
    arguments: Any = function.may("arguments", (str, dict))
    return dumps(arguments).decode() if isinstance(arguments, dict) else arguments or ""


NONE = "{}"  # what is called without arguments; an empty text is no JSON, and SDKs parse it


def write_call(id: str, name: str, arguments: str) -> Json:
    function = {"name": name, "arguments": arguments or NONE}
    return {"id": id, "type": "function", "function": function}


def write_custom_call(id: str, name: str, arguments: str) -> Json:
    return {"id": id, "type": CUSTOM, CUSTOM: {"name": name, "input": as_text(arguments)}}


def write_call_back(block: ToolUse, dropped: set[str]) -> Json:
    """For a provider, which gets its own id again and no seal."""
    note_marks(block, dropped)
    return write_call(block.id, block.name, block.arguments)

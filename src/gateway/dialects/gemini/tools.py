"""Tools: what is offered, and what must be chosen.

https://ai.google.dev/api/caching#Tool
"""

from collections.abc import Mapping

from gateway.chat.blocks import Foreign
from gateway.chat.request import ChatRequest, ChoiceMode, Tool, ToolChoice
from gateway.dialects.gemini.fields import ProtoFields, camel_case, without_nulls
from gateway.dialects.gemini.models import Model
from gateway.dialects.gemini.parts import NAME
from gateway.dialects.gemini.schema import json_schema
from gateway.errors import BadRequest
from gateway.wire.json import Json

# VALIDATED only adds that calls keep to their schemas.
MODES: Mapping[str, ChoiceMode] = {
    "AUTO": "auto",
    "ANY": "required",
    "NONE": "none",
    "VALIDATED": "auto",
}


def read_tools(request: ProtoFields, unread: Json) -> list[Tool | Foreign]:
    tools: list[Tool | Foreign] = []
    for raw, place in request.each("tools"):
        fields = ProtoFields(raw, place)
        for declaration, where in fields.each("functionDeclarations"):
            tools.append(_read_function(ProtoFields(declaration, where), unread))
        others = without_nulls(fields.rest)
        tools += [Foreign(NAME, {camel_case(kind): told}) for kind, told in others.items()]
    return tools


def _read_function(function: ProtoFields, unread: Json) -> Tool:
    schema = function.may("parametersJsonSchema", dict)
    if schema is None:
        place = function.path(function.own("parameters"))
        own = function.may("parameters", dict)
        schema = None if own is None else _of_object(json_schema({**own, "nullable": False}, place))
    tool = Tool(function.need("name", str), function.may("description", str), schema)
    function.leave(unread)
    return tool


def _of_object(schema: Json) -> Json:
    """What a function takes is an object, also where its schema does not say so or says that it may
    be null: all other APIs insist on it."""
    kind = schema.get("type", "object")
    return {**schema, "type": "object" if isinstance(kind, list) else kind}


def read_choice(request: ProtoFields, unread: Json) -> ToolChoice | None:
    config = request.inner("toolConfig")
    calling = config.inner("functionCallingConfig") if config else None
    choice = _read_calling(calling, unread) if calling else None
    if config:
        config.leave(unread)
    return choice


def _read_calling(calling: ProtoFields, unread: Json) -> ToolChoice | None:
    place = calling.path("mode")
    told = (calling.may("mode", str) or "MODE_UNSPECIFIED").upper()
    names_at = calling.path(calling.own("allowedFunctionNames"))
    names = calling.texts("allowedFunctionNames") or []
    calling.leave(unread)
    if told == "MODE_UNSPECIFIED":
        return None
    if told not in MODES:
        raise BadRequest(place, f"must be one of {', '.join(MODES)}, not {told!r}")
    if told == "VALIDATED":
        unread[place] = told
    if told == "ANY" and len(names) == 1:
        return ToolChoice("named", names[0])
    if names:  # some of many
        unread[names_at] = names
    return ToolChoice(MODES[told])


def write_tools(request: ChatRequest, model: Model, dropped: set[str]) -> Json:
    body: Json = {}
    functions, others = [], []
    for tool in request.tools:
        if isinstance(tool, Tool) and not model.functions:
            dropped.add("tools")
        elif isinstance(tool, Tool):
            functions.append(_write_function(tool, dropped))
        elif tool.dialect == NAME:
            others.append(tool.data)
        else:
            dropped.add(f"tools.{tool.kind}")
    if functions:
        others.insert(0, {"functionDeclarations": functions})
    if others:
        body["tools"] = others
    if request.tool_choice and model.functions:
        body["toolConfig"] = {"functionCallingConfig": _write_choice(request.tool_choice)}
    elif request.tool_choice and request.tool_choice.mode in ("required", "named"):
        dropped.add("tool_choice")
    if request.parallel_tools is False:
        dropped.add("parallel_tool_calls")
    return body


def _write_function(tool: Tool, dropped: set[str]) -> Json:
    """``parametersJsonSchema`` takes a schema whole; ``parameters``, Google's own form of one."""
    if tool.strict:
        dropped.add("tools.strict")
    if tool.cache_ttl is not None:
        dropped.add("cache_control")
    function: Json = {"name": tool.name}
    if tool.description is not None:
        function["description"] = tool.description
    if tool.schema:
        function["parametersJsonSchema"] = tool.schema
    return function


def _write_choice(choice: ToolChoice) -> Json:
    match choice:
        case ToolChoice("named", str(name)):
            return {"mode": "ANY", "allowedFunctionNames": [name]}
        case ToolChoice("auto"):
            return {"mode": "AUTO"}
        case ToolChoice("none"):
            return {"mode": "NONE"}
    return {"mode": "ANY"}

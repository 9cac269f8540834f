"""Tools: what is offered, and what must be chosen."""

from collections.abc import Mapping

from gateway.chat.blocks import Foreign
from gateway.chat.request import ChatRequest, ChoiceMode, Tool, ToolChoice
from gateway.dialects.anthropic_messages.models import Model
from gateway.dialects.anthropic_messages.parts import NAME, read_mark
from gateway.dialects.anthropic_messages.schemas import Grammar, described, fit
from gateway.dialects.anthropic_messages.writing import marked
from gateway.dialects.base import Fields
from gateway.errors import BadRequest
from gateway.wire.json import Json

CHOICES: Mapping[str, ChoiceMode] = {
    "auto": "auto",
    "any": "required",
    "none": "none",
    "tool": "named",
}
CHOICES_OUT: Mapping[ChoiceMode, str] = {ours: theirs for theirs, ours in CHOICES.items()}


def read_tool(raw: object, place: str, unread: Json) -> Tool | Foreign:
    """The API's own tools have a type with a date; the caller's have none, or ``custom``."""
    fields = Fields(raw, place)
    kind = fields.may("type", str)
    if kind not in (None, "custom"):
        return Foreign(NAME, dict(raw))  # type: ignore[call-overload]  # Fields saw that it is one
    tool = Tool(
        fields.need("name", str),
        fields.may("description", str),
        fields.may("input_schema", dict),
        fields.may("strict", bool),
        read_mark(fields, unread),
    )
    fields.leave(unread)
    return tool


def read_choice(
    asked: Json | None, place: str, unread: Json
) -> tuple[ToolChoice | None, bool | None]:
    """The choice, and whether several tools may be called at once, where that is said."""
    if asked is None:
        return None, None
    fields = Fields(asked, place)
    kind = fields.need("type", str)
    mode = CHOICES.get(kind)
    if mode is None:
        raise BadRequest(f"{place}.type", f"must be one of {', '.join(CHOICES)}, not {kind!r}")
    choice = ToolChoice(mode, fields.need("name", str) if mode == "named" else None)
    single = fields.may("disable_parallel_tool_use", bool)
    fields.leave(unread)
    return choice, None if single is None else not single


def write_tools(
    request: ChatRequest, model: Model, grammar: Grammar, dropped: set[str]
) -> list[Json]:
    tools = []
    for tool in request.tools:
        if isinstance(tool, Tool):
            tools.append(_write_tool(tool, grammar if model.structured else None, dropped))
        elif tool.dialect == NAME:
            tools.append(tool.data)
        else:
            dropped.add(f"tools.{tool.kind}")
    return tools


def _write_tool(tool: Tool, grammar: Grammar | None, dropped: set[str]) -> Json:
    """``grammar``: None where no tool can be strict."""
    written: Json = {"name": tool.name}
    if tool.description is not None:
        written["description"] = tool.description
    schema = _of_object(tool.schema or {"properties": {}}, dropped)
    fitted = fit(schema) if tool.strict and grammar else None
    if grammar and fitted and grammar.takes(fitted.schema, tools=1):
        if not fitted.whole:
            dropped.add("tools.schema")
        written |= {"input_schema": fitted.schema, "strict": True}
    else:
        if tool.strict:
            dropped.add("tools.strict")
        written["input_schema"] = schema
    return marked(written, tool.cache_ttl)


def _of_object(schema: Json, dropped: set[str]) -> Json:
    """The API wants one that says that it is of an object, and of nothing else: "input_schema does
    not support oneOf, allOf, or anyOf at the top level"."""
    joined = {name: schema[name] for name in JOINED if name in schema}
    if joined:
        dropped.add("tools.schema")
        rest = {name: value for name, value in schema.items() if name not in joined}
        schema = described(rest, joined)
    return schema if schema.get("type") == "object" else {**schema, "type": "object"}


JOINED = ("oneOf", "allOf", "anyOf")


def write_choice(
    request: ChatRequest, model: Model, dropped: set[str], *, offered: bool
) -> Json | None:
    """``offered``: whether there are tools at all, without which the API takes no choice."""
    choice, single = request.tool_choice, request.parallel_tools is False
    if choice and choice.mode in ("required", "named") and not (offered and model.forced):
        dropped.add("tool_choice")
        choice = None
    if not offered:
        return None
    if choice is None and not single:
        return None
    written: Json = {"type": CHOICES_OUT[choice.mode] if choice else "auto"}
    if choice and choice.mode == "named":
        written["name"] = choice.name
    if single and written["type"] != "none":
        written["disable_parallel_tool_use"] = True
    return written

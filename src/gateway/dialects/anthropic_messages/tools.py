"""Tools: what is offered, and what must be chosen."""

from collections.abc import Mapping

from gateway.chat.blocks import Foreign
from gateway.chat.request import ChatRequest, ChoiceMode, Tool, ToolChoice
from gateway.dialects.anthropic_messages.parts import NAME, read_mark
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


def write_tools(request: ChatRequest, dropped: set[str]) -> list[Json]:
    tools = []
    for tool in request.tools:
        if isinstance(tool, Tool):
            tools.append(_write_tool(tool))
        elif tool.dialect == NAME:
            tools.append(tool.data)
        else:
            dropped.add(f"tools.{tool.kind}")
    return tools


def _write_tool(tool: Tool) -> Json:
    """The API wants a schema, and one that says that it is of an object."""
    schema = tool.schema or {"properties": {}}
    written: Json = {"name": tool.name}
    if tool.description is not None:
        written["description"] = tool.description
    written["input_schema"] = schema if "type" in schema else {"type": "object", **schema}
    if tool.strict is not None:
        written["strict"] = tool.strict
    return marked(written, tool.cache_ttl)


def write_choice(request: ChatRequest, dropped: set[str], *, offered: bool) -> Json | None:
    """``offered``: whether there are tools at all, without which the API takes no choice."""
    choice, single = request.tool_choice, request.parallel_tools is False
    if not offered:
        if choice and choice.mode in ("required", "named"):
            dropped.add("tool_choice")
        return None
    if choice is None and not single:
        return None
    written: Json = {"type": CHOICES_OUT[choice.mode] if choice else "auto"}
    if choice and choice.mode == "named":
        written["name"] = choice.name
    if single and written["type"] != "none":
        written["disable_parallel_tool_use"] = True
    return written

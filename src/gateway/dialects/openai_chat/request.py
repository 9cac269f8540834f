"""OpenAI Chat Completions requests."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from gateway.chat.blocks import (
    Block,
    Foreign,
    Media,
    Refusal,
    Seal,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
)
from gateway.chat.request import ChatRequest, Message, ResponseFormat, Sampling, Tool, ToolChoice
from gateway.dialects.base import read_fields, take, take_if_there
from gateway.dialects.openai_chat.parts import read_parts, write_part
from gateway.errors import BadRequest
from gateway.wire.json import Json

SAMPLING: Mapping[str, tuple[str, type | tuple[type, ...]]] = {
    "max_tokens": ("max_completion_tokens", int),
    "temperature": ("temperature", (int, float)),
    "top_p": ("top_p", (int, float)),
    "top_k": ("top_k", int),
    "stop": ("stop", list),
    "seed": ("seed", int),
    "n": ("n", int),
    "presence_penalty": ("presence_penalty", (int, float)),
    "frequency_penalty": ("frequency_penalty", (int, float)),
}


def read_request(body: Json) -> ChatRequest:
    body = dict(body)
    if "max_tokens" in body:  # the older name
        body.setdefault("max_completion_tokens", body.pop("max_tokens"))
    if isinstance(body.get("stop"), str):
        body["stop"] = [body["stop"]]
    body.pop("stream_options", None)  # how usage is told belongs to the stream, not to the chat
    system, messages = _read_messages(take(body, "messages", list))
    return ChatRequest(
        model=take(body, "model", str),
        messages=messages,
        system=system,
        tools=[_read_tool(t, f"tools[{i}]") for i, t in enumerate(_list(body, "tools"))],
        tool_choice=_read_choice(body.pop("tool_choice", None)),
        parallel_tools=take_if_there(body, "parallel_tool_calls", bool),
        sampling=Sampling(**read_fields(body, SAMPLING)),
        response_format=_read_format(take_if_there(body, "response_format", dict)),
        stream=take_if_there(body, "stream", bool) or False,
        unread=body,
    )


def _list(body: Json, field: str) -> list[Any]:
    return take_if_there(body, field, list) or []


def _read_messages(raw: list[Any]) -> tuple[list[Text], list[Message]]:
    system: list[Text] = []
    messages: list[Message] = []
    for index, message in enumerate(raw):
        place = f"messages[{index}]"
        if not isinstance(message, dict):
            raise BadRequest(place, "must be an object")
        match message.get("role"):
            case "system" | "developer":
                blocks = read_parts(message.get("content"), f"{place}.content")
                system += [block for block in blocks if isinstance(block, Text)]
            case "user":
                _append(messages, "user", read_parts(message.get("content"), f"{place}.content"))
            case "tool":
                _append(messages, "user", [_read_result(message, place)])
            case "assistant":
                _append(messages, "assistant", list(_read_assistant(message, place)))
            case role:
                raise BadRequest(f"{place}.role", f"unknown role {role!r}")
    return system, messages


def _append(
    messages: list[Message], role: Literal["user", "assistant"], blocks: list[Block]
) -> None:
    """Join what one speaker says in a row: other dialects want the turns to alternate."""
    if messages and messages[-1].role == role:
        messages[-1].content += blocks
    else:
        messages.append(Message(role, blocks))


def _read_result(message: Json, place: str) -> ToolResult:
    answered = message.get("tool_call_id")
    if not isinstance(answered, str):
        raise BadRequest(f"{place}.tool_call_id", "is required: the id of the call it answers")
    return ToolResult(answered, tuple(read_parts(message.get("content"), f"{place}.content")))


def _read_assistant(message: Json, place: str) -> Iterator[Block]:
    for thought in message.get("thinking_blocks") or ():
        yield Thinking(thought["thinking"], Seal("anthropic", thought["signature"]))
    yield from read_parts(message.get("content"), f"{place}.content")
    if refusal := message.get("refusal"):
        yield Refusal(refusal)
    for index, call in enumerate(message.get("tool_calls") or ()):
        yield read_tool_use(call, f"{place}.tool_calls[{index}]")


def read_tool_use(call: Json, place: str) -> ToolUse:
    function = call.get("function")
    if not isinstance(function, dict):
        raise BadRequest(f"{place}.function", "is required: an object with name and arguments")
    return ToolUse(
        take(dict(call), "id", str, f"{place}."),
        take(dict(function), "name", str, f"{place}.function."),
        function.get("arguments") or "",
    )


def _read_tool(tool: Any, place: str) -> Tool | Foreign:
    if not isinstance(tool, dict):
        raise BadRequest(place, "must be an object")
    if tool.get("type") != "function":
        return Foreign("openai_chat", tool)
    function = take(dict(tool), "function", dict, f"{place}.")
    return Tool(
        take(dict(function), "name", str, f"{place}.function."),
        function.get("description"),
        function.get("parameters") or {},
        function.get("strict"),
    )


def _read_choice(choice: Any) -> ToolChoice | None:
    match choice:
        case None:
            return None
        case "auto" | "required" | "none":
            return ToolChoice(choice)
        case {"function": {"name": str(name)}}:
            return ToolChoice("named", name)
    raise BadRequest("tool_choice", "must be none, auto, required, or an object naming a function")


def _read_format(asked: Json | None) -> ResponseFormat | None:
    match asked:
        case None | {"type": "text"}:
            return None
        case {"type": "json_object"}:
            return ResponseFormat()
        case {"type": "json_schema", "json_schema": dict(described)}:
            return ResponseFormat(
                schema=described.get("schema") or {},
                name=described.get("name"),
                description=described.get("description"),
                strict=described.get("strict"),
            )
    raise BadRequest("response_format.type", "must be one of text, json_object, json_schema")


def write_request(request: ChatRequest) -> Json:
    messages: list[Json] = [{"role": "system", "content": text.text} for text in request.system]
    for message in request.messages:
        messages += _write_message(message)
    body: Json = {"model": request.model, "messages": messages}
    for ours, (theirs, _) in SAMPLING.items():
        if (value := getattr(request.sampling, ours)) is not None:
            body[theirs] = value
    if request.tools:
        body["tools"] = [_write_tool(tool) for tool in request.tools]
    if choice := request.tool_choice:
        named = {"type": "function", "function": {"name": choice.name}}
        body["tool_choice"] = named if choice.mode == "named" else choice.mode
    if request.parallel_tools is not None:
        body["parallel_tool_calls"] = request.parallel_tools
    if request.response_format:
        body["response_format"] = _write_format(request.response_format)
    if request.stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return body


def _write_message(message: Message) -> list[Json]:
    results = [block for block in message.content if isinstance(block, ToolResult)]
    calls = [write_tool_use(block) for block in message.content if isinstance(block, ToolUse)]
    parts = [write_part(b) for b in message.content if isinstance(b, Text | Media | Refusal)]
    out: list[Json] = [
        {
            "role": "tool",
            "tool_call_id": result.tool_use_id,
            "content": [write_part(b) for b in result.content if isinstance(b, Text | Media)],
        }
        for result in results
    ]
    if parts or calls:
        said: Json = {"role": message.role, "content": parts or None}
        out.append(said | {"tool_calls": calls} if calls else said)
    return out


def write_tool_use(block: ToolUse) -> Json:
    return {
        "id": block.id,
        "type": "function",
        "function": {"name": block.name, "arguments": block.arguments},
    }


def _write_tool(tool: Tool | Foreign) -> Json:
    if isinstance(tool, Foreign):
        return tool.data
    function: Json = {"name": tool.name, "parameters": tool.schema}
    if tool.description is not None:
        function["description"] = tool.description
    if tool.strict is not None:
        function["strict"] = tool.strict
    return {"type": "function", "function": function}


def _write_format(asked: ResponseFormat) -> Json:
    if asked.schema is None:
        return {"type": "json_object"}
    described: Json = {"name": asked.name or "reply", "schema": asked.schema}
    if asked.description is not None:
        described["description"] = asked.description
    if asked.strict is not None:
        described["strict"] = asked.strict
    return {"type": "json_schema", "json_schema": described}

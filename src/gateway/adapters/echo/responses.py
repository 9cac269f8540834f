"""The echo in OpenAI's Responses dialect.

Shapes: https://platform.openai.com/docs/api-reference/responses/object and …/responses-streaming
"""

from collections.abc import Iterable, Iterator
from typing import Any, Literal

from gateway.adapters.echo.speech import Identity, reply_to, words_of
from gateway.chat.blocks import Block, Text, ToolResult, ToolUse
from gateway.chat.reply import ChatReply
from gateway.chat.request import ChatRequest, Message, ResponseFormat, Sampling, Tool, ToolChoice
from gateway.dialects.base import Fields
from gateway.errors import BadRequest
from gateway.wire.json import Json, dumps
from gateway.wire.sse import write_event


def answer_responses(body: Json, identity: Identity) -> bytes | Iterable[bytes]:
    fields = Fields(body)
    if fields.may("previous_response_id", str):
        raise BadRequest("previous_response_id", "the echo keeps nothing; send the whole input")
    stream = fields.may("stream", bool)
    reply = reply_to(_read(fields), identity)
    response = _response(body, reply, identity)
    if not stream:
        return dumps(response)
    return _numbered(_events(response, _items(reply, identity)))


def _read(fields: Fields) -> ChatRequest:
    given = fields.may("input", (str, list)) or []
    items = [{"role": "user", "content": given}] if isinstance(given, str) else given
    instructions = fields.may("instructions", str)
    form = Fields(fields.may("text", dict) or {}, "text").may("format", dict) or {}
    return ChatRequest(
        model=fields.need("model", str),
        system=[Text(instructions)] if instructions else [],
        messages=_messages(items),
        tools=list(_tools(fields)),
        tool_choice=_choice(fields.rest.get("tool_choice")),
        parallel_tools=fields.may("parallel_tool_calls", bool),
        sampling=Sampling(max_tokens=fields.may("max_output_tokens", int)),
        response_format=_format(form),
    )


def _messages(items: list[Any]) -> list[Message]:
    """Each item is a message; the answers of tools that were called at once make one turn."""
    messages: list[Message] = []
    for nth, item in enumerate(items):
        message = _message(item, f"input[{nth}]")
        if messages and messages[-1].role == message.role:
            messages[-1].content += message.content
        else:
            messages.append(message)
    return messages


def _message(item: Any, place: str) -> Message:
    fields = Fields(item, place)
    kind = fields.may("type", str)
    match kind:
        case "function_call_output":
            call = fields.need("call_id", str)
            return Message("user", [ToolResult(call, tuple(_texts(fields.rest.get("output"))))])
        case "function_call":
            call, name = fields.need("call_id", str), fields.need("name", str)
            return Message("assistant", [ToolUse(call, name, fields.may("arguments", str) or "")])
        case None | "message":
            role = fields.need("role", str)
            speaker: Literal["user", "assistant"] = "assistant" if role == "assistant" else "user"
            return Message(speaker, _texts(fields.rest.get("content")))
    return Message("assistant", [])  # reasoning and the like: nothing to echo


def _texts(content: Any) -> list[Block]:
    if isinstance(content, str):
        return [Text(content)]
    parts = content if isinstance(content, list) else []
    return [
        Text(p["text"]) for p in parts if isinstance(p, dict) and isinstance(p.get("text"), str)
    ]


def _tools(fields: Fields) -> Iterator[Tool]:
    """The functions; hosted tools are nothing that an echo could call."""
    for given, place in fields.each("tools"):
        tool = Fields(given, place)
        if tool.rest.get("type") == "function":
            yield Tool(
                tool.need("name", str),
                tool.may("description", str),
                tool.may("parameters", dict) or {},
            )


def _choice(choice: Any) -> ToolChoice | None:
    match choice:
        case "auto" | "required" | "none":
            return ToolChoice(choice)
        case {"type": "function", "name": str(name)}:
            return ToolChoice("named", name)
    return None


def _format(form: Json) -> ResponseFormat | None:
    match form.get("type"):
        case "json_schema":
            return ResponseFormat(Fields(form, "text.format").may("schema", dict) or {})
        case "json_object":
            return ResponseFormat()
    return None


def _response(body: Json, reply: ChatReply, identity: Identity) -> Json:
    cut = reply.stop_reason == "length"
    usage = reply.usage
    return {
        "id": f"resp_{identity.id}",
        "object": "response",
        "created_at": identity.created,
        "status": "incomplete" if cut else "completed",
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
        "instructions": body.get("instructions"),
        "metadata": body.get("metadata") or {},
        "model": reply.model,
        "output": _items(reply, identity),
        "parallel_tool_calls": body.get("parallel_tool_calls", True),
        "temperature": body.get("temperature"),
        "tool_choice": body.get("tool_choice", "auto"),
        "tools": body.get("tools") or [],
        "top_p": body.get("top_p"),
        "usage": {
            "input_tokens": usage.input_tokens,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": usage.output_tokens,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": usage.input_tokens + usage.output_tokens,
        },
    }


def _items(reply: ChatReply, identity: Identity) -> list[Json]:
    items: list[Json] = []
    for number, block in enumerate(reply.content):
        match block:
            case Text(text):
                part = {"type": "output_text", "text": text, "annotations": []}
                items.append(
                    {
                        "id": f"msg_{identity.id[:24]}{number}",
                        "type": "message",
                        "role": "assistant",
                        "status": "completed",
                        "content": [part],
                    }
                )
            case ToolUse(id, name, arguments):
                items.append(
                    {
                        "id": f"fc_{identity.id[:24]}{number}",
                        "type": "function_call",
                        "call_id": id,
                        "name": name,
                        "arguments": arguments,
                        "status": "completed",
                    }
                )
    return items


def _events(response: Json, items: list[Json]) -> Iterator[Json]:
    begun = {**response, "status": "in_progress", "output": [], "usage": None}
    begun["incomplete_details"] = None
    yield {"type": "response.created", "response": begun}
    yield {"type": "response.in_progress", "response": begun}
    for index, item in enumerate(items):
        of_item = {"item_id": item["id"], "output_index": index}
        yield {
            "type": "response.output_item.added",
            "output_index": index,
            "item": {**item, "status": "in_progress", **_emptied(item)},
        }
        if item["type"] == "message":
            yield from _text_events(of_item | {"content_index": 0}, item["content"][0])
        else:
            for word in words_of(item["arguments"]):
                yield {"type": "response.function_call_arguments.delta", **of_item, "delta": word}
            done = {"name": item["name"], "arguments": item["arguments"]}
            yield {"type": "response.function_call_arguments.done", **of_item, **done}
        yield {"type": "response.output_item.done", "output_index": index, "item": item}
    yield {"type": f"response.{response['status']}", "response": response}


def _emptied(item: Json) -> Json:
    return {"content": []} if item["type"] == "message" else {"arguments": ""}


def _text_events(place: Json, part: Json) -> Iterator[Json]:
    yield {"type": "response.content_part.added", **place, "part": {**part, "text": ""}}
    for word in words_of(part["text"]):
        yield {"type": "response.output_text.delta", **place, "delta": word, "logprobs": []}
    done = {"text": part["text"], "logprobs": []}
    yield {"type": "response.output_text.done", **place, **done}
    yield {"type": "response.content_part.done", **place, "part": part}


def _numbered(events: Iterable[Json]) -> Iterator[bytes]:
    for number, event in enumerate(events):
        yield write_event(dumps({**event, "sequence_number": number}), event["type"])

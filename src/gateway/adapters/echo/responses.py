"""The echo in OpenAI's Responses dialect.

Shapes: https://platform.openai.com/docs/api-reference/responses/object and …/responses-streaming
"""

from collections.abc import Iterable, Iterator
from typing import Any

from gateway.adapters.echo.speech import Identity, reply_to, words_of
from gateway.chat.blocks import Block, Text, ToolResult, ToolUse
from gateway.chat.reply import ChatReply
from gateway.chat.request import ChatRequest, Message, ResponseFormat, Sampling, Tool, ToolChoice
from gateway.dialects.base import Fields
from gateway.errors import BadRequest
from gateway.wire.json import Json, dumps
from gateway.wire.sse import write_event


def answer_responses(body: Json, identity: Identity) -> bytes | Iterable[bytes]:
    if body.get("previous_response_id"):
        raise BadRequest("previous_response_id", "the echo keeps nothing; send the whole input")
    reply = reply_to(_read(body), identity)
    response = _response(body, reply, identity)
    if not body.get("stream"):
        return dumps(response)
    return _numbered(_events(response, _items(reply, identity)))


def _read(body: Json) -> ChatRequest:
    given = body.get("input") or []
    items = [{"role": "user", "content": given}] if isinstance(given, str) else list(given)
    instructions = body.get("instructions")
    text = body.get("text")
    form = text.get("format") if isinstance(text, dict) else None
    return ChatRequest(
        model=body["model"],
        system=[Text(instructions)] if isinstance(instructions, str) else [],
        messages=[_message(item, f"input[{nth}]") for nth, item in enumerate(items)],
        tools=list(_tools(body.get("tools"))),
        tool_choice=_choice(body.get("tool_choice")),
        parallel_tools=body.get("parallel_tool_calls"),
        sampling=Sampling(max_tokens=Fields(body).may("max_output_tokens", int)),
        response_format=_format(form if isinstance(form, dict) else {}),
    )


def _message(item: Any, place: str) -> Message:
    match item:
        case {"type": "function_call_output", "call_id": str(id), "output": output}:
            return Message("user", [ToolResult(id, tuple(_texts(output)))])
        case {"type": "function_call", "call_id": str(id), "name": str(name)}:
            return Message("assistant", [ToolUse(id, name, item.get("arguments") or "")])
        case {"role": "assistant", "content": content}:
            return Message("assistant", _texts(content))
        case {"role": str(), "content": content}:
            return Message("user", _texts(content))
        case {"type": str()}:
            return Message("assistant", [])  # reasoning and the like: nothing to echo
    raise BadRequest(place, "must be a message, a function_call or a function_call_output")


def _texts(content: Any) -> list[Block]:
    if isinstance(content, str):
        return [Text(content)]
    parts = content if isinstance(content, list) else []
    return [
        Text(p["text"]) for p in parts if isinstance(p, dict) and isinstance(p.get("text"), str)
    ]


def _tools(given: Any) -> Iterator[Tool]:
    """The functions; hosted tools are nothing that an echo could call."""
    for nth, tool in enumerate(given or ()):
        match tool:
            case {"type": "function", "name": str(name)}:
                yield Tool(name, tool.get("description"), tool.get("parameters") or {})
            case {"type": "function"} | None | str() | int() | list():
                raise BadRequest(f"tools[{nth}].name", "is required: a string")


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
            return ResponseFormat(form.get("schema") or {}, form.get("name"))
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

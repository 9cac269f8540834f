"""OpenAI Chat Completions requests."""

from collections.abc import Mapping

from gateway.chat.blocks import Text
from gateway.chat.request import ChatRequest, ResponseFormat, Sampling
from gateway.dialects.base import Fields, Kinds
from gateway.dialects.openai_chat.messages import read_messages, write_message
from gateway.dialects.openai_chat.parts import write_part
from gateway.dialects.openai_chat.tools import read_choice, read_tool, write_choice, write_tool
from gateway.errors import BadRequest
from gateway.wire.json import Json

NUMBER = (int, float)
SAMPLING: Mapping[str, tuple[str, Kinds]] = {  # our name -> theirs, and its kind
    "max_tokens": ("max_completion_tokens", int),
    "temperature": ("temperature", NUMBER),
    "top_p": ("top_p", NUMBER),
    "top_k": ("top_k", int),
    "stop": ("stop", (str, list)),
    "seed": ("seed", int),
    "n": ("n", int),
    "presence_penalty": ("presence_penalty", NUMBER),
    "frequency_penalty": ("frequency_penalty", NUMBER),
}


def read_request(body: Json) -> ChatRequest:
    """Raises BadRequest, naming the field."""
    fields = Fields(body)
    older = fields.may("max_tokens", int)
    if older is not None and fields.rest.get("max_completion_tokens") is None:
        fields.rest["max_completion_tokens"] = older
    # How usage is told belongs to the stream, not to the chat.
    fields.may("stream_options", dict)
    fields.need("messages", list)
    system, messages = read_messages(body["messages"])
    return ChatRequest(
        model=fields.need("model", str),
        messages=messages,
        system=system,
        tools=[read_tool(tool, place) for tool, place in fields.each("tools")],
        tool_choice=read_choice(fields.rest.pop("tool_choice", None)),
        parallel_tools=fields.may("parallel_tool_calls", bool),
        sampling=_read_sampling(fields),
        response_format=_read_format(fields.may("response_format", dict)),
        stream=fields.may("stream", bool) or False,
        unread=fields.rest,
    )


def _read_sampling(fields: Fields) -> Sampling:
    values = {ours: fields.may(theirs, kind) for ours, (theirs, kind) in SAMPLING.items()}
    if isinstance(values["stop"], str):
        values["stop"] = [values["stop"]]
    if not all(isinstance(one, str) for one in values["stop"] or ()):
        raise BadRequest("stop", "must be a string or an array of strings")
    return Sampling(**values)


def _read_format(asked: Json | None) -> ResponseFormat | None:
    match asked:
        case None | {"type": "text"}:
            return None
        case {"type": "json_object"}:
            return ResponseFormat()
        case {"type": "json_schema"}:
            described = Fields(asked.get("json_schema"), "response_format.json_schema")
            return ResponseFormat(
                schema=described.may("schema", dict) or {},
                name=described.may("name", str),
                description=described.may("description", str),
                strict=described.may("strict", bool),
            )
    raise BadRequest("response_format.type", "must be one of text, json_object, json_schema")


def write_request(request: ChatRequest) -> Json:
    messages = [_write_system(text) for text in request.system]
    for message in request.messages:
        messages += write_message(message)
    body: Json = {"model": request.model, "messages": messages}
    for ours, (theirs, _) in SAMPLING.items():
        if (value := getattr(request.sampling, ours)) is not None:
            body[theirs] = value
    if request.tools:
        body["tools"] = [write_tool(tool) for tool in request.tools]
    if request.tool_choice:
        body["tool_choice"] = write_choice(request.tool_choice)
    if request.parallel_tools is not None:
        body["parallel_tool_calls"] = request.parallel_tools
    if request.response_format:
        body["response_format"] = _write_format(request.response_format)
    if request.stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return body


def _write_system(text: Text) -> Json:
    plain = text.cache_ttl is None
    return {"role": "system", "content": text.text if plain else [write_part(text)]}


def _write_format(asked: ResponseFormat) -> Json:
    if asked.schema is None:
        return {"type": "json_object"}
    described: Json = {"name": asked.name or "reply", "schema": asked.schema}
    if asked.description is not None:
        described["description"] = asked.description
    if asked.strict is not None:
        described["strict"] = asked.strict
    return {"type": "json_schema", "json_schema": described}

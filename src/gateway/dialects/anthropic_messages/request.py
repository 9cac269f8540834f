"""Messages requests.

https://platform.claude.com/docs/en/api/messages/create
"""

from collections.abc import Mapping
from typing import Any

from gateway.chat.request import ChatRequest, Message, ResponseFormat, Sampling
from gateway.dialects.anthropic_messages.messages import (
    mark_last,
    plain,
    read_messages,
    read_system,
    write_messages,
)
from gateway.dialects.anthropic_messages.models import Model, model_of
from gateway.dialects.anthropic_messages.parts import read_mark
from gateway.dialects.anthropic_messages.schemas import closed
from gateway.dialects.anthropic_messages.thinking import (
    read_reasoning,
    room_for,
    said,
    write_reasoning,
)
from gateway.dialects.anthropic_messages.tools import (
    read_choice,
    read_tool,
    write_choice,
    write_tools,
)
from gateway.dialects.anthropic_messages.turns import fit_thinking
from gateway.dialects.base import Fields, Kinds, json_type
from gateway.dialects.forms import Written
from gateway.errors import BadRequest
from gateway.wire.json import Json

NUMBER = (int, float)
SAMPLING: Mapping[str, tuple[str, Kinds]] = {  # our name -> theirs, and its kind
    "max_tokens": ("max_tokens", int),
    "temperature": ("temperature", NUMBER),
    "top_p": ("top_p", NUMBER),
    "top_k": ("top_k", int),
}
# What it has no words for, and what asks for nothing but what it does anyway.
UNSAYABLE: Mapping[str, tuple[Any, ...]] = {
    "seed": (None,),
    "n": (None, 1),
    "presence_penalty": (None, 0),
    "frequency_penalty": (None, 0),
    "logprobs": (None, False),
    "top_logprobs": (None, 0),
    "logit_bias": (None, {}),
}
# Which tier may serve: theirs, and OpenAI's word for it.
TIERS: Mapping[str, str] = {"auto": "auto", "standard_only": "default"}
TIERS_OUT: Mapping[str, str] = {"auto": "auto", "default": "standard_only", "priority": "auto"}


def read_request(body: Json) -> ChatRequest:
    """Raises BadRequest, naming the field."""
    fields, unread = Fields(body), dict[str, Any]()
    config = Fields(fields.may("output_config", dict) or {}, "output_config")
    choice, parallel = read_choice(fields.may("tool_choice", dict), "tool_choice", unread)
    messages = fields.need("messages", list)
    request = ChatRequest(
        model=fields.may("model", str) or "",
        messages=read_messages(messages, unread),
        system=read_system(fields, unread),
        tools=[read_tool(tool, place, unread) for tool, place in fields.each("tools")],
        tool_choice=choice,
        parallel_tools=parallel,
        sampling=_read_sampling(fields),
        reasoning=read_reasoning(fields, config, unread),
        response_format=_read_format(fields, config, unread),
        stream=fields.may("stream", bool) or False,
        user=_read_user(fields, unread),
        service_tier=_read_tier(fields),
        unread=unread,
    )
    _read_mark(fields, request.messages, unread)
    config.leave(unread)
    fields.leave(unread)
    return request


def _read_sampling(fields: Fields) -> Sampling:
    values = {ours: fields.may(theirs, kind) for ours, (theirs, kind) in SAMPLING.items()}
    stop = fields.each("stop_sequences")
    for one, place in stop:
        if not isinstance(one, str):
            raise BadRequest(place, f"must be a string, not {json_type(one)}")
    return Sampling(**values, stop=[one for one, _ in stop] or None)


def _read_format(fields: Fields, config: Fields, unread: Json) -> ResponseFormat | None:
    """Its place today, or the one that it had as a beta."""
    asked, place = config.may("format", dict), config.path("format")
    if asked is None:
        asked, place = fields.may("output_format", dict), "output_format"
    if asked is None:
        return None
    told = Fields(asked, place)
    kind = told.need("type", str)
    if kind != "json_schema":
        raise BadRequest(f"{place}.type", f"must be json_schema, not {kind!r}")
    schema = told.need("schema", dict)
    told.leave(unread)
    return ResponseFormat(schema)


def _read_user(fields: Fields, unread: Json) -> str | None:
    metadata = Fields(fields.may("metadata", dict) or {}, "metadata")
    user: str | None = metadata.may("user_id", str)
    metadata.leave(unread)
    return user


def _read_tier(fields: Fields) -> str | None:
    tier = fields.rest.get("service_tier")
    known = TIERS.get(tier) if isinstance(tier, str) else None
    if known is not None:
        del fields.rest["service_tier"]
    return known


def _read_mark(fields: Fields, messages: list[Message], unread: Json) -> None:
    """A mark for the whole request: the API sets it on the last block that can bear one."""
    mark = fields.rest.get("cache_control")
    ttl = read_mark(fields, unread)
    if ttl is not None and not mark_last(messages, ttl):
        fields.rest["cache_control"] = mark


def write_request(request: ChatRequest) -> Written:
    """Where the caller sets no limit: one with room for an answer and the thought asked for."""
    dropped: set[str] = set()
    model = model_of(request.model)
    limit = request.sampling.max_tokens
    thinking, effort = write_reasoning(request.reasoning, model, limit, dropped)
    prompt = write_prompt(request, model, dropped)
    thinking = fit_thinking(thinking, prompt, said(request.reasoning), model, dropped)
    if limit is None:
        limit = model.answer + room_for(thinking, model)
    body: Json = {"model": request.model, "max_tokens": limit, **prompt}
    for ours, (theirs, _) in SAMPLING.items():
        if ours != "max_tokens" and (value := getattr(request.sampling, ours)) is not None:
            body[theirs] = value
    if request.sampling.stop:
        body["stop_sequences"] = request.sampling.stop
    if thinking is not None:
        body["thinking"] = thinking
    if config := write_config(request, effort, dropped):
        body["output_config"] = config
    body |= _write_about(request, dropped)
    if request.stream:
        body["stream"] = True
    dropped |= _unsaid(request)
    return Written(body, frozenset(dropped))


def write_prompt(request: ChatRequest, model: Model, dropped: set[str]) -> Json:
    """What the model reads: all that a count of tokens counts."""
    system, messages = write_messages(request, model, dropped)
    body: Json = {"system": plain(system)} if system else {}
    body["messages"] = messages
    if tools := write_tools(request, dropped):
        body["tools"] = tools
    if choice := write_choice(request, dropped, offered=bool(tools)):
        body["tool_choice"] = choice
    return body


def write_config(request: ChatRequest, effort: str | None, dropped: set[str]) -> Json:
    config: Json = {} if effort is None else {"effort": effort}
    asked = request.response_format
    if asked is None:
        return config
    if asked.schema is None:  # the system asks for it, in words
        dropped.add("response_format")
        return config
    config["format"] = {"type": "json_schema", "schema": closed(asked.schema)}
    lost = {
        "response_format.name": asked.name is not None,
        "response_format.description": asked.description is not None,
        "response_format.strict": asked.strict is False,  # the API always is
    }
    dropped |= {name for name, one in lost.items() if one}
    return config


def _write_about(request: ChatRequest, dropped: set[str]) -> Json:
    """Whom the request is for, and how it is to be served."""
    body: Json = {}
    others = dict(request.metadata or {})
    named = others.pop("user_id", None) if request.user is None else request.user
    if isinstance(named, str):
        body["metadata"] = {"user_id": named}
    elif named is not None:
        others["user_id"] = named
    if others:
        dropped.add("metadata")
    if request.service_tier is not None:
        tier = TIERS_OUT.get(request.service_tier)
        if tier is not None:
            body["service_tier"] = tier
        if TIERS.get(tier or "") != request.service_tier:
            dropped.add("service_tier")
    return body


def _unsaid(request: ChatRequest) -> set[str]:
    lost = {name for name, mute in UNSAYABLE.items() if getattr(request.sampling, name) not in mute}
    if request.verbosity is not None:
        lost.add("verbosity")
    if set(request.modalities or ()) - {"text"}:
        lost.add("modalities")
    return lost

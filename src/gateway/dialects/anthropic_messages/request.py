"""Messages requests.

https://platform.claude.com/docs/en/api/messages/create
"""

import re
from collections.abc import Mapping
from typing import Any

from gateway.chat.in_words import in_words
from gateway.chat.request import ChatRequest, Message, ResponseFormat
from gateway.dialects.anthropic_messages.errors import UNTHREADED
from gateway.dialects.anthropic_messages.messages import (
    mark_last,
    plain,
    read_messages,
    read_system,
    write_messages,
)
from gateway.dialects.anthropic_messages.models import Model, model_of
from gateway.dialects.anthropic_messages.parts import read_mark
from gateway.dialects.anthropic_messages.sampling import read_sampling, write_sampling
from gateway.dialects.anthropic_messages.schemas import Grammar, fit
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
from gateway.dialects.base import Fields
from gateway.dialects.forms import Written
from gateway.errors import BadRequest
from gateway.wire.json import Json

# Which tier may serve: theirs, and OpenAI's word for it.
TIERS: Mapping[str, str] = {"auto": "auto", "standard_only": "default"}
TIERS_OUT: Mapping[str, str] = {"auto": "auto", "default": "standard_only", "priority": "auto"}


KEPT_NOWHERE = "names a conversation that nobody keeps: leave it out, and send all messages"
SUMMARIZED = (
    "asks for a summary in a form that only its maker reads: leave it out, and ask in a message"
)


def read_request(body: Json) -> ChatRequest:
    """Raises BadRequest, naming the field."""
    if body.get("compaction") is not None:
        raise BadRequest("compaction", SUMMARIZED)
    return read_conversation(body)


def read_conversation(body: Json) -> ChatRequest:
    """The same for a count of tokens: of the conversation as it is sent, also where it is to be
    summarized (https://platform.claude.com/docs/en/api/messages/count_tokens)."""
    fields, unread = Fields(body), dict[str, Any]()
    fields.rest.pop("compaction", None)
    if fields.may("thread", object) is not None:
        raise BadRequest("thread", KEPT_NOWHERE, code=UNTHREADED)
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
        sampling=read_sampling(fields),
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


def _read_format(fields: Fields, config: Fields, unread: Json) -> ResponseFormat | None:
    """Its place today, or the one that it had as a beta. The API holds every answer to it."""
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
    return ResponseFormat(schema, strict=True)


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
    grammar = Grammar()
    schema = write_schema(request.response_format, model, grammar, dropped)
    prompt = write_prompt(request, model, schema, grammar, dropped)
    thinking = fit_thinking(thinking, prompt, said(request.reasoning), model, dropped)
    if limit is None:
        limit = model.answer + room_for(thinking, model)
    body: Json = {"model": request.model, "max_tokens": limit, **prompt}
    body |= write_sampling(request.sampling, model, thinking, dropped)
    if thinking is not None:
        body["thinking"] = thinking
    if config := write_config(effort, schema):
        body["output_config"] = config
    body |= _write_about(request, dropped)
    if request.stream:
        body["stream"] = True
    dropped |= _unsaid(request)
    return Written(body, frozenset(dropped))


def write_schema(
    asked: ResponseFormat | None, model: Model, grammar: Grammar, dropped: set[str]
) -> Json | None:
    """For an answer that is asked for by one. None where there is no such way, so that the system
    asks for it, in words."""
    if asked is None:
        return None
    fitted = fit(asked.schema) if asked.schema is not None and model.structured else None
    if fitted is None or not grammar.takes(fitted.schema):
        dropped.add("response_format")
        return None
    lost = {
        "response_format.schema": not fitted.whole,
        "response_format.name": asked.name is not None,
        "response_format.description": asked.description is not None,
        "response_format.strict": asked.strict is False,  # the API always is
    }
    dropped |= {name for name, one in lost.items() if one}
    return fitted.schema


def write_prompt(
    request: ChatRequest, model: Model, schema: Json | None, grammar: Grammar, dropped: set[str]
) -> Json:
    """What the model reads: all that a count of tokens counts. ``schema``: the answer's."""
    system, messages = write_messages(request, model, dropped)
    if request.response_format is not None and schema is None:
        system.append({"type": "text", "text": in_words(request.response_format)})
    body: Json = {"system": plain(system)} if system else {}
    body["messages"] = messages
    if tools := write_tools(request, model, grammar, dropped):
        body["tools"] = tools
    if choice := write_choice(request, model, dropped, offered=bool(tools)):
        body["tool_choice"] = choice
    return body


def write_config(effort: str | None, schema: Json | None) -> Json:
    config: Json = {} if effort is None else {"effort": effort}
    if schema is not None:
        config["format"] = {"type": "json_schema", "schema": schema}
    return config


def _write_about(request: ChatRequest, dropped: set[str]) -> Json:
    """Whom the request is for, and how it is to be served."""
    body: Json = {}
    others = dict(request.metadata or {})
    named = others.pop("user_id", None) if request.user is None else request.user
    if isinstance(named, str) and is_opaque(named):
        body["metadata"] = {"user_id": named}
    elif request.user is not None:
        dropped.add("user")
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


LONGEST_USER = 256
ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
NUMBER = re.compile(r"\+?[\d ()./-]+")


def is_opaque(user: str) -> bool:
    """Whether it is as the API wants it, which refuses what tells who somebody is: "user_id
    appears to contain an email address", and telephone numbers likewise
    (https://github.com/BerriAI/litellm/pull/10102)."""
    return len(user) <= LONGEST_USER and not ADDRESS.search(user) and not _is_number(user.strip())


def _is_number(user: str) -> bool:
    """As people write them, or as machines do: fewer than ten digits alone may be anything."""
    digits = sum(letter.isdigit() for letter in user)
    return (
        NUMBER.fullmatch(user) is not None
        and 7 <= digits <= 15
        and (digits >= 10 or not user.isdigit())
    )


def _unsaid(request: ChatRequest) -> set[str]:
    lost = set[str]()
    if request.verbosity is not None:
        lost.add("verbosity")
    if set(request.modalities or ()) - {"text"}:
        lost.add("modalities")
    return lost

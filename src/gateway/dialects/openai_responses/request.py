"""OpenAI Responses requests.

https://platform.openai.com/docs/api-reference/responses/create
"""

from collections.abc import Mapping
from typing import Any, get_args

from gateway.chat.blocks import Text, Thinking
from gateway.chat.request import (
    ChatRequest,
    Effort,
    Message,
    Reasoning,
    ResponseFormat,
    Sampling,
)
from gateway.dialects.base import Fields, Kinds
from gateway.dialects.forms import Written
from gateway.dialects.openai_responses.history import write_messages, write_system
from gateway.dialects.openai_responses.items import read_input
from gateway.dialects.openai_responses.parts import ISSUER
from gateway.dialects.openai_responses.tools import (
    read_choice,
    read_tools,
    write_choice,
    write_tools,
)
from gateway.errors import BadRequest
from gateway.wire.json import Json

NUMBER = (int, float)
SAMPLING: Mapping[str, tuple[str, Kinds]] = {  # our name -> theirs, and its kind
    "max_tokens": ("max_output_tokens", int),
    "temperature": ("temperature", NUMBER),
    "top_p": ("top_p", NUMBER),
    "top_logprobs": ("top_logprobs", int),
}
# Refused beyond that: "string too long", "integer below minimum value".
LONGEST_USER, LEAST_TOKENS = 64, 16
# What this API cannot say, however it is asked.
UNSAID: Mapping[str, tuple[object, ...]] = {  # but for values that ask for nothing
    "top_k": (None,),
    "stop": (None, []),
    "seed": (None,),
    "n": (None, 1),
    "presence_penalty": (None, 0),
    "frequency_penalty": (None, 0),
    "logit_bias": (None, {}),
}

KEPT_NOWHERE: Mapping[str, str] = {
    "previous_response_id": "names a response that nobody keeps: send the whole input",
    "conversation": "names a conversation that nobody keeps: send the whole input",
    "prompt": "names a prompt that nobody keeps: send its text as instructions and input",
    "background": "nobody keeps the response to be fetched later: leave it out, and wait or stream",
}
LOGPROBS, SEALS = "message.output_text.logprobs", "reasoning.encrypted_content"
# Where a budget of tokens for thinking ends to be an effort's.
BUDGETS: tuple[tuple[int, Effort], ...] = ((0, "none"), (2048, "low"), (8192, "medium"))


def read_request(body: Json) -> ChatRequest:
    """Raises BadRequest, naming the field."""
    request = read_counted(body)
    if body.get("input") is None:
        raise BadRequest("input", "is required: a text, or a list of input items")
    return request


def read_counted(body: Json) -> ChatRequest:
    """The same for a request that may be without ``input``, as it may where tokens are counted."""
    fields = Fields(body)
    unread: Json = {}
    for name, problem in KEPT_NOWHERE.items():
        if fields.rest.pop(name, None):
            raise BadRequest(name, problem)
    system, messages = _read_said(fields, unread)
    tools = read_tools(fields, unread)
    choice, tools = read_choice(fields, tools, unread)
    form, verbosity = _read_text(fields, unread)
    request = ChatRequest(
        model=fields.may("model", str) or "",
        messages=messages,
        system=system,
        tools=tools,
        tool_choice=choice,
        parallel_tools=fields.may("parallel_tool_calls", bool),
        sampling=_read_sampling(fields, unread),
        reasoning=_read_reasoning(fields, unread),
        response_format=form,
        stream=fields.may("stream", bool) or False,
        user=_read_user(fields),
        metadata=fields.may("metadata", dict),
        service_tier=fields.may("service_tier", str),
        verbosity=verbosity,
        unread=unread,
    )
    _read_manner(fields)
    fields.leave(unread)
    return request


def _read_said(fields: Fields, unread: Json) -> tuple[list[Text], list[Message]]:
    instructions = fields.may("instructions", str)
    given = fields.may("input", (str, list))
    system, messages = ([], []) if given is None else read_input(given, unread)
    return ([Text(instructions)] if instructions else []) + system, messages


def _read_sampling(fields: Fields, unread: Json) -> Sampling:
    values = {ours: fields.may(theirs, kind) for ours, (theirs, kind) in SAMPLING.items()}
    included = [one for one, _ in fields.each("include")]
    # What else can be included is of the API's own tools.
    if others := [one for one in included if one not in (LOGPROBS, SEALS)]:
        unread["include"] = others
    if LOGPROBS in included:
        return Sampling(**values, logprobs=True)
    if (top := values.pop("top_logprobs")) is not None:
        unread["top_logprobs"] = top  # without the others it asks for nothing
    return Sampling(**values)


def _read_reasoning(fields: Fields, unread: Json) -> Reasoning | None:
    """Thoughts are told only where a summary is asked for; ``generate_summary`` is its old name."""
    asked = Fields(fields.may("reasoning", dict) or {}, "reasoning")
    effort, summary = asked.may("effort", str), asked.may("summary", str)
    older = asked.may("generate_summary", str)
    asked.leave(unread)
    if effort is not None and effort not in get_args(Effort):
        raise BadRequest("reasoning.effort", f"must be one of {', '.join(get_args(Effort))}")
    summary = older if summary is None else summary
    if effort is None and summary is None:
        return None
    efforts: dict[str, Effort] = {one: one for one in get_args(Effort)}
    return Reasoning(
        effort=efforts.get(effort or ""), shown=None if summary is None else True, summary=summary
    )


def _read_text(fields: Fields, unread: Json) -> tuple[ResponseFormat | None, str | None]:
    text = Fields(fields.may("text", dict) or {}, "text")
    form = Fields(text.may("format", dict) or {"type": "text"}, "text.format")
    verbosity, kind = text.may("verbosity", str), form.need("type", str)
    asked: ResponseFormat | None = None
    match kind:
        case "json_object":
            asked = ResponseFormat()
        case "json_schema":
            asked = ResponseFormat(
                schema=form.need("schema", dict),
                name=form.may("name", str),
                description=form.may("description", str),
                strict=form.may("strict", bool),
            )
        case "text":
            pass
        case _:
            raise BadRequest("text.format.type", "must be one of text, json_object, json_schema")
    form.leave(unread)
    text.leave(unread)
    return asked, verbosity


def _read_user(fields: Fields) -> str | None:
    """``safety_identifier`` is the newer name; where both are given, it stays unread."""
    user: str | None = fields.may("user", str)
    if user is None:
        user = fields.may("safety_identifier", str)
    return user


def _read_manner(fields: Fields) -> None:
    """How the API would serve: what asks for no more than any answer gives is no loss."""
    if fields.may("store", bool):
        fields.rest["store"] = True  # nobody will
    if (truncation := fields.may("truncation", str)) not in (None, "disabled"):
        fields.rest["truncation"] = truncation
    fields.may("stream_options", dict)  # obfuscation: there is none


def write_request(request: ChatRequest) -> Written:
    dropped: set[str] = set()
    body = _write_said(request, dropped)
    sampling = request.sampling
    for ours, (theirs, _) in SAMPLING.items():
        if (value := getattr(sampling, ours)) is not None:
            body[theirs] = value
    if sampling.max_tokens is not None and sampling.max_tokens < LEAST_TOKENS:
        body["max_output_tokens"] = LEAST_TOKENS  # clients probe an endpoint with 1
        dropped.add("max_tokens")
    dropped |= {name for name, nothing in UNSAID.items() if getattr(sampling, name) not in nothing}
    if set(request.modalities or ()) - {"text"}:
        dropped.add("modalities")
    _write_manner(request, body, dropped)
    return Written(body, frozenset(dropped))


def write_counted(request: ChatRequest) -> Written:
    """What is counted: the input and what else the model is told, not how it is to answer."""
    dropped: set[str] = set()
    return Written(_write_said(request, dropped), frozenset(dropped))


def _write_said(request: ChatRequest, dropped: set[str]) -> Json:
    instructions, items = write_system(request.system, dropped)
    body: Json = {"model": request.model}
    if instructions is not None:
        body["instructions"] = instructions
    body["input"] = items + write_messages(request.messages, dropped)
    if tools := write_tools(request.tools, dropped):
        body["tools"] = tools
    if request.tool_choice is not None:
        body["tool_choice"] = write_choice(request.tool_choice)
    if request.parallel_tools is not None:
        body["parallel_tool_calls"] = request.parallel_tools
    if reasoning := _write_reasoning(request.reasoning, dropped):
        body["reasoning"] = reasoning
    if text := _write_text(request):
        body["text"] = text
    return body


def _write_manner(request: ChatRequest, body: Json, dropped: set[str]) -> None:
    body["store"] = False
    included = [SEALS] if _thinks(request) else []
    if request.sampling.logprobs:
        included.append(LOGPROBS)
    if included:
        body["include"] = included
    for name in ("user", "metadata", "service_tier"):
        if (value := getattr(request, name)) is not None:
            body[name] = value
    if len(body.get("user", "")) > LONGEST_USER:
        dropped.add("user")
        del body["user"]
    if request.stream:
        body["stream"] = True


def _thinks(request: ChatRequest) -> bool:
    """Whether to ask for the seals of thoughts: the API gives them unasked by now, older hosts of
    it do not, and to models that do not think the wish is an error ("Encrypted content is not
    supported with this model"). So it goes only where thinking is asked for or was done.
    """
    asked = request.reasoning
    if asked and (asked.effort or (asked.budget or 0) > 0 or asked.shown or asked.summary):
        return True
    return any(
        isinstance(block, Thinking) and block.seal is not None and block.seal.issuer == ISSUER
        for message in request.messages
        for block in message.content
    )


def _write_reasoning(asked: Reasoning | None, dropped: set[str]) -> Json:
    if asked is None:
        return {}
    effort = asked.effort
    if asked.budget is not None and asked.budget >= 0:
        effort = effort or next((name for most, name in BUDGETS if asked.budget <= most), "high")
        if asked.budget > 0 or effort != "none":
            dropped.add("reasoning.budget")
    summary = asked.summary or ("auto" if asked.shown else None)
    said: dict[str, Any] = {"effort": effort, "summary": summary}
    return {name: value for name, value in said.items() if value is not None}


def _write_text(request: ChatRequest) -> Json:
    text: Json = {}
    if asked := request.response_format:
        text["format"] = _write_format(asked)
    if request.verbosity is not None:
        text["verbosity"] = request.verbosity
    return text


def _write_format(asked: ResponseFormat) -> Json:
    if asked.schema is None:
        return {"type": "json_object"}
    form: Json = {"type": "json_schema", "name": asked.name or "reply", "schema": asked.schema}
    if asked.description is not None:
        form["description"] = asked.description
    if asked.strict is not None:
        form["strict"] = asked.strict
    return form

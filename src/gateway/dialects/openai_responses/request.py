"""OpenAI Responses requests.

https://platform.openai.com/docs/api-reference/responses/create
"""

from collections.abc import Mapping

from gateway.chat.blocks import Text
from gateway.chat.request import (
    ChatRequest,
    Message,
    Sampling,
)
from gateway.dialects.base import Fields, Kinds
from gateway.dialects.forms import Written
from gateway.dialects.openai_models import Model, model_of, taken
from gateway.dialects.openai_responses.formats import read_text, speak_of_json, write_text
from gateway.dialects.openai_responses.history import write_messages, write_system
from gateway.dialects.openai_responses.items import read_input
from gateway.dialects.openai_responses.reasoning import read_reasoning, thinks, write_reasoning
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
    form, verbosity = read_text(fields, unread)
    request = ChatRequest(
        model=fields.may("model", str) or "",
        messages=messages,
        system=system,
        tools=tools,
        tool_choice=choice,
        parallel_tools=fields.may("parallel_tool_calls", bool),
        sampling=_read_sampling(fields, unread),
        reasoning=read_reasoning(fields, unread),
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
    model = model_of(request.model)
    body = _write_said(request, model, dropped)
    sampling = request.sampling
    said = _given({ours: getattr(sampling, ours) for ours in (*SAMPLING, "logprobs")})
    said = taken(said, model, body.get("reasoning", {}).get("effort"), dropped)
    body |= {SAMPLING[ours][0]: value for ours, value in said.items() if ours in SAMPLING}
    if sampling.max_tokens is not None and sampling.max_tokens < LEAST_TOKENS:
        body["max_output_tokens"] = LEAST_TOKENS  # clients probe an endpoint with 1
        dropped.add("max_tokens")
    dropped |= {name for name, nothing in UNSAID.items() if getattr(sampling, name) not in nothing}
    if set(request.modalities or ()) - {"text"}:
        dropped.add("modalities")
    included = [SEALS] if thinks(request, model) else []
    if said.get("logprobs"):
        included.append(LOGPROBS)
    if included:
        body["include"] = included
    _write_manner(request, body, dropped)
    return Written(body, frozenset(dropped))


def write_counted(request: ChatRequest) -> Written:
    """What is counted: the input and what else the model is told, not how it is to answer."""
    dropped: set[str] = set()
    body = _write_said(request, model_of(request.model), dropped)
    return Written(body, frozenset(dropped))


def _write_said(request: ChatRequest, model: Model | None, dropped: set[str]) -> Json:
    instructions, items = write_system(request.system, dropped)
    body: Json = {"model": request.model}
    if instructions is not None:
        body["instructions"] = instructions
    thoughts = model is None or bool(model.efforts)
    body["input"] = items + write_messages(request.messages, dropped, thoughts=thoughts)
    if tools := write_tools(request.tools, dropped):
        body["tools"] = tools
    if request.tool_choice is not None:
        body["tool_choice"] = write_choice(request.tool_choice)
    also = {"parallel_tool_calls": request.parallel_tools, "verbosity": request.verbosity}
    said = taken(_given(also), model, None, dropped)
    if "parallel_tool_calls" in said:
        body["parallel_tool_calls"] = said["parallel_tool_calls"]
    if reasoning := write_reasoning(request, model, dropped):
        body["reasoning"] = reasoning
    form = request.response_format
    if text := write_text(form, said.get("verbosity"), dropped):
        body["text"] = text
    if form and form.schema is None:
        speak_of_json(body)
    return body


def _given(said: Json) -> Json:
    return {name: value for name, value in said.items() if value is not None}


def _write_manner(request: ChatRequest, body: Json, dropped: set[str]) -> None:
    body["store"] = False
    for name in ("user", "metadata", "service_tier"):
        if (value := getattr(request, name)) is not None:
            body[name] = value
    if len(body.get("user", "")) > LONGEST_USER:
        dropped.add("user")
        del body["user"]
    if request.stream:
        body["stream"] = True

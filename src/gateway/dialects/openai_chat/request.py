"""OpenAI Chat Completions requests."""

from collections.abc import Mapping

from gateway.chat.in_words import JSON_WORD
from gateway.chat.request import ChatRequest, ResponseFormat, Sampling
from gateway.dialects.base import Fields, Kinds
from gateway.dialects.forms import Written
from gateway.dialects.openai_chat.messages import Conversation
from gateway.dialects.openai_chat.reasoning import read_reasoning, write_reasoning
from gateway.dialects.openai_chat.tools import read_choice, read_tools, write_tools
from gateway.dialects.openai_chat.writing import MessageWriter, results_first
from gateway.dialects.openai_models import in_chat, taken
from gateway.dialects.openai_schemas import held_to
from gateway.errors import BadRequest
from gateway.wire.json import Json

NUMBER = (int, float)
LONGEST_USER = 64  # refused beyond that: "string too long"
MOST_STOPS = 4  # StopConfiguration in OpenAI's OpenAPI document
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
    "logprobs": ("logprobs", bool),
    "top_logprobs": ("top_logprobs", int),
    "logit_bias": ("logit_bias", dict),
}
# Not in OpenAI's reference: most imitators take it, but OpenAI and others refuse the whole call.
NOT_OPENAIS = frozenset({"top_k"})


def read_request(body: Json) -> ChatRequest:
    """Raises BadRequest, naming the field."""
    fields = Fields(body)
    unread: Json = {}
    # How usage is told belongs to the stream, not to the chat.
    fields.may("stream_options", dict)
    fields.need("messages", list)
    conversation = Conversation(unread)
    for nth, message in enumerate(body["messages"]):
        conversation.read(message, f"messages[{nth}]")
    request = ChatRequest(
        model=fields.may("model", str) or "",
        messages=conversation.messages,
        system=conversation.system,
        tools=read_tools(fields, unread),
        tool_choice=read_choice(fields, unread),
        parallel_tools=fields.may("parallel_tool_calls", bool),
        sampling=_read_sampling(fields),
        reasoning=read_reasoning(fields, unread),
        response_format=_read_format(fields, unread),
        stream=fields.may("stream", bool) or False,
        user=_read_user(fields),
        metadata=fields.may("metadata", dict),
        service_tier=fields.may("service_tier", str),
        verbosity=fields.may("verbosity", str),
        modalities=_read_modalities(fields),
        unread=unread,
    )
    if speaks_of_functions(body) and request.parallel_tools is None:
        request.parallel_tools = False  # there was only ever one `function_call`
    fields.leave(unread)
    return request


def speaks_of_functions(body: Json) -> bool:
    """Whether the caller knows tools only as they were once: it looks for a ``function_call``."""
    return bool(body.get("functions")) and not body.get("tools")


def _read_sampling(fields: Fields) -> Sampling:
    newer = fields.rest.get("max_completion_tokens")
    if newer is None or newer == fields.rest.get("max_tokens"):
        older = fields.may("max_tokens", int)
        fields.rest["max_completion_tokens"] = older if newer is None else newer
    values = {ours: fields.may(theirs, kind) for ours, (theirs, kind) in SAMPLING.items()}
    if isinstance(values["stop"], str):
        values["stop"] = [values["stop"]]
    if not all(isinstance(one, str) for one in values["stop"] or ()):
        raise BadRequest("stop", "must be a string or an array of strings")
    return Sampling(**values)


def _read_user(fields: Fields) -> str | None:
    """``safety_identifier`` is its newer name; where both differ, that one is left unread."""
    user: str | None = fields.may("user", str)
    newer: str | None = fields.may("safety_identifier", str)
    if user is not None and newer not in (None, user):
        fields.rest["safety_identifier"] = newer
    return newer if user is None else user


def _read_modalities(fields: Fields) -> list[str] | None:
    given: list[str] = []
    for one, place in fields.each("modalities"):
        if not isinstance(one, str):
            raise BadRequest(place, "must be a string")
        given.append(one)
    return [one for one in given if one != "text"] or None


def _read_format(fields: Fields, unread: Json) -> ResponseFormat | None:
    asked = fields.may("response_format", dict)
    if asked is None:
        return None
    form = Fields(asked, "response_format")
    match form.rest.pop("type", None):
        case "text":
            read = None
        case "json_object":
            read = ResponseFormat()
        case "json_schema":
            described = Fields(form.need("json_schema", dict), form.path("json_schema"))
            read = ResponseFormat(
                schema=described.may("schema", dict) or {},
                name=described.may("name", str),
                description=described.may("description", str),
                strict=described.may("strict", bool),
            )
            described.leave(unread)
        case _:
            raise BadRequest(
                "response_format.type", "must be one of text, json_object, json_schema"
            )
    form.leave(unread)
    return read


def write_request(request: ChatRequest, *, thoughts: bool = False) -> Written:
    """``thoughts``: for the providers that want them told back; see ``writing``."""
    dropped: set[str] = set()
    writer = MessageWriter(dropped, thoughts)
    messages = writer.system(request.system)
    for message in request.messages:
        messages += writer.write(message)
    messages = results_first(messages, dropped)
    body: Json = {"model": request.model, "messages": messages}
    body |= _write_manner(request, dropped)
    if request.response_format:
        body["response_format"] = _write_format(request.response_format, dropped)
        if request.response_format.schema is None:
            _ask_for_json(messages)
    if request.metadata:
        # Refused unless the chat is also stored, which nobody asked for
        # (https://github.com/tmc/langchaingo/issues/1484).
        dropped.add("metadata")
    if request.modalities:
        extra = [modality for modality in request.modalities if modality != "text"]
        body["modalities"] = ["text", *extra]
    if request.user is not None and len(request.user) > LONGEST_USER:
        dropped.add("user")
    elif request.user is not None:
        body["user"] = request.user
    if request.service_tier is not None:
        body["service_tier"] = request.service_tier
    if request.stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return Written(body, frozenset(dropped))


def _write_manner(request: ChatRequest, dropped: set[str]) -> Json:
    """How to answer, and with what tools, as far as the model takes it."""
    said = write_tools(request, dropped)
    model = in_chat(request.model, tools="tools" in said)
    effort = write_reasoning(request, model, dropped)
    if effort is not None:
        said["reasoning_effort"] = effort
    for ours, (theirs, _) in SAMPLING.items():
        value = getattr(request.sampling, ours)
        if value is not None and ours in NOT_OPENAIS:
            dropped.add(ours)
        elif value is not None:
            said[theirs] = value
    _first_stops(said, dropped)
    if request.verbosity is not None:
        said["verbosity"] = request.verbosity
    return taken(said, model, effort, dropped)


def _first_stops(said: Json, dropped: set[str]) -> None:
    if len(said.get("stop") or ()) > MOST_STOPS:
        said["stop"] = said["stop"][:MOST_STOPS]
        dropped.add("stop")


def _ask_for_json(messages: list[Json]) -> None:
    """OpenAI and DeepSeek refuse to write any object where no message speaks of it ("'messages'
    must contain the word 'json' in some form"). Gemini, whose callers say nothing, does not."""
    if _speak_of_json(messages):
        return
    first = messages[0] if messages and messages[0]["role"] == "system" else None
    if first is None:
        messages.insert(0, {"role": "system", "content": JSON_WORD})
    elif isinstance(first["content"], str):
        first["content"] += f"\n\n{JSON_WORD}"
    else:
        first["content"] = [*first["content"], {"type": "text", "text": JSON_WORD}]


def _speak_of_json(messages: list[Json]) -> bool:
    """Up to the first answer, which is the same in every turn: our sentence would else come and go
    with what is said later, at the front of what the provider has in its cache."""
    for message in messages:
        if message["role"] == "assistant":
            break
        content = message.get("content") or ""
        parts = [{"text": content}] if isinstance(content, str) else content
        if any("json" in str(part.get("text", "")).lower() for part in parts):
            return True
    return False


def _write_format(asked: ResponseFormat, dropped: set[str]) -> Json:
    if asked.schema is None:
        return {"type": "json_object"}
    described: Json = {"name": asked.name or "reply", **held_to(asked, asked.schema, dropped)}
    if asked.description is not None:
        described["description"] = asked.description
    return {"type": "json_schema", "json_schema": described}

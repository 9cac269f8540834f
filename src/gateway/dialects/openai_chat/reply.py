"""OpenAI Chat Completions replies, read whole."""

from collections.abc import Mapping

from gateway.chat.blocks import Block, Foreign, Refusal, Seal, Text, Thinking, ToolUse
from gateway.chat.reply import ChatReply, Choice, StopReason
from gateway.dialects.base import Fields, read_error
from gateway.dialects.forms import Identity
from gateway.dialects.openai_chat.messages import read_said
from gateway.dialects.openai_chat.parts import NAME
from gateway.dialects.openai_chat.pieces import (
    attach,
    other_annotations,
    read_logprobs,
    read_sources,
)
from gateway.dialects.openai_chat.thoughts import in_order, read_google_seal
from gateway.dialects.openai_chat.tools import read_arguments
from gateway.dialects.openai_chat.usage import read_usage
from gateway.dialects.openai_custom import CUSTOM, as_arguments
from gateway.dialects.openai_errors import failure_in
from gateway.errors import BadRequest, UpstreamBroke
from gateway.usage import Usage
from gateway.wire.json import Json

STOP_REASONS: Mapping[str, StopReason] = {
    "stop": "end",
    "length": "length",
    "model_length": "length",  # Mistral: its context is full
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "refusal",
    "sensitive": "refusal",  # Z.ai
}
# What no object is without that is of this API, in whatever imitation.
SIGNS = frozenset({"choices", "usage", "x_groq", "id", "object"})
# Reasons that are failures: what was said until then is no answer.
FAILURES: Mapping[str, Json] = {
    "error": {"message": "it stopped with an error"},  # Mistral, OpenRouter
    "network_error": {"message": "it stopped with a network error"},  # Z.ai
    "insufficient_system_resource": {  # DeepSeek
        "message": "it ran out of resources",
        "code": "service_unavailable_error",
    },
}


def check_reply(body: Json) -> None:
    choices = body.get("choices")
    if isinstance(choices, list):
        for choice in choices:
            if isinstance(choice, dict):
                check_choice(choice)
        return
    if failure := failure_of(body):
        raise failure
    raise UpstreamBroke("the provider's answer has no choices: it is no chat completion")


def failure_of(body: Json) -> UpstreamBroke | None:
    """What stands in the place of an answer, or of a chunk of one: an error as every OpenAI API
    writes it, or without a wrapping, as Mistral, vLLM and FastAPI do."""
    if error := body.get("error"):
        return failure_in(error)
    words = read_error(body)
    if body.get("object") == "error" or (words and SIGNS.isdisjoint(body)):
        return failure_in({**body, "message": words})
    return None


def check_choice(choice: Json) -> None:
    """Raises UpstreamBroke for one that its provider did not complete, whole or a piece: OpenRouter
    says within it why (https://openrouter.ai/docs/api-reference/errors)."""
    if error := choice.get("error"):
        raise failure_in(error)
    reason = choice.get("finish_reason")
    if isinstance(reason, str) and reason in FAILURES:
        raise failure_in(FAILURES[reason])


def read_reply(body: Json, identity: Identity) -> ChatReply:
    """Raises UpstreamBroke when the reply is not what this API answers."""
    check_reply(body)
    try:
        fields = Fields(body)
        choices = [
            _read_choice(Fields(*one), identity, nth)
            for nth, one in enumerate(fields.each("choices"))
        ]
        if not choices:
            raise BadRequest("choices", "must hold at least one")
        envelope = read_envelope(fields, identity)
        tier = fields.may("service_tier", str)
        sources = read_sources(fields)
        if any(isinstance(block, Text) and block.text for block in choices[0].content):
            attach(sources, choices[0].content)
        elif sources:
            choices[0].content.append(Foreign(NAME, {"citations": len(sources)}))
        choices[0].content += [Foreign(NAME, {name: fields.rest[name]}) for name in unread(fields)]
        return ChatReply(*envelope, choices, read_usage(body) or Usage(), tier)
    except BadRequest as error:
        raise UpstreamBroke(f"the provider's answer is malformed: {error}") from error


def read_envelope(fields: Fields, identity: Identity) -> tuple[str, str, int]:
    """Id, model and date; some imitators leave them out, or empty."""
    name, model = fields.may("id", str), fields.may("model", str)
    created = fields.may("created", (int, float)) or identity.created
    return name or identity.id, model or "", int(created)


# What is said beside the choices and needs no place: of the server, and of the stream.
ASIDES = frozenset(
    {
        "base_resp",  # MiniMax
        "choices",
        "created",
        "id",
        "message",  # Spark: that it succeeded
        "metadata",  # SGLang: the version of its weights
        "model",
        "note",  # Tencent: that a model wrote it
        "object",
        "obfuscation",
        "p",  # Mistral: the same
        "prompt_filter_results",  # Azure: what it let pass
        "provider",  # OpenRouter
        "request_id",
        "service_tier",
        "sid",  # Spark
        "stats",
        "status",
        "system_fingerprint",
        "time_info",
        "timings",
        "type",
        "usage",
        "usage_breakdown",  # Groq
        "x_groq",
    }
)


def unread(envelope: Fields) -> list[str]:
    """What else is said beside the choices, such as Perplexity's pictures: nobody else has it."""
    return [name for name, value in envelope.rest.items() if value and name not in ASIDES]


def _read_choice(choice: Fields, identity: Identity, nth: int) -> Choice:
    check_choice(choice.rest)
    # Azure leaves the message out where its filter let nothing pass.
    message = Fields(choice.may("message", dict) or {}, choice.path("message"))
    seals: dict[str, Seal] = {}
    others = other_annotations(message)
    thoughts, content = read_said(message, {}, seals)
    content += others
    ids: set[str] = set()
    for given, place in message.each("tool_calls"):
        call = Fields(given, place)
        number = len(thoughts) + len(content)
        read = _read_call(call, f"call_{identity.id}_{nth}_{number}", seals)
        if isinstance(read, ToolUse):
            read.id = read.id if read.id not in ids else f"{read.id}_{number}"
            ids.add(read.id)
        content.append(read)
    if (legacy := message.may("function_call", dict)) is not None:
        function = Fields(legacy, message.path("function_call"))
        name, arguments = function.need("name", str), read_arguments(function)
        content.append(ToolUse(f"call_{identity.id}_{nth}", name, arguments))
    stray: list[Block] = [Thinking("", seal, redacted=True) for seal in seals.values()]
    reason = stop_reason(
        choice.may("finish_reason", str), calls=_any(content, ToolUse), words=_any(content, Refusal)
    )
    content = stray + in_order(thoughts, content)
    return Choice(content, reason, logprobs=read_logprobs(choice))


def _read_call(call: Fields, id: str, seals: dict[str, Seal]) -> Block:
    """``id``: for one that has none."""
    kind = call.may("type", str)
    if kind not in (None, "function", CUSTOM):
        return Foreign(NAME, {"type": kind, **call.rest})
    function = Fields(call.need(kind or "function", dict), call.path(kind or "function"))
    told = call.may("id", str) or id
    seal = read_google_seal(call) or seals.pop(told, None)
    name = function.need("name", str)
    if kind == CUSTOM:
        return ToolUse(told, name, as_arguments(function.need("input", str)), seal)
    return ToolUse(told, name, read_arguments(function), seal)


def _any(content: list[Block], kind: type[Block]) -> bool:
    return any(isinstance(block, kind) for block in content)


def stop_reason(told: str | None, *, calls: bool, words: bool) -> StopReason:
    """``words``: of a refusal were told, whose reason is ``stop``
    (https://developers.openai.com/api/docs/guides/structured-outputs#refusals).

    OpenAI says ``stop`` of a call that the caller forced, and some imitators of every call
    (https://platform.openai.com/docs/guides/function-calling).
    """
    reason = STOP_REASONS.get(told or "", "end")
    if reason == "end" and (calls or words):
        return "tool_use" if calls else "refusal"
    return reason

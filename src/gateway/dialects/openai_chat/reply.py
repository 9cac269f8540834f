"""OpenAI Chat Completions replies, read whole."""

from collections.abc import Mapping

from gateway.chat.blocks import Block, Foreign, Seal, Thinking, ToolUse
from gateway.chat.reply import ChatReply, Choice, StopReason
from gateway.dialects.base import Fields
from gateway.dialects.forms import Identity
from gateway.dialects.openai_chat.messages import read_said
from gateway.dialects.openai_chat.parts import NAME
from gateway.dialects.openai_chat.pieces import other_annotations, read_logprobs
from gateway.dialects.openai_chat.thoughts import read_google_seal
from gateway.dialects.openai_chat.tools import read_arguments
from gateway.dialects.openai_chat.usage import read_usage
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
    if isinstance(body.get("choices"), list):
        return
    if error := body.get("error"):
        raise failure_in(error)
    raise UpstreamBroke("the provider's answer has no choices: it is no chat completion")


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
        return ChatReply(*envelope, choices, read_usage(body) or Usage(), tier)
    except BadRequest as error:
        raise UpstreamBroke(f"the provider's answer is malformed: {error}") from error


def read_envelope(fields: Fields, identity: Identity) -> tuple[str, str, int]:
    """Id, model and date; some imitators leave them out, or empty."""
    name, model = fields.may("id", str), fields.may("model", str)
    created = fields.may("created", (int, float)) or identity.created
    return name or identity.id, model or "", int(created)


def _read_choice(choice: Fields, identity: Identity, nth: int) -> Choice:
    # Azure leaves the message out where its filter let nothing pass.
    message = Fields(choice.may("message", dict) or {}, choice.path("message"))
    seals: dict[str, Seal] = {}
    others = other_annotations(message)
    content = read_said(message, {}, seals) + others
    for given, place in message.each("tool_calls"):
        call = Fields(given, place)
        content.append(_read_call(call, f"call_{identity.id}_{nth}_{len(content)}", seals))
    if (legacy := message.may("function_call", dict)) is not None:
        function = Fields(legacy, message.path("function_call"))
        name, arguments = function.need("name", str), read_arguments(function)
        content.append(ToolUse(f"call_{identity.id}_{nth}", name, arguments))
    stray: list[Block] = [Thinking("", seal, redacted=True) for seal in seals.values()]
    reason = stop_reason(choice.may("finish_reason", str), calls=_calls(content))
    return Choice(stray + content, reason, logprobs=read_logprobs(choice))


def _read_call(call: Fields, id: str, seals: dict[str, Seal]) -> Block:
    """``id``: for one that has none."""
    kind = call.may("type", str)
    if kind not in (None, "function"):
        return Foreign(NAME, {"type": kind, **call.rest})
    function = Fields(call.need("function", dict), call.path("function"))
    told = call.may("id", str) or id
    seal = read_google_seal(call) or seals.pop(told, None)
    return ToolUse(told, function.need("name", str), read_arguments(function), seal)


def _calls(content: list[Block]) -> bool:
    return any(isinstance(block, ToolUse) for block in content)


def stop_reason(told: str | None, *, calls: bool) -> StopReason:
    """Raises UpstreamBroke for a reason that is a failure.

    OpenAI says ``stop`` of a call that the caller forced, and some imitators of every call
    (https://platform.openai.com/docs/guides/function-calling).
    """
    if failure := FAILURES.get(told or ""):
        raise failure_in(failure)
    reason = STOP_REASONS.get(told or "", "end")
    return "tool_use" if calls and reason == "end" else reason

"""OpenAI Responses replies, whole."""

from collections.abc import Iterator, Mapping
from typing import Any

from gateway.chat.blocks import Block, Foreign, Refusal, Text, ToolUse
from gateway.chat.reply import ChatReply, Choice, StopReason, TokenLogprob
from gateway.dialects.base import Fields
from gateway.dialects.forms import Asked, Identity, Written
from gateway.dialects.openai_errors import failure_in
from gateway.dialects.openai_responses.check import check_reply
from gateway.dialects.openai_responses.citations import read_citations
from gateway.dialects.openai_responses.envelope import begun, ended
from gateway.dialects.openai_responses.items import read_call, read_image, read_thoughts
from gateway.dialects.openai_responses.logprobs import read_logprobs
from gateway.dialects.openai_responses.output import Output, events_of
from gateway.dialects.openai_responses.own_calls import read_own_call
from gateway.dialects.openai_responses.parts import NAME
from gateway.dialects.openai_responses.tools import custom_names
from gateway.dialects.openai_responses.usage import read_usage
from gateway.errors import BadRequest, UpstreamBroke
from gateway.usage import Usage
from gateway.wire.json import Json

# The phases of a message that say no more than that it is the answer; a commentary is none.
ANSWERS = frozenset({None, "final_answer"})
INCOMPLETE: Mapping[str | None, StopReason] = {
    "max_output_tokens": "length",
    "content_filter": "refusal",
    "max_messages": "pause",
    "steered": "pause",
}
# A whole answer that is still being made, or was given up.
UNFINISHED = frozenset({"queued", "in_progress", "cancelled"})


def read_reply(body: Json, identity: Identity) -> ChatReply:
    """Raises UpstreamBroke when the reply is not what this API answers, or says that it failed."""
    check_reply(body)
    try:
        fields = Fields(body)
        check_status(fields)
        content: list[Block] = []
        logprobs: list[TokenLogprob] = []
        dropped: set[str] = set()
        for given, place in fields.each("output"):
            item = Fields(given, place)
            if item.rest.get("phase") not in ANSWERS:
                dropped.add("phase")
            content += read_item(item, logprobs)
        kinds: set[type[Block]] = {type(block) for block in content}
        return ChatReply(
            id=fields.may("id", str) or identity.id,
            model=fields.need("model", str),
            created=created_at(fields, identity),
            choices=[Choice(content, stop_reason(fields, kinds), logprobs=logprobs)],
            usage=read_usage(body) or Usage(),
            service_tier=fields.may("service_tier", str),
            dropped=frozenset(dropped),
        )
    except BadRequest as error:
        raise UpstreamBroke(f"the provider's answer is malformed: {error}") from error


def check_status(response: Fields) -> None:
    status = response.rest.get("status")
    if status == "failed":
        raise failure_in(response.rest.get("error"))
    if isinstance(status, str) and status in UNFINISHED:
        raise UpstreamBroke(f"the provider's response is not finished but {status}")


def created_at(response: Fields, identity: Identity) -> int:
    """Some write it with a fraction."""
    created = response.may("created_at", (int, float))
    return identity.created if created is None else int(created)


def stop_reason(response: Fields, kinds: set[type[Block]]) -> StopReason:
    """The API says only whether the response is complete; what it holds says the rest."""
    details = Fields(response.may("incomplete_details", dict) or {}, "incomplete_details")
    reason = details.may("reason", str)
    if reason is not None or response.may("status", str) == "incomplete":
        return INCOMPLETE.get(reason, "length")
    if ToolUse in kinds:
        return "tool_use"
    if Refusal in kinds:
        return "refusal"
    return "end"


def read_item(item: Fields, logprobs: list[TokenLogprob]) -> list[Block]:
    """The blocks of one output item; the probabilities of its tokens go to ``logprobs``."""
    match item.rest.get("type"):
        case "message":
            return list(_read_message(item, logprobs))
        case "function_call":
            return [read_call(item)]
        case "custom_tool_call":
            return [read_own_call(item, "custom_tool_call")]
        case "reasoning":
            return read_thoughts(item)
        case "image_generation_call" if isinstance(item.rest.get("result"), str):
            return [read_image(item)]
        case str():
            return [Foreign(NAME, item.rest)]
    raise BadRequest(item.path("type"), "is required: a string")


def _read_message(item: Fields, logprobs: list[TokenLogprob]) -> Iterator[Block]:
    for part, place in item.each("content"):
        if block := read_part(Fields(part, place), logprobs):
            yield block


def read_part(part: Fields, logprobs: list[TokenLogprob]) -> Block | None:
    """None for a text that is empty."""
    kind = part.rest.get("type")
    if kind == "refusal":
        return Refusal(part.need("refusal", str))
    if kind != "output_text":
        return Foreign(NAME, part.rest)
    logprobs += read_logprobs(part)
    unread: Json = {}  # a reply has nowhere to tell it
    text, citations = part.need("text", str), read_citations(part, unread)
    return Text(text, citations=citations) if text or citations else None


def write_reply(reply: ChatReply, asked: Asked) -> Written:
    response = begun(asked.body, reply.id, reply.model, reply.created)
    output = Output(custom_names(asked.body))
    output.name(response["id"])
    for event in events_of(reply.choices[0]):
        _exhaust(output.tell(event))
    others = {"n"} if len(reply.choices) > 1 else set()
    body = ended(response, output, reply.usage, reply.service_tier)
    return Written(body, frozenset(output.dropped | others))


def _exhaust(told: Iterator[Any]) -> None:
    for _ in told:
        pass

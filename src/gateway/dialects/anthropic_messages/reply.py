"""Messages, whole.

https://platform.claude.com/docs/en/api/messages/create#response
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gateway.chat.blocks import (
    Block,
    Citation,
    Foreign,
    Media,
    Refusal,
    Seal,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
)
from gateway.chat.reply import ChatReply, Choice, StopReason
from gateway.chat.seals import carried, with_seal
from gateway.dialects.anthropic_messages.check import check_reply
from gateway.dialects.anthropic_messages.parts import ISSUER, NAME, read_content
from gateway.dialects.anthropic_messages.usage import TIERS_OUT, read_usage, tier_of, write_usage
from gateway.dialects.anthropic_messages.writing import write_input
from gateway.dialects.base import Fields
from gateway.dialects.forms import Asked, Identity, Written
from gateway.errors import BadRequest, UpstreamBroke
from gateway.usage import Usage
from gateway.wire.json import Json

STOP_REASONS: Mapping[str, StopReason] = {
    "end_turn": "end",
    "max_tokens": "length",
    "stop_sequence": "stop_sequence",
    "tool_use": "tool_use",
    "pause_turn": "pause",
    "compaction": "pause",
    "refusal": "refusal",
    "model_context_window_exceeded": "length",
}
STOP_REASONS_OUT: Mapping[StopReason, str] = {
    "end": "end_turn",
    "length": "max_tokens",
    "tool_use": "tool_use",
    "stop_sequence": "stop_sequence",
    "refusal": "refusal",
    "pause": "pause_turn",
}


def read_reply(body: Json, identity: Identity) -> ChatReply:
    """Raises UpstreamBroke when it is not what this API answers."""
    check_reply(body)
    try:
        fields, unread = Fields(body), dict[str, Any]()
        content = read_content(fields.need("content", list), "content", unread)
        return ChatReply(
            id=fields.may("id", str) or identity.id,
            model=fields.may("model", str) or "",
            created=identity.created,
            choices=[_read_choice(fields, content)],
            usage=read_usage(body) or Usage(),
            service_tier=tier_of(body.get("usage")),
        )
    except BadRequest as error:
        raise UpstreamBroke(f"the provider's answer is malformed: {error}") from error


def _read_choice(fields: Fields, content: list[Block]) -> Choice:
    reason = stop_reason_of(fields.may("stop_reason", str))
    if reason == "refusal" and (words := explanation_in(fields.rest.get("stop_details"))):
        content.append(Refusal(words))
    return Choice(content, reason, fields.may("stop_sequence", str))


def stop_reason_of(told: str | None) -> StopReason:
    return STOP_REASONS.get(told or "", "end")


def explanation_in(details: object) -> str | None:
    """Why the API refused, where ``stop_details`` says it in words."""
    words = details.get("explanation") if isinstance(details, dict) else None
    return words if isinstance(words, str) else None


def write_reply(reply: ChatReply, asked: Asked) -> Written:
    """The first choice, for there is only one."""
    dropped: set[str] = set()
    choice = reply.choices[0]
    if len(reply.choices) > 1:
        dropped.add("n")
    if choice.logprobs:
        dropped.add("logprobs")
    usage = write_usage(reply.usage)
    if reply.service_tier is not None:
        if reply.service_tier in TIERS_OUT:
            usage["service_tier"] = TIERS_OUT[reply.service_tier]
        else:
            dropped.add("service_tier")
    body: Json = {
        "id": reply.id,
        "type": "message",
        "role": "assistant",
        "model": reply.model,
        "content": list(_write_content(choice.content, dropped, silent=silent(asked))),
        "stop_reason": stop_reason_out(choice.stop_reason, {type(one) for one in choice.content}),
        "stop_sequence": choice.stop_sequence,
        "usage": usage,
    }
    return Written(body, frozenset(dropped))


def silent(asked: Asked) -> bool:
    """Whether the caller asked for the signatures of thoughts without their words."""
    reasoning = asked.request.reasoning
    return reasoning is not None and reasoning.shown is False


def stop_reason_out(reason: StopReason, said: set[Any]) -> str:
    """``said``: the kinds of blocks in the answer. Who called a tool, or would not answer, says so
    here too: it is what callers go by."""
    if reason == "end" and ToolUse in said:
        reason = "tool_use"
    elif reason == "end" and Refusal in said:
        reason = "refusal"
    return STOP_REASONS_OUT[reason]


def _write_content(content: Sequence[Block], dropped: set[str], *, silent: bool) -> Iterator[Json]:
    for block in content:
        match block:
            case Text(text):
                if text or block.citations:
                    yield _write_text(block, dropped)
                elif block.seal is not None:
                    dropped.add("signature")
            case Refusal(text):
                dropped.add("refusal")
                yield {"type": "text", "text": text}
            case Thinking():
                if thought := write_thought(block, silent=silent):
                    yield thought
                elif not silent:
                    dropped.add("thinking")
            case ToolUse(id, name, arguments, seal):
                called = {"type": "tool_use", "id": with_seal(id, seal), "name": name}
                yield {**called, "input": write_input(arguments)}
            case ToolResult():  # no answer of a model's holds one
                dropped.add("tool_result")
            case _:
                if whole := write_whole(block, dropped):
                    yield whole


def _write_text(block: Text, dropped: set[str]) -> Json:
    if block.seal is not None:
        dropped.add("signature")
    written: Json = {"type": "text", "text": block.text}
    citations = [write_citation(one, len(block.text), dropped) for one in block.citations]
    if told := [one for one in citations if one is not None]:
        written["citations"] = told
    return written


def write_citation(citation: Citation, length: int | None, dropped: set[str]) -> Json | None:
    """A place on the web is one that the API knows; its ``encrypted_index`` is for a search of the
    API's own. What rests on it is always the whole text, of this ``length`` where it is known."""
    if citation.url is None:
        dropped.add("citations")
        return None
    if citation.start or (length is not None and citation.end not in (None, length)):
        dropped.add("citations")
    return {
        "type": "web_search_result_location",
        "url": citation.url,
        "title": citation.title,
        "cited_text": citation.quote or "",
        "encrypted_index": "",
    }


def write_thought(thought: Thinking, *, silent: bool) -> Json | None:
    """None for one that has neither words nor a seal."""
    text = "" if silent or thought.redacted else thought.text
    if not text and thought.seal is None:
        return None
    signature = signature_of(thought.seal)
    if thought.redacted:
        return {"type": "redacted_thinking", "data": signature}
    return {"type": "thinking", "thinking": text, "signature": signature}


def signature_of(seal: Seal | None) -> str:
    """Callers expect a signature with every thought. The API would refuse an empty one as well as
    a foreign one: what it did not sign itself is marked, so that it is told apart."""
    own = seal is not None and seal.issuer == ISSUER
    return seal.value if seal and own else carried(seal)


def write_whole(block: Media | Foreign, dropped: set[str]) -> Json | None:
    """What has no words here; of a recording, what it says."""
    if isinstance(block, Foreign):
        if block.dialect == NAME:
            return block.data
        dropped.add(block.kind)
        return None
    dropped.add(block.kind)
    return {"type": "text", "text": block.transcript} if block.transcript else None

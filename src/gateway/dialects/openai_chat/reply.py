"""OpenAI Chat Completions replies, whole."""

from collections.abc import Iterator, Mapping

from gateway.chat.blocks import Block, Refusal, Text, Thinking, ToolUse
from gateway.chat.reply import ChatReply, StopReason
from gateway.dialects.base import Fields
from gateway.dialects.openai_chat.messages import read_thought, write_thoughts
from gateway.dialects.openai_chat.tools import read_tool_use, write_tool_use
from gateway.dialects.openai_chat.usage import read_usage, write_usage
from gateway.dialects.openai_errors import failure_in
from gateway.errors import BadRequest, UpstreamBroke
from gateway.usage import Usage
from gateway.wire.json import Json

STOP_REASONS: Mapping[str | None, StopReason] = {
    "stop": "end",
    "length": "length",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "refusal",
}
STOP_REASONS_OUT: Mapping[StopReason, str] = {
    "end": "stop",
    "length": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
    "stop_sequence": "stop",
    "pause": "stop",
}


def check_reply(body: Json) -> None:
    if isinstance(body.get("choices"), list):
        return
    if error := body.get("error"):
        raise failure_in(error)
    raise UpstreamBroke("the provider's answer has no choices: it is no chat completion")


def read_reply(body: Json) -> ChatReply:
    """The first choice. Raises UpstreamBroke when the reply is not what this API answers."""
    check_reply(body)
    try:
        fields = Fields(body)
        choices = fields.each("choices")
        choice = Fields(*choices[0]) if choices else Fields(None, "choices[0]")
        reason = choice.may("finish_reason", str)
        return ChatReply(
            id=fields.need("id", str),
            model=fields.need("model", str),
            created=fields.need("created", int),
            content=list(_read_content(Fields(choice.need("message", dict), "message"))),
            stop_reason=STOP_REASONS.get(reason, "end"),
            usage=read_usage(body) or Usage(),
        )
    except BadRequest as error:
        raise UpstreamBroke(f"the provider's answer is malformed: {error}") from error


def _read_content(message: Fields) -> Iterator[Block]:
    thinking = message.may("reasoning_content", str) or message.may("reasoning", str)
    if thoughts := [read_thought(Fields(*one)) for one in message.each("thinking_blocks")]:
        yield from thoughts
    elif thinking:
        yield Thinking(thinking)
    if text := message.may("content", str):
        yield Text(text)
    if refusal := message.may("refusal", str):
        yield Refusal(refusal)
    for call in message.each("tool_calls"):
        yield read_tool_use(Fields(*call))


def write_reply(reply: ChatReply) -> Json:
    return {
        "id": reply.id,
        "object": "chat.completion",
        "created": reply.created,
        "model": reply.model,
        "choices": [
            {
                "index": 0,
                "message": _write_message(reply.content),
                "logprobs": None,
                "finish_reason": STOP_REASONS_OUT[reply.stop_reason],
            }
        ],
        "usage": write_usage(reply.usage),
    }


def _write_message(content: list[Block]) -> Json:
    message: Json = {
        "role": "assistant",
        "content": "".join(block.text for block in content if isinstance(block, Text)) or None,
        "refusal": "".join(block.text for block in content if isinstance(block, Refusal)) or None,
    }
    message |= write_thoughts([block for block in content if isinstance(block, Thinking)])
    if calls := [write_tool_use(block) for block in content if isinstance(block, ToolUse)]:
        message["tool_calls"] = calls
    return message

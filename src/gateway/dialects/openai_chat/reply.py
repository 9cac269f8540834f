"""OpenAI Chat Completions replies, whole."""

from collections.abc import Mapping

from gateway.chat.blocks import Block, Refusal, Text, Thinking, ToolUse
from gateway.chat.reply import ChatReply, StopReason
from gateway.dialects.openai_chat.request import write_tool_use
from gateway.dialects.openai_chat.usage import read_usage, write_usage
from gateway.dialects.openai_errors import failure_in
from gateway.errors import UpstreamBroke
from gateway.usage import Usage
from gateway.wire.json import Json

STOP_REASONS: Mapping[str, StopReason] = {
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
        choice = body["choices"][0]
        message = choice["message"]
        return ChatReply(
            id=body["id"],
            model=body["model"],
            created=body["created"],
            content=_read_content(message),
            stop_reason=STOP_REASONS.get(choice["finish_reason"], "end"),
            usage=read_usage(body) or Usage(),
        )
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise UpstreamBroke(f"the provider's answer is malformed: {error!r}") from error


def _read_content(message: Json) -> list[Block]:
    content: list[Block] = []
    if thinking := message.get("reasoning_content") or message.get("reasoning"):
        content.append(Thinking(thinking))
    if text := message.get("content"):
        content.append(Text(text))
    if refusal := message.get("refusal"):
        content.append(Refusal(refusal))
    for call in message.get("tool_calls") or ():
        function = call["function"]
        content.append(ToolUse(call["id"], function["name"], function["arguments"]))
    return content


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
    if thoughts := [block for block in content if isinstance(block, Thinking)]:
        message["reasoning_content"] = "".join(thought.text for thought in thoughts)
        message["thinking_blocks"] = [
            {"type": "thinking", "thinking": thought.text, "signature": thought.seal.value}
            for thought in thoughts
            if thought.seal
        ]
    if calls := [write_tool_use(block) for block in content if isinstance(block, ToolUse)]:
        message["tool_calls"] = calls
    return message

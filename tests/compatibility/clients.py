"""What clients of each dialect send: members that its makers do not know but its imitators take, and
how a conversation goes on: what was answered goes back as it came, with the results of the tools."""

from collections.abc import Callable, Mapping

from gateway.chat.blocks import ToolUse
from gateway.chat.reply import ChatReply
from gateway.dialects import ANTHROPIC_MESSAGES, GEMINI, OPENAI_CHAT, OPENAI_RESPONSES, Dialect
from gateway.wire.json import Json
from tests.compatibility.features import PNG

RESULT = "rain"
GoesOn = Callable[[Json, Json, list[ToolUse]], Json]


def chat(body: Json, answer: Json, called: list[ToolUse]) -> Json:
    results = [{"role": "tool", "tool_call_id": one.id, "content": RESULT} for one in called]
    return {**body, "messages": [*body["messages"], answer["choices"][0]["message"], *results]}


def responses(body: Json, answer: Json, called: list[ToolUse]) -> Json:
    results = [
        {"type": "function_call_output", "call_id": one.id, "output": RESULT} for one in called
    ]
    return {**body, "input": [*body["input"], *answer["output"], *results]}


def messages(body: Json, answer: Json, called: list[ToolUse]) -> Json:
    results = [{"type": "tool_result", "tool_use_id": one.id, "content": RESULT} for one in called]
    turns = [
        {"role": "assistant", "content": answer["content"]},
        {"role": "user", "content": results},
    ]
    return {**body, "messages": [*body["messages"], *turns]}


def contents(body: Json, answer: Json, called: list[ToolUse]) -> Json:
    results = [
        {"functionResponse": {"id": one.id, "name": one.name, "response": {"output": RESULT}}}
        for one in called
    ]
    turns = [answer["candidates"][0]["content"], {"role": "user", "parts": results}]
    return {**body, "contents": [*body["contents"], *turns]}


GOES_ON: Mapping[Dialect, GoesOn] = {
    OPENAI_CHAT: chat,
    OPENAI_RESPONSES: responses,
    ANTHROPIC_MESSAGES: messages,
    GEMINI: contents,
}


def uses_of(reply: ChatReply) -> list[ToolUse]:
    return [block for block in reply.choices[0].content if isinstance(block, ToolUse)]


MARK: Json = {"cache_control": {"type": "ephemeral"}}


def _marked(body: Json) -> Json:
    """Anthropic's marks, as many who imitate OpenAI take them."""
    system, user = body["messages"]
    parts = [{"type": "text", "text": "longer", **MARK}], [{"type": "text", "text": "long", **MARK}]
    return {**body, "messages": [{**system, "content": parts[0]}, {**user, "content": parts[1]}]}


def _with_image(body: Json) -> Json:
    *turns, result = body["messages"]
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
    return {
        **body,
        "messages": [*turns, {**result, "content": [{"type": "text", "text": "see"}, image]}],
    }


# (dialect, feature) -> how its clients ask for that, where it is not in the API's own reference.
SPELLED: Mapping[tuple[str, str], Callable[[Json], Json]] = {
    ("openai_chat", "sampling: top_k"): lambda body: {**body, "top_k": 5},
    ("openai_chat", "thinking, by budget"): lambda body: {
        **body,
        "thinking": {"type": "enabled", "budget_tokens": 4096},
    },
    ("openai_chat", "cache marks"): _marked,
    ("openai_chat", "tool result with an image"): _with_image,
    ("anthropic_messages", "thinking, by effort"): lambda body: {
        **body,
        "thinking": {"type": "adaptive"},
        "output_config": {"effort": "high"},
    },
}

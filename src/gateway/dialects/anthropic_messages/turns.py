"""A turn of the model that is not over, and whether it may be thought on in it.

The calls of tools and their results are all one turn, and the API wants it to be thought through
from its beginning or not at all (https://platform.claude.com/docs/en/build-with-claude/thinking,
"Thinking with tool use"). With a budget it refuses a turn that begins otherwise: "Expected
`thinking` or `redacted_thinking`, but found `tool_use`"; thinking adaptively, it does not mind.
Without thinking it refuses one that holds a thought: "When thinking is disabled, an `assistant`
message in the final position cannot contain `thinking`". What came later in the turn need not
begin with a thought: without interleaved thinking Claude has none there itself
(https://github.com/BerriAI/litellm/issues/18926). Nor is an answer that the caller begins ever
thought on ("Response prefill and forced tool use", on the same page).
"""

from gateway.dialects.anthropic_messages.models import Model
from gateway.wire.json import Json

THOUGHTS = ("thinking", "redacted_thinking")
# Choices of tools that a budget does not go with either, and on Bedrock no thinking at all.
FORCED = ("any", "tool")


def fit_thinking(
    thinking: Json | None, prompt: Json, asked: set[str], model: Model, dropped: set[str]
) -> Json | None:
    """``thinking`` as this conversation allows it; ``prompt``, what the model reads, loses the
    thoughts of the present turn where it may not think on. ``asked``: what is dropped then."""
    turn = _present(prompt["messages"])
    kind = thinking["type"] if thinking else None
    free = model.forced_thinking or not _is_forced(prompt)
    if thinking and kind == "enabled" and not _takes_budget(prompt, turn):
        if model.thinking == "either" and free:
            dropped.add("reasoning.budget")
            return {**_without_budget(thinking), "type": "adaptive"}
        dropped |= asked
        thinking = None
    elif kind == "adaptive" and not free:
        dropped |= asked
        thinking = None
    off = not model.unasked if thinking is None else thinking["type"] == "disabled"
    if off and any(_is_thought(block) for message in turn for block in _blocks(message)):
        dropped.add("thinking")
        for message in turn:
            message["content"] = [one for one in _blocks(message) if not _is_thought(one)]
        prompt["messages"] = [one for one in prompt["messages"] if one["content"]]
    return thinking


def _takes_budget(prompt: Json, turn: list[Json]) -> bool:
    messages = prompt["messages"]
    if messages and messages[-1]["role"] == "assistant":
        return False
    if _is_forced(prompt):
        return False
    return not turn or _begins_with_thought(turn[0])


def _is_forced(prompt: Json) -> bool:
    return prompt.get("tool_choice", {}).get("type") in FORCED


def _present(messages: list[Json]) -> list[Json]:
    """What the model has said since the user spoke last, where it is told results of tools now."""
    turn: list[Json] = []
    if not messages or messages[-1]["role"] == "assistant":
        return turn
    for message in reversed(messages):
        if message["role"] == "assistant":
            turn.append(message)
        elif message["role"] == "user" and not _tells_results(message):
            break
    return turn[::-1]


def _tells_results(message: Json) -> bool:
    return any(block["type"] == "tool_result" for block in _blocks(message))


def _begins_with_thought(message: Json) -> bool:
    blocks = _blocks(message)
    return bool(blocks) and _is_thought(blocks[0])


def _blocks(message: Json) -> list[Json]:
    content: str | list[Json] = message["content"]
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _is_thought(block: Json) -> bool:
    return block["type"] in THOUGHTS


def _without_budget(thinking: Json) -> Json:
    return {name: value for name, value in thinking.items() if name != "budget_tokens"}

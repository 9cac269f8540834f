"""What was said so far, written as items for a provider that keeps nothing."""

from collections.abc import Iterable, Iterator

from gateway.chat.blocks import Block, Foreign, Media, Refusal, Text, Thinking, ToolResult, ToolUse
from gateway.chat.request import Message
from gateway.dialects.openai_responses.items import by_the_caller
from gateway.dialects.openai_responses.parts import ISSUER, NAME, write_part, write_parts
from gateway.wire.json import Json


def write_system(texts: list[Text], dropped: set[str]) -> tuple[str | None, list[Json]]:
    """One text fits ``instructions``; several stay apart, as the parts of a first message."""
    if not texts:
        return None, []
    if len(texts) == 1:
        (part,) = write_parts(texts, "system", dropped)
        return part["text"], []
    return None, [_message("system", write_parts(texts, "system", dropped))]


def write_messages(
    messages: list[Message], dropped: set[str], *, thoughts: bool = True
) -> list[Json]:
    """``thoughts``: a model that has none refuses others' too
    (https://github.com/openai/openai-agents-python/issues/569). One that nothing follows is refused
    by all ("Item … of type 'reasoning' was provided without its required following item",
    https://github.com/vercel/ai/issues/7099): an answer that was cut off as it began."""
    items: list[Json] = []
    for message in messages:
        if message.name is not None:
            dropped.add("name")
        written = _items(message, dropped)
        items += written if thoughts else _thoughtless(written, dropped)
    return _followed(items, dropped)


def _followed(items: list[Json], dropped: set[str]) -> list[Json]:
    """Without the thoughts behind which the model says and does nothing."""
    kept: list[Json] = []
    acted = False  # whether what follows is the model's own
    for item in reversed(items):
        if item["type"] != "reasoning":
            acted = item.get("role") == "assistant" or not by_the_caller(item["type"])
        elif not acted:
            dropped.add("thinking")
            continue
        kept.append(item)
    return kept[::-1]


def _thoughtless(items: Iterable[Json], dropped: set[str]) -> Iterator[Json]:
    for item in items:
        if item["type"] == "reasoning":
            dropped.add("thinking")
        else:
            yield item


def _items(message: Message, dropped: set[str]) -> Iterator[Json]:
    """Parts that follow each other are one message; each call, result and thought is an item."""
    parts: list[Json] = []
    for block in message.content:
        if _is_part(block):
            if part := write_part(block, message.role, dropped):
                parts.append(part)
            continue
        if item := _item(block, dropped):
            if parts:
                yield _message(message.role, parts)
                parts = []
            yield item
    if parts:
        yield _message(message.role, parts)


def _is_part(block: Block) -> bool:
    """The API's own parts of messages have kinds like ``input_video``; other kinds are items."""
    if isinstance(block, Foreign):
        return block.dialect == NAME and block.kind.startswith("input_")
    return isinstance(block, Text | Media | Refusal)


def _message(role: str, parts: list[Json]) -> Json:
    return {"type": "message", "role": role, "content": parts}


def _item(block: Block, dropped: set[str]) -> Json | None:
    match block:
        case Thinking():
            return _thought(block, dropped)
        case ToolUse(id, name, arguments, seal, cache_ttl):
            if seal is not None:
                dropped.add("signature")
            if cache_ttl is not None:
                dropped.add("cache_control")
            call = {"call_id": id, "name": name, "arguments": arguments or "{}"}
            return {"type": "function_call", **call}
        case ToolResult():
            return _result(block, dropped)
        case Foreign() if block.dialect == NAME:
            return block.data
        case Foreign():
            dropped.add(block.kind)
    return None


def _thought(thought: Thinking, dropped: set[str]) -> Json | None:
    """The provider takes a thought back only with the seal that it put on it."""
    if thought.seal is None or thought.seal.issuer != ISSUER:
        dropped.add("thinking")
        return None
    summary = [{"type": "summary_text", "text": thought.text}] if thought.text else []
    named = {} if thought.id is None else {"id": thought.id}
    sealed = {"encrypted_content": thought.seal.value}
    return {"type": "reasoning", **named, "summary": summary, **sealed}


def _result(result: ToolResult, dropped: set[str]) -> Json:
    if result.is_error:
        dropped.add("tool_result.is_error")
    if result.cache_ttl is not None:
        dropped.add("cache_control")
    parts = write_parts(result.content, "user", dropped, "tool_result.")
    plain = not parts or (len(parts) == 1 and parts[0]["type"] == "input_text")
    output = "".join(part["text"] for part in parts) if plain else parts
    return {"type": "function_call_output", "call_id": result.tool_use_id, "output": output}

"""The messages of a chat: what each role says, as blocks."""

from collections.abc import Iterator
from typing import Any

from gateway.chat.blocks import (
    Block,
    Foreign,
    Media,
    Refusal,
    Seal,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
)
from gateway.chat.request import Message
from gateway.dialects.base import Fields
from gateway.dialects.openai_chat.parts import NAME, read_parts, write_part
from gateway.dialects.openai_chat.tools import read_tool_use, write_tool_use
from gateway.errors import BadRequest
from gateway.wire.json import Json

# Those who serve Claude in this dialect carry its sealed thoughts in `thinking_blocks`.
ISSUER = "anthropic"


def read_messages(raw: list[Any]) -> tuple[list[Text], list[Message]]:
    """What the system said, and the turns of the two who talk."""
    system: list[Text] = []
    messages: list[Message] = []
    for index, one in enumerate(raw):
        place = f"messages[{index}]"
        fields = Fields(one, place)
        role, name = fields.need("role", str), fields.may("name", str)
        match role:
            case "system" | "developer":
                system += _read_system(_content(fields), fields.path("content"))
            case "user":
                _append(messages, Message("user", _content(fields), name))
            case "tool":
                _append(messages, Message("user", [_read_result(fields)], name))
            case "assistant":
                _append(messages, Message("assistant", list(_read_assistant(fields)), name))
            case _:
                raise BadRequest(f"{place}.role", f"unknown role {role!r}")
    return system, messages


def _read_system(blocks: list[Block], place: str) -> Iterator[Text]:
    for index, block in enumerate(blocks):
        if not isinstance(block, Text):
            raise BadRequest(f"{place}[{index}]", "a system message holds text only")
        yield block


def _append(messages: list[Message], message: Message) -> None:
    """Join what one speaker says in a row: other dialects want the turns to alternate."""
    last = messages[-1] if messages else None
    if last and (last.role, last.name) == (message.role, message.name):
        last.content += message.content
    else:
        messages.append(message)


def _content(fields: Fields) -> list[Block]:
    return read_parts(fields.rest.get("content"), fields.path("content"))


def _read_result(fields: Fields) -> ToolResult:
    return ToolResult(fields.need("tool_call_id", str), tuple(_content(fields)))


def _read_assistant(fields: Fields) -> Iterator[Block]:
    for thought, place in fields.each("thinking_blocks"):
        yield read_thought(Fields(thought, place))
    yield from _content(fields)
    if refusal := fields.may("refusal", str):
        yield Refusal(refusal)
    for call, place in fields.each("tool_calls"):
        yield read_tool_use(Fields(call, place))


def read_thought(thought: Fields) -> Thinking:
    text, signature = thought.need("thinking", str), thought.may("signature", str)
    return Thinking(text, None if signature is None else Seal(ISSUER, signature))


def write_thoughts(thoughts: list[Thinking]) -> Json:
    """The fields of a message that hold them; a thought without its issuer's seal is only told."""
    if not thoughts:
        return {}
    said: Json = {"reasoning_content": "".join(thought.text for thought in thoughts)}
    if sealed := [
        {"type": "thinking", "thinking": thought.text, "signature": thought.seal.value}
        for thought in thoughts
        if thought.seal and thought.seal.issuer == ISSUER
    ]:
        said["thinking_blocks"] = sealed
    return said


def write_message(message: Message) -> list[Json]:
    """One message of ours may be several of theirs: each tool's answer is one of its own."""
    name = {} if message.name is None else {"name": message.name}
    out: list[Json] = [
        {
            "role": "tool",
            "tool_call_id": block.tool_use_id,
            "content": _parts(block.content),
            **name,
        }
        for block in message.content
        if isinstance(block, ToolResult)
    ]
    said: Json = {"content": _parts(message.content) or None}
    if calls := [write_tool_use(b) for b in message.content if isinstance(b, ToolUse)]:
        said["tool_calls"] = calls
    thoughts = write_thoughts([b for b in message.content if isinstance(b, Thinking)])
    if sealed := thoughts.get("thinking_blocks"):  # only those can be understood on the way back
        said["thinking_blocks"] = sealed
    if said != {"content": None}:
        out.append({"role": message.role, **said, **name})
    return out


def _parts(blocks: list[Block] | tuple[Block, ...]) -> list[Json]:
    return [
        write_part(block)
        for block in blocks
        if isinstance(block, Text | Media | Refusal)
        or (isinstance(block, Foreign) and block.dialect == NAME)
    ]

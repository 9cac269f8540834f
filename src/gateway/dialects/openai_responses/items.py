"""What was said so far: a list of items, read as what each speaker said in turn."""

from collections.abc import Mapping
from typing import Any, Literal

from gateway.chat.blocks import Block, Foreign, Media, Seal, Text, Thinking, ToolResult, ToolUse
from gateway.chat.media_types import plain
from gateway.chat.request import Message
from gateway.chat.seals import uncarried, without_seal
from gateway.dialects.base import Fields
from gateway.dialects.openai_responses.own_calls import (
    ANSWERS,
    CALLS,
    Pairs,
    pairs_in,
    read_own_answer,
    read_own_call,
)
from gateway.dialects.openai_responses.parts import ISSUER, NAME, read_parts
from gateway.errors import BadRequest
from gateway.wire.json import Json

Role = Literal["user", "assistant", "system"]

ROLES: dict[str, Role] = {
    "user": "user",
    "assistant": "assistant",
    "system": "system",
    "developer": "system",
}
# What the caller adds on its own; all other items of the API's own kinds are the model's.
CALLERS = frozenset({"message", "mcp_approval_response", "additional_tools"})
# What stands for items that only the API can tell.
REFERENCE = "refers to an item that nobody keeps: send the item itself"
COMPACT = "is what was said in a form that only its maker reads: send the items themselves"
KEPT_NOWHERE: Mapping[str | None, str] = {
    None: REFERENCE,
    "item_reference": REFERENCE,
    "compaction": COMPACT,
    "compaction_summary": COMPACT,  # Codex' names for it
    "context_compaction": COMPACT,
    "compaction_trigger": "asks for a form that only its maker reads: leave it out",
}


def read_input(given: str | list[Any], unread: Json) -> tuple[list[Text], list[Message]]:
    """What the system says before all else, and the turns of the conversation."""
    if isinstance(given, str):
        return [], [Message("user", [Text(given)] if given else [])]
    system: list[Text] = []
    messages: list[Message] = []
    pairs = pairs_in(given)
    for nth, item in enumerate(given):
        message = _read_item(item, f"input[{nth}]", pairs, unread)
        texts = [block for block in message.content if isinstance(block, Text)]
        if message.role == "system" and not messages and len(texts) == len(message.content):
            system += texts
        elif message.content or _is_message(item):
            _append(messages, message)
    return system, messages


def _is_message(item: Json) -> bool:
    return item.get("type") in (None, "message")


def _append(messages: list[Message], message: Message) -> None:
    """Join what one speaker says in a row: other dialects want the turns to alternate."""
    if messages and messages[-1].role == message.role:
        messages[-1].content += message.content
    else:
        messages.append(message)


def _read_item(item: Any, place: str, pairs: Pairs, unread: Json) -> Message:
    fields = Fields(item, place)
    kind = fields.may("type", str)
    if kind is not None and not pairs.reads(kind, item):
        return _foreign(item, kind)
    match kind:
        case None | "message" if kind or "role" in fields.rest:
            message = _read_message(fields, unread)
        case _ if kind is None or kind in KEPT_NOWHERE:
            raise BadRequest(place, KEPT_NOWHERE[kind])
        case "function_call":
            message = Message("assistant", [read_call(fields)])
        case "function_call_output":
            message = Message("user", [_read_result(fields, unread)])
        case "reasoning":
            message = Message("assistant", read_thoughts(fields))
        case "image_generation_call" if isinstance(fields.rest.get("result"), str):
            message = Message("assistant", [read_image(fields)])
        case _ if kind in CALLS:
            message = Message("assistant", [read_own_call(fields, kind)])
        case _ if kind in ANSWERS:
            message = Message("user", [read_own_answer(fields, kind, unread)])
        case _:
            return _foreign(item, kind)
    fields.rest.pop("id", None)  # under which the API would keep it
    fields.rest.pop("status", None)
    fields.leave(unread)
    return message


def _foreign(item: Json, kind: str) -> Message:
    return Message("user" if by_the_caller(kind) else "assistant", [Foreign(NAME, item)])


def by_the_caller(kind: str) -> bool:
    """Whose items of this kind are; that of messages is in their role."""
    return kind.endswith("_output") or kind in CALLERS


def _read_message(fields: Fields, unread: Json) -> Message:
    role = fields.need("role", str)
    if role not in ROLES:
        raise BadRequest(fields.path("role"), f"unknown role {role!r}")
    content = fields.need("content", (str, list))
    return Message(ROLES[role], read_parts(content, fields.path("content"), unread))


def read_call(fields: Fields) -> ToolUse:
    call, seal = without_seal(fields.need("call_id", str))
    return ToolUse(call, fields.need("name", str), fields.may("arguments", str) or "", seal)


def _read_result(fields: Fields, unread: Json) -> ToolResult:
    call, _ = without_seal(fields.need("call_id", str))
    output = fields.need("output", (str, list))
    content = tuple(read_parts(output, fields.path("output"), unread))
    return ToolResult(call, content, name=fields.may("name", str))


def read_thoughts(fields: Fields) -> list[Block]:
    """One thought, or none where neither its words nor its seal are there. Its parts, of a summary
    or in full, become paragraphs. Without any, only the seal holds it."""
    parts = [Fields(*one) for name in ("summary", "content") for one in fields.each(name)]
    text = "\n\n".join(part.need("text", str) for part in parts)
    sealed, name = fields.may("encrypted_content", str), fields.may("id", str)
    seal: Seal | None = None if sealed is None else uncarried(sealed, ISSUER)
    if not text and seal is None:
        return []
    return [Thinking(text, seal, redacted=not parts, id=name)]


def read_image(fields: Fields) -> Media:
    """An image that the model made, as base64."""
    form = fields.may("output_format", str) or "png"
    return Media("image", plain(f"image/{form}"), base64=fields.need("result", str))

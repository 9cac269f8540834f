"""What the API made of a conversation that had grown too long, read.

https://platform.claude.com/docs/en/build-with-claude/compaction
"""

from gateway.chat.blocks import Block, Foreign, Seal, Text
from gateway.chat.request import Message
from gateway.dialects.anthropic_messages.parts import ISSUER, read_mark
from gateway.dialects.base import Fields
from gateway.wire.json import Json

KIND = "compaction"


def from_summary(messages: list[Message], unread: Json) -> list[Message]:
    """The conversation from its last summary on: the API itself leaves out what stands before one.
    Wherever it stood, it is told by the user, with whom a conversation must begin elsewhere."""
    summary: Text | None = None
    rest = messages
    for nth, message in enumerate(messages):
        for at, block in enumerate(message.content):
            if not _is_summary(block):
                continue
            told = _read(Fields(block.data, f"messages[{nth}].content[{at}]"), unread)  # type: ignore[union-attr]
            if told is not None:
                summary = told
                later = Message(message.role, message.content[at + 1 :], message.name)
                rest = [*([later] if later.content else []), *messages[nth + 1 :]]
    for message in rest:
        message.content = [block for block in message.content if not _is_summary(block)]
    return rest if summary is None else [Message("user", [summary]), *rest]


def _is_summary(block: Block) -> bool:
    return isinstance(block, Foreign) and block.kind == KIND


def _read(fields: Fields, unread: Json) -> Text | None:
    """None for one that failed, which says nothing. What only the issuer can check is its seal."""
    fields.may("type", str)
    words = fields.may("content", str)
    sealed = [fields.may(name, str) for name in ("signature", "encrypted_content")]
    seal = next((Seal(ISSUER, value) for value in sealed if value), None)
    ttl = read_mark(fields, unread)
    if not fields.rest.get("tool_changes"):  # the tools are those of the request
        fields.rest.pop("tool_changes", None)
    fields.leave(unread)
    return Text(words, ttl, seal=seal) if words else None

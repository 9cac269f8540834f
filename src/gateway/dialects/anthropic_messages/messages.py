"""The turns of a conversation, both ways."""

from typing import Any

from gateway.chat.blocks import Foreign, Media, Text, ToolResult, ToolUse
from gateway.chat.request import ChatRequest, Message
from gateway.dialects.anthropic_messages.models import Model
from gateway.dialects.anthropic_messages.parts import read_content
from gateway.dialects.anthropic_messages.writing import Speaker, with_words, write_blocks
from gateway.dialects.base import Fields
from gateway.errors import BadRequest
from gateway.wire.json import Json


def read_messages(items: list[Any], unread: Json) -> list[Message]:
    return [_read_message(Fields(one, f"messages[{nth}]"), unread) for nth, one in enumerate(items)]


def _read_message(fields: Fields, unread: Json) -> Message:
    role = fields.need("role", str)
    if role not in ("user", "assistant", "system"):
        raise BadRequest(
            fields.path("role"), f"must be one of user, assistant, system, not {role!r}"
        )
    content = fields.need("content", (str, list))
    message = Message(role, read_content(content, fields.path("content"), unread))
    fields.leave(unread)
    return message


# Claude Code's first system text, for Anthropic's own servers: it differs from call to call, and
# in front of all else it would keep every other provider from finding anything in its cache.
BILLING = "x-anthropic-billing-header"


def read_system(fields: Fields, unread: Json) -> list[Text]:
    content = fields.may("system", (str, list))
    texts = []
    for nth, block in enumerate(read_content("" if content is None else content, "system", unread)):
        if not isinstance(block, Text):
            raise BadRequest(f"system[{nth}].type", "must be text")
        if block.text.startswith(f"{BILLING}:") and isinstance(content, list):
            unread[f"system[].{BILLING}"] = block.text
        else:
            texts.append(block)
    return texts


def mark_last(messages: list[Message], ttl: str) -> bool:
    """A cache mark for the whole request stands on its last block that can have one."""
    blocks = [block for message in messages for block in message.content]
    for block in reversed(blocks):
        if isinstance(block, Text | Media | ToolUse | ToolResult):
            block.cache_ttl = block.cache_ttl or ttl
            return True
    return False


# There is no JSON without a schema, but for what a model can be asked to write.
ONE_OBJECT = "Answer with exactly one JSON object: no words before or after it, and no code fence."


def write_messages(
    request: ChatRequest, model: Model, dropped: set[str]
) -> tuple[list[Json], list[Json]]:
    """The blocks of ``system``, and the turns: alternating, and the results of tools first in
    theirs, all of them in the one turn that follows the calls."""
    turns = Turns(model, dropped)
    for message in request.messages:
        if message.name is not None:
            dropped.add("name")
        if message.role == "system":
            turns.system(message)
        else:
            turns.say(message.role, write_blocks(message.content, message.role, dropped))
    turns.settle()
    system = write_blocks(request.system, "user", dropped) + turns.moved
    if request.response_format and request.response_format.schema is None:
        system.append({"type": "text", "text": ONE_OBJECT})
    return with_words(system, dropped), [_finished(turn, dropped) for turn in turns.said]


class Turns:
    """Turns as the API wants them.

    Where a model takes a message of the system amid the conversation, that must stand after a
    user's turn and before an assistant's, or at the end
    (https://platform.claude.com/docs/en/build-with-claude/mid-conversation-system-messages):
    one that stands before a user's goes after it. Where it does not, or none fits, what the system
    says moves to the beginning. ``moved``: that.
    """

    __slots__ = ("_dropped", "_model", "_waiting", "moved", "said")

    def __init__(self, model: Model, dropped: set[str]) -> None:
        self._model = model
        self._dropped = dropped
        self._waiting: list[Json] = []  # of the system, until its place is known
        self.said: list[Json] = []
        self.moved: list[Json] = []

    def system(self, message: Message) -> None:
        texts = [block for block in message.content if isinstance(block, Text)]
        for other in message.content:
            if isinstance(other, Foreign):
                self._dropped.add(other.kind)
        written = write_blocks(texts, "user", self._dropped)
        if self.said:
            self._waiting += written
        else:
            self.moved += written  # nothing was said before: it is at the beginning

    def say(self, speaker: Speaker, content: list[Json]) -> None:
        if not content:
            return
        if speaker == "assistant":
            self.settle()
        elif self._waiting:
            self._dropped.add("system.position")
        last = self.said[-1] if self.said else None
        if last and last["role"] == speaker:
            last["content"] += content
        else:
            self.said.append({"role": speaker, "content": content})

    def settle(self) -> None:
        """What the system said stands here, or at the beginning."""
        if not self._waiting:
            return
        if self._model.system and self.said[-1]["role"] == "user":
            self.said.append({"role": "system", "content": self._waiting})
        else:
            self._dropped.add("system.position")
            self.moved += self._waiting
        self._waiting = []


def _finished(turn: Json, dropped: set[str]) -> Json:
    content = turn["content"]
    if turn["role"] == "user":
        content.sort(key=lambda block: block["type"] != "tool_result")
    return {**turn, "content": plain(with_words(content, dropped))}


def plain(content: list[Json]) -> str | list[Json]:
    """A text that is alone, and has nothing beside it, is said as one."""
    only = content[0] if len(content) == 1 else {}
    return only["text"] if set(only) == {"type", "text"} else content

"""The turns of a conversation, both ways."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from gateway.chat.blocks import (
    Block,
    Foreign,
    Media,
    Refusal,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
)
from gateway.chat.request import ChatRequest, Message
from gateway.dialects.anthropic_messages.compaction import from_summary
from gateway.dialects.anthropic_messages.models import Model
from gateway.dialects.anthropic_messages.parts import read_content
from gateway.dialects.anthropic_messages.turns import THOUGHTS
from gateway.dialects.anthropic_messages.writing import Speaker, write_blocks
from gateway.dialects.base import Fields
from gateway.errors import BadRequest
from gateway.wire.json import Json


def read_messages(items: list[Any], unread: Json) -> list[Message]:
    fields = [Fields(one, f"messages[{nth}]") for nth, one in enumerate(items)]
    return from_summary([_read_message(one, unread) for one in fields], unread)


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
            blocks = write_blocks(message.content, message.role, dropped)
            turns.say(message.role, _in_place(blocks, dropped))
    turns.settle()
    system = write_blocks(request.system, "user", dropped) + turns.moved
    if turns.said:
        _trim(turns.said[-1])
    return system, [_finished(turn) for turn in turns.said]


def _in_place(blocks: list[Json], dropped: set[str]) -> list[Json]:
    """Without thoughts that are no longer where they were thought.

    Two never follow each other, so that something stood between two that do, and was put elsewhere:
    Chat Completions has one place for all thoughts of a message, and a client may lose what tells
    theirs. The API refuses them then, and if only some are left, too: "blocks in the latest
    assistant message cannot be modified" (https://github.com/BerriAI/litellm/issues/23047,
    https://github.com/mastra-ai/mastra/pull/22099); with none at all it goes on
    (https://github.com/NousResearch/hermes-agent/pull/24107). A hidden one may follow another
    (https://platform.claude.com/docs/en/build-with-claude/extended-thinking#thinking-redaction).
    """
    kinds = [block["type"] for block in blocks]
    others = [block for block in blocks if block["type"] not in THOUGHTS]
    if len(others) < 2 or ("thinking", "thinking") not in pairwise(kinds):
        return blocks
    dropped.add("thinking")
    return others


# What a message of the system cannot hold.
Unsystematic = Foreign | Thinking | ToolUse | ToolResult
KINDS: Mapping[type[Block], str] = {
    Thinking: "thinking",
    ToolUse: "tool_use",
    ToolResult: "tool_result",
}


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
        """Only words are the system's: what it shows is told by the user, in its place."""
        words = [one for one in message.content if isinstance(one, Text | Refusal)]
        shown = [one for one in message.content if isinstance(one, Media)]
        self._dropped |= {_kind(one) for one in message.content if isinstance(one, Unsystematic)}
        written = write_blocks(words, "user", self._dropped)
        if self.said:
            self._waiting += written
        else:
            self.moved += written  # nothing was said before: it is at the beginning
        if told := write_blocks(shown, "user", self._dropped):
            self._dropped.add("system.position")
            self.say("user", told)

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
            # Behind what it said before, for what comes later may take that back.
            told = (turn["content"] for turn in reversed(self.said) if turn["role"] == "system")
            next(told, self.moved).extend(self._waiting)
        self._waiting = []


def _kind(block: Unsystematic) -> str:
    return block.kind if isinstance(block, Foreign) else KINDS[type(block)]


def _trim(last: Json) -> None:
    """An answer that the caller begins: "final assistant content cannot end with trailing
    whitespace"."""
    content = last["content"]
    if last["role"] == "assistant" and content[-1]["type"] == "text":
        content[-1] = {**content[-1], "text": content[-1]["text"].rstrip()}


def _finished(turn: Json) -> Json:
    content = turn["content"]
    if turn["role"] == "user":
        content.sort(key=lambda block: block["type"] != "tool_result")
    return {**turn, "content": plain(content)}


def plain(content: list[Json]) -> str | list[Json]:
    """A text that is alone, and has nothing beside it, is said as one."""
    only = content[0] if len(content) == 1 else {}
    return only["text"] if set(only) == {"type", "text"} else content

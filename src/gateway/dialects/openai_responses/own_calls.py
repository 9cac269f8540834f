"""Calls of the API's own tools and of custom ones, with their answers, read as those of any tool:
what an agent has done is not lost where its conversation goes on elsewhere.

https://platform.openai.com/docs/api-reference/responses/create#responses_create-input
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.chat.blocks import Block, Seal, Text, ToolResult, ToolUse
from gateway.chat.seals import without_seal
from gateway.dialects.base import Fields
from gateway.dialects.openai_responses.parts import read_image_part, read_parts
from gateway.wire.json import Json, dumps

# What the tool of a call is called (None: the call says it), and which member has the arguments.
CALLS: Mapping[str, tuple[str | None, tuple[str, ...]]] = {
    "local_shell_call": ("local_shell", ("action",)),
    "shell_call": ("shell", ("action",)),
    "apply_patch_call": ("apply_patch", ("operation",)),
    "computer_call": ("computer", ("actions", "action")),
    "custom_tool_call": (None, ("input",)),
}
ANSWERS = frozenset(f"{call}_output" for call in CALLS)
FUNCTION = "function_call"


@dataclass(frozen=True, slots=True)
class Pairs:
    """Calls and answers find each other by an id. One without the other is refused everywhere, so
    that both are read or none.

    ``whole``: the ids of calls in CALLS that are answered, whatever kind the answer is of (Codex
    answers its shell as a function), and of functions' that one of ANSWERS answers.
    ``unread``: those of calls that are not read.
    """

    whole: frozenset[str]
    unread: frozenset[str]

    def reads(self, kind: str | None, item: Json) -> bool:
        """Whether an item is of a pair that is read as a call and its answer."""
        if kind in CALLS or kind in ANSWERS:
            return _id(item) in self.whole
        return kind != f"{FUNCTION}_output" or _id(item) not in self.unread


def pairs_in(items: list[Any]) -> Pairs:
    called: set[str] = set()
    answered: set[str] = set()
    others: set[str] = set()
    for item in items:
        kind = item.get("type") if isinstance(item, dict) else None
        name = _id(item) if isinstance(kind, str) else None
        if kind is None or name is None:
            continue
        if kind in CALLS or kind == FUNCTION:
            called.add(name)
        elif kind in ANSWERS or kind == f"{FUNCTION}_output":
            answered.add(name)
        elif kind.endswith("_call"):
            others.add(name)
    return Pairs(frozenset(called & answered), frozenset(others - called))


def _id(item: Json) -> str | None:
    """A local shell's answer has its call's id as its own, and so may an old call."""
    name = item.get("call_id") or item.get("id")
    return without_seal(name)[0] if isinstance(name, str) else None


def read_own_call(fields: Fields, kind: str) -> ToolUse:
    """Arguments are an object's text with every tool."""
    tool, members = CALLS[kind]
    member = next((one for one in members if one in fields.rest), members[-1])
    given = fields.need(member, (dict, list, str))
    arguments = given if isinstance(given, dict) else {member: given}
    name = tool or fields.need("name", str)
    call, seal = _read_id(fields)
    return ToolUse(call, name, dumps(arguments).decode(), seal)


def read_own_answer(fields: Fields, kind: str, unread: Json) -> ToolResult:
    output = fields.may("output", (str, list, dict))
    content: list[Block]
    if isinstance(output, dict):  # the screen that a computer shows
        shown = Fields(output, fields.path("output"))
        shown.may("type", str)
        content = [read_image_part(shown)]
        shown.leave(unread)
    elif isinstance(output, list) and kind == "shell_call_output":
        content = [Text(dumps(output).decode())]  # what each command has put out, and how it ended
    else:
        content = read_parts(output or "", fields.path("output"), unread)
    failed = fields.may("status", str) == "failed"
    call, _ = _read_id(fields)
    return ToolResult(call, tuple(content), is_error=failed)


def _read_id(fields: Fields) -> tuple[str, Seal | None]:
    """One of a pair has one, and a seal in it where the call has."""
    name, own = fields.may("call_id", str), fields.may("id", str)
    return without_seal(name or own or "")

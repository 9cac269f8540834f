"""The messages of a chat, read: what each role says, as blocks."""

from gateway.chat.blocks import Block, Foreign, Refusal, Seal, Text, ToolResult, ToolUse
from gateway.chat.request import Message
from gateway.chat.seals import without_seal
from gateway.dialects.base import Fields
from gateway.dialects.openai_chat.parts import NAME, read_cache_mark, read_content
from gateway.dialects.openai_chat.pieces import attach, read_annotations, read_audio, read_images
from gateway.dialects.openai_chat.thoughts import (
    Placed,
    in_order,
    read_google_seal,
    read_thoughts,
)
from gateway.dialects.openai_chat.tools import read_call
from gateway.errors import BadRequest
from gateway.wire.json import Json


class Conversation:
    """``system``: what the system says before all else; ``messages``: what follows."""

    def __init__(self, unread: Json) -> None:
        self.system: list[Text] = []
        self.messages: list[Message] = []
        self._unread = unread
        self._called = ""  # the id that we gave to the last call that has none
        self._others: dict[str, str] = {}  # calls of no function: the id -> the kind

    def read(self, message: object, place: str) -> None:
        fields = Fields(message, place)
        role = fields.need("role", str)
        match role:
            case "system" | "developer":
                self._read_system(fields)
            case "user":
                self._add("user", self._marked(fields, read_content(fields, self._unread)), fields)
            case "tool" | "function":
                self._add("user", [self._read_result(fields, role)])
            case "assistant":
                self._add("assistant", self._marked(fields, self._read_assistant(fields)), fields)
            case _:
                raise BadRequest(f"{place}.role", f"unknown role {role!r}")
        fields.leave(self._unread)

    def _read_system(self, fields: Fields) -> None:
        blocks = self._marked(fields, read_content(fields, self._unread))
        for nth, block in enumerate(blocks):
            if not isinstance(block, Text):
                place = f"{fields.path('content')}[{nth}]"
                raise BadRequest(place, "a system message holds text only")
            if not self.messages:
                self.system.append(block)
        if self.messages:
            self._add("system", blocks, fields)

    def _add(self, role: str, content: list[Block], fields: Fields | None = None) -> None:
        """Join what one speaker says in a row: other dialects want the turns to alternate."""
        name = fields.may("name", str) if fields else None
        last = self.messages[-1] if self.messages else None
        if last and (last.role, last.name) == (role, name):
            last.content += content
        elif role == "assistant":
            self.messages.append(Message("assistant", content, name))
        else:
            self.messages.append(Message("user" if role == "user" else "system", content, name))

    def _marked(self, fields: Fields, blocks: list[Block]) -> list[Block]:
        """A cache mark on the whole message is one at its end."""
        last = blocks[-1] if blocks else None
        if last is not None and hasattr(last, "cache_ttl"):
            ttl = read_cache_mark(fields, self._unread)
            last.cache_ttl = ttl or last.cache_ttl
        return blocks

    def _read_result(self, fields: Fields, role: str) -> Block:
        name = fields.may("name", str)
        call = self._called  # a function's answer, as it was once, names no call: it is to the last
        if role == "tool":
            call, _ = without_seal(fields.need("tool_call_id", str))
        if call in self._others:  # without its call it would be refused
            told, fields.rest = fields.rest, {}
            return Foreign(NAME, {"type": self._others[call], "tool_call_id": call, **told})
        ttl = read_cache_mark(fields, self._unread)
        return ToolResult(call, tuple(read_content(fields, self._unread)), cache_ttl=ttl, name=name)

    def _read_assistant(self, fields: Fields) -> list[Block]:
        seals: dict[str, Seal] = {}
        thoughts, blocks = read_said(fields, self._unread, seals)
        for given, place in fields.each("tool_calls"):
            call = read_call(Fields(given, place), self._unread)
            if isinstance(call, ToolUse):
                call.seal = call.seal or seals.get(call.id)
            else:
                self._others[str(call.data.get("id"))] = call.kind
            blocks.append(call)
        if (legacy := fields.may("function_call", dict)) is not None:
            function = Fields(legacy, fields.path("function_call"))
            self._called = f"call_{len(self.messages)}"
            name, arguments = function.need("name", str), function.may("arguments", str)
            blocks.append(ToolUse(self._called, name, arguments or ""))
            function.leave(self._unread)
        return in_order(thoughts, blocks)


def read_said(
    message: Fields, unread: Json, seals: dict[str, Seal]
) -> tuple[list[Placed], list[Block]]:
    """Pop what an assistant says beside its calls, of a request or of a reply: its thoughts, and
    all else."""
    thoughts = read_thoughts(message, unread, seals)
    content = read_content(message, unread)
    attach(read_annotations(message, unread), content)
    if (seal := read_google_seal(message)) is not None:
        texts = [block for block in content if isinstance(block, Text)]
        for text in texts[-1:]:
            text.seal = seal
    if refusal := message.may("refusal", str):
        content.append(Refusal(refusal))
    content += read_images(message, unread)
    if (audio := read_audio(message, unread)) is not None:
        content.append(audio)
    return thoughts, content

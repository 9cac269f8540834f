"""The messages of a chat, written for a provider: only what OpenAI itself documents.

Others take more, and many refuse what they do not know: OpenAI and Mistral a cache mark, Groq and
Mistral ``reasoning_content`` (https://github.com/janhq/jan/issues/8136,
https://github.com/BerriAI/litellm/issues/30835). But DeepSeek and Moonshot refuse a conversation
whose tool calls come back without the thoughts before them
(https://api-docs.deepseek.com/guides/thinking_mode): for them, ``thoughts`` are told.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.chat.blocks import Block, Media, Text, Thinking, ToolResult, ToolUse
from gateway.chat.request import Message
from gateway.dialects.openai_chat.parts import write_part
from gateway.dialects.openai_chat.tools import write_call_back
from gateway.wire.json import Json


@dataclass(slots=True)
class MessageWriter:
    """``dropped`` gets the names of what could not be said."""

    dropped: set[str]
    thoughts: bool = False

    def system(self, texts: list[Text]) -> list[Json]:
        content = self._parts(texts)
        return [{"role": "system", "content": _content(content)}] if content else []

    def write(self, message: Message) -> list[Json]:
        """One message of ours may be several of theirs: each tool's answer is one of its own.

        What a tool shows beside text is no part of its answer there: the user shows it, next.
        Neither has the system anything but words (ChatCompletionSystemMessageParam in the SDK).
        """
        if message.role == "system":
            return self._system(message)
        shown: list[Json] = []
        results = [block for block in message.content if isinstance(block, ToolResult)]
        out = [self._result(result, shown) for result in results]
        said: Json
        if message.role == "assistant":
            said = self._assistant(message.content)
        else:
            parts = shown + self._parts(message.content)
            said = {"content": _content(parts)} if parts else {}
        return out + _said_by(message, said)

    def _system(self, message: Message) -> list[Json]:
        words: list[Json] = []
        shown: list[Json] = []
        for block in message.content:
            place = words if isinstance(block, Text) else shown
            place += self._parts([block])
        out = _said_by(message, {"content": _content(words)} if words else {})
        if shown:
            self.dropped.add("system.position")
            out.append({"role": "user", "content": _content(shown)})
        return out

    def _result(self, result: ToolResult, shown: list[Json]) -> Json:
        if result.is_error:
            self.dropped.add("tool_result.is_error")
        if result.cache_ttl is not None:
            self.dropped.add("cache_control")
        texts: list[Block] = []
        for block in result.content:
            if isinstance(block, Media):
                self.dropped.add(f"tool_result.{block.kind}")
                lost: set[str] = set()
                moved = write_part(block, lost)
                self.dropped |= lost - {block.kind}
                shown += [moved] if moved else []
            else:
                texts.append(block)
        name = {} if result.name is None else {"name": result.name}
        answer = _content(self._parts(texts))
        return {"role": "tool", "tool_call_id": result.tool_use_id, "content": answer, **name}

    def _assistant(self, content: list[Block]) -> Json:
        parts: list[Json] = []
        calls: list[Json] = []
        thoughts: list[str] = []
        said: Json = {}
        for block in content:
            match block:
                case ToolUse():
                    calls.append(write_call_back(block, self.dropped))
                case Thinking(text, None) if self.thoughts:
                    thoughts.append(text)
                case Thinking():
                    self.dropped.add("thinking")
                case Media("audio", file_id=str(id)) if "audio" not in said:
                    said["audio"] = {"id": id}
                case Media():  # an assistant shows nothing there
                    self.dropped.add(block.kind)
                case _:
                    parts += self._parts([block])
        if calls:
            said["tool_calls"] = calls
        if thoughts or (self.thoughts and calls):  # they ask for it even where it is empty
            said["reasoning_content"] = "".join(thoughts)
        if not (parts or said):
            return {}
        return {"content": _content(parts) or None, **said}

    def _parts(self, blocks: Sequence[Block]) -> list[Json]:
        parts: list[Json] = []
        for block in blocks:
            if isinstance(block, Thinking):
                self.dropped.add("thinking")
            elif (part := write_part(block, self.dropped)) is not None:
                parts.append(part)
        return parts


def _said_by(message: Message, said: Json) -> list[Json]:
    name = {} if message.name is None else {"name": message.name}
    return [{"role": message.role, **said, **name}] if said else []


def results_first(messages: list[Json], dropped: set[str]) -> list[Json]:
    """The answers of tools next to their calls, where they must be ("An assistant message with
    'tool_calls' must be followed by tool messages"), however the turns between came in."""
    out: list[Json] = []
    between: list[Json] = []
    called: set[str] = set()
    for message in messages:
        if message["role"] == "assistant":
            called = {call["id"] for call in message.get("tool_calls", ())}
            out += [*between, message]
            between = []
        elif message.get("tool_call_id") in called:
            dropped |= {"system.position" for one in between if one["role"] == "system"}
            out.append(message)
        else:
            between.append(message)
    return out + between


def _content(parts: list[Json]) -> str | list[Json]:
    """Plain text where it is no more than that: not every imitator takes an array everywhere."""
    if not parts:
        return ""
    if len(parts) == 1 and parts[0]["type"] == "text":
        text: str = parts[0]["text"]
        return text
    return parts

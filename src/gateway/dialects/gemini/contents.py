"""The turns of a conversation, as a request tells them."""

from collections.abc import Mapping

from gateway.chat.blocks import Block, Foreign, Media, Refusal, Text, Thinking, ToolResult, ToolUse
from gateway.chat.request import ChatRequest, Message
from gateway.dialects.gemini.calls import Calls
from gateway.dialects.gemini.fields import ProtoFields
from gateway.dialects.gemini.models import Model
from gateway.dialects.gemini.parts import PartReader, joined, unmarked
from gateway.dialects.gemini.seals import UNSIGNED, returned
from gateway.dialects.gemini.writing import PartWriter
from gateway.errors import BadRequest
from gateway.wire.json import Json

USERS = ("user", "function", "tool")  # older clients answer a call as `function`
# What a message of the system has no place for, by the names that are reported.
NOT_SYSTEMS: Mapping[type[Block], str] = {
    Thinking: "thinking",
    ToolUse: "tool_use",
    ToolResult: "tool_result",
}


def read_contents(request: ProtoFields, unread: Json) -> list[Message]:
    calls = Calls()
    reader = PartReader(returned, calls.called, calls.answered, unread)
    messages: list[Message] = []
    for nth, (raw, path) in enumerate(request.each("contents")):
        content = ProtoFields(raw, path)
        role = content.may("role", str) or "user"
        if role not in (*USERS, "model"):
            raise BadRequest(f"{path}.role", f"must be user or model, not {role!r}")
        blocks = read_parts(content, reader, str(nth))
        content.leave(unread)
        if role != "model":
            messages.append(Message("user", blocks))
        elif messages and messages[-1].role == "assistant":
            messages[-1].content = joined([*messages[-1].content, *blocks])
        else:
            messages.append(Message("assistant", joined(blocks)))
    for message in messages:
        message.content = unmarked(message.content)
    return [message for message in messages if message.content]


def read_parts(content: ProtoFields, reader: PartReader, place: str) -> list[Block]:
    read = (
        reader.read(raw, path, f"{place}_{nth}")
        for nth, (raw, path) in enumerate(content.each("parts"))
    )
    return [block for block in read if block]


def read_system(request: ProtoFields, unread: Json) -> list[Text]:
    instruction = request.inner("systemInstruction")
    if instruction is None:
        return []
    instruction.may("role", str)
    path = instruction.path("parts")
    calls = Calls()
    reader = PartReader(returned, calls.called, calls.answered, unread)
    blocks = unmarked(read_parts(instruction, reader, ""))
    instruction.leave(unread)
    texts = [block for block in blocks if isinstance(block, Text)]
    if len(texts) < len(blocks):
        raise BadRequest(path, "must hold text only")
    return texts


def write_contents(request: ChatRequest, model: Model, dropped: set[str]) -> Json:
    writer = PartWriter(request, model, dropped)
    turns, system = _told(request, writer, dropped)
    texts = list(writer.parts(system))
    if texts and not model.system:
        dropped.add("system.position")
        turns = _told_by_user(texts, turns)
    contents = [content for turn in _begun(turns) for content in _apart(turn)]
    if model.newer:
        _sign(contents)
    body: Json = {"contents": contents}
    if texts and model.system:
        body["systemInstruction"] = {"parts": texts}
    return body


def _told(
    request: ChatRequest, writer: PartWriter, dropped: set[str]
) -> tuple[list[Json], list[Block]]:
    """The turns of user and model, and what the system says before all else. What it says when the
    model has had the last word is told by the user: the model would go on with its own words
    instead (newer ones: "Requests ending with a model turn are not supported")."""
    turns: list[Json] = []
    system: list[Block] = [*request.system]
    spoken = (nth for nth, message in enumerate(request.messages) if message.role != "system")
    last, answered = max(spoken, default=-1), False
    for nth, message in enumerate(request.messages):
        if message.name is not None:
            dropped.add("name")
        role, content = "model" if message.role == "assistant" else "user", message.content
        if message.role == "system":
            words, content = _of_system(message, dropped)
            if turns or content:
                dropped.add("system.position")
            if answered:
                content = [*words, *content]
            else:
                system += words
        parts = list(writer.parts(content))
        if turns and turns[-1]["role"] == role:
            turns[-1]["parts"] += parts
        elif parts:
            turns.append({"role": role, "parts": parts})
        answered = answered or (nth == last and bool(turns) and turns[-1]["role"] == "model")
    return turns, system


def _of_system(message: Message, dropped: set[str]) -> tuple[list[Block], list[Block]]:
    """Its words, which go before all else; and what it shows, which the user shows in its place:
    only words are the system's."""
    words: list[Block] = []
    shown: list[Block] = []
    for block in message.content:
        if isinstance(block, Text | Refusal):
            words.append(block)
        elif isinstance(block, Media):
            shown.append(block)
        else:
            dropped.add(block.kind if isinstance(block, Foreign) else NOT_SYSTEMS[type(block)])
    return words, shown


def _told_by_user(texts: list[Json], turns: list[Json]) -> list[Json]:
    """Gemma has the system's words stand before the user's own.
    (https://ai.google.dev/gemma/docs/core/prompt-structure#system-instructions)"""
    if turns and turns[0]["role"] == "user":
        return [{"role": "user", "parts": [*texts, *turns[0]["parts"]]}, *turns[1:]]
    return [{"role": "user", "parts": texts}, *turns]


def _begun(turns: list[Json]) -> list[Json]:
    """A call must follow something ("Please ensure that function call turn comes immediately after
    a user turn or after a function response turn"): where a conversation begins with one, that
    is a turn which says nothing."""
    if turns and turns[0]["role"] == "model" and _any("functionCall", turns[0]):
        return [{"role": "user", "parts": [{"text": " "}]}, *turns]
    return turns


def _apart(turn: Json) -> list[Json]:
    """The results of functions in a content of their own, right behind the calls; what else the
    user says there in one after it. Newer models refuse a content that holds both, in misleading
    words: "Requests ending with a model turn are not supported."
    (https://github.com/deepnoodle-ai/dive/pull/287,
    https://github.com/Prism-Shadow/agenthub/pull/189)"""
    if turn["role"] == "model" or not _any("functionResponse", turn):
        return [turn]
    results = [part for part in turn["parts"] if "functionResponse" in part]
    others = [part for part in turn["parts"] if "functionResponse" not in part]
    return [{"role": "user", "parts": parts} for parts in (results, others) if parts]


def _any(kind: str, content: Json) -> bool:
    return any(kind in part for part in content["parts"])


def _sign(contents: list[Json]) -> None:
    """Newer models refuse a call without a signature, where it is the first of a step that belongs
    to the current turn: to all since the user last said something in words."""
    for content in reversed(contents):
        calls = [part for part in content["parts"] if "functionCall" in part]
        if content["role"] == "model":
            if calls and not any("thoughtSignature" in part for part in calls):
                calls[0]["thoughtSignature"] = UNSIGNED
        elif _any("text", content):
            return

"""The turns of a conversation, as a request tells them."""

from collections.abc import Iterable

from gateway.chat.blocks import Block, Foreign, Media, Refusal, Text, Thinking, ToolResult, ToolUse
from gateway.chat.request import ChatRequest, Message
from gateway.dialects.gemini.arguments import BROKEN, as_object, write_arguments
from gateway.dialects.gemini.calls import Calls
from gateway.dialects.gemini.fields import ProtoFields
from gateway.dialects.gemini.media import write_file, write_inline
from gateway.dialects.gemini.models import before_3, fetches
from gateway.dialects.gemini.parts import NAME, PartReader, joined, unmarked
from gateway.dialects.gemini.seals import UNSIGNED, native, returned
from gateway.errors import BadRequest, Unprocessable
from gateway.wire.json import Fragment, Json

USERS = ("user", "function", "tool")  # older clients answer a call as `function`
# What the result of a function may hold beside its JSON.
# (https://ai.google.dev/gemini-api/docs/function-calling#multimodal)
IN_RESULTS = ("image/png", "image/jpeg", "image/webp", "application/pdf", "text/plain")


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


def write_contents(request: ChatRequest, dropped: set[str]) -> Json:
    system = list(request.system)
    contents: list[Json] = []
    writer = PartWriter(request, dropped)
    for message in request.messages:
        if message.role == "system":
            dropped.add("system.position")
            system += [block for block in message.content if isinstance(block, Text)]
            continue
        if message.name is not None:
            dropped.add("name")
        role = "user" if message.role == "user" else "model"
        parts = list(writer.parts(message.content))
        if contents and contents[-1]["role"] == role:
            contents[-1]["parts"] += parts
        elif parts:
            contents.append({"role": role, "parts": parts})
    if not before_3(request.model):
        _sign(contents)
    body: Json = {"contents": contents}
    if texts := list(writer.parts(system)):
        body["systemInstruction"] = {"parts": texts}
    return body


def _sign(contents: list[Json]) -> None:
    """Models from Gemini 3 on refuse a call without a signature, where it is the first of a step
    that belongs to the current turn: to all since the user last said something."""
    for content in reversed(contents):
        calls = [part for part in content["parts"] if "functionCall" in part]
        if content["role"] == "model":
            if calls and not any("thoughtSignature" in part for part in calls):
                calls[0]["thoughtSignature"] = UNSIGNED
        elif any("functionResponse" not in part for part in content["parts"]):
            return


class PartWriter:
    """Writes blocks as the parts of a request, and notes what it cannot say."""

    def __init__(self, request: ChatRequest, dropped: set[str]) -> None:
        self._model, self._dropped = request.model, dropped
        self._names = {
            block.id: block.name
            for message in request.messages
            for block in message.content
            if isinstance(block, ToolUse)
        }

    def parts(self, blocks: Iterable[Block]) -> Iterable[Json]:
        for block in blocks:
            self._note(block)
            if part := self._part(block):
                yield part

    def _note(self, block: Block) -> None:
        """What cannot be said of a block that itself can be."""
        if getattr(block, "cache_ttl", None) is not None:
            self._dropped.add("cache_control")
        if isinstance(block, Text) and block.citations:
            self._dropped.add("citations")
        if isinstance(block, Refusal):
            self._dropped.add("refusal")
        if isinstance(block, Media):
            if block.detail not in (None, "auto"):
                self._dropped.add("detail")
            if block.name is not None:
                self._dropped.add("document.name")
            if block.transcript is not None:
                self._dropped.add("transcript")

    def _part(self, block: Block) -> Json | None:
        match block:
            case Text():
                sealed = self._sealed({"text": block.text}, block)
                return sealed if block.text or "thoughtSignature" in sealed else None
            case Thinking():
                return self._thought(block)
            case ToolUse():
                return self._sealed({"functionCall": write_call(block)}, block)
            case ToolResult():
                return {"functionResponse": self._result(block)}
            case Media():
                media = self._media(block)
                return self._sealed(media, block) if media else None
            case Refusal(text):
                return {"text": text} if text else None
            case Foreign():
                if block.dialect == NAME:
                    return block.data
                self._dropped.add(block.kind)
                return None

    def _sealed(self, part: Json, block: Text | ToolUse | Media) -> Json:
        if signature := native(block.seal):
            return {**part, "thoughtSignature": signature}
        if block.seal:
            self._dropped.add("signature")
        return part

    def _thought(self, thought: Thinking) -> Json | None:
        if signature := native(thought.seal):
            return {"text": thought.text, "thought": True, "thoughtSignature": signature}
        self._dropped.add("thinking")
        return None

    def _media(self, media: Media) -> Json | None:
        if inline := write_inline(media):
            return {"inlineData": inline}
        if file := write_file(media, fetches=fetches(self._model)):
            return {"fileData": file}
        self._dropped.add(media.kind)
        return None

    def _result(self, result: ToolResult) -> Json:
        name = result.name or self._names.get(result.tool_use_id)
        if name is None:
            raise Unprocessable(  # as MLflow's gateway says it
                f"Invalid tool message: tool_call_id={result.tool_use_id} does not match any tool "
                "call in a preceding assistant message."
            )
        texts, parts = [], []
        for block in result.content:
            self._note(block)
            if isinstance(block, Text | Refusal):
                texts.append(block.text)
            elif isinstance(block, Media) and (part := self._in_result(block)):
                parts.append({"inlineData": part})
            else:
                kind = block.kind if isinstance(block, Media | Foreign) else "block"
                self._dropped.add(f"tool_result.{kind}")
        response = _write_response("\n".join(texts), is_error=result.is_error)
        answer: Json = {"id": result.tool_use_id, "name": name, "response": response}
        return {**answer, "parts": parts} if parts else answer

    def _in_result(self, media: Media) -> Json | None:
        inline = None if before_3(self._model) else write_inline(media)
        return inline if inline and inline["mimeType"] in IN_RESULTS else None


def _write_response(text: str, *, is_error: bool) -> Json | Fragment:
    """An object as it is; anything else as the ``result`` of one."""
    parsed = as_object(text)
    if is_error:
        return {"error": text if parsed is None else parsed}
    return {"result": text} if parsed is None else parsed


def write_call(call: ToolUse) -> Json:
    arguments = write_arguments(call.arguments)
    if arguments is None:
        arguments = {BROKEN: call.arguments}
    return {"id": call.id, "name": call.name, "args": arguments}

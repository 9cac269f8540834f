"""The parts of a content, written for a provider.

https://ai.google.dev/api/caching#Part
"""

from collections.abc import Iterable

from gateway.chat.blocks import Block, Foreign, Media, Refusal, Text, Thinking, ToolResult, ToolUse
from gateway.chat.request import ChatRequest
from gateway.dialects.gemini.arguments import BROKEN, as_object, write_arguments
from gateway.dialects.gemini.media import write_file, write_inline
from gateway.dialects.gemini.models import Model
from gateway.dialects.gemini.parts import NAME
from gateway.dialects.gemini.seals import native
from gateway.errors import Unprocessable
from gateway.wire.json import Fragment, Json

# What the result of a function may hold beside its JSON.
# (https://ai.google.dev/gemini-api/docs/function-calling#multimodal)
IN_RESULTS = ("image/png", "image/jpeg", "image/webp", "application/pdf", "text/plain")


class PartWriter:
    """Writes blocks as the parts of a request, and notes what it cannot say."""

    def __init__(self, request: ChatRequest, model: Model, dropped: set[str]) -> None:
        self._model, self._dropped = model, dropped
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
            if isinstance(block, ToolResult):
                yield from self._beside(block)

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
                if media := self._media(block):
                    return self._sealed(media, block)
                self._dropped.add(block.kind)
                return None
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
        file = write_file(media, fetches=self._model.fetches)
        return {"fileData": file} if file else None

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

    def _beside(self, result: ToolResult) -> Iterable[Json]:
        """What a result cannot hold the user shows, right after it."""
        for block in result.content:
            if isinstance(block, Media) and not self._in_result(block):
                part = self._media(block)
                yield from [part] if part else []

    def _in_result(self, media: Media) -> Json | None:
        inline = write_inline(media) if self._model.newer else None
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

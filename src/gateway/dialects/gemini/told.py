"""The parts of an answer, as a caller of this API is told them."""

from gateway.chat.blocks import Block, Foreign, Media, Refusal, Text, Thinking, ToolUse
from gateway.dialects.gemini.arguments import write_arguments
from gateway.dialects.gemini.media import write_file, write_inline
from gateway.dialects.gemini.parts import NAME
from gateway.dialects.gemini.seals import given, given_always, given_with
from gateway.wire.json import Json


def told_part(block: Block, dropped: set[str]) -> Json | None:
    """None where there is nothing to tell, or no way to tell it, which is noted."""
    match block:
        case Text(text):
            return _signed({"text": text}, given(block.seal)) if text or block.seal else None
        case Thinking(text):
            if not text and not block.seal:
                return None
            return told_thought(block)
        case Refusal(text):
            dropped.add("refusal")
            return {"text": text} if text else None
        case ToolUse():
            return told_call(block, dropped)
        case Media():
            media = _media(block)
            if media is None:
                dropped.add(block.kind)
                return None
            return _signed(media, given(block.seal))
        case Foreign() if block.dialect == NAME:
            return block.data
    dropped.add(block.kind if isinstance(block, Foreign) else "tool_result")
    return None


def told_call(call: ToolUse, dropped: set[str]) -> Json | None:
    """Arguments that are no object are not told at all: who calls functions by them would err."""
    arguments = write_arguments(call.arguments)
    if arguments is None:
        dropped.add("tool_calls")
        return None
    told = {"id": call.id, "name": call.name, "args": arguments}
    return {"functionCall": told, "thoughtSignature": given_always(call.seal)}


def told_thought(thought: Thinking) -> Json:
    """Whatever it says; without words it is what a stream has at a thought's end."""
    return {"text": thought.text, "thought": True, "thoughtSignature": given_with(thought)}


def malformed(block: Block) -> bool:
    """A call that ``told_call`` cannot tell."""
    return isinstance(block, ToolUse) and told_call(block, set()) is None


def _media(media: Media) -> Json | None:
    if inline := write_inline(media):
        return {"inlineData": inline}
    file = write_file(media, fetches=True)
    return {"fileData": file} if file else None


def _signed(part: Json, signature: str | None) -> Json:
    return {**part, "thoughtSignature": signature} if signature else part

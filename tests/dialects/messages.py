"""Events of a streamed message, and what their order must be."""

from typing import Any

from gateway.chat.blocks import Block, Refusal, Text, Thinking, ToolUse
from gateway.chat.reply import (
    ArgumentsDelta,
    CitationDelta,
    RefusalDelta,
    ReplyEvent,
    SealDelta,
    TextDelta,
    ThinkingDelta,
    ToolUseStarted,
    WholeBlock,
)
from gateway.chat.request import ChatRequest
from gateway.dialects import ANTHROPIC_MESSAGES
from gateway.dialects.forms import Asked, Identity
from gateway.wire.json import Json, dumps, loads
from gateway.wire.sse import data_of, events, name_of, write_event


def event(kind: str, **fields: Any) -> bytes:
    return write_event(dumps({"type": kind, **fields}), kind)


def delta(kind: str, index: int = 0, **fields: Any) -> bytes:
    return event("content_block_delta", index=index, delta={"type": kind, **fields})


def opened(kind: str, index: int = 0, **fields: Any) -> bytes:
    return event("content_block_start", index=index, content_block={"type": kind, **fields})


MESSAGE: Json = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-real",
    "content": [],
    "stop_reason": None,
    "stop_sequence": None,
    "usage": {"input_tokens": 7, "output_tokens": 1, "cache_read_input_tokens": 4},
}
START = event("message_start", message=MESSAGE)
PING = event("ping")
TEXT = opened("text", text="")
HELLO, WORLD = delta("text_delta", text="Hello"), delta("text_delta", text=" world")
STOP = event("content_block_stop", index=0)
TOLD = event(
    "message_delta",
    delta={"stop_reason": "end_turn", "stop_sequence": None},
    usage={"output_tokens": 2},
)
END = event("message_stop")
WHOLE = START + TEXT + PING + HELLO + WORLD + STOP + TOLD + END
OVERLOADED: Json = {"type": "overloaded_error", "message": "Overloaded"}
BUSY = event("error", error=OVERLOADED)
REPLY = dumps(
    {**MESSAGE, "content": [{"type": "text", "text": "Hello"}], "stop_reason": "end_turn"}
)


def faults(stream: bytes) -> list[str]:
    """What is wrong with the order of a stream's events: the protocol as a state machine."""
    found, open_block, next_block, state = [], None, 0, "new"
    for one in events(stream):
        if not (data := data_of(one)):
            continue
        body = loads(data)
        kind, index = body["type"], body.get("index")
        if kind != name_of(one):
            found.append(f"{kind} is named {name_of(one)!r}")
        if state == "over":
            found.append(f"{kind} after the end")
        match kind:
            case "ping":
                pass
            case "error":
                state = "over"
            case "message_start":
                found += [] if state == "new" else ["a second message_start"]
                state = "started"
            case "content_block_start":
                found += [] if open_block is None and index == next_block else [f"start {index}"]
                open_block, next_block = index, next_block + 1
            case "content_block_delta":
                found += [] if index == open_block else [f"delta {index}"]
            case "content_block_stop":
                found += [] if index == open_block else [f"stop {index}"]
                open_block = None
            case "message_delta":
                found += [] if open_block is None and state == "started" else ["message_delta"]
                state = "told"
            case "message_stop":
                found += [] if state == "told" else ["message_stop"]
                state = "over"
    return found if state == "over" else [*found, "no end"]


IDENTITY = Identity("msg_ours", 1700000000)


def read_stream(stream: bytes) -> list[ReplyEvent]:
    reader = ANTHROPIC_MESSAGES.chat.reader(IDENTITY)  # type: ignore[union-attr]
    said = [one for event in events(stream) for one in reader.feed(data_of(event), name_of(event))]
    return said + reader.finish()


def asked(request: ChatRequest | None = None) -> Asked:
    return Asked({}, request or ChatRequest("m", []))


def blocks_of(told: list[ReplyEvent]) -> list[Block]:
    """The blocks that a stream tells, put together."""
    blocks: dict[int, Any] = {}
    for event in told:
        match event:
            case TextDelta(block, text):
                blocks.setdefault(block, Text("")).text += text
            case RefusalDelta(block, text):
                blocks.setdefault(block, Refusal("")).text += text
            case CitationDelta(block, citation):
                blocks.setdefault(block, Text("")).citations.append(citation)
            case ThinkingDelta(block, text, redacted=redacted):
                blocks.setdefault(block, Thinking("", redacted=redacted)).text += text
            case SealDelta(block, seal):
                blocks.setdefault(block, Thinking("")).seal = seal
            case ToolUseStarted(block, call, name, seal=seal):
                blocks[block] = ToolUse(call, name, "", seal)
            case ArgumentsDelta(block, json):
                blocks[block].arguments += json
            case WholeBlock(block, content):
                blocks[block] = content
    return [blocks[number] for number in sorted(blocks)]

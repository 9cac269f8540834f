"""What real providers have answered in OpenAI's Chat dialect, and its imitations, read."""

from pathlib import Path
from typing import Any

import pytest

from gateway.chat.blocks import Block, Refusal, Text, Thinking, ToolUse
from gateway.chat.reply import (
    ArgumentsDelta,
    BlockEnded,
    Choice,
    Ended,
    RefusalDelta,
    ReplyEvent,
    Started,
    Stopped,
    TextDelta,
    ThinkingDelta,
    ToolUseStarted,
)
from gateway.dialects import OPENAI_CHAT
from gateway.dialects.forms import Identity
from gateway.dialects.openai_chat import CHAT_FORM
from gateway.wire.json import Json, loads
from gateway.wire.sse import SseReader

RECORDINGS = Path(__file__).parents[3] / "shared" / "recordings"
FOUND = sorted(RECORDINGS.glob("*/*-chat*.json")) if RECORDINGS.is_dir() else []
# Cohere's chat, and Google's calls that are named so, are other APIs.
SPEAKERS = ("azure", "deepseek", "groq", "mistral", "openai", "openrouter")


def recorded(*, streamed: bool) -> list[Any]:
    found = []
    for path in FOUND:
        response = loads(path.read_bytes())["response"]
        spoken = path.parent.name in SPEAKERS and response["status"] == 200
        if spoken and bool(response.get("sse_text")) == streamed:
            text = response.get("sse_text") or response["body_text"]
            found.append(pytest.param(text, id=path.stem))
    none = pytest.mark.skip(reason="the recordings are not here")
    return found or [pytest.param("", marks=none)]


def said(choice: Json) -> list[Block]:
    """A plain second reading of a message, for what the recordings hold."""
    message = choice.get("message") or {}
    blocks: list[Block] = []
    if thought := message.get("reasoning_content") or message.get("reasoning"):
        blocks.append(Thinking(thought))
    for part in parts_of(message):
        if part["type"] == "thinking":
            blocks.append(Thinking("".join(piece["text"] for piece in part["thinking"])))
        elif part["text"]:
            blocks.append(Text(part["text"]))
    if message.get("refusal"):
        blocks.append(Refusal(message["refusal"]))
    for call in message.get("tool_calls") or ():
        name, arguments = call["function"]["name"], call["function"]["arguments"]
        blocks += [ToolUse(call["id"], name, arguments)]
    return blocks


def parts_of(message: Json) -> list[Json]:
    content: Any = message.get("content")
    return content if isinstance(content, list) else [{"type": "text", "text": content}]


def stop_of(told: str, *, refused: bool) -> str:
    return "refusal" if refused and told == "stop" else STOPS[told]


STOPS = {"stop": "end", "length": "length", "content_filter": "refusal", "tool_calls": "tool_use"}


@pytest.mark.parametrize("text", recorded(streamed=False))
def test_a_recorded_reply_says_what_it_said(text: str) -> None:
    body = loads(text)
    OPENAI_CHAT.check_reply(body)
    reply = CHAT_FORM.read_reply(body, Identity("unused", 0))
    assert (reply.id, reply.model, reply.created) == (body["id"], body["model"], body["created"])
    assert reply.choices == [
        Choice(
            said(choice),
            stop_of(  # type: ignore[arg-type]
                choice["finish_reason"], refused=bool((choice.get("message") or {}).get("refusal"))
            ),
        )
        for choice in body["choices"]
    ]
    assert reply.usage.prompt_tokens == body["usage"]["prompt_tokens"]
    assert reply.usage.output_tokens == body["usage"]["completion_tokens"]


def heard(text: str, size: int) -> list[ReplyEvent]:
    splitter, reader = SseReader(), CHAT_FORM.reader(Identity("unused", 0))
    events: list[ReplyEvent] = []
    raw = text.encode()
    for at in range(0, len(raw), size):
        for data in splitter.feed(raw[at : at + size]):
            events += reader.feed(data)
    assert reader.ended
    return events


@pytest.mark.parametrize("text", recorded(streamed=True))
def test_a_recorded_stream_says_what_it_said(text: str) -> None:
    events = heard(text, 1000)
    chunks = [loads(data) for data in SseReader().feed(text.encode()) if data != b"[DONE]"]
    assert isinstance(events[0], Started)
    assert events[0].id == next(chunk["id"] for chunk in chunks if chunk["choices"])
    told: dict[str, str] = {}
    stops = {}
    for chunk in chunks:
        for choice in chunk["choices"]:
            tell(told, choice["index"], choice.get("delta") or {})
            if reason := choice.get("finish_reason"):
                refused = f"{choice['index']} refusal" in told
                stops[choice["index"]] = stop_of(reason, refused=refused)
    assert joined(events) == told
    assert {event.choice: event.stop_reason for event in events if isinstance(event, Stopped)} == (
        stops
    )
    usages = [chunk.get("usage") or chunk.get("x_groq", {}).get("usage") for chunk in chunks]
    counts = next((usage for usage in reversed(usages) if usage), None)
    assert isinstance(events[-1], Ended)
    assert events[-1].usage.output_tokens == (counts["completion_tokens"] if counts else 0)


def tell(told: dict[str, str], index: int, delta: Json) -> None:
    def add(name: str, text: str | None) -> None:
        if text:
            told[f"{index} {name}"] = told.get(f"{index} {name}", "") + text

    for part in parts_of(delta):
        if part["type"] == "thinking":
            add("thinking", "".join(piece["text"] for piece in part["thinking"]))
        else:
            add("text", part["text"])
    add("thinking", delta.get("reasoning_content") or delta.get("reasoning"))
    add("refusal", delta.get("refusal"))
    for call in delta.get("tool_calls") or ():
        add("calls", call.get("id"))
        add("calls", call["function"].get("name"))
        add("arguments", call["function"].get("arguments"))


def joined(events: list[ReplyEvent]) -> dict[str, str]:
    told: dict[str, str] = {}
    begun: set[int] = set()
    ended: list[int] = []
    for event in events:
        match event:
            case TextDelta(block, text, choice):
                name = f"{choice} text"
            case ThinkingDelta(block, text, choice):
                name = f"{choice} thinking"
            case RefusalDelta(block, text, choice):
                name = f"{choice} refusal"
            case ToolUseStarted(block, id, tool, choice):
                name, text = f"{choice} calls", id + tool
            case ArgumentsDelta(block, text, choice):
                name = f"{choice} arguments"
            case BlockEnded(block):
                ended.append(block)
                continue
            case _:
                continue
        told[name] = told.get(name, "") + text
        assert block not in ended
        assert block in begun or block == len(begun)
        begun.add(block)
    assert sorted(ended) == sorted(begun)
    return told

"""What Google really answered is read without error, and says what it says.

The recordings stand beside the project, not in it.
"""

import json
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from gateway.chat.blocks import Text, Thinking, ToolUse
from gateway.chat.reply import ArgumentsDelta, Ended, Stopped, TextDelta, ThinkingDelta
from gateway.chat.reply import ToolUseStarted as Called
from gateway.chat.request import Message
from gateway.dialects.gemini import GEMINI, GEMINI_BATCH_EMBED, GEMINI_COUNT
from gateway.exchange.bridge import Relay
from gateway.exchange.exchange import Call
from tests.dialects.gemini import CHAT, IDENTITY, read
from tests.fakes import CALLER

FOLDER = Path(__file__).parents[3] / "shared" / "recordings"
RECORDINGS = sorted(
    path for name in ("gemini", "vertex") for path in (FOLDER / name).glob("*.json")
)
pytestmark = pytest.mark.skipif(not RECORDINGS, reason="no recordings beside the project")


def recordings(api: str) -> list[Any]:
    read = [(path.stem, json.loads(path.read_text())) for path in RECORDINGS]
    return [
        pytest.param(one, id=name)
        for name, one in read
        if one["api"].endswith(api) and one["response"]["status"] == 200
    ]


def raw_parts(candidate: Any) -> list[Any]:
    return (candidate.get("content") or {}).get("parts") or []


def said_in(chunks: list[Any]) -> tuple[str, str, list[str]]:
    """The text, the thoughts, and the names of the calls."""
    parts = [part for one in chunks for part in raw_parts(one["candidates"][0])]
    texts = [part for part in parts if "text" in part]
    return (
        "".join(part["text"] for part in texts if not part.get("thought")),
        "".join(part["text"] for part in texts if part.get("thought")),
        [
            part["functionCall"]["name"]
            for part in parts
            if part.get("functionCall", {}).get("name")
        ],
    )


@pytest.mark.parametrize("recording", recordings(".generateContent"))
def test_a_whole_reply(recording: Any) -> None:
    body = json.loads(recording["response"]["body_text"])
    reply = CHAT.read_reply(body, IDENTITY)
    (choice,) = reply.choices
    assert (
        "".join(block.text for block in choice.content if isinstance(block, Text)),
        "".join(block.text for block in choice.content if isinstance(block, Thinking)),
        [block.name for block in choice.content if isinstance(block, ToolUse)],
    ) == said_in([body])
    assert reply.id == body["responseId"]
    counts = body["usageMetadata"]
    assert reply.usage.prompt_tokens + reply.usage.output_tokens == counts["totalTokenCount"]
    assert reply.usage.reasoning_tokens == counts.get("thoughtsTokenCount", 0)


@pytest.mark.parametrize(
    "recording",
    [one for one in recordings("streamGenerateContent") if "sse_text" in one.values[0]["response"]],
)
def test_a_stream(recording: Any) -> None:
    stream = recording["response"]["sse_text"].encode()
    chunks = [json.loads(line[6:]) for line in stream.splitlines() if line.startswith(b"data: ")]
    events = read(stream)
    assert (
        "".join(event.text for event in events if isinstance(event, TextDelta)),
        "".join(event.text for event in events if isinstance(event, ThinkingDelta)),
        [event.name for event in events if isinstance(event, Called)],
    ) == said_in(chunks)
    for event in events:
        if isinstance(event, ArgumentsDelta):
            assert isinstance(json.loads(event.json), dict)
    stopped, ended = events[-2:]
    assert isinstance(stopped, Stopped)
    assert isinstance(ended, Ended)
    counts = chunks[-1]["usageMetadata"]
    assert ended.usage.prompt_tokens + ended.usage.output_tokens == counts["totalTokenCount"]


@pytest.mark.parametrize(
    "recording",
    [one for one in recordings("streamGenerateContent") if "sse_text" in one.values[0]["response"]],
)
def test_a_stream_is_relayed_and_counted(recording: Any) -> None:
    stream = recording["response"]["sse_text"].encode()
    bridge = Relay(Call("r", CALLER, GEMINI, "e", b"{}", {}))
    assert bridge.feed(stream) == stream
    bridge.finish()
    assert (bridge.begun, bridge.ended, bridge.failure) == (True, True, None)
    ended = read(stream)[-1]
    assert isinstance(ended, Ended)
    assert bridge.usage == ended.usage


@pytest.mark.parametrize(
    "recording",
    [
        one
        for one in [*recordings(".generateContent"), *recordings("streamGenerateContent")]
        if one.values[0].get("request")  # some sources kept the answer only
    ],
)
def test_a_request_is_read_and_written_without_a_loss(recording: Any) -> None:
    body = recording["request"]["body"]
    request = CHAT.read_request(body)
    assert set(request.unread) <= {"safetySettings"}
    request.model = recording["request"]["url"].rpartition("/")[2].partition(":")[0]
    told = CHAT.write_request(request)
    assert told.dropped == set()
    again = CHAT.read_request(told.body)
    again.model, again.unread = request.model, request.unread
    for one in (request, again):  # turns of one speaker are written as one
        one.messages = [
            Message(role, [block for message in turns for block in message.content])
            for role, turns in groupby(one.messages, lambda message: message.role)
        ]
    assert again == request


def test_the_others() -> None:
    (count,) = recordings(".countTokens")
    assert GEMINI_COUNT.count
    response = json.loads(count.values[0]["response"]["body_text"])
    GEMINI_COUNT.check_reply(response)
    assert GEMINI_COUNT.count.read_reply(response) == response["totalTokens"]
    assert GEMINI_COUNT.count.read_request(count.values[0]["request"]["body"]).model
    (batch,) = recordings(".batchEmbedContents")
    assert GEMINI_BATCH_EMBED.embeddings
    reply = GEMINI_BATCH_EMBED.embeddings.read_reply(
        json.loads(batch.values[0]["response"]["body_text"])
    )
    assert len(reply.vectors) == 1
    assert reply.usage.input_tokens == 261


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_an_error_is_read(path: Path) -> None:
    recording = json.loads(path.read_text())
    response = recording["response"]
    if response["status"] == 200:
        return
    body = json.loads(response.get("body_text") or response["sse_text"])
    assert GEMINI.is_error(body)
    assert GEMINI.read_error(body) == body["error"]["message"]

"""What OpenAI and its callers really sent in this dialect, read without an error."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.chat.blocks import Foreign, Media, Text, Thinking, ToolUse
from gateway.chat.reply import ArgumentsDelta, Ended, Stopped, TextDelta, ToolUseStarted, WholeBlock
from gateway.dialects.forms import Identity
from gateway.dialects.openai_responses import OPENAI_RESPONSES, RESPONSES_FORM
from gateway.errors import UpstreamBroke
from gateway.wire.json import Json
from gateway.wire.sse import SseReader

SHARED = Path(__file__).parents[3] / "shared"
RECORDED = sorted((SHARED / "recordings" / "openai").glob("openai-responses*.json"))
CLIENTS = sorted((SHARED / "clients").glob("*.json"))
ME = Identity("me", 5)

if not RECORDED:
    pytest.skip("the recordings are not here", allow_module_level=True)


def named(path: Path) -> str:
    return path.stem.removeprefix("openai-responses")[:60]


def recorded(path: Path) -> Json:
    one: Json = json.loads(path.read_text())
    return one


WHOLE = [
    path
    for path in RECORDED
    if "body_text" in (answer := recorded(path)["response"]) and answer["status"] == 200
]
STREAMS = [path for path in RECORDED if "sse_text" in recorded(path)["response"]]
# Of these, whoever recorded them left most of the deltas out.
ABRIDGED = ("phase-1", "shell-container-1", "web-search-tool-1", "mcp-tool-1")
FAILED = [path for path in STREAMS if "openai-error" in path.name]


@pytest.mark.parametrize("path", WHOLE, ids=named)
def test_a_recorded_reply_says_what_it_says(path: Path) -> None:
    body = json.loads(recorded(path)["response"]["body_text"])
    reply = RESPONSES_FORM.read_reply(body, ME)
    (choice,) = reply.choices
    items = body["output"]
    parts = [part for item in items for part in item.get("content") or () if "annotations" in part]
    calls = [item["call_id"] for item in items if item["type"] == "function_call"]
    assert [b.text for b in choice.content if isinstance(b, Text)] == [
        p["text"] for p in parts if p["text"]
    ]
    assert [b.id for b in choice.content if isinstance(b, ToolUse)] == calls
    assert choice.stop_reason == ("tool_use" if calls else "end")
    assert (reply.id, reply.model, reply.usage) == (
        body["id"],
        body["model"],
        OPENAI_RESPONSES.read_usage(body),
    )
    thoughts = [b.seal.value for b in choice.content if isinstance(b, Thinking) and b.seal]
    sealed = [item["encrypted_content"] for item in items if item.get("encrypted_content")]
    assert thoughts == sealed
    own = [b for b in choice.content if isinstance(b, Foreign | Media)]
    known = ("message", "function_call", "reasoning")
    assert len(own) == len([item for item in items if item["type"] not in known])


@pytest.mark.parametrize("path", [p for p in STREAMS if p not in FAILED], ids=named)
def test_a_recorded_stream_says_what_its_last_event_says(path: Path) -> None:
    reader = RESPONSES_FORM.reader(ME)
    told: list[Any] = []
    last: Json = {}
    for data in SseReader().feed(recorded(path)["response"]["sse_text"].encode() + b"\n\n"):
        told += reader.feed(data)
        last = json.loads(data).get("response", last)
    reply = RESPONSES_FORM.read_reply(last, ME)
    (choice,) = reply.choices
    texts = "".join(b.text for b in choice.content if isinstance(b, Text))
    calls = [(b.id, b.name) for b in choice.content if isinstance(b, ToolUse)]
    arguments = "".join(b.arguments for b in choice.content if isinstance(b, ToolUse))
    if not any(name in path.name for name in ABRIDGED):
        assert "".join(e.text for e in told if isinstance(e, TextDelta)) == texts
    assert [(e.id, e.name) for e in told if isinstance(e, ToolUseStarted)] == calls
    assert "".join(e.json for e in told if isinstance(e, ArgumentsDelta)) == arguments
    own = [b for b in choice.content if isinstance(b, Foreign | Media)]
    assert [e.content for e in told if isinstance(e, WholeBlock)] == own
    assert told[-2:] == [Stopped(choice.stop_reason), Ended(reply.usage, reply.service_tier)]
    assert (reader.ended, reader.usage) == (True, reply.usage)


@pytest.mark.parametrize("path", FAILED, ids=named)
def test_a_recorded_failure_is_one(path: Path) -> None:
    reader = RESPONSES_FORM.reader(ME)
    with pytest.raises(UpstreamBroke) as broke:
        for data in SseReader().feed(recorded(path)["response"]["sse_text"].encode()):
            reader.feed(data)
    assert (broke.value.status, broke.value.code) == (429, "insufficient_quota")


def requests() -> list[Json]:
    bodies = [(recorded(path).get("request") or {}).get("body") for path in RECORDED]
    for path in CLIENTS:
        for client in json.loads(path.read_text()).values():
            sent = client.get("requests", ()) if isinstance(client, dict) else ()
            bodies += [one["body"] for one in sent if one["path"].endswith("/responses")]
    return [body for body in bodies if isinstance(body, dict)]


def test_what_callers_really_sent_is_read_and_can_be_told() -> None:
    bodies = requests()
    assert len(bodies) > 20
    for body in bodies:
        request = RESPONSES_FORM.read_request(body)
        written = RESPONSES_FORM.write_request(request)
        assert request.unread.keys() <= {"input[].phase"}
        assert written.dropped == frozenset()
        assert (written.body["model"], written.body["store"]) == (body["model"], False)

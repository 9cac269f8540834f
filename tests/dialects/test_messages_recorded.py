"""What Anthropic really answered, read and told back."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.chat.blocks import Text, Thinking, ToolUse
from gateway.chat.reply import Ended, Stopped
from gateway.dialects import ANTHROPIC_MESSAGES
from gateway.dialects.anthropic_messages import (
    MessagesWriter,
    read_reply,
    read_request,
    write_reply,
    write_request,
)
from gateway.dialects.anthropic_messages.reply import STOP_REASONS
from gateway.errors import UpstreamBroke
from gateway.wire.json import Json, loads
from gateway.wire.sse import data_of, events
from tests.dialects.messages import IDENTITY, asked, blocks_of, faults, read_stream

FOLDER = Path(__file__).parents[3] / "shared/recordings/anthropic"
RECORDED = sorted(FOLDER.glob("*.json"))
needed = pytest.mark.skipif(not RECORDED, reason="the recordings are kept beside the project")

# Two answers in one stream, as a proxy's retry made it: no caller could make sense of it.
SPLICED = "anthropic-messages-stream__spliced-message-start-chunks"


def load(path: Path) -> Json:
    return dict(json.loads(path.read_text()))


def answers(of: str) -> list[Any]:
    found = []
    for path in RECORDED:
        answer = load(path)["response"]
        counts = "count_tokens" in path.name
        if answer["status"] == 200 and answer.get(of) and path.stem != SPLICED and not counts:
            found.append(pytest.param(answer[of], id=path.stem))
    return found


def words(content: list[Json], kind: str, field: str) -> str:
    return "".join(block[field] for block in content if block["type"] == kind)


@needed
@pytest.mark.parametrize("text", answers("body_text"))
def test_a_recorded_message_is_read_as_what_it_says(text: str) -> None:
    body = loads(text)
    reply = read_reply(body, IDENTITY)
    (choice,) = reply.choices
    said = choice.content
    assert "".join(one.text for one in said if isinstance(one, Text)) == words(
        body["content"], "text", "text"
    )
    assert [(one.id, loads(one.arguments)) for one in said if isinstance(one, ToolUse)] == [
        (block["id"], block["input"]) for block in body["content"] if block["type"] == "tool_use"
    ]
    assert choice.stop_reason == STOP_REASONS[body["stop_reason"]]
    assert reply.usage == ANTHROPIC_MESSAGES.read_usage(body)
    assert (reply.id, reply.model) == (body["id"], body["model"])


def same(block: Json) -> Json:
    """A block as far as neutral words tell it."""
    told = {name: value for name, value in block.items() if value is not None}
    return {name: value for name, value in told.items() if name not in ("citations", "caller")}


@needed
@pytest.mark.parametrize("text", answers("body_text"))
def test_a_recorded_message_is_told_back_block_for_block(text: str) -> None:
    body = loads(text)
    written = write_reply(read_reply(body, IDENTITY), asked()).body
    assert [same(block) for block in written["content"]] == [
        same(block) for block in body["content"]
    ]


@needed
@pytest.mark.parametrize("text", answers("sse_text"))
def test_a_recorded_stream_is_read_as_what_it_says(text: str) -> None:
    told = read_stream(text.encode())
    bodies = [loads(data_of(one)) for one in events(text.encode()) if data_of(one)]
    deltas = [one["delta"] for one in bodies if one["type"] == "content_block_delta"]
    blocks = blocks_of(told)
    for kind, delta, field in (
        (Text, "text_delta", "text"),
        (Thinking, "thinking_delta", "thinking"),
    ):
        said = "".join(one.text for one in blocks if isinstance(one, kind))
        assert said == words(deltas, delta, field)
    opened = [one["content_block"] for one in bodies if one["type"] == "content_block_start"]
    assert [(one.id, one.name) for one in blocks if isinstance(one, ToolUse)] == [
        (block["id"], block["name"]) for block in opened if block["type"] == "tool_use"
    ]
    (reason,) = [one["delta"]["stop_reason"] for one in bodies if one["type"] == "message_delta"]
    assert isinstance(stopped := told[-2], Stopped)
    assert stopped.stop_reason == STOP_REASONS[reason]
    assert isinstance(ended := told[-1], Ended)
    watch = ANTHROPIC_MESSAGES.watch({})  # type: ignore[misc]
    for body in bodies:
        watch.look(json.dumps(body).encode(), body["type"])
    assert ended.usage == watch.usage


@needed
@pytest.mark.parametrize("text", answers("sse_text"))
def test_a_recorded_stream_is_told_back_as_a_valid_one_that_says_the_same(text: str) -> None:
    told = read_stream(text.encode())
    writer = MessagesWriter(asked())
    again = b"".join(writer.feed(event) for event in told)
    assert faults(again) == []
    heard = read_stream(again)
    assert [one for one in blocks_of(heard) if not isinstance(one, Text)] == [
        one for one in blocks_of(told) if not isinstance(one, Text)
    ]
    assert [one.text for one in blocks_of(heard) if isinstance(one, Text)] == [
        one.text for one in blocks_of(told) if isinstance(one, Text)
    ]


@needed
def test_a_stream_into_which_a_second_one_was_spliced_is_broken() -> None:
    spliced = load(FOLDER / f"{SPLICED}.json")["response"]["sse_text"]
    with pytest.raises(UpstreamBroke, match="began another message within its answer"):
        read_stream(spliced.encode())


def requests() -> list[Any]:
    asked_for = [(path.stem, load(path).get("request") or {}) for path in RECORDED]
    return [
        pytest.param(request["body"], id=name)
        for name, request in asked_for
        if isinstance(request.get("body"), dict) and "messages" in request["body"]
    ]


@needed
@pytest.mark.parametrize("body", requests())
def test_a_recorded_request_is_understood_and_means_the_same_when_written_again(
    body: Json,
) -> None:
    request = read_request(body)
    understood = {"messages[].content[].citations"}  # the switch of a document's
    assert set(request.unread) <= understood
    again = read_request(write_request(request).body)
    assert again.messages == [one for one in request.messages if one.content]
    assert (again.system, again.tools, again.tool_choice) == (
        request.system,
        request.tools,
        request.tool_choice,
    )
    assert (again.sampling.temperature, again.sampling.stop) == (
        request.sampling.temperature,
        request.sampling.stop,
    )

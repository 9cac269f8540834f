"""Custom tools of the Responses API, which take a text: for all others, functions."""

from typing import Any

import pytest

from gateway.chat.blocks import Seal, Text, ToolResult, ToolUse
from gateway.chat.reply import (
    ArgumentsDelta,
    BlockEnded,
    ChatReply,
    Choice,
    Ended,
    ReplyEvent,
    Started,
    Stopped,
    StopReason,
    ToolUseStarted,
)
from gateway.chat.request import Message, Tool, ToolChoice
from gateway.chat.seals import with_seal
from gateway.dialects.forms import Asked, Identity
from gateway.dialects.openai_responses import RESPONSES_FORM
from gateway.errors import BadRequest
from gateway.usage import Usage
from gateway.wire.json import Json, dumps, loads
from gateway.wire.sse import SseReader

read = RESPONSES_FORM.read_request

PATCH: Json = {"type": "custom", "name": "apply_patch", "description": "Edit files."}
LARK: Json = {"type": "grammar", "syntax": "lark", "definition": 'start: "*** Begin Patch"'}
ONE_TEXT: Json = {
    "type": "object",
    "properties": {"input": {"type": "string"}},
    "required": ["input"],
}
EDIT = '*** Begin Patch\n+"é"\n*** End Patch'


def body(**more: Any) -> Json:
    return {"model": "m", "input": "hi", "tools": [PATCH], **more}


def asked() -> Asked:
    return Asked(body(), read(body()))


@pytest.mark.parametrize("form", [{}, {"format": None}, {"format": {"type": "text"}}])
def test_a_tool_that_takes_any_text_is_a_function_of_one(form: Json) -> None:
    request = read(body(tools=[PATCH | form]))
    assert request.tools == [Tool("apply_patch", "Edit files.", ONE_TEXT)]
    assert request.unread == {}


def test_a_grammar_binds_nobody_but_is_told() -> None:
    request = read(body(tools=[PATCH | {"format": LARK, "defer_loading": True}]))
    rule = 'It must match this grammar (lark):\nstart: "*** Begin Patch"'
    told = {"input": {"type": "string", "description": rule}}
    assert request.tools == [Tool("apply_patch", "Edit files.", ONE_TEXT | {"properties": told})]
    assert request.unread == {"tools.custom.format": LARK, "tools[].defer_loading": True}


def test_a_format_that_nobody_knows_is_reported() -> None:
    odd = {"type": "regex", "definition": 5}
    request = read(body(tools=[PATCH | {"format": odd}]))
    assert request.tools == [Tool("apply_patch", "Edit files.", ONE_TEXT)]
    assert request.unread == {"tools.custom.format": odd}


@pytest.mark.parametrize(
    ("tool", "field"),
    [
        ({"type": "custom"}, "tools[0].name"),
        ({"type": "custom", "name": 5}, "tools[0].name"),
        (PATCH | {"format": "lark"}, "tools[0].format"),
        (PATCH | {"description": []}, "tools[0].description"),
    ],
)
def test_what_is_no_custom_tool_is_refused_by_its_field(tool: Json, field: str) -> None:
    with pytest.raises(BadRequest) as refused:
        read(body(tools=[tool]))
    assert refused.value.field == field


def test_it_may_have_to_be_chosen() -> None:
    request = read(body(tool_choice={"type": "custom", "name": "apply_patch"}))
    assert request.tool_choice == ToolChoice("named", "apply_patch")
    few = {
        "type": "allowed_tools",
        "mode": "required",
        "tools": [{"type": "custom", "name": "apply_patch"}],
    }
    other = {"type": "function", "name": "f"}
    request = read(body(tools=[other, PATCH], tool_choice=few))
    assert request.tool_choice == ToolChoice("required")
    assert request.tools == [Tool("apply_patch", "Edit files.", ONE_TEXT)]


def test_what_it_was_called_with_is_told_as_the_functions_argument() -> None:
    call = {"type": "custom_tool_call", "call_id": "c", "name": "apply_patch", "input": EDIT}
    answer = {"type": "custom_tool_call_output", "call_id": "c", "output": "Done"}
    request = read(body(input=[call, answer]))
    arguments = dumps({"input": EDIT}).decode()
    assert request.messages == [
        Message("assistant", [ToolUse("c", "apply_patch", arguments)]),
        Message("user", [ToolResult("c", (Text("Done"),))]),
    ]
    assert request.unread == {}


def whole(arguments: str, seal: Seal | None = None) -> Json:
    use = ToolUse("c", "apply_patch", arguments, seal)
    reply = ChatReply("r", "claude", 7, [Choice([use], "tool_use")])
    written = RESPONSES_FORM.write_reply(reply, asked())
    assert written.dropped == frozenset()
    (item,) = written.body["output"]
    return dict(item)


def streamed(*pieces: str, reason: StopReason = "tool_use") -> list[Json]:
    told: list[ReplyEvent] = [Started("r", "claude", 7), ToolUseStarted(0, "c", "apply_patch")]
    told += [ArgumentsDelta(0, piece) for piece in pieces]
    told += [BlockEnded(0), Stopped(reason), Ended(Usage())]
    writer = RESPONSES_FORM.writer(asked())
    out = b"".join(writer.feed(one) for one in told)
    assert writer.dropped == set()
    return [loads(data) for data in SseReader().feed(out)]


ITEM: Json = {
    "id": "ctc_r_0",
    "type": "custom_tool_call",
    "status": "completed",
    "call_id": "c",
    "name": "apply_patch",
    "input": EDIT,
}


def test_a_call_is_told_as_the_caller_asked_for_it() -> None:
    assert whole(dumps({"input": EDIT}).decode()) == ITEM


def test_the_same_in_a_stream_once_it_is_whole() -> None:
    told = streamed(*dumps({"input": EDIT}).decode())
    place = {"item_id": "ctc_r_0", "output_index": 0}
    begun = ITEM | {"status": "in_progress", "input": ""}
    bare = [{name: one[name] for name in one if name != "sequence_number"} for one in told]
    assert bare[2:-1] == [
        {"type": "response.output_item.added", "output_index": 0, "item": begun},
        {"type": "response.custom_tool_call_input.delta", **place, "delta": EDIT},
        {"type": "response.custom_tool_call_input.done", **place, "input": EDIT},
        {"type": "response.output_item.done", "output_index": 0, "item": ITEM},
    ]
    assert told[-1]["response"]["output"] == [ITEM]
    assert [one["sequence_number"] for one in told] == list(range(len(told)))


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ("", ""),
        ('{"input":""}', ""),
        ('{"patch":"x"}', '{"patch":"x"}'),
        ('{"input":5}', '{"input":5}'),
        ("[1]", "[1]"),
        ("*** Begin Patch", "*** Begin Patch"),
    ],
)
def test_what_does_not_keep_to_the_function_is_told_as_it_stands(arguments: str, text: str) -> None:
    assert whole(arguments)["input"] == text
    assert streamed(*arguments)[-1]["response"]["output"][0]["input"] == text


def test_a_call_that_was_cut_off_is_not_complete() -> None:
    (item,) = streamed('{"input":"*** Be', reason="length")[-1]["response"]["output"]
    assert (item["status"], item["input"]) == ("incomplete", '{"input":"*** Be')


def test_a_seal_goes_along_in_the_calls_id() -> None:
    seal = Seal("gemini", "s")
    item = whole('{"input":"x"}', seal)
    assert item["call_id"] == with_seal("c", seal)
    given = [item, {"type": "custom_tool_call_output", "call_id": item["call_id"], "output": "y"}]
    use, result = read(body(input=given)).messages
    assert use.content == [ToolUse("c", "apply_patch", '{"input":"x"}', seal)]
    assert result.content == [ToolResult("c", (Text("y"),))]


def test_other_tools_stay_functions() -> None:
    reply = ChatReply("r", "m", 7, [Choice([ToolUse("c", "f", "{}")], "tool_use")])
    (item,) = RESPONSES_FORM.write_reply(reply, asked()).body["output"]
    assert item["type"] == "function_call"


CALL: Json = {"type": "custom_tool_call", "id": "x", "call_id": "c", "name": "p", "input": "a"}


def test_a_provider_that_calls_one_is_understood() -> None:
    response = {"id": "r", "model": "m", "status": "completed", "output": [CALL]}
    reply = RESPONSES_FORM.read_reply(response, Identity("i", 7))
    assert reply.choices == [Choice([ToolUse("c", "p", '{"input":"a"}')], "tool_use")]


def test_the_same_in_its_stream() -> None:
    reader = RESPONSES_FORM.reader(Identity("i", 7))
    response = {"id": "r", "model": "m", "status": "completed", "output": [CALL]}
    place = {"output_index": 0, "item_id": "x"}
    events: list[Json] = [
        {"type": "response.created", "response": response | {"output": []}},
        {"type": "response.output_item.added", "output_index": 0, "item": CALL | {"input": ""}},
        {"type": "response.custom_tool_call_input.delta", **place, "delta": "a"},
        {"type": "response.custom_tool_call_input.done", **place, "input": "a"},
        {"type": "response.output_item.done", "output_index": 0, "item": CALL},
        {"type": "response.completed", "response": response},
    ]
    told = [one for event in events for one in reader.feed(dumps(event))]
    assert told == [
        Started("r", "m", 7),
        ToolUseStarted(0, "c", "p"),
        ArgumentsDelta(0, '{"input":"a"}'),
        BlockEnded(0),
        Stopped("tool_use"),
        Ended(Usage()),
    ]

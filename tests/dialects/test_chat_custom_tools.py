"""Custom tools of OpenAI's Chat API, which take a text: functions to everybody else."""

from typing import Any

import pytest
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from gateway.chat.blocks import Block, Foreign, Seal, Text, ToolResult, ToolUse
from gateway.chat.reply import (
    ArgumentsDelta,
    BlockEnded,
    ChatReply,
    Choice,
    Ended,
    ReplyEvent,
    SealDelta,
    Started,
    Stopped,
    ToolUseStarted,
)
from gateway.chat.request import ChatRequest, Message, Tool, ToolChoice
from gateway.chat.seals import with_seal
from gateway.dialects.forms import Asked, Identity
from gateway.dialects.openai_chat import CHAT_FORM
from gateway.dialects.openai_chat import writer as writing
from gateway.errors import BadRequest, UpstreamBroke
from gateway.usage import Usage
from gateway.wire.json import Json, dumps, loads
from gateway.wire.sse import SseReader

TEXT: Json = {
    "type": "object",
    "properties": {"input": {"type": "string"}},
    "required": ["input"],
}
HI: Json = {"role": "user", "content": "hi"}
PATCH: Json = {"type": "custom", "custom": {"name": "patch", "description": "d"}}
LARK: Json = {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: /a/"}}
SEAL = Seal("gemini", "E")


def read(*messages: Json, **more: Any) -> ChatRequest:
    return CHAT_FORM.read_request({"messages": [HI, *messages], **more})


def test_a_custom_tool_is_a_function_of_a_text() -> None:
    request = read(tools=[PATCH | {"cache_control": {"type": "ephemeral"}}])
    assert request.tools == [Tool("patch", "d", TEXT, cache_ttl="5m")]
    assert request.unread == {}


@pytest.mark.parametrize(
    ("form", "unread"), [(LARK, {"tools.custom.format": LARK}), ({"type": "text"}, {}), (None, {})]
)
def test_a_grammar_is_lost_and_told(form: Json | None, unread: Json) -> None:
    tool = {"type": "custom", "custom": {"name": "patch", "format": form}}
    assert read(tools=[tool]).unread == unread


def test_what_else_a_custom_tool_says_is_left() -> None:
    tool = {"type": "custom", "x": 1, "custom": {"name": "patch", "y": 2}}
    assert read(tools=[tool]).unread == {"tools[].x": 1, "tools[].custom.y": 2}


@pytest.mark.parametrize(
    ("tool", "problem"),
    [
        ({"type": "custom"}, "tools[0].custom: is required"),
        ({"type": "custom", "custom": {}}, "tools[0].custom.name: is required"),
        (
            {"type": "custom", "custom": {"name": "f", "format": "text"}},
            "tools[0].custom.format: must be an object, not a string",
        ),
    ],
)
def test_a_malformed_custom_tool_is_refused(tool: Json, problem: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read(tools=[tool])
    assert str(caught.value) == problem


def test_a_custom_tool_can_be_chosen() -> None:
    chosen = {"type": "custom", "custom": {"name": "patch"}}
    assert read(tools=[PATCH], tool_choice=chosen).tool_choice == ToolChoice("named", "patch")


def called(id: str = "c", text: str = 'say "x"') -> Json:
    return {"id": id, "type": "custom", "custom": {"name": "patch", "input": text}}


def test_a_custom_call_and_its_answer_are_those_of_a_function() -> None:
    turn = {"role": "assistant", "content": None, "tool_calls": [called(with_seal("c", SEAL))]}
    request = read(turn, {"role": "tool", "tool_call_id": "c", "content": "done"})
    assert request.messages[1:] == [
        Message("assistant", [ToolUse("c", "patch", '{"input":"say \\"x\\""}', SEAL)]),
        Message("user", [ToolResult("c", (Text("done"),))]),
    ]
    assert request.unread == {}


def test_the_answer_to_a_call_that_nobody_else_knows_goes_with_it() -> None:
    call = {"id": "c", "type": "mcp", "mcp": {"name": "x"}}
    turn = {"role": "assistant", "content": "a", "tool_calls": [call]}
    request = read(turn, {"role": "tool", "tool_call_id": "c", "content": "done", "x": None})
    assert request.messages[1:] == [
        Message("assistant", [Text("a"), Foreign("openai_chat", {**call})]),
        Message(
            "user",
            [
                Foreign(
                    "openai_chat",
                    {"type": "mcp", "tool_call_id": "c", "content": "done", "x": None},
                )
            ],
        ),
    ]


def asked(**more: Any) -> Asked:
    return Asked({"tools": [PATCH], **more}, ChatRequest("m", []))


def told(*blocks: Block) -> Json:
    reply = ChatReply("c1", "m", 5, [Choice(list(blocks), "tool_use")])
    written = CHAT_FORM.write_reply(reply, asked())
    assert written.dropped == set()
    ChatCompletion.model_validate(written.body)
    choice: Json = written.body["choices"][0]
    return choice


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ('{"input":"say \\"x\\""}', 'say "x"'),
        ('{"input":"a","why":"b"}', "a"),
        ('{"input":5}', '{"input":5}'),
        ('"a"', '"a"'),
        ("*** Begin", "*** Begin"),
        ("", ""),
    ],
)
def test_a_caller_of_a_custom_tool_is_told_of_its_text(arguments: str, text: str) -> None:
    choice = told(ToolUse("c", "patch", arguments, SEAL), ToolUse("d", "f", arguments))
    function = {"name": "f", "arguments": arguments or "{}"}
    assert choice["message"]["tool_calls"] == [
        called(with_seal("c", SEAL), text),
        {"id": "d", "type": "function", "function": function},
    ]
    assert choice["finish_reason"] == "tool_calls"


def stream(*events: ReplyEvent, **more: Any) -> list[Json]:
    writer = CHAT_FORM.writer(asked(**more))
    whole = (Started("c1", "m", 5), *events, Stopped("tool_use"), Ended(Usage()))
    text = b"".join(writer.feed(event) for event in whole)
    assert writer.dropped == set()
    return [loads(data) for data in SseReader().feed(text) if data != b"[DONE]"]


def test_a_stream_tells_a_custom_call_when_it_is_whole() -> None:
    chunks = stream(
        ToolUseStarted(0, "c", "patch"),
        ToolUseStarted(1, "d", "f"),
        ArgumentsDelta(0, '{"input":"say '),
        ArgumentsDelta(1, "{}"),
        SealDelta(0, SEAL),
        ArgumentsDelta(0, '\\"x\\""}'),
        BlockEnded(0),
        BlockEnded(1),
    )
    assert [chunk["choices"][0]["delta"] for chunk in chunks] == [
        {"role": "assistant", "content": ""},
        {
            "tool_calls": [
                {
                    "index": 0,
                    "id": "d",
                    "type": "function",
                    "function": {"name": "f", "arguments": ""},
                }
            ]
        },
        {"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]},
        {"tool_calls": [{"index": 1, **called(with_seal("c", SEAL))}]},
        {},
    ]
    assert chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"
    state = ChatCompletionStreamState()
    for chunk in chunks:
        state.handle_chunk(ChatCompletionChunk.construct(**chunk))


def test_a_stream_holds_no_more_of_a_custom_call_than_it_may(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(writing, "LONGEST", 10)
    with pytest.raises(UpstreamBroke) as caught:
        stream(ToolUseStarted(0, "c", "patch"), ArgumentsDelta(0, "x" * 11))
    assert str(caught.value) == "the arguments of custom tools are longer than 10 characters"


def events(*deltas: Json) -> list[ReplyEvent]:
    reader = CHAT_FORM.reader(Identity("i", 0))
    heard: list[ReplyEvent] = []
    for delta in deltas:
        choice = {"index": 0, "delta": {"tool_calls": [delta]}}
        heard += reader.feed(dumps({"id": "c1", "model": "m", "created": 5, "choices": [choice]}))
    return (heard + reader.feed(b"[DONE]"))[1:-2]


def test_a_custom_call_of_a_provider_is_one_of_a_function() -> None:
    reply = {"id": "c1", "choices": [{"message": {"tool_calls": [called()]}}]}
    read_reply = CHAT_FORM.read_reply(reply, Identity("i", 0))
    assert read_reply.choices == [
        Choice([ToolUse("c", "patch", '{"input":"say \\"x\\""}')], "tool_use")
    ]


def test_the_text_of_a_streamed_custom_call_is_told_as_it_comes() -> None:
    assert events(
        {"index": 0, **called(text="say ")},
        {"index": 0, "type": "custom", "custom": {"input": '"x"\n'}},
        {"index": 0, "custom": {"input": ""}},
        {"index": 0, "custom": {"input": "é"}},
    ) == [
        ToolUseStarted(0, "c", "patch"),
        ArgumentsDelta(0, '{"input":"'),
        ArgumentsDelta(0, "say "),
        ArgumentsDelta(0, '\\"x\\"\\n'),
        ArgumentsDelta(0, "é"),
        ArgumentsDelta(0, '"}'),
        BlockEnded(0),
    ]


def test_a_custom_that_says_nothing_is_no_custom_call() -> None:
    function = {"name": "f", "arguments": "{}"}
    assert events({"index": 0, "id": "c", "custom": {}, "function": function}) == [
        ToolUseStarted(0, "c", "f"),
        ArgumentsDelta(0, "{}"),
        BlockEnded(0),
    ]

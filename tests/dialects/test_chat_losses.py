"""Nothing of a conversation is lost in silence: it is carried, or left unread by its path."""

from typing import Any

import pytest

from gateway.chat.blocks import Block, Citation, Media, Seal, Text, Thinking, ToolResult, ToolUse
from gateway.chat.request import Message, Reasoning, Tool, ToolChoice
from gateway.chat.seals import carried, with_seal
from gateway.dialects.openai_chat import CHAT_FORM
from gateway.wire.json import Json

A: Json = {"type": "text", "text": "a"}
HI: Json = {"role": "user", "content": "hi"}
MARK: Json = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
SEAL = Seal("gemini", "Eh+/=")
CITED: Json = {"url": "https://x", "title": "t", "start_index": 1, "end_index": 2}


def read(*messages: Json, **more: Any) -> Any:
    return CHAT_FORM.read_request({"messages": list(messages), **more})


def said(message: Json) -> list[Block]:
    (found,) = read(message).messages
    content: list[Block] = found.content
    return content


def assistant(**more: Any) -> Json:
    return {"role": "assistant", "content": "a", **more}


def called(id: str, **more: Any) -> Json:
    return {"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}, **more}


@pytest.mark.parametrize(
    ("messages", "unread"),
    [
        ([{**HI, "extra": 1}], {"messages[].extra": 1}),
        ([{**HI, "content": [A | {"extra": 1}]}], {"messages[].content[].extra": 1}),
        ([{"role": "system", "content": "s", "name": "n"}, HI], {"messages[].name": "n"}),
        (
            [{**HI, "content": [A | {"cache_control": {"ttl": "1h", "scope": "x"}}]}],
            {"messages[].content[].cache_control.scope": "x"},
        ),
        (
            [{**HI, "content": [{"type": "image_url", "image_url": {"url": "u", "x": 1}}]}],
            {"messages[].content[].image_url.x": 1},
        ),
        (
            [assistant(tool_calls=[called("c", extra=1)])],
            {"messages[].tool_calls[].extra": 1},
        ),
        (
            [assistant(annotations=[{"type": "file", "file": {}}])],
            {"messages[].annotations[].type": "file", "messages[].annotations[].file": {}},
        ),
        (
            [assistant(thinking_blocks=[{"thinking": "h", "x": 1}])],
            {"messages[].thinking_blocks[].x": 1},
        ),
        ([{**HI, "content": None} | MARK], {"messages[].cache_control": MARK["cache_control"]}),
        ([assistant(refusal=None, audio=None, function_call=None, tool_calls=None)], {}),
        ([assistant(annotations=[], tool_calls=[called("c", index=0)])], {}),
    ],
)
def test_what_nobody_read_is_known_by_its_path(messages: list[Json], unread: Json) -> None:
    assert read(*messages).unread == unread


@pytest.mark.parametrize(
    ("more", "unread"),
    [
        (
            {"tools": [{"type": "function", "x": 1, "function": {"name": "f", "y": 2}}]},
            {"tools[].x": 1, "tools[].function.y": 2},
        ),
        ({"reasoning": {"effort": "low", "x": 1}}, {"reasoning.x": 1}),
        ({"thinking": {"type": "enabled", "keep": "all"}}, {"thinking.keep": "all"}),
        ({"response_format": {"type": "text", "x": 1}}, {"response_format.x": 1}),
        ({"response_format": {"type": "json_object", "x": 1}}, {"response_format.x": 1}),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"schema": {}, "x": 1}}},
            {"response_format.json_schema.x": 1},
        ),
        (
            {"tool_choice": {"type": "custom", "custom": {}}},
            {"tool_choice": {"type": "custom", "custom": {}}},
        ),
        ({"user": "a", "safety_identifier": "b"}, {"safety_identifier": "b"}),
        ({"user": "a", "safety_identifier": "a"}, {}),
        ({"max_tokens": 5, "max_completion_tokens": 6}, {"max_tokens": 5}),
        ({"min_p": 0.1}, {"min_p": 0.1}),
    ],
)
def test_the_same_of_the_rest_of_a_request(more: Json, unread: Json) -> None:
    assert read(HI, **more).unread == unread


def test_mistrals_word_for_required_is_read() -> None:
    assert read(HI, tool_choice="any").tool_choice == ToolChoice("required")


def test_of_a_choice_among_some_tools_the_mode_is_read() -> None:
    some = {"mode": "required", "tools": [{"type": "function", "function": {"name": "f"}}]}
    request = read(HI, tool_choice={"type": "allowed_tools", "allowed_tools": some})
    assert request.tool_choice == ToolChoice("required")
    assert request.unread == {"tool_choice.allowed_tools": some}


@pytest.mark.parametrize(
    ("more", "reasoning"),
    [
        ({"reasoning_effort": "max"}, Reasoning("max")),
        ({"reasoning": {"effort": "low", "summary": "auto"}}, Reasoning("low", summary="auto")),
        ({"reasoning": {"max_tokens": 9, "exclude": True}}, Reasoning(budget=9, shown=False)),
        ({"reasoning": {"enabled": True, "exclude": False}}, Reasoning(budget=-1, shown=True)),
        ({"reasoning": {"enabled": False}}, Reasoning("none")),
        ({"reasoning": {"enabled": True, "effort": "low"}}, Reasoning("low")),
        ({"reasoning": {}}, None),
        ({"thinking": {"type": "enabled", "budget_tokens": 9}}, Reasoning(budget=9)),
        ({"thinking": {"type": "enabled"}}, Reasoning(budget=-1)),
        ({"thinking": {"type": "adaptive", "display": "omitted"}}, Reasoning(None, -1, False)),
        ({"thinking": {"type": "disabled"}}, Reasoning("none")),
        ({"thinking": {"type": "enabled"}, "reasoning_effort": "low"}, Reasoning("low")),
    ],
)
def test_every_word_for_how_much_to_think_is_read(more: Json, reasoning: Reasoning | None) -> None:
    request = read(HI, **more)
    assert (request.reasoning, request.unread) == (reasoning, {})


@pytest.mark.parametrize(
    ("message", "blocks"),
    [
        (assistant(reasoning_content="h"), [Thinking("h"), Text("a")]),
        (assistant(reasoning="h"), [Thinking("h"), Text("a")]),
        (
            assistant(
                reasoning_content="h",
                thinking_blocks=[
                    {"type": "thinking", "thinking": "h", "signature": "S==", "index": 0},
                    {"type": "redacted_thinking", "data": carried(SEAL), "id": "r"},
                ],
            ),
            [
                Thinking("h", Seal("anthropic", "S==")),
                Thinking("", SEAL, redacted=True, id="r"),
                Text("a"),
            ],
        ),
        (
            assistant(
                reasoning_details=[
                    {"type": "reasoning.text", "text": "h", "signature": "S==", "index": 0},
                    {
                        "type": "reasoning.encrypted",
                        "data": "E",
                        "id": "c",
                        "format": "google-gemini-v1",
                    },
                ],
                tool_calls=[called("c")],
            ),
            [
                Thinking("h", Seal("anthropic", "S==")),
                Text("a"),
                ToolUse("c", "f", "{}", Seal("gemini", "E")),
            ],
        ),
        (
            assistant(tool_calls=[called(with_seal("c", SEAL))]),
            [Text("a"), ToolUse("c", "f", "{}", SEAL)],
        ),
        (
            assistant(
                tool_calls=[called("c", extra_content={"google": {"thought_signature": "E"}})]
            ),
            [Text("a"), ToolUse("c", "f", "{}", Seal("gemini", "E"))],
        ),
        (
            assistant(extra_content={"vertex": {"thought_signature": "E"}}),
            [Text("a", seal=Seal("gemini", "E"))],
        ),
        (assistant(audio={"id": "x"}), [Text("a"), Media("audio", file_id="x")]),
        (
            assistant(images=[{"type": "image_url", "image_url": {"url": "u"}, "index": 0}]),
            [Text("a"), Media("image", url="u")],
        ),
        (
            assistant(annotations=[{"type": "url_citation", "url_citation": CITED}]),
            [Text("a", citations=[Citation("https://x", "t", None, 1, 2)])],
        ),
        (
            assistant(content=[{"type": "thinking", "thinking": [A]}, A]),
            [Thinking("a"), Text("a")],
        ),
        ({"role": "user", "content": [A, A]} | MARK, [Text("a"), Text("a", "1h")]),
        (
            assistant(tool_calls=[called("c", **MARK)]),
            [Text("a"), ToolUse("c", "f", "{}", cache_ttl="1h")],
        ),
        (
            {"role": "tool", "tool_call_id": with_seal("c", SEAL), "content": [A], "name": "f"},
            [ToolResult("c", (Text("a"),), name="f")],
        ),
        (
            {"role": "tool", "tool_call_id": "c", "content": [A | MARK]} | MARK,
            [ToolResult("c", (Text("a", "1h"),), cache_ttl="1h")],
        ),
        (
            {
                "role": "tool",
                "tool_call_id": "c",
                "content": [{"type": "image_url", "image_url": {"url": "u"}}],
            },
            [ToolResult("c", (Media("image", url="u"),))],
        ),
    ],
)
def test_every_convention_of_a_message_is_read(message: Json, blocks: list[Block]) -> None:
    assert said(message) == blocks
    assert read(message).unread == {}


def test_what_the_system_says_in_the_middle_stays_there() -> None:
    request = read(
        {"role": "developer", "content": "first"},
        HI,
        {"role": "system", "content": "now", "name": "n"},
        HI,
    )
    assert request.system == [Text("first")]
    assert request.messages == [
        Message("user", [Text("hi")]),
        Message("system", [Text("now")], "n"),
        Message("user", [Text("hi")]),
    ]


def test_speakers_of_different_names_are_not_joined() -> None:
    ann, ben = HI | {"name": "ann"}, HI | {"name": "ben"}
    assert read(ann, ben, ben).messages == [
        Message("user", [Text("hi")], "ann"),
        Message("user", [Text("hi"), Text("hi")], "ben"),
    ]


def test_functions_as_they_were_once_are_read_as_tools() -> None:
    request = read(
        HI,
        {"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}},
        {"role": "function", "name": "f", "content": "sunny"},
        functions=[{"name": "f", "parameters": {"type": "object"}}],
        function_call={"name": "f"},
    )
    assert request.messages[1:] == [
        Message("assistant", [ToolUse("call_1", "f", "{}")]),
        Message("user", [ToolResult("call_1", (Text("sunny"),), name="f")]),
    ]
    assert request.tools == [Tool("f", None, {"type": "object"})]
    assert (request.tool_choice, request.parallel_tools) == (ToolChoice("named", "f"), False)
    assert request.unread == {}


def test_a_cache_mark_on_a_tool_is_read_where_either_puts_it() -> None:
    function = {"name": "f"}
    outer = {"type": "function", "function": function} | MARK
    inner = {"type": "function", "function": function | MARK}
    assert read(HI, tools=[outer, inner]).tools == [Tool("f", None, None, cache_ttl="1h")] * 2

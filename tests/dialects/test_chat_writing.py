"""Requests written for a provider of OpenAI's Chat dialect: what it is told, what it cannot be."""

from dataclasses import replace
from typing import Any

import pytest

from gateway.chat.blocks import (
    Block,
    Citation,
    Foreign,
    Media,
    Refusal,
    Seal,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
)
from gateway.chat.request import (
    ChatRequest,
    Message,
    Reasoning,
    ResponseFormat,
    Sampling,
    Tool,
    ToolChoice,
)
from gateway.dialects.openai_chat import CHAT_FORM, THOUGHTFUL_FORM
from gateway.wire.json import Json

SEAL = Seal("gemini", "E")
PDF = Media("document", "application/pdf", base64="AA==", name="a.pdf")
IMAGE = Media("image", url="https://x/a.png")
PART: Json = {"type": "image_url", "image_url": {"url": "https://x/a.png"}}


def written(role: Any, *content: Block, name: str | None = None) -> tuple[list[Json], set[str]]:
    request = ChatRequest("m", [Message(role, list(content), name)])
    told = CHAT_FORM.write_request(request)
    return told.body["messages"], set(told.dropped)


def body(**more: Any) -> tuple[Json, set[str]]:
    """What is written beside the model and the messages."""
    request = replace(ChatRequest("m", [Message("user", [Text("hi")])]), **more)
    told = CHAT_FORM.write_request(request)
    assert told.body.pop("model") == "m"
    assert told.body.pop("messages") == [{"role": "user", "content": "hi"}]
    return told.body, set(told.dropped)


@pytest.mark.parametrize(
    ("block", "content", "dropped"),
    [
        (Text("a"), "a", set()),
        (Text("a", "1h", [Citation("u")], SEAL), "a", {"cache_control", "citations", "signature"}),
        (IMAGE, [PART], set()),
        (Media("image", file_id="f"), None, {"image"}),
        (Media("image", base64="AA=="), None, {"image"}),
        (
            Media("audio", "audio/mpeg", base64="AA==", transcript="t", detail="low"),
            [{"type": "input_audio", "input_audio": {"data": "AA==", "format": "mp3"}}],
            {"transcript", "detail"},
        ),
        (Media("audio", "audio/flac", base64="AA=="), None, {"audio"}),
        (Media("audio", url="https://x/a.wav"), None, {"audio"}),
        (Media("video", "video/mp4", base64="AA=="), None, {"video"}),
        (
            PDF,
            [
                {
                    "type": "file",
                    "file": {
                        "file_data": "data:application/pdf;base64,AA==",
                        "filename": "a.pdf",
                    },
                }
            ],
            set(),
        ),
        (
            replace(PDF, name=None),
            [
                {
                    "type": "file",
                    "file": {
                        "file_data": "data:application/pdf;base64,AA==",
                        "filename": "document.pdf",
                    },
                }
            ],
            set(),
        ),
        (Media("document", url="https://x/a.pdf"), None, {"document"}),
        (
            Media("document", file_id="file-1", name="a.pdf"),
            [{"type": "file", "file": {"file_id": "file-1"}}],
            {"document.name"},
        ),
        (Media("document", text="words", name="a"), "words", {"document", "document.name"}),
        (Media("document", text="words", cache_ttl="5m"), "words", {"document", "cache_control"}),
        (Foreign("other", {"type": "search_result"}), None, {"search_result"}),
        (Foreign("openai_chat", {"type": "video_url"}), [{"type": "video_url"}], set()),
        (Thinking("h"), None, {"thinking"}),
    ],
)
def test_every_block_of_a_user_is_told_or_named(
    block: Block, content: Any, dropped: set[str]
) -> None:
    told = [] if content is None else [{"role": "user", "content": content}]
    assert written("user", block) == (told, dropped)


CALL: Json = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}


@pytest.mark.parametrize(
    ("blocks", "message", "dropped"),
    [
        ([Text("a"), Refusal("no")], {"content": [
            {"type": "text", "text": "a"}, {"type": "refusal", "refusal": "no"}
        ]}, set()),
        ([ToolUse("c", "f", "")], {"content": None, "tool_calls": [CALL]}, set()),
        (
            [Thinking("h", Seal("anthropic", "S")), ToolUse("c", "f", "{}", SEAL, "5m")],
            {"content": None, "tool_calls": [CALL]},
            {"thinking", "signature", "cache_control"},
        ),
        ([Thinking("h")], None, {"thinking"}),
        ([Text("a"), IMAGE], {"content": "a"}, {"image"}),
        ([Media("audio", file_id="x")], {"content": None, "audio": {"id": "x"}}, set()),
        (
            [Media("audio", file_id="x"), Media("audio", file_id="y")],
            {"content": None, "audio": {"id": "x"}},
            {"audio"},
        ),
    ],
)  # fmt: skip
def test_every_block_of_an_assistant_is_told_or_named(
    blocks: list[Block], message: Json | None, dropped: set[str]
) -> None:
    told = [] if message is None else [{"role": "assistant", **message}]
    assert written("assistant", *blocks) == (told, dropped)


def test_what_a_tool_shows_is_shown_by_the_user_after_all_results() -> None:
    shown = ToolResult("c", (Text("see"), IMAGE), is_error=True, cache_ttl="1h", name="f")
    mute = ToolResult("d", (Media("video"), Media("document", text="w", name="n")))
    messages, dropped = written("user", shown, mute, Text("so?"))
    assert messages == [
        {"role": "tool", "tool_call_id": "c", "content": "see", "name": "f"},
        {"role": "tool", "tool_call_id": "d", "content": ""},
        {
            "role": "user",
            "content": [PART, {"type": "text", "text": "w"}, {"type": "text", "text": "so?"}],
        },
    ]
    assert dropped == {
        "tool_result.is_error",
        "tool_result.image",
        "tool_result.video",
        "tool_result.document",
        "cache_control",
        "document.name",
    }


def test_the_system_speaks_once_before_all_else_and_again_where_it_did() -> None:
    request = ChatRequest(
        "m",
        [Message("user", [Text("hi")], "ann"), Message("system", [Text("now")], "n")],
        system=[Text("a", "1h"), Text("b")],
    )
    told = CHAT_FORM.write_request(request)
    assert told.body["messages"] == [
        {
            "role": "system",
            "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
        },
        {"role": "user", "content": "hi", "name": "ann"},
        {"role": "system", "content": "now", "name": "n"},
    ]
    assert told.dropped == {"cache_control"}


@pytest.mark.parametrize(
    ("reasoning", "said", "dropped"),
    [
        (Reasoning("max"), {"reasoning_effort": "max"}, set()),
        (Reasoning("none"), {}, {"reasoning.effort"}),
        (Reasoning(budget=0), {}, {"reasoning.budget"}),
        (Reasoning(budget=-1), {}, set()),
        (Reasoning(budget=1024), {"reasoning_effort": "low"}, {"reasoning.budget"}),
        (Reasoning(budget=8000), {"reasoning_effort": "medium"}, {"reasoning.budget"}),
        (Reasoning(budget=31999), {"reasoning_effort": "high"}, {"reasoning.budget"}),
        (Reasoning("low", 9000), {"reasoning_effort": "low"}, {"reasoning.budget"}),
        (Reasoning(shown=True, summary="auto"), {}, {"reasoning.shown", "reasoning.summary"}),
        (Reasoning(shown=False), {}, set()),
    ],
)
def test_how_much_to_think_is_told_as_an_effort(
    reasoning: Reasoning, said: Json, dropped: set[str]
) -> None:
    assert body(reasoning=reasoning) == (said, dropped)


F = Tool("f", None, None)
FUNCTION: Json = {"type": "function", "function": {"name": "f"}}


@pytest.mark.parametrize(
    ("more", "said", "dropped"),
    [
        ({"sampling": Sampling(top_k=3, seed=1)}, {"seed": 1}, {"top_k"}),
        ({"metadata": {"a": "b"}}, {}, {"metadata"}),
        ({"metadata": {}}, {}, set()),
        ({"modalities": ["text", "image"]}, {"modalities": ["text", "image"]}, set()),
        ({"tools": [replace(F, cache_ttl="5m")]}, {"tools": [FUNCTION]}, {"cache_control"}),
        (
            {"tools": [Foreign("other", {"type": "bash"})], "tool_choice": ToolChoice("required")},
            {},
            {"tools.bash", "tool_choice"},
        ),
        ({"tool_choice": ToolChoice("auto"), "parallel_tools": True}, {}, set()),
        (
            {"response_format": ResponseFormat({"type": "object"})},
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "reply", "schema": {"type": "object"}},
                }
            },
            set(),
        ),
        ({"stream": True}, {"stream": True, "stream_options": {"include_usage": True}}, set()),
    ],
)
def test_the_rest_of_a_request_is_told_or_named(more: Json, said: Json, dropped: set[str]) -> None:
    assert body(**more) == (said, dropped)


def test_who_wants_thoughts_back_gets_those_that_nobody_sealed() -> None:
    request = ChatRequest(
        "m",
        [
            Message("assistant", [Thinking("h"), Thinking("i"), ToolUse("c", "f", "{}")]),
            Message("user", [ToolResult("c", ())]),
            Message("assistant", [Thinking("x", Seal("anthropic", "S")), ToolUse("c", "f", "{}")]),
            Message("user", [Text("hi")]),
            Message("assistant", [Text("a")]),
        ],
    )
    told = THOUGHTFUL_FORM.write_request(request)
    assert told.body["messages"] == [
        {"role": "assistant", "content": None, "tool_calls": [CALL], "reasoning_content": "hi"},
        {"role": "tool", "tool_call_id": "c", "content": ""},
        {"role": "assistant", "content": None, "tool_calls": [CALL], "reasoning_content": ""},
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "a"},
    ]
    assert told.dropped == {"thinking"}


@pytest.mark.parametrize(
    ("schema", "parameters"),
    [
        ({"type": "object"}, {"type": "object", "properties": {}}),
        ({}, {"type": "object", "properties": {}}),
        (
            {"type": "object", "additionalProperties": True},
            {"type": "object", "properties": {}, "additionalProperties": True},
        ),
        ({"$ref": "#/$defs/A"}, {"type": "object", "$ref": "#/$defs/A"}),
        ({"anyOf": [{"type": "object"}]}, {"type": "object", "anyOf": [{"type": "object"}]}),
        ({"properties": {"a": {}}}, {"type": "object", "properties": {"a": {}}}),
        ({"type": ["object", "null"]}, {"type": "object", "properties": {}}),
        ({"type": "string"}, {"type": "string"}),
        ({"type": "object", "properties": {"a": {}}}, {"type": "object", "properties": {"a": {}}}),
    ],
)
def test_a_tool_that_takes_nothing_says_so(schema: Json, parameters: Json) -> None:
    told, dropped = body(tools=[Tool("f", None, schema)])
    function = {"name": "f", "parameters": parameters}
    assert (told, dropped) == ({"tools": [{"type": "function", "function": function}]}, set())
    assert body(tools=[Tool("f", None, None)])[0]["tools"][0]["function"] == {"name": "f"}


def test_a_users_name_that_is_too_long_is_left_out() -> None:
    assert body(user="u" * 64) == ({"user": "u" * 64}, set())
    assert body(user="u" * 65) == ({}, {"user"})

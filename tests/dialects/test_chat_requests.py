"""Requests in OpenAI's Chat dialect: each kind of message and part, and what is refused by name."""

from typing import Any

import pytest

from gateway.chat.blocks import (
    Block,
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
from gateway.dialects.openai_chat import CHAT_FORM
from gateway.errors import BadRequest
from gateway.wire.json import Json

read_request, write_request = CHAT_FORM.read_request, CHAT_FORM.write_request
HI: Json = {"role": "user", "content": "hi"}
CALL: Json = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}


def body(*messages: Any, **more: Any) -> Json:
    return {"model": "m", "messages": list(messages or [HI]), **more}


def test_a_whole_conversation_is_read_in_order() -> None:
    request = read_request(
        body(
            {"role": "system", "content": "be brief"},
            {"role": "developer", "content": [{"type": "text", "text": "be kind"}]},
            {"role": "user", "content": "weather?"},
            {"role": "assistant", "content": None, "tool_calls": [CALL]},
            {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
            {"role": "user", "content": "and tomorrow?"},
            {"role": "assistant", "content": "no idea", "refusal": "will not"},
        )
    )
    assert request == ChatRequest(
        model="m",
        system=[Text("be brief"), Text("be kind")],
        messages=[
            Message("user", [Text("weather?")]),
            Message("assistant", [ToolUse("c1", "f", '{"a":1}')]),
            Message("user", [ToolResult("c1", (Text("sunny"),)), Text("and tomorrow?")]),
            Message("assistant", [Text("no idea"), Refusal("will not")]),
        ],
    )


@pytest.mark.parametrize(
    ("part", "block"),
    [
        ({"type": "text", "text": "a"}, Text("a")),
        ({"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}, Text("a", "5m")),
        ({"type": "text", "text": "a", "cache_control": {"ttl": "1h"}}, Text("a", "1h")),
        ({"type": "refusal", "refusal": "no"}, Refusal("no")),
        (
            {"type": "image_url", "image_url": {"url": "https://x/a.png", "detail": "low"}},
            Media("image", url="https://x/a.png", detail="low"),
        ),
        (
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
            Media("image", "image/png", base64="AA=="),
        ),
        (
            {"type": "image_url", "image_url": {"url": "data:image/svg+xml,<svg/>"}},
            Media("image", url="data:image/svg+xml,<svg/>"),
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "AA==", "format": "mp3"}},
            Media("audio", "audio/mp3", base64="AA=="),
        ),
        (
            {
                "type": "file",
                "file": {"file_data": "data:application/pdf;base64,AA==", "filename": "a.pdf"},
            },
            Media("document", "application/pdf", base64="AA==", name="a.pdf"),
        ),
        ({"type": "file", "file": {"file_id": "f1"}}, Media("document", file_id="f1")),
        ({"type": "video_url", "x": 1}, Foreign("openai_chat", {"type": "video_url", "x": 1})),
    ],
)
def test_every_kind_of_part_is_read(part: Json, block: Block) -> None:
    request = read_request(body({"role": "user", "content": [part]}))
    assert request.messages == [Message("user", [block])]


TEXT: Json = {
    "type": "object",
    "properties": {"input": {"type": "string"}},
    "required": ["input"],
}


def test_every_field_is_read_and_what_is_left_over_is_known() -> None:
    request = read_request(
        body(
            max_tokens=5,
            temperature=0.5,
            top_p=1,
            top_k=3,
            stop="END",
            seed=7,
            n=2,
            presence_penalty=-1,
            frequency_penalty=1.5,
            stream=True,
            stream_options={"include_usage": True},
            parallel_tool_calls=False,
            tools=[
                {"type": "function", "function": {"name": "f"}},
                {"type": "custom", "custom": {"name": "g"}},
            ],
            tool_choice={"type": "function", "function": {"name": "f"}},
            response_format={
                "type": "json_schema",
                "json_schema": {"name": "s", "schema": {"type": "object"}, "strict": True},
            },
            logit_bias={"1": 2},
            logprobs=True,
            top_logprobs=3,
            reasoning_effort="xhigh",
            verbosity="low",
            modalities=["text", "audio"],
            audio={"voice": "alloy", "format": "mp3"},
            user="u",
            metadata={"a": "b"},
            service_tier="flex",
            store=None,
            prompt_cache_key="k",
        )
    )
    assert request == ChatRequest(
        model="m",
        messages=[Message("user", [Text("hi")])],
        tools=[
            Tool("f", None, None),
            Tool("g", None, TEXT),
        ],
        tool_choice=ToolChoice("named", "f"),
        parallel_tools=False,
        sampling=Sampling(5, 0.5, 1, 3, ["END"], 7, 2, -1, 1.5, True, 3, {"1": 2}),
        reasoning=Reasoning("xhigh"),
        response_format=ResponseFormat({"type": "object"}, "s", strict=True),
        stream=True,
        user="u",
        metadata={"a": "b"},
        service_tier="flex",
        verbosity="low",
        modalities=["audio"],
        unread={"audio": {"voice": "alloy", "format": "mp3"}, "prompt_cache_key": "k"},
    )


@pytest.mark.parametrize(
    ("fields", "limit"),
    [
        ({"max_tokens": 5}, 5),
        ({"max_completion_tokens": 6}, 6),
        ({"max_tokens": None}, None),
        ({"max_tokens": 5, "max_completion_tokens": 6}, 6),
        ({"max_tokens": 5, "max_completion_tokens": None}, 5),
    ],
)
def test_the_limit_goes_by_either_name(fields: Json, limit: int | None) -> None:
    assert read_request(body(**fields)).sampling.max_tokens == limit


@pytest.mark.parametrize(
    ("asked", "read"),
    [
        (None, None),
        ({"type": "text"}, None),
        ({"type": "json_object"}, ResponseFormat()),
        ({"type": "json_schema", "json_schema": {"name": "s"}}, ResponseFormat({}, "s")),
    ],
)
def test_every_response_format_is_read(asked: Json | None, read: ResponseFormat | None) -> None:
    assert read_request(body(response_format=asked)).response_format == read


@pytest.mark.parametrize("choice", ["auto", "required", "none"])
def test_every_tool_choice_is_read(choice: Any) -> None:
    assert read_request(body(tool_choice=choice)).tool_choice == ToolChoice(choice)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"model": 1, "messages": [HI]}, "model: must be a string, not an integer"),
        ({"model": "m"}, "messages: is required"),
        (body() | {"messages": "hi"}, "messages: must be an array, not a string"),
        (body(HI, 5), "messages[1]: must be an object, not an integer"),
        (body({"role": "wizard"}), "messages[0].role: unknown role 'wizard'"),
        (body({"content": "x"}), "messages[0].role: is required"),
        (
            body(HI, {"role": "user", "content": 5}),
            "messages[1].content: must be a string or an array, not an integer",
        ),
        (
            body({"role": "user", "content": [{"type": "text", "text": "a"}, {}]}),
            "messages[0].content[1].type: is required",
        ),
        (
            body({"role": "user", "content": [{"type": "text"}]}),
            "messages[0].content[0].text: is required",
        ),
        (
            body({"role": "user", "content": [{"type": "image_url", "image_url": "u"}]}),
            "messages[0].content[0].image_url: must be an object, not a string",
        ),
        (
            body({"role": "user", "content": [{"type": "file", "file": {}}]}),
            "messages[0].content[0].file: needs file_data or file_id",
        ),
        (
            body({"role": "tool", "content": "x"}),
            "messages[0].tool_call_id: is required",
        ),
        (
            body({"role": "assistant", "tool_calls": [{"id": "c"}]}),
            "messages[0].tool_calls[0].function: is required",
        ),
        (
            body({"role": "assistant", "tool_calls": [CALL, {"function": {"name": "f"}}]}),
            "messages[0].tool_calls[1].id: is required",
        ),
        (
            body({"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": 1}}]}),
            "messages[0].tool_calls[0].function.name: must be a string, not an integer",
        ),
        (body(tools={}), "tools: must be an array, not an object"),
        (body(tools=[5]), "tools[0]: must be an object, not an integer"),
        (body(tools=[{"type": "function"}]), "tools[0].function: is required"),
        (
            body(tools=[{"type": "function", "function": {}}]),
            "tools[0].function.name: is required",
        ),
        (
            body(tool_choice="maybe"),
            "tool_choice: must be none, auto, required, or an object naming a function",
        ),
        (
            body(response_format={"type": "xml"}),
            "response_format.type: must be one of text, json_object, json_schema",
        ),
        (body(response_format=5), "response_format: must be an object, not an integer"),
        (body(temperature="hot"), "temperature: must be a number, not a string"),
        (body(temperature=True), "temperature: must be a number, not a boolean"),
        (body(seed=1.5), "seed: must be an integer, not a number"),
        (body(stop=5), "stop: must be a string or an array, not an integer"),
        (body(stream="yes"), "stream: must be a boolean, not a string"),
        (body(parallel_tool_calls=1), "parallel_tool_calls: must be a boolean, not an integer"),
    ],
)
def test_what_is_wrong_is_refused_by_its_path(wrong: Json, message: str) -> None:
    with pytest.raises(BadRequest) as refused:
        read_request(wrong)
    assert refused.value.message == message
    assert refused.value.field == message.partition(":")[0]


def test_a_thinking_block_keeps_its_seal() -> None:
    sealed = {"type": "thinking", "thinking": "hm", "signature": "S=="}
    said = {"role": "assistant", "content": "a", "thinking_blocks": [sealed]}
    assert read_request(body(said)).messages == [
        Message("assistant", [Thinking("hm", Seal("anthropic", "S==")), Text("a")])
    ]

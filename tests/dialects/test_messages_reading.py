"""What a Messages request means, read."""

import copy
from typing import Any

import pytest

from gateway.chat.blocks import (
    Block,
    Citation,
    Foreign,
    Media,
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
from gateway.chat.seals import carried, with_seal
from gateway.dialects.anthropic_messages import read_request
from gateway.errors import BadRequest
from gateway.wire.json import Json

HI: Json = {"role": "user", "content": "Hi"}
SCHEMA: Json = {"type": "object", "properties": {"city": {"$ref": "#/$defs/c"}}, "$defs": {"c": {}}}
MARK: Json = {"type": "ephemeral", "ttl": "1h"}


def read(**fields: Any) -> ChatRequest:
    body = {"model": "e", "max_tokens": 9, "messages": [HI], **fields}
    before = copy.deepcopy(body)
    request = read_request(body)
    assert body == before
    return request


def block(**fields: Any) -> tuple[Block, dict[str, Any]]:
    """A block of a user's turn, and what of the request was not read."""
    request = read(messages=[{"role": "user", "content": [fields]}])
    return request.messages[0].content[0], request.unread


def test_a_whole_request_is_read() -> None:
    body: Json = {
        "model": "claude",
        "stream": True,
        "max_tokens": 64,
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 3,
        "stop_sequences": ["END"],
        "system": [{"type": "text", "text": "be brief", "cache_control": {"type": "ephemeral"}}],
        "messages": [
            HI,
            {"role": "assistant", "content": [{"type": "text", "text": "Hello"}]},
            {"role": "system", "content": "be kind"},
        ],
        "tools": [
            {
                "type": "custom",
                "name": "f",
                "description": "d",
                "input_schema": SCHEMA,
                "strict": True,
                "cache_control": MARK,
            },
            {"name": "g", "input_schema": {"type": "object"}},
            {"type": "web_search_20260318", "name": "web_search", "max_uses": 5},
        ],
        "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": True},
        "thinking": {"type": "adaptive", "display": "summarized"},
        "output_config": {"effort": "xhigh", "format": {"type": "json_schema", "schema": SCHEMA}},
        "metadata": {"user_id": "u"},
        "service_tier": "standard_only",
    }
    assert read_request(body) == ChatRequest(
        "claude",
        [
            Message("user", [Text("Hi")]),
            Message("assistant", [Text("Hello")]),
            Message("system", [Text("be kind")]),
        ],
        system=[Text("be brief", "5m")],
        tools=[
            Tool("f", "d", SCHEMA, strict=True, cache_ttl="1h"),
            Tool("g", None, {"type": "object"}),
            Foreign(
                "anthropic_messages",
                {"type": "web_search_20260318", "name": "web_search", "max_uses": 5},
            ),
        ],
        tool_choice=ToolChoice("named", "f"),
        parallel_tools=False,
        sampling=Sampling(max_tokens=64, temperature=0.5, top_p=0.9, top_k=3, stop=["END"]),
        reasoning=Reasoning("xhigh", shown=True),
        response_format=ResponseFormat(SCHEMA, strict=True),
        stream=True,
        user="u",
        service_tier="default",
    )


def test_a_body_needs_nothing_but_messages() -> None:
    assert read_request({"messages": []}) == ChatRequest("", [])


def test_what_nobody_understands_is_left_by_its_path() -> None:
    request = read(
        system=[{"type": "text", "text": "s", "x": 1}],
        messages=[
            {
                "role": "user",
                "content": [{"type": "text", "text": "a", "x": 2}],
                "clear_at": "never",
            }
        ],
        tools=[
            {"name": "f", "input_schema": {}, "defer_loading": True, "input_examples": None},
        ],
        tool_choice={"type": "auto", "x": 3},
        thinking={"type": "adaptive", "display": "updates"},
        output_config={"task_budget": {"type": "tokens", "total": 5}},
        metadata={"user_id": None, "team": "t"},
        service_tier="turbo",
        speed="fast",
        container="c",
        mcp_servers=[],
        context_management=None,
    )
    assert request.unread == {
        "system[].x": 1,
        "messages[].content[].x": 2,
        "messages[].clear_at": "never",
        "tools[].defer_loading": True,
        "tool_choice.x": 3,
        "thinking.display": "updates",
        "output_config.task_budget": {"type": "tokens", "total": 5},
        "metadata.team": "t",
        "service_tier": "turbo",
        "speed": "fast",
        "container": "c",
        "mcp_servers": [],
    }


@pytest.mark.parametrize(
    ("source", "media"),
    [
        (
            {"type": "base64", "media_type": "image/png", "data": "AA"},
            Media("image", "image/png", base64="AA"),
        ),
        ({"type": "url", "url": "https://e.x/a"}, Media("image", url="https://e.x/a")),
        ({"type": "file", "file_id": "file_1"}, Media("image", file_id="file_1")),
    ],
)
def test_an_image_comes_from_wherever_it_is(source: Json, media: Media) -> None:
    assert block(type="image", source=source, transformations={"oversized_image": "error"}) == (
        media,
        {"messages[].content[].transformations": {"oversized_image": "error"}},
    )


@pytest.mark.parametrize(
    ("source", "media"),
    [
        (
            {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="},
            Media("document", "application/pdf", base64="JVBERi0=", name="t", cache_ttl="5m"),
        ),
        (
            {"type": "text", "media_type": "text/plain", "data": "words"},
            Media("document", "text/plain", text="words", name="t", cache_ttl="5m"),
        ),
        (
            {"type": "content", "content": "words"},
            Media("document", "text/plain", text="words", name="t", cache_ttl="5m"),
        ),
        (
            {
                "type": "content",
                "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
            },
            Media("document", "text/plain", text="a\n\nb", name="t", cache_ttl="5m"),
        ),
    ],
)
def test_a_document_is_read_with_its_title(source: Json, media: Media) -> None:
    told = {"title": "t", "context": "c", "citations": {"enabled": True}}
    assert block(type="document", source=source, cache_control={"type": "ephemeral"}, **told) == (
        media,
        {
            "messages[].content[].context": "c",
            "messages[].content[].citations": {"enabled": True},
        },
    )


def test_a_search_result_is_a_document() -> None:
    content = [{"type": "text", "text": "a"}]
    assert block(type="search_result", source="https://e.x", title="t", content=content) == (
        Media("document", "text/plain", text="a", name="t"),
        {"messages[].content[].source": "https://e.x"},
    )


@pytest.mark.parametrize(
    "raw",
    [
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "q"}},
        {"type": "web_search_tool_result", "tool_use_id": "s", "content": []},
        {"type": "mcp_tool_use", "id": "m", "name": "f", "server_name": "n", "input": {}},
        {"type": "container_upload", "file_id": "f"},
        {"type": "image", "source": {"type": "satellite", "id": 7}},
        {"type": "document", "source": {"type": "content", "content": [{"type": "image"}]}},
        {"type": "search_result", "source": "s", "title": "t", "content": [{"type": "image"}]},
    ],
)
def test_what_only_this_api_knows_stays_as_it_is(raw: Json) -> None:
    assert block(**raw) == (Foreign("anthropic_messages", raw), {})


def test_thoughts_come_with_their_seals() -> None:
    gemini = Seal("gemini", "G=")
    content = [
        {"type": "thinking", "thinking": "Hm", "signature": "S=="},
        {"type": "thinking", "thinking": "told", "signature": ""},
        {"type": "thinking", "thinking": "", "signature": carried(gemini)},
        {"type": "redacted_thinking", "data": "R"},
        {"type": "redacted_thinking", "data": carried(gemini)},
    ]
    request = read(messages=[{"role": "assistant", "content": content}])
    assert request.messages[0].content == [
        Thinking("Hm", Seal("anthropic", "S==")),
        Thinking("told"),
        Thinking("", gemini),
        Thinking("", Seal("anthropic", "R"), redacted=True),
        Thinking("", gemini, redacted=True),
    ]


def test_a_call_and_its_result_give_their_clean_id() -> None:
    seal = Seal("gemini", "G")
    call = {"type": "tool_use", "id": with_seal("t1", seal), "name": "f", "input": {"a": 1.0}}
    image = {"type": "image", "source": {"type": "url", "url": "u"}}
    result = {"type": "tool_result", "tool_use_id": with_seal("t1", seal), "content": [image]}
    request = read(
        messages=[
            {"role": "assistant", "content": [{**call, "caller": {"type": "direct"}}]},
            {
                "role": "user",
                "content": [
                    {**result, "is_error": True, "cache_control": MARK},
                    {"type": "tool_result", "tool_use_id": "t2", "content": "ok"},
                    {"type": "tool_result", "tool_use_id": "t3"},
                ],
            },
        ]
    )
    assert [message.content for message in request.messages] == [
        [ToolUse("t1", "f", '{"a":1.0}', seal)],
        [
            ToolResult("t1", (Media("image", url="u"),), is_error=True, cache_ttl="1h"),
            ToolResult("t2", (Text("ok"),)),
            ToolResult("t3", ()),
        ],
    ]
    assert request.unread == {}


@pytest.mark.parametrize(
    ("given", "arguments"),
    [({}, "{}"), (None, ""), ({"INVALID_JSON": '{"a'}, '{"a'), ({"INVALID_JSON": 1}, None)],
)
def test_arguments_are_the_text_that_the_model_wrote(given: Any, arguments: str | None) -> None:
    call, _ = block(type="tool_use", id="t", name="f", input=given)
    assert isinstance(call, ToolUse)
    assert call.arguments == ('{"INVALID_JSON":1}' if arguments is None else arguments)


def test_citations_are_read_as_far_as_they_say_anything() -> None:
    citations = [
        {"type": "web_search_result_location", "url": "u", "title": "t", "cited_text": "q"},
        {"type": "page_location", "document_title": "d", "start_page_number": 1},
        {"type": "search_result_location", "source": "https://e.x", "title": None},
        {"type": "char_location"},
    ]
    assert block(type="text", text="words", citations=citations) == (
        Text(
            "words",
            citations=[
                Citation("u", "t", "q", 0, 5),
                Citation(None, "d", None, 0, 5),
                Citation("https://e.x", None, None, 0, 5),
            ],
        ),
        {"messages[].content[].citations[].start_page_number": 1},
    )


def test_a_mark_for_the_whole_request_stands_on_its_last_block() -> None:
    thought = {"type": "thinking", "thinking": "h", "signature": "s"}
    request = read(
        messages=[HI, {"role": "assistant", "content": [thought]}], cache_control={"ttl": "1h"}
    )
    assert request.messages[0].content == [Text("Hi", "1h")]
    assert request.unread == {}
    assert read(messages=[], cache_control=MARK).unread == {"cache_control": MARK}


@pytest.mark.parametrize(
    ("fields", "reasoning", "unread"),
    [
        ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, Reasoning(budget=2000), {}),
        (
            {
                "thinking": {"type": "enabled", "budget_tokens": 2000, "display": "omitted"},
                "output_config": {"effort": "high"},
            },
            Reasoning("high", 2000, shown=False),
            {},
        ),
        ({"thinking": {"type": "adaptive"}}, Reasoning(budget=-1), {}),
        ({"thinking": {"type": "disabled"}}, Reasoning("none"), {}),
        ({"thinking": {"type": "between_tools"}}, Reasoning("none"), {}),
        (
            {"thinking": {"type": "disabled"}, "output_config": {"effort": "low"}},
            Reasoning("none"),
            {"output_config.effort": "low"},
        ),
        ({"output_config": {"effort": "max"}}, Reasoning("max"), {}),
        ({"output_config": None, "thinking": None}, None, {}),
    ],
)
def test_how_much_to_think_is_read(fields: Json, reasoning: Reasoning, unread: Json) -> None:
    request = read(**fields)
    assert (request.reasoning, request.unread) == (reasoning, unread)


def test_a_format_is_read_where_it_stood_as_a_beta() -> None:
    assert read(output_format={"type": "json_schema", "schema": SCHEMA}).response_format == (
        ResponseFormat(SCHEMA, strict=True)
    )


@pytest.mark.parametrize(
    ("choice", "mode", "parallel"),
    [
        ({"type": "auto"}, "auto", None),
        ({"type": "any", "disable_parallel_tool_use": False}, "required", True),
        ({"type": "none"}, "none", None),
    ],
)
def test_a_choice_of_tools_is_read(choice: Json, mode: Any, parallel: bool | None) -> None:
    request = read(tool_choice=choice)
    assert (request.tool_choice, request.parallel_tools) == (ToolChoice(mode), parallel)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"messages": [{"content": "Hi"}]}, "messages[0].role: is required"),
        (
            {"messages": [HI, {"role": "tool", "content": ""}]},
            "messages[1].role: must be one of user, assistant, system, not 'tool'",
        ),
        ({"messages": [{"role": "user"}]}, "messages[0].content: is required"),
        (
            {"messages": [{"role": "user", "content": ["Hi"]}]},
            "messages[0].content[0]: must be an object, not a string",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "image", "source": {}}]}]},
            "messages[0].content[0].source.type: is required",
        ),
        (
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [
                            {"type": "tool_result", "tool_use_id": "t", "content": [{"type": 1}]}
                        ],
                    }
                ]
            },
            "messages[0].content[0].content[0].type: must be a string, not an integer",
        ),
        ({"system": [{"type": "image"}]}, "system[0].source: is required"),
        (
            {"system": [{"type": "tool_use", "id": "t", "name": "f"}]},
            "system[0].type: must be text",
        ),
        ({"tools": [{}]}, "tools[0].name: is required"),
        (
            {"tool_choice": {"type": "some"}},
            "tool_choice.type: must be one of auto, any, none, tool, not 'some'",
        ),
        ({"tool_choice": {"type": "tool"}}, "tool_choice.name: is required"),
        (
            {"thinking": {"type": "hard"}},
            "thinking.type: must be one of enabled, adaptive, disabled, between_tools, not 'hard'",
        ),
        ({"thinking": {"type": "enabled"}}, "thinking.budget_tokens: is required"),
        (
            {"output_config": {"effort": "minimal"}},
            "output_config.effort: must be one of low, medium, high, xhigh, max",
        ),
        (
            {"output_config": {"format": {"type": "json_object"}}},
            "output_config.format.type: must be json_schema, not 'json_object'",
        ),
        ({"stop_sequences": ["a", 1]}, "stop_sequences[1]: must be a string, not an integer"),
        ({"cache_control": {"ttl": 5}}, "cache_control.ttl: must be a string, not an integer"),
    ],
)
def test_what_is_wrong_is_named_by_its_whole_path(fields: Json, message: str) -> None:
    with pytest.raises(BadRequest) as refused:
        read(**fields)
    assert refused.value.message == message

"""Requests in the Responses dialect: what they mean, and what is told to a provider."""

import copy
from typing import Any

import pytest

from gateway.chat.blocks import (
    Block,
    Citation,
    Foreign,
    Media,
    MediaKind,
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
from gateway.chat.seals import carried, with_seal
from gateway.dialects.openai_responses import RESPONSES_FORM
from gateway.dialects.openai_responses.request import read_counted, write_counted
from gateway.errors import BadRequest
from gateway.wire.json import Json

read, write = RESPONSES_FORM.read_request, RESPONSES_FORM.write_request

SCHEMA: Json = {"type": "object", "properties": {"city": {"$ref": "#/$defs/c"}}, "$defs": {"c": {}}}
WEATHER: Json = {"type": "function", "name": "weather", "description": "d", "parameters": SCHEMA}


def asked(given: Any = "hi", **more: Any) -> Json:
    return {"model": "m", "input": given, **more}


def said(content: list[Any]) -> list[Any]:
    """What a user's parts mean."""
    (message,) = read(asked([{"role": "user", "content": content}])).messages
    return message.content


def test_a_whole_request_is_read() -> None:
    body = asked(
        [
            {"role": "developer", "content": "dev"},
            {"role": "user", "content": "hi"},
            {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gA=="},
            {
                "type": "message",
                "id": "msg_1",
                "status": "completed",
                "role": "assistant",
                "content": [{"type": "output_text", "text": "let me see", "annotations": []}],
            },
            {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "weather"},
            {"type": "function_call", "call_id": "c2", "name": "weather", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "sunny"},
            {"type": "function_call_output", "call_id": "c2", "output": "rain", "name": "weather"},
            {"role": "system", "content": "now be brief"},
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "ok"}]},
        ],
        instructions="be kind",
        tools=[WEATHER | {"strict": True}, {"type": "web_search", "search_context_size": "low"}],
        tool_choice="required",
        parallel_tool_calls=False,
        max_output_tokens=7,
        temperature=0.5,
        top_p=0.9,
        top_logprobs=2,
        include=["reasoning.encrypted_content", "message.output_text.logprobs"],
        reasoning={"effort": "high", "summary": "detailed"},
        text={
            "verbosity": "low",
            "format": {
                "type": "json_schema",
                "name": "s",
                "schema": SCHEMA,
                "strict": True,
                "description": "x",
            },
        },
        store=False,
        truncation="disabled",
        background=False,
        stream=True,
        stream_options={"include_obfuscation": False},
        user="u",
        metadata={"a": "b"},
        service_tier="flex",
        previous_response_id=None,
    )
    before = copy.deepcopy(body)
    assert read(body) == ChatRequest(
        model="m",
        system=[Text("be kind"), Text("dev")],
        messages=[
            Message("user", [Text("hi")]),
            Message(
                "assistant",
                [
                    Thinking("", Seal("openai", "gA=="), redacted=True, id="rs_1"),
                    Text("let me see"),
                    ToolUse("c1", "weather", ""),
                    ToolUse("c2", "weather", "{}"),
                ],
            ),
            Message(
                "user",
                [
                    ToolResult("c1", (Text("sunny"),)),
                    ToolResult("c2", (Text("rain"),), name="weather"),
                ],
            ),
            Message("system", [Text("now be brief")]),
            Message("user", [Text("ok")]),
        ],
        tools=[
            Tool("weather", "d", SCHEMA, strict=True),
            Foreign("openai_responses", {"type": "web_search", "search_context_size": "low"}),
        ],
        tool_choice=ToolChoice("required"),
        parallel_tools=False,
        sampling=Sampling(max_tokens=7, temperature=0.5, top_p=0.9, logprobs=True, top_logprobs=2),
        reasoning=Reasoning(effort="high", shown=True, summary="detailed"),
        response_format=ResponseFormat(SCHEMA, "s", "x", strict=True),
        stream=True,
        user="u",
        metadata={"a": "b"},
        service_tier="flex",
        verbosity="low",
    )
    assert body == before


def test_a_text_alone_is_what_the_user_says() -> None:
    assert read(asked("hi")) == ChatRequest("m", [Message("user", [Text("hi")])])


@pytest.mark.parametrize(
    ("part", "block"),
    [
        ({"type": "input_text", "text": "a"}, Text("a")),
        (
            {"type": "input_image", "image_url": "https://x.example/a.png", "detail": "low"},
            Media("image", url="https://x.example/a.png", detail="low"),
        ),
        (
            {"type": "input_image", "image_url": "data:image/webp;base64,AAAA"},
            Media("image", "image/webp", base64="AAAA"),
        ),
        ({"type": "input_image", "file_id": "file-1"}, Media("image", file_id="file-1")),
        (
            {"type": "input_file", "filename": "a.pdf", "file_data": "data:text/csv;base64,AAAA"},
            Media("document", "text/csv", base64="AAAA", name="a.pdf"),
        ),
        (
            {"type": "input_file", "filename": "a.PDF", "file_data": "AAAA"},
            Media("document", "application/pdf", base64="AAAA", name="a.PDF"),
        ),
        ({"type": "input_file", "file_data": "AAAA"}, Media("document", base64="AAAA")),
        (
            {"type": "input_file", "file_url": "https://x.example/a.pdf", "detail": "high"},
            Media("document", url="https://x.example/a.pdf", detail="high"),
        ),
        ({"type": "input_file", "file_id": "file-1"}, Media("document", file_id="file-1")),
        (
            {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mp3"}},
            Media("audio", "audio/mpeg", base64="AAAA"),
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
            Media("audio", "audio/wav", base64="AAAA"),
        ),
        (
            {"type": "input_video", "v": 1},
            Foreign("openai_responses", {"type": "input_video", "v": 1}),
        ),
    ],
)
def test_every_kind_of_part_is_read(part: Json, block: Block) -> None:
    assert said([part]) == [block]


def test_what_the_assistant_said_keeps_its_citations_and_refusals() -> None:
    cited = {
        "type": "url_citation",
        "url": "https://x.example",
        "title": "X",
        "start_index": 0,
        "end_index": 2,
    }
    content = [
        {"type": "output_text", "text": "ab", "annotations": [cited], "logprobs": []},
        {"type": "refusal", "refusal": "no"},
    ]
    request = read(asked([{"role": "assistant", "content": content}]))
    citation = Citation("https://x.example", "X", start=0, end=2)
    assert request.messages == [
        Message("assistant", [Text("ab", citations=[citation]), Refusal("no")])
    ]
    assert request.unread == {}


@pytest.mark.parametrize(
    ("item", "thought"),
    [
        (
            {"id": "rs", "summary": [{"type": "summary_text", "text": "a"}, {"text": "b"}]},
            Thinking("a\n\nb", id="rs"),
        ),
        (
            {"summary": [], "content": [{"type": "reasoning_text", "text": "c"}]},
            Thinking("c"),
        ),
        (
            {"summary": [], "encrypted_content": carried(Seal("anthropic", "s"))},
            Thinking("", Seal("anthropic", "s"), redacted=True),
        ),
        (  # a thought without words, but not one that its provider hides
            {"summary": [{"text": ""}], "encrypted_content": carried(Seal("anthropic", "s"))},
            Thinking("", Seal("anthropic", "s")),
        ),
    ],
)
def test_thoughts_come_back_with_their_seals(item: Json, thought: Thinking) -> None:
    request = read(asked([{"type": "reasoning", **item}]))
    assert request.messages == [Message("assistant", [thought])]


def test_a_thought_of_nothing_is_none() -> None:
    given = [{"type": "reasoning", "id": "rs", "summary": []}, {"role": "user", "content": "hi"}]
    assert read(asked(given)).messages == [Message("user", [Text("hi")])]


def test_a_calls_seal_comes_back_in_its_id_and_goes_out_without() -> None:
    sealed = with_seal("c1", Seal("gemini", "s"))
    request = read(
        asked(
            [
                {"type": "function_call", "call_id": sealed, "name": "f", "arguments": "{}"},
                {"type": "function_call_output", "call_id": sealed, "output": "x"},
            ]
        )
    )
    assert request.messages == [
        Message("assistant", [ToolUse("c1", "f", "{}", Seal("gemini", "s"))]),
        Message("user", [ToolResult("c1", (Text("x"),))]),
    ]
    written = write(request)
    assert written.dropped == {"signature"}
    assert [item["call_id"] for item in written.body["input"]] == ["c1", "c1"]


def test_items_of_the_apis_own_are_foreign_to_all_others() -> None:
    given = [
        {"type": "mcp_approval_request", "id": "r", "arguments": "{}", "name": "x"},
        {"type": "tool_search_output", "call_id": "c", "tools": []},
        {"type": "mcp_approval_response", "approval_request_id": "r", "approve": True},
        {"type": "image_generation_call", "id": "ig", "status": "failed", "result": None},
    ]
    request = read(asked(given))
    roles = [(message.role, len(message.content)) for message in request.messages]
    assert roles == [("assistant", 1), ("user", 2), ("assistant", 1)]
    assert write(request).body["input"] == given
    other = read(asked("hi"))
    other.messages = [Message("user", [Foreign("gemini", {"codeExecutionResult": {}})])]
    assert write(other).dropped == {"codeExecutionResult"}


def test_an_image_that_the_model_made_is_an_image() -> None:
    call = {"type": "image_generation_call", "id": "ig", "result": "AAAA", "output_format": "webp"}
    request = read(asked([call | {"revised_prompt": "a cat"}]))
    assert request.messages == [Message("assistant", [Media("image", "image/webp", base64="AAAA")])]
    assert request.unread == {"input[].revised_prompt": "a cat"}


@pytest.mark.parametrize(
    ("choice", "read_as", "left"),
    [
        ("auto", ToolChoice("auto"), ["a", "b"]),
        ({"type": "function", "name": "a"}, ToolChoice("named", "a"), ["a", "b"]),
        (
            {
                "type": "allowed_tools",
                "mode": "required",
                "tools": [{"type": "function", "name": "b"}],
            },
            ToolChoice("required"),
            ["b"],
        ),
        (
            {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "web_search"}]},
            ToolChoice("auto"),
            ["web_search"],
        ),
        ({"type": "web_search"}, None, ["a", "b", "web_search"]),
    ],
)
def test_what_must_be_chosen_is_read(choice: Any, read_as: Any, left: list[str]) -> None:
    tools = [{"type": "function", "name": "a"}, {"type": "function", "name": "b"}]
    if "web_search" in left or "web_search" in str(choice):
        tools = [*tools, {"type": "web_search"}]
    request = read(asked(tools=tools, tool_choice=choice))
    assert request.tool_choice == read_as
    names = [one.name if isinstance(one, Tool) else one.kind for one in request.tools]
    assert names == left
    assert request.unread == ({} if read_as else {"tool_choice": choice})


def test_what_nobody_reads_is_named_at_every_depth() -> None:
    request = read(
        asked(
            [
                {"role": "assistant", "content": "a", "phase": "commentary"},
                {
                    "role": "user",
                    "content": [
                        {
                            "type": "input_text",
                            "text": "a",
                            "prompt_cache_breakpoint": {"mode": "explicit"},
                        }
                    ],
                },
            ],
            store=True,
            truncation="auto",
            include=["web_search_call.results", "reasoning.encrypted_content"],
            reasoning={"effort": "low", "context": "all_turns"},
            text={"format": {"type": "text", "x": 1}},
            tools=[WEATHER | {"defer_loading": True}],
            safety_identifier="s",
            prompt_cache_key="k",
            max_tool_calls=None,
            top_logprobs=3,
        )
    )
    assert request.user == "s"
    assert request.unread == {
        "input[].phase": "commentary",
        "input[].content[].prompt_cache_breakpoint": {"mode": "explicit"},
        "store": True,
        "truncation": "auto",
        "include": ["web_search_call.results"],
        "reasoning.context": "all_turns",
        "text.format.x": 1,
        "tools[].defer_loading": True,
        "prompt_cache_key": "k",
        "top_logprobs": 3,
    }


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"conversation": {"id": "conv_1"}}, "conversation"),
        ({"prompt": {"id": "pmpt_1"}}, "prompt"),
        ({"background": True}, "background"),
        ({"input": None}, "input"),
        ({"input": 5}, "input"),
        ({"input": ["x"]}, "input[0]"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input[0]"),
        ({"input": [{"id": "msg_1"}]}, "input[0]"),
        ({"input": [{"type": "compaction", "encrypted_content": "e"}]}, "input[0]"),
        ({"input": [{"type": "compaction_summary", "encrypted_content": "e"}]}, "input[0]"),
        ({"input": [{"type": "context_compaction"}]}, "input[0]"),
        ({"input": [{"role": "user", "content": "a"}, {"type": "compaction_trigger"}]}, "input[1]"),
        ({"input": [{"role": "critic", "content": "a"}]}, "input[0].role"),
        ({"input": [{"role": "user"}]}, "input[0].content"),
        ({"input": [{"role": "user", "content": {}}]}, "input[0].content"),
        ({"input": [{"role": "user", "content": [{}]}]}, "input[0].content[0].type"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_image"}]}]},
            "input[0].content[0].image_url",
        ),
        (
            {"input": [{"role": "user", "content": [{"type": "input_file"}]}]},
            "input[0].content[0].file_data",
        ),
        ({"input": [{"type": "function_call", "name": "f"}]}, "input[0].call_id"),
        (
            {"input": [{"type": "function_call_output", "call_id": "c", "output": [1]}]},
            "input[0].output[0]",
        ),
        ({"input": [{"type": "reasoning", "summary": [{}]}]}, "input[0].summary[0].text"),
        ({"tools": [{"name": "f"}]}, "tools[0].type"),
        ({"tool_choice": "maybe"}, "tool_choice"),
        ({"tool_choice": {"type": "allowed_tools", "mode": "none"}}, "tool_choice.mode"),
        ({"reasoning": {"effort": "hihg"}}, "reasoning.effort"),
        ({"text": {"format": {"type": "xml"}}}, "text.format.type"),
        ({"text": {"format": {"type": "json_schema"}}}, "text.format.schema"),
        ({"temperature": "hot"}, "temperature"),
    ],
)
def test_a_refusal_names_the_field_by_its_whole_path(more: Json, field: str) -> None:
    with pytest.raises(BadRequest) as refused:
        read(asked() | more)
    assert refused.value.field == field


def test_what_nobody_keeps_is_refused_with_the_way_out() -> None:
    with pytest.raises(BadRequest) as refused:
        read(asked(previous_response_id="resp_1"))
    assert refused.value.message == (
        "previous_response_id: names a response that nobody keeps: send the whole input"
    )
    with pytest.raises(BadRequest) as refused:
        read(asked([{"type": "compaction", "encrypted_content": "e"}]))
    assert refused.value.message == (
        "input[0]: is what was said in a form that only its maker reads: send the items themselves"
    )


def test_a_whole_request_is_written_for_a_provider_that_keeps_nothing() -> None:
    request = ChatRequest(
        model="gpt",
        system=[Text("be kind")],
        messages=[
            Message("user", [Text("hi"), Media("image", "image/png", base64="AAAA", detail="low")]),
            Message(
                "assistant",
                [
                    Thinking("hm", Seal("openai", "gA=="), id="rs_1"),
                    Text("see", citations=[Citation("https://x.example", "X")]),
                    Refusal("no"),
                    ToolUse("c1", "weather", ""),
                ],
            ),
            Message("user", [ToolResult("c1", (Text("sunny"),)), Text("and?")]),
            Message("system", [Text("be brief")]),
        ],
        tools=[Tool("weather", "d", SCHEMA), Tool("now", None, None, strict=True)],
        tool_choice=ToolChoice("named", "weather"),
        parallel_tools=True,
        sampling=Sampling(
            max_tokens=50, temperature=3, top_p=1, logprobs=True, top_logprobs=2, n=1
        ),
        reasoning=Reasoning(effort="low", shown=True),
        response_format=ResponseFormat(SCHEMA, None, "x", strict=False),
        stream=True,
        user="u",
        metadata={"a": "b"},
        service_tier="priority",
        verbosity="high",
        modalities=["text"],
    )
    written = write(request)
    annotation = {
        "type": "url_citation",
        "url": "https://x.example",
        "title": "X",
        "start_index": 0,
        "end_index": 3,
    }
    assert written.body == {
        "model": "gpt",
        "instructions": "be kind",
        "input": [
            {
                "type": "message",
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "hi"},
                    {
                        "type": "input_image",
                        "image_url": "data:image/png;base64,AAAA",
                        "detail": "low",
                    },
                ],
            },
            {
                "type": "reasoning",
                "id": "rs_1",
                "summary": [{"type": "summary_text", "text": "hm"}],
                "encrypted_content": "gA==",
            },
            {
                "type": "message",
                "role": "assistant",
                "content": [
                    {"type": "output_text", "text": "see", "annotations": [annotation]},
                    {"type": "refusal", "refusal": "no"},
                ],
            },
            {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "sunny"},
            {
                "type": "message",
                "role": "user",
                "content": [{"type": "input_text", "text": "and?"}],
            },
            {
                "type": "message",
                "role": "system",
                "content": [{"type": "input_text", "text": "be brief"}],
            },
        ],
        "tools": [
            {
                "type": "function",
                "name": "weather",
                "description": "d",
                "parameters": SCHEMA,
                "strict": False,
            },
            {
                "type": "function",
                "name": "now",
                "parameters": {
                    "type": "object",
                    "properties": {},
                    "additionalProperties": False,
                },
                "strict": True,
            },
        ],
        "tool_choice": {"type": "function", "name": "weather"},
        "parallel_tool_calls": True,
        "max_output_tokens": 50,
        "temperature": 3,
        "top_p": 1,
        "top_logprobs": 2,
        "reasoning": {"effort": "low", "summary": "auto"},
        "text": {
            "format": {
                "type": "json_schema",
                "name": "reply",
                "schema": SCHEMA,
                "description": "x",
                "strict": False,
            },
            "verbosity": "high",
        },
        "store": False,
        "include": ["reasoning.encrypted_content", "message.output_text.logprobs"],
        "user": "u",
        "metadata": {"a": "b"},
        "service_tier": "priority",
        "stream": True,
    }
    assert written.dropped == frozenset()


def test_the_least_request_says_no_more_than_it_must() -> None:
    written = write(ChatRequest("m", [Message("user", [Text("hi")])]))
    message = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}
    assert written.body == {"model": "m", "input": [message], "store": False}
    assert written.dropped == frozenset()


def test_several_texts_of_the_system_stay_apart() -> None:
    request = ChatRequest("m", [Message("user", [Text("hi")])], system=[Text("a"), Text("b")])
    written = write(request)
    assert written.body["input"][0] == {
        "type": "message",
        "role": "system",
        "content": [{"type": "input_text", "text": "a"}, {"type": "input_text", "text": "b"}],
    }
    assert read(written.body) == request


@pytest.mark.parametrize(
    ("block", "dropped"),
    [
        (Media("video", "video/mp4", base64="AAAA"), {"video"}),
        (Media("audio", "audio/wav", base64="AAAA"), {"audio"}),
        (Media("image"), {"image"}),
        (Media("document"), {"document"}),
        (Text("a", cache_ttl="5m"), {"cache_control"}),
        (Text("a", seal=Seal("gemini", "s")), {"signature"}),
        (Text("a", citations=[Citation("https://x.example")]), {"citations"}),
        (Refusal("a"), {"refusal"}),
        (ToolUse("c", "f", "{}", cache_ttl="5m"), {"cache_control"}),
        (ToolResult("c", (Foreign("gemini", {"executableCode": {}}),)), {"executableCode"}),
        (ToolResult("c", (Foreign("openai_responses", {"type": "input_x"}),)), set()),
        (Foreign("openai_responses", {"type": "input_video"}), set()),
        (Thinking("a"), {"thinking"}),
        (Thinking("a", Seal("anthropic", "s")), {"thinking"}),
        (Foreign("gemini", {"executableCode": {}}), {"executableCode"}),
        (
            ToolResult("c", (), is_error=True, cache_ttl="1h"),
            {"tool_result.is_error", "cache_control"},
        ),
        (
            ToolResult("c", (Text("a"), Media("audio", "audio/wav", base64="AAAA"))),
            {"tool_result.audio"},
        ),
        (Media("document", url="https://x.example/a.pdf", name="a"), {"document.name"}),
    ],
)
def test_what_a_provider_cannot_be_told_is_reported(block: Block, dropped: set[str]) -> None:
    request = ChatRequest("m", [Message("user", [block])])
    assert write(request).dropped == dropped


@pytest.mark.parametrize(
    ("part", "block"),
    [
        ({"image_url": "https://x.example/a"}, Media("image", url="https://x.example/a")),
        ({"file_id": "file-1"}, Media("image", file_id="file-1")),
        ({"file_url": "https://x.example/a"}, Media("document", url="https://x.example/a")),
        ({"file_id": "file-1"}, Media("document", file_id="file-1")),
        (
            {"filename": "document.pdf", "file_data": "data:application/pdf;base64,AAAA"},
            Media("document", base64="AAAA"),
        ),
        (
            {"filename": "a.txt", "file_data": "data:text/plain;base64,aGk="},
            Media("document", text="hi", name="a.txt"),
        ),
    ],
)
def test_media_are_told_where_they_are(part: Json, block: Media) -> None:
    kind = {"image": "input_image", "document": "input_file"}[block.kind]
    written = write(ChatRequest("m", [Message("user", [block])]))
    assert written.body["input"][0]["content"] == [{"type": kind, **part}]
    assert written.dropped == frozenset()


def test_a_result_may_hold_images() -> None:
    result = ToolResult("c", (Text("a"), Media("image", url="https://x.example/a")))
    written = write(ChatRequest("m", [Message("user", [result])]))
    assert written.body["input"][0]["output"] == [
        {"type": "input_text", "text": "a"},
        {"type": "input_image", "image_url": "https://x.example/a"},
    ]
    assert read(written.body).messages == [Message("user", [result])]


def test_what_this_api_cannot_say_is_reported_and_what_says_nothing_is_not() -> None:
    sampling = Sampling(
        stop=["x"],
        n=2,
        seed=0,
        top_k=3,
        presence_penalty=1,
        frequency_penalty=1,
        logit_bias={"1": 2},
    )
    request = ChatRequest(
        "m",
        [Message("user", [Text("hi")], name="Ann")],
        sampling=sampling,
        modalities=["text", "image"],
        tools=[Foreign("gemini", {"googleSearch": {}}), Tool("f", None, {}, cache_ttl="5m")],
    )
    assert write(request).dropped == {
        "stop",
        "n",
        "seed",
        "top_k",
        "presence_penalty",
        "frequency_penalty",
        "logit_bias",
        "modalities",
        "name",
        "tools.googleSearch",
        "cache_control",
    }
    nothing = Sampling(stop=[], n=1, presence_penalty=0, frequency_penalty=0.0, logit_bias={})
    quiet = ChatRequest("m", [Message("user", [Text("hi")])], sampling=nothing)
    assert write(quiet).dropped == frozenset()


@pytest.mark.parametrize(
    ("reasoning", "told", "dropped"),
    [
        (Reasoning(budget=-1), None, set()),
        (Reasoning(budget=1024), {"effort": "low"}, {"reasoning.budget"}),
        (Reasoning(budget=8000), {"effort": "medium"}, {"reasoning.budget"}),
        (Reasoning(budget=32000), {"effort": "high"}, {"reasoning.budget"}),
        (Reasoning(effort="max", budget=5), {"effort": "max"}, {"reasoning.budget"}),
        (Reasoning(shown=True), {"summary": "auto"}, set()),
        (Reasoning(shown=False), None, set()),
        (Reasoning(summary="concise"), {"summary": "concise"}, set()),
    ],
)
def test_how_much_to_think_is_told_as_an_effort(
    reasoning: Reasoning, told: Json | None, dropped: set[str]
) -> None:
    request = ChatRequest("m", [Message("user", [Text("hi")])], reasoning=reasoning)
    written = write(request)
    assert written.body.get("reasoning") == told
    assert written.dropped == dropped


@pytest.mark.parametrize(
    ("reasoning", "block", "included"),
    [
        (None, Text("a"), False),  # a model that does not think refuses the wish
        (Reasoning(), Text("a"), False),
        (Reasoning(effort="low"), Text("a"), True),
        (Reasoning(budget=2000), Text("a"), True),
        (None, Thinking("", Seal("openai", "s")), True),
        (None, Thinking("", Seal("anthropic", "s")), False),
    ],
)
def test_seals_are_asked_for_where_the_model_is_to_think(
    reasoning: Reasoning | None, block: Block, *, included: bool
) -> None:
    messages = [Message("user", [Text("hi")]), Message("assistant", [block])]
    body = write(ChatRequest("m", messages, reasoning=reasoning)).body
    assert (body.get("include") == ["reasoning.encrypted_content"]) is included


def test_a_count_asks_for_what_the_model_is_told_and_no_more() -> None:
    request = read_counted(
        {
            "model": "m",
            "instructions": "i",
            "input": "as json",
            "tools": [WEATHER],
            "reasoning": {"effort": "low"},
            "text": {"format": {"type": "json_object"}},
        }
    )
    request.sampling = Sampling(max_tokens=50, stop=["x"])
    written = write_counted(request)
    assert written.body == {
        "model": "m",
        "instructions": "i",
        "input": [message("user", "as json")],
        "tools": [WEATHER | {"strict": False}],
        "reasoning": {"effort": "low"},
        "text": {"format": {"type": "json_object"}},
    }
    assert written.dropped == frozenset()


@pytest.mark.parametrize("schema", [None, {}, {"type": "object"}])
def test_a_tool_that_takes_nothing_says_so(schema: Json | None) -> None:
    (tool,) = write(ChatRequest("m", [], tools=[Tool("f", None, schema)])).body["tools"]
    assert tool["parameters"] == {"type": "object", "properties": {}}


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({"$ref": "#/$defs/A"}, {"type": "object", "$ref": "#/$defs/A"}),
        ({"properties": {"a": {}}}, {"type": "object", "properties": {"a": {}}}),
        ({"type": ["object", "null"]}, {"type": "object", "properties": {}}),
        (SCHEMA, SCHEMA),
        ({"type": "string"}, {"type": "string"}),  # no tool's: the API says so
    ],
)
def test_a_tools_schema_is_of_an_object(schema: Json, told: Json) -> None:
    given = copy.deepcopy(schema)
    (tool,) = write(ChatRequest("m", [], tools=[Tool("f", None, schema)])).body["tools"]
    assert (tool["parameters"], schema) == (told, given)


@pytest.mark.parametrize(
    ("model", "reasoning", "told", "dropped"),
    [
        ("m", Reasoning(effort="none"), None, {"reasoning.effort"}),
        ("m", Reasoning(budget=0), None, {"reasoning.budget"}),
        ("llama-3.3-70b-versatile", Reasoning(budget=0), None, set()),
        ("qwen/qwen3-32b", Reasoning(effort="none"), {"effort": "none"}, set()),
        ("gpt-5.1", Reasoning(effort="none"), {"effort": "none"}, set()),
        ("m", Reasoning(effort="low"), {"effort": "low"}, set()),
    ],
)
def test_that_it_is_not_to_think_is_told_to_who_takes_the_word(
    model: str, reasoning: Reasoning, told: Json | None, dropped: set[str]
) -> None:
    written = write(ChatRequest(model, [Message("user", [Text("hi")])], reasoning=reasoning))
    assert written.body.get("reasoning") == told
    assert written.dropped == dropped


CLOSED: Json = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("schema", "strict", "told", "dropped"),
    [
        (CLOSED, True, {"strict": True}, set()),
        (SCHEMA, True, {}, {"response_format.strict"}),
        (CLOSED | {"required": []}, True, {}, {"response_format.strict"}),
        (SCHEMA, False, {"strict": False}, set()),
        (CLOSED, None, {}, set()),
    ],
)
def test_a_schema_is_held_to_where_it_can_be(
    schema: Json, strict: bool | None, told: Json, dropped: set[str]
) -> None:
    form = ResponseFormat(schema, "s", None, strict)
    written = write(ChatRequest("m", [Message("user", [Text("hi")])], response_format=form))
    assert written.body["text"]["format"] == {
        "type": "json_schema",
        "name": "s",
        "schema": schema,
        **told,
    }
    assert written.dropped == dropped


def message(role: str, text: str) -> Json:
    kind = "output_text" if role == "assistant" else "input_text"
    return {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}


ASKS_IN_THE_SYSTEM = [message("system", "In JSON, please."), message("user", "fruits")]


@pytest.mark.parametrize(
    ("system", "said", "instructions", "given"),
    [
        (["Be kind."], "as json", "Be kind.", [message("user", "as json")]),
        (["In JSON, please."], "fruits", None, ASKS_IN_THE_SYSTEM),
        (
            ["Be kind."],
            "fruits",
            "Be kind.",
            [message("system", "Answer with exactly one JSON object."), message("user", "fruits")],
        ),
        (
            [],
            "fruits",
            None,
            [message("system", "Answer with exactly one JSON object."), message("user", "fruits")],
        ),
    ],
)
def test_any_json_is_asked_for_in_the_input_too(
    system: list[str], said: str, instructions: str | None, given: list[Json]
) -> None:
    request = ChatRequest(
        "m",
        [Message("user", [Text(said)])],
        system=[Text(one) for one in system],
        response_format=ResponseFormat(),
    )
    written = write(request)
    assert (written.body.get("instructions"), written.body["input"]) == (instructions, given)
    assert written.dropped == frozenset()


def test_that_the_tools_speak_of_json_does_not_count() -> None:
    call, result = ToolUse("c", "json", '{"json":1}'), ToolResult("c", (Text("json"),))
    messages = [Message("assistant", [call]), Message("user", [result])]
    request = ChatRequest("m", messages, response_format=ResponseFormat())
    first, *_ = write(request).body["input"]
    assert first == message("system", "Answer with exactly one JSON object.")


SEALED = Thinking("hm", Seal("openai", "gA=="), id="rs_1")
THOUGHT: Json = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [{"type": "summary_text", "text": "hm"}],
    "encrypted_content": "gA==",
}
CALL: Json = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
SEARCHED: Json = {"type": "web_search_call", "id": "ws", "status": "completed"}


@pytest.mark.parametrize(
    ("content", "told", "dropped"),
    [
        ([SEALED, Text("a")], [THOUGHT, message("assistant", "a")], set()),
        ([SEALED, ToolUse("c", "f", "{}")], [THOUGHT, CALL], set()),
        ([SEALED, SEALED, ToolUse("c", "f", "{}")], [THOUGHT, THOUGHT, CALL], set()),
        ([SEALED, Foreign("openai_responses", SEARCHED)], [THOUGHT, SEARCHED], set()),
        ([SEALED], [], {"thinking"}),
        ([Text("a"), SEALED, SEALED], [message("assistant", "a")], {"thinking"}),
        ([SEALED, Media("image", base64="AAAA")], [], {"thinking", "image"}),
    ],
)
def test_a_thought_is_told_with_what_came_of_it(
    content: list[Block], told: list[Json], dropped: set[str]
) -> None:
    result = ToolResult("c", (Text("x"),))
    for after, item in (
        (Message("user", [Text("go on")]), message("user", "go on")),
        (
            Message("user", [result]),
            {"type": "function_call_output", "call_id": "c", "output": "x"},
        ),
        (Message("system", [Text("be brief")]), message("system", "be brief")),
    ):
        written = write(ChatRequest("m", [Message("assistant", content), after]))
        assert written.body["input"] == [*told, item]
        assert written.dropped == dropped
    assert write(ChatRequest("m", [Message("assistant", content)])).body["input"] == told


@pytest.mark.parametrize("kind", ["image", "document"])
@pytest.mark.parametrize(
    "file_id",
    ["file_011CNha8iCJcU1wXNR6q4V8w", "https://generativelanguage.googleapis.com/v1beta/files/a"],
)
def test_another_providers_file_is_not_told(kind: MediaKind, file_id: str) -> None:
    media = Media(kind, file_id=file_id, name="a")
    written = write(ChatRequest("m", [Message("user", [Text("hi"), media])]))
    assert written.body["input"] == [message("user", "hi")]
    assert written.dropped == {kind}


@pytest.mark.parametrize("file_id", ["file-abc", "assistant-abc"])
def test_a_file_that_openai_or_azure_keeps_is_told(file_id: str) -> None:
    written = write(ChatRequest("m", [Message("user", [Media("document", file_id=file_id)])]))
    (item,) = written.body["input"]
    assert item["content"] == [{"type": "input_file", "file_id": file_id}]
    assert written.dropped == frozenset()


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("data:image/jpg;base64,AAAA", "image/jpeg"),
        ("data:IMAGE/PNG;charset=utf-8;base64,AAAA", "image/png"),
        ("data:;base64,AAAA", None),
    ],
)
def test_media_types_are_read_as_all_apis_write_them(url: str, kind: str | None) -> None:
    assert said([{"type": "input_image", "image_url": url}]) == [
        Media("image", kind, base64="AAAA")
    ]


def test_an_image_in_the_developers_message_stays_there() -> None:
    given = [
        {
            "type": "message",
            "role": "developer",
            "content": [
                {"type": "input_text", "text": "the screen now:"},
                {"type": "input_image", "image_url": "https://x.example/a.png"},
            ],
        }
    ]
    request = read(asked(given))
    media = Media("image", url="https://x.example/a.png")
    assert request.messages == [Message("system", [Text("the screen now:"), media])]
    written = write(request)
    assert written.body["input"] == [given[0] | {"role": "system"}]
    assert written.dropped == frozenset()


def test_a_limit_that_the_api_refuses_is_the_least_that_it_takes() -> None:
    written = write(ChatRequest("m", [], sampling=Sampling(max_tokens=1)))
    assert (written.body["max_output_tokens"], set(written.dropped)) == (16, {"max_tokens"})
    written = write(ChatRequest("m", [], sampling=Sampling(max_tokens=16)))
    assert (written.body["max_output_tokens"], set(written.dropped)) == (16, set())


def test_a_users_name_that_is_too_long_is_left_out() -> None:
    assert write(ChatRequest("m", [], user="u" * 64)).body["user"] == "u" * 64
    written = write(ChatRequest("m", [], user="u" * 65))
    assert ("user" in written.body, set(written.dropped)) == (False, {"user"})

"""generateContent and countTokens requests, both ways."""

import json

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
from gateway.chat.seals import carried
from gateway.dialects.gemini import GEMINI_COUNT
from gateway.errors import BadRequest, Unprocessable
from gateway.wire.json import Json, dumps, loads
from tests.dialects.gemini import CHAT, REQUEST, SEAL

MINE, THEIRS = Seal("gemini", SEAL), Seal("anthropic", "sig")
assert GEMINI_COUNT.count
COUNT = GEMINI_COUNT.count


def read(*contents: Json, **more: object) -> ChatRequest:
    return CHAT.read_request({"contents": list(contents), **more})


def said(*parts: Json, role: str = "user") -> list[Block]:
    (message,) = read({"role": role, "parts": list(parts)}).messages
    return message.content


def written(
    *blocks: Block, role: str = "user", model: str = "gemini-3-pro"
) -> tuple[list[Json], set[str]]:
    """The parts of the only turn, and what could not be said."""
    before = [Message("user", [Text("go")])] if role == "model" else []
    message = Message("assistant" if role == "model" else "user", list(blocks))
    told = CHAT.write_request(ChatRequest(model, [*before, message]))
    contents = told.body["contents"][len(before) :]
    return [part for content in contents for part in content["parts"]], set(told.dropped)


def config(request: ChatRequest) -> tuple[Json, set[str]]:
    told = CHAT.write_request(request)
    return told.body.get("generationConfig", {}), set(told.dropped)


def test_a_request_is_read_whole() -> None:
    body = loads(dumps(REQUEST))
    assert CHAT.read_request(body) == ChatRequest(
        model="",
        messages=[
            Message(
                "user",
                [
                    Text("What is this?"),
                    Media("image", "image/png", base64="AAAA", name="a"),
                    Media("document", "application/pdf", url="https://x.example/a.pdf"),
                ],
            ),
            Message(
                "assistant",
                [
                    Thinking("hm", MINE),
                    Text("Let me see.", seal=MINE),
                    ToolUse("c1", "look", '{"at":"it"}', MINE),
                    Foreign("gemini", {"executableCode": {"language": "PYTHON", "code": "1"}}),
                ],
            ),
            Message(
                "user",
                [
                    ToolResult(
                        "c1",
                        (Text("a cat"), Media("image", "image/png", base64="BBBB")),
                        name="look",
                    )
                ],
            ),
        ],
        system=[Text("Be brief.")],
        tools=[
            Tool(
                "look",
                "looks",
                {
                    "type": "object",
                    "properties": {"at": {"type": ["string", "null"]}},
                    "required": ["at"],
                },
            ),
            Tool("stop", None, {"type": "object", "$defs": {}}),
            Foreign("gemini", {"googleSearch": {}}),
        ],
        tool_choice=ToolChoice("named", "look"),
        sampling=Sampling(9, 0.5, 0.9, 40, ["END"], 3, 2, 0.1, 0.2, logprobs=True, top_logprobs=4),
        reasoning=Reasoning("low", shown=True),
        response_format=ResponseFormat(
            {"type": "object", "properties": {"a": {"type": "integer"}}}, strict=True
        ),
        service_tier="flex",
        modalities=["image"],
    )
    assert body == REQUEST


def test_what_is_read_is_written_so_that_it_reads_alike() -> None:
    request = CHAT.read_request(REQUEST)
    request.model = "a-model-of-mine"
    told = CHAT.write_request(request)
    assert told.dropped == {"document.name"}
    again = CHAT.read_request(told.body)
    request.messages[0].content[1] = Media("image", "image/png", base64="AAAA")
    request.model = ""
    assert again == request


def snake(value: object) -> object:
    """A body with each of Google's names in snake_case."""
    if isinstance(value, list):
        return [snake(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        "".join(f"_{c.lower()}" if c.isupper() else c for c in name): snake(one)
        for name, one in value.items()
    }


def test_fields_may_be_spelt_in_snake_case() -> None:
    body = snake(REQUEST)
    assert isinstance(body, dict)
    assert "generation_config" in body
    assert CHAT.read_request(body) == CHAT.read_request(REQUEST)


def test_one_value_may_stand_for_a_list_and_a_whole_number_be_spelt_otherwise() -> None:
    request = CHAT.read_request(
        {
            "contents": {"parts": {"text": "hi"}},
            "tools": {"functionDeclarations": {"name": "f"}},
            "generationConfig": {"topK": 40.0, "maxOutputTokens": "7", "stopSequences": "x"},
        }
    )
    assert request.messages == [Message("user", [Text("hi")])]
    assert request.tools == [Tool("f", None, None)]
    assert request.sampling == Sampling(max_tokens=7, top_k=40, stop=["x"])


def test_what_is_not_understood_is_noted_by_its_path() -> None:
    request = read(
        {
            "role": "user",
            "cacheControl": 1,
            "parts": [
                {"text": "hi", "videoMetadata": {"fps": 1}},
                {"inline_data": {"mime_type": "image/png", "data": "AAAA", "odd": 1}},
            ],
        },
        safetySettings=[{"category": "X"}],
        labels=None,
        store=True,
        toolConfig={"functionCallingConfig": {"mode": "VALIDATED"}, "retrievalConfig": {}},
        tools=[{"functionDeclarations": [{"name": "f", "behavior": "BLOCKING"}]}],
        generationConfig={"speechConfig": {}, "thinkingConfig": {"odd": 1}},
        serviceTier="odd",
    )
    assert request.unread == {
        "contents[].cacheControl": 1,
        "contents[].parts[].videoMetadata": {"fps": 1},
        "contents[].parts[].inline_data.odd": 1,
        "safetySettings": [{"category": "X"}],
        "store": True,
        "toolConfig.functionCallingConfig.mode": "VALIDATED",
        "toolConfig.retrievalConfig": {},
        "tools[].functionDeclarations[].behavior": "BLOCKING",
        "generationConfig.speechConfig": {},
        "generationConfig.thinkingConfig.odd": 1,
        "serviceTier": "odd",
    }


@pytest.mark.parametrize("name", ["cachedContent", "cached_content", "continuationToken"])
def test_what_only_gemini_keeps_is_refused(name: str) -> None:
    body = {"contents": [{"parts": [{"text": "hi"}]}], name: "cachedContents/a"}
    for read_request, whole, field in (
        (CHAT.read_request, body, name),
        (COUNT.read_request, body, name),
        (COUNT.read_request, {"generateContentRequest": body}, f"generateContentRequest.{name}"),
    ):
        with pytest.raises(BadRequest, match="only Gemini") as refused:
            read_request(whole)
        assert refused.value.field == field


def test_what_asks_for_nothing_is_no_loss() -> None:
    request = read(
        {},
        cachedContent="",
        store=False,
        generationConfig={"thinkingConfig": {"thinkingLevel": "THINKING_LEVEL_UNSPECIFIED"}},
    )
    assert (request.unread, request.reasoning) == ({}, Reasoning())


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"contents": [3]}, "contents[0]"),
        ({"contents": [{"role": "system", "parts": []}]}, "contents[0].role"),
        ({"contents": [{"parts": [{"text": 3}]}]}, "contents[0].parts[0].text"),
        (
            {"contents": [{"parts": [{"function_call": {"args": {}}}]}]},
            "contents[0].parts[0].function_call.name",
        ),
        (
            {"contents": [{}], "generation_config": {"top_k": 1.5}},
            "generation_config.top_k",
        ),
        (
            {"contents": [{}], "generationConfig": {"responseFormat": {"text": {"schema": 3}}}},
            "generationConfig.responseFormat.text.schema",
        ),
        (
            {"contents": [{}], "generationConfig": {"stopSequences": [3]}},
            "generationConfig.stopSequences",
        ),
        (
            {"contents": [{}], "toolConfig": {"functionCallingConfig": {"mode": "SOME"}}},
            "toolConfig.functionCallingConfig.mode",
        ),
        (
            {"contents": [{}], "systemInstruction": {"parts": [{"inlineData": {}}]}},
            "systemInstruction.parts[0].inlineData.mimeType",
        ),
        (
            {"contents": [{}], "systemInstruction": {"parts": [{"functionCall": {"name": "f"}}]}},
            "systemInstruction.parts",
        ),
        (
            {
                "contents": [{}],
                "tools": [
                    {"functionDeclarations": [{"name": "f", "parameters": {"items": [3]}}]},
                ],
            },
            "tools[0].functionDeclarations[0].parameters.items",
        ),
    ],
)
def test_a_bad_field_is_named_by_its_whole_path(body: Json, field: str) -> None:
    with pytest.raises(BadRequest) as refused:
        CHAT.read_request(body)
    assert refused.value.field == field


def test_google_s_schemas_become_json_schemas() -> None:
    own = {
        "type": "OBJECT",
        "properties": {
            "type": {"type": "STRING", "enum": ["a"], "nullable": True, "example": "a"},
            "n": {"type": "TYPE_UNSPECIFIED", "anyOf": [{"type": "NUMBER"}], "nullable": True},
            "l": {"type": "ARRAY", "items": {"ref": "#/$defs/x"}, "min_items": "2"},
        },
        "propertyOrdering": ["l", "type", "gone", 3],
        "additional_properties": False,
        "defs": {"x": {"type": ["STRING", "NULL"], "format": "date", "maxLength": None}},
    }
    request = read({}, tools=[{"functionDeclarations": [{"name": "f", "parameters": own}]}])
    (tool,) = request.tools
    assert isinstance(tool, Tool)
    assert tool.schema
    assert list(tool.schema["properties"]) == ["l", "type", "n"]
    assert tool.schema == {
        "type": "object",
        "properties": {
            "type": {"type": ["string", "null"], "enum": ["a", None], "examples": ["a"]},
            "n": {"anyOf": [{"type": "number"}, {"type": "null"}]},
            "l": {"type": "array", "items": {"$ref": "#/$defs/x"}, "minItems": 2},
        },
        "additionalProperties": False,
        "$defs": {"x": {"type": ["string", "null"], "format": "date"}},
    }


@pytest.mark.parametrize(
    ("own", "schema"),
    [
        ({"type": "OBJECT", "nullable": True, "enum": [{}]}, {"type": "object", "enum": [{}]}),
        ({"type": ["OBJECT", "NULL"]}, {"type": "object"}),
        ({"properties": {}}, {"properties": {}, "type": "object"}),
        ({}, {"type": "object"}),
        ({"type": "STRING"}, {"type": "string"}),  # the provider's to refuse
    ],
)
def test_what_a_function_takes_is_an_object(own: Json, schema: Json) -> None:
    (tool,) = read({}, tools=[{"functionDeclarations": [{"name": "f", "parameters": own}]}]).tools
    assert tool == Tool("f", None, schema)
    asked = {"responseMimeType": "application/json", "responseSchema": {**own, "nullable": True}}
    answer = read({}, generationConfig=asked).response_format
    assert answer
    assert answer.schema != schema  # an answer may well be null


def test_a_schema_that_nests_without_end_is_refused() -> None:
    deep: Json = {"type": "STRING"}
    for _ in range(900):
        deep = {"items": deep}
    with pytest.raises(BadRequest, match="nests too deep"):
        read({}, generationConfig={"responseSchema": deep})


def test_json_schemas_pass_whole() -> None:
    schema = {"$ref": "#/$defs/x", "$defs": {"x": {"type": "STRING", "nullable": True}}}
    for name in ("responseJsonSchema", "_responseJsonSchema", "response_json_schema"):
        asked = {"responseMimeType": "application/json", name: schema}
        assert read({}, generationConfig=asked).response_format == (
            ResponseFormat(schema, strict=True)
        )
    request = ChatRequest("gemini-3-pro", [], tools=[Tool("f", "d", schema, strict=False)])
    request.response_format = ResponseFormat(schema, strict=True)
    told = CHAT.write_request(request)
    assert told.body["tools"] == [
        {
            "functionDeclarations": [
                {"name": "f", "description": "d", "parametersJsonSchema": schema}
            ]
        }
    ]
    assert told.body["generationConfig"] == {
        "responseMimeType": "application/json",
        "responseJsonSchema": schema,
    }
    assert told.dropped == set()


def test_an_answer_may_be_any_json_or_plain_or_one_of_an_enum() -> None:
    assert read({}, generationConfig={"responseMimeType": "application/json"}).response_format == (
        ResponseFormat()
    )
    assert read({}, generationConfig={"responseMimeType": "text/plain"}).response_format is None
    enum = read({}, generationConfig={"responseMimeType": "text/x.enum", "responseSchema": {}})
    assert enum.response_format is None
    assert set(enum.unread) == {
        "generationConfig.responseMimeType",
        "generationConfig.responseSchema",
    }
    json = ChatRequest("m", [], response_format=ResponseFormat(name="n", description="d"))
    assert config(json) == (
        {"responseMimeType": "application/json"},
        {"response_format.name", "response_format.description"},
    )


@pytest.mark.parametrize(
    ("told", "form", "unread"),
    [
        (
            {"text": {"mimeType": "APPLICATION_JSON", "schema": {"type": "object"}}},
            ResponseFormat({"type": "object"}, strict=True),
            {},
        ),
        (
            [{"text": {"mime_type": "application/json", "schema": {"type": "object"}}}],
            ResponseFormat({"type": "object"}, strict=True),
            {},
        ),
        ({"text": {"mimeType": "application/json"}}, ResponseFormat(), {}),
        ({"text": {"mimeType": "TEXT_PLAIN"}}, None, {}),
        (
            {"text": {"mimeType": "text/x.enum", "schema": {}}, "image": {"aspectRatio": "1:1"}},
            None,
            {
                "generationConfig.responseFormat.text.mimeType": "text/x.enum",
                "generationConfig.responseFormat.text.schema": {},
                "generationConfig.responseFormat.image": {"aspectRatio": "1:1"},
            },
        ),
    ],
)
def test_an_answer_s_form_may_be_told_in_the_newer_way(
    told: object, form: ResponseFormat | None, unread: Json
) -> None:
    request = read({}, generationConfig={"responseFormat": told})
    assert (request.response_format, request.unread) == (form, unread)


def test_calls_without_ids_get_one_by_their_place_and_answers_find_theirs() -> None:
    request = read(
        {
            "role": "model",
            "parts": [
                {"functionCall": {"name": "f", "args": {"n": 1}}},
                {"functionCall": {"name": "g"}},
                {"functionCall": {"name": "f", "args": {"n": 1}}},
            ],
        },
        {
            "role": "function",
            "parts": [
                {"functionResponse": {"name": "f", "response": {"result": "1"}}},
                {"functionResponse": {"name": "f", "response": {"result": "2"}}},
                {"functionResponse": {"name": "g", "response": {"output": "3"}}},
                {"functionResponse": {"name": "h", "response": {}}},
            ],
        },
    )
    assert [block.id for block in request.messages[0].content if isinstance(block, ToolUse)] == [
        "call_0_0",
        "call_0_1",
        "call_0_2",
    ]
    assert request.messages[1] == Message(
        "user",
        [
            ToolResult("call_0_0", (Text("1"),), name="f"),
            ToolResult("call_0_2", (Text("2"),), name="f"),
            ToolResult("call_0_1", (Text("3"),), name="g"),
            ToolResult("call_1_3", (), name="h"),
        ],
    )


def test_an_answer_goes_by_its_id_and_else_by_its_name() -> None:
    request = read(
        {
            "role": "model",
            "parts": [
                {"functionCall": {"id": "a", "name": "f"}},
                {"functionCall": {"id": "b", "name": "f"}},
            ],
        },
        {
            "parts": [
                {"functionResponse": {"id": "b", "name": "f"}},
                {"functionResponse": {"name": "f"}},
                {"functionResponse": {"id": "z", "name": "f"}},
            ]
        },
    )
    assert [block.tool_use_id for block in request.messages[1].content] == [  # type: ignore[union-attr]
        "b",
        "a",
        "z",
    ]


@pytest.mark.parametrize(
    ("response", "result"),
    [
        ({"result": "x"}, ToolResult("c", (Text("x"),), name="f")),
        ({"output": "x"}, ToolResult("c", (Text("x"),), name="f")),
        ({"output": 3}, ToolResult("c", (Text('{"output":3}'),), name="f")),
        ({"a": 1}, ToolResult("c", (Text('{"a":1}'),), name="f")),
        ({"error": "no"}, ToolResult("c", (Text("no"),), is_error=True, name="f")),
        ({"error": {"a": 1}}, ToolResult("c", (Text('{"a":1}'),), is_error=True, name="f")),
        ({"error": "no", "a": 1}, ToolResult("c", (Text('{"error":"no","a":1}'),), name="f")),
    ],
)
def test_what_a_function_answered_is_text(response: Json, result: ToolResult) -> None:
    assert said({"functionResponse": {"id": "c", "name": "f", "response": response}}) == [result]


@pytest.mark.parametrize(
    ("result", "response"),
    [
        (ToolResult("c", (Text("x"),)), {"result": "x"}),
        (ToolResult("c", (Text('{"a": 1}'),)), {"a": 1}),
        (ToolResult("c", (Text("{oh"), Text("[1]"))), {"result": "{oh\n[1]"}),
        (ToolResult("c", ()), {"result": ""}),
        (ToolResult("c", (Text("no"),), is_error=True), {"error": "no"}),
        (ToolResult("c", (Text('{"a":1}'),), is_error=True), {"error": {"a": 1}}),
    ],
)
def test_a_response_is_an_object(result: ToolResult, response: Json) -> None:
    call = Message("assistant", [ToolUse("c", "f", "")])
    told = CHAT.write_request(ChatRequest("gemini-2.5-pro", [call, Message("user", [result])]))
    assert [content["parts"] for content in told.body["contents"][1:]] == [
        [{"functionCall": {"id": "c", "name": "f", "args": {}}}],
        [{"functionResponse": {"id": "c", "name": "f", "response": response}}],
    ]
    assert told.dropped == set()


def test_a_response_needs_the_name_of_the_function() -> None:
    with pytest.raises(Unprocessable, match="tool_call_id=zz does not match any tool call"):
        written(ToolResult("zz", ()))
    parts, _ = written(ToolResult("zz", (), name="f"))
    assert parts[0]["functionResponse"]["name"] == "f"


@pytest.mark.parametrize("arguments", ["[1]", "{oh", '"x"', '{"a": 1e400}'])
def test_arguments_that_are_no_object_travel_within_one(arguments: str) -> None:
    call = ToolUse("c", "f", arguments)
    (part,), dropped = written(call, role="model")
    assert part["functionCall"]["args"] == {"INVALID_JSON": arguments}
    assert dropped == set()
    assert said({"functionCall": part["functionCall"]}, role="model") == [call]


def test_an_argument_of_that_name_is_one_if_it_is_not_alone_or_no_text() -> None:
    for args in ({"INVALID_JSON": 1}, {"INVALID_JSON": "a", "b": 2}):
        call: Json = {"functionCall": {"id": "c", "name": "f", "args": args}}
        assert said(call, role="model") == [ToolUse("c", "f", dumps(args).decode())]


def test_whole_numbers_of_any_length_are_said_exactly() -> None:
    big = '{"n": 12345678901234567890123,\r\n"m": -9223372036854775809}'
    (call,), _ = written(ToolUse("c", "f", big), role="model")
    (result,), _ = written(ToolResult("c", (Text(big),), name="f"))
    sent = dumps([call["functionCall"]["args"], result["functionResponse"]["response"]])
    assert json.loads(sent) == [json.loads(big)] * 2
    error, _ = written(ToolResult("c", (Text(big),), is_error=True, name="f"))
    told = dumps(error[0]["functionResponse"]["response"])
    assert json.loads(told) == {"error": json.loads(big)}


def test_an_object_that_has_a_name_twice_is_sent_with_its_last_value() -> None:
    (part,), _ = written(ToolUse("c", "f", '{"a": 1, "a": 2}'))
    assert dumps(part["functionCall"]["args"]) == b'{"a":2}'


def test_what_cannot_be_said_within_a_result_is_reported() -> None:
    content: tuple[Block, ...] = (
        Media("image", "image/png", base64="AA==", detail="low", cache_ttl="5m"),
        Media("document", "application/pdf", base64="AA==", name="0.pdf"),
        Text("a", citations=[Citation("https://x.example")]),
        Refusal("no"),
    )
    parts, dropped = written(ToolResult("c", content, name="f"))
    assert parts[0]["functionResponse"] == {
        "id": "c",
        "name": "f",
        "response": {"result": "a\nno"},
        "parts": [
            {"inlineData": {"mimeType": "image/png", "data": "AA=="}},
            {"inlineData": {"mimeType": "application/pdf", "data": "AA=="}},
        ],
    }
    assert dropped == {"detail", "cache_control", "document.name", "citations", "refusal"}


def test_turns_of_one_speaker_are_one_content() -> None:
    messages = [
        Message("user", [Text("a")]),
        Message("user", [Text("b"), Text("")]),
        Message("assistant", [Text("c")]),
        Message("system", [Text("s")]),
        Message("assistant", [ToolUse("1", "f", "{}", MINE), ToolUse("2", "f", "{}")]),
        Message("user", [ToolResult("1", ())]),
        Message("user", [ToolResult("2", ())]),
        Message("user", []),
    ]
    told = CHAT.write_request(ChatRequest("gemini-3-pro", messages, [Text("r")]))
    assert told.body["systemInstruction"] == {"parts": [{"text": "r"}, {"text": "s"}]}
    assert [(one["role"], len(one["parts"])) for one in told.body["contents"]] == [
        ("user", 2),
        ("model", 3),
        ("user", 2),
    ]
    assert told.dropped == {"system.position"}


UNSIGNED = "skip_thought_signature_validator"


@pytest.mark.parametrize(
    ("model", "signature"),
    [
        ("gemini-3-pro", UNSIGNED),
        ("gemini-flash-latest", UNSIGNED),
        ("gemini-2.5-flash", None),
        ("gemini-2.0-flash", None),
    ],
)
def test_a_call_that_gemini_did_not_make_is_let_pass_unsigned(
    model: str, signature: str | None
) -> None:
    calls: list[Block] = [ToolUse("1", "f", "{}", THEIRS), ToolUse("2", "f", "{}")]
    results: list[Block] = [ToolResult("1", ()), ToolResult("2", ())]
    messages = [
        Message("assistant", [ToolUse("0", "f", "{}")]),
        Message("user", [ToolResult("0", ()), Text("now this")]),
        Message("assistant", calls),
        Message("user", results),
        Message("assistant", [ToolUse("3", "f", "{}", MINE), ToolUse("4", "f", "{}")]),
        Message("user", [ToolResult("3", ()), ToolResult("4", ())]),
    ]
    told = CHAT.write_request(ChatRequest(model, messages))
    signatures = [
        part.get("thoughtSignature")
        for content in told.body["contents"]
        for part in content["parts"]
        if "functionCall" in part
    ]
    assert signatures == [None, signature, None, SEAL, None]
    assert told.dropped == {"signature"}


def test_a_thought_is_told_back_only_with_gemini_s_own_seal() -> None:
    parts, dropped = written(
        Thinking("a", MINE),
        Thinking("b", THEIRS),
        Thinking("c"),
        Text("d", seal=THEIRS),
        role="model",
    )
    assert parts == [{"text": "a", "thought": True, "thoughtSignature": SEAL}, {"text": "d"}]
    assert dropped == {"thinking", "signature"}


def test_a_foreign_seal_comes_back_from_a_caller_as_it_was() -> None:
    word = carried(THEIRS)
    # google-genai reads it as bytes, and writes those in the other alphabet.
    for told in (word, word.replace("-", "+").replace("_", "/")):
        assert said({"text": "a", "thought": True, "thoughtSignature": told}, role="model") == [
            Thinking("a", THEIRS)
        ]


def test_a_streamed_turn_that_was_kept_in_pieces_is_whole_again() -> None:
    pieces: list[Json] = [
        {"text": "I ", "thought": True},
        {"text": "think", "thought": True},
        {"text": "", "thought": True, "thoughtSignature": SEAL},
        {"text": "more", "thought": True},
        {"text": "He"},
        {"text": "llo"},
        {"text": ""},
        {"text": "", "thoughtSignature": SEAL},
        {"text": "", "thoughtSignature": SEAL},
        {"text": "!"},
    ]
    whole: list[Block] = [
        Thinking("I think", MINE),
        Thinking("more"),
        Text("Hello", seal=MINE),
        Text("", seal=MINE),
        Text("!"),
    ]
    (message,) = read(*({"role": "model", "parts": [piece]} for piece in pieces)).messages
    assert message == Message("assistant", whole)


def test_a_part_of_no_known_kind_is_kept_and_an_empty_one_is_nothing() -> None:
    blocks = said(
        {"thoughtSignature": SEAL, "toolCall": {"id": "1"}}, {}, {"text": ""}, role="model"
    )
    assert blocks == [Foreign("gemini", {"toolCall": {"id": "1"}, "thoughtSignature": SEAL})]
    assert blocks[0].kind == "toolCall"  # type: ignore[union-attr]


def test_what_it_has_no_words_for_is_reported() -> None:
    request = ChatRequest(
        "gemini-3-pro",
        [
            Message("user", [Text("a", cache_ttl="5m"), Foreign("other", {"type": "odd"})], "Ann"),
            Message("assistant", [Refusal("no"), Text("b", citations=[Citation()])]),
        ],
        tools=[
            Tool("f", None, {}, strict=True, cache_ttl="5m"),
            Foreign("other", {"type": "web_search"}),
        ],
        tool_choice=ToolChoice("auto"),
        parallel_tools=False,
        sampling=Sampling(logit_bias={"1": 1}),
        user="u",
        metadata={"a": "b"},
        verbosity="low",
        service_tier="scale",
    )
    told = CHAT.write_request(request)
    assert told.body == {
        "contents": [
            {"role": "user", "parts": [{"text": "a"}]},
            {"role": "model", "parts": [{"text": "no"}, {"text": "b"}]},
        ],
        "tools": [{"functionDeclarations": [{"name": "f"}]}],
        "toolConfig": {"functionCallingConfig": {"mode": "AUTO"}},
    }
    assert told.dropped == {
        "cache_control",
        "odd",
        "name",
        "refusal",
        "citations",
        "tools.strict",
        "tools.web_search",
        "parallel_tool_calls",
        "logit_bias",
        "user",
        "metadata",
        "verbosity",
        "service_tier",
    }


@pytest.mark.parametrize(
    ("asked", "choice", "unread"),
    [
        ({"mode": "auto"}, ToolChoice("auto"), {}),
        ({"mode": "NONE"}, ToolChoice("none"), {}),
        ({"mode": "ANY"}, ToolChoice("required"), {}),
        ({"mode": "ANY", "allowedFunctionNames": "f"}, ToolChoice("named", "f"), {}),
        (
            {"mode": "ANY", "allowedFunctionNames": ["f", "g"]},
            ToolChoice("required"),
            {"toolConfig.functionCallingConfig.allowedFunctionNames": ["f", "g"]},
        ),
        ({"mode": "MODE_UNSPECIFIED"}, None, {}),
        ({}, None, {}),
    ],
)
def test_choices_of_tools(asked: Json, choice: ToolChoice | None, unread: Json) -> None:
    request = read({}, toolConfig={"functionCallingConfig": asked})
    assert (request.tool_choice, request.unread) == (choice, unread)


@pytest.mark.parametrize(
    ("choice", "calling"),
    [
        (ToolChoice("none"), {"mode": "NONE"}),
        (ToolChoice("required"), {"mode": "ANY"}),
        (ToolChoice("named", "f"), {"mode": "ANY", "allowedFunctionNames": ["f"]}),
    ],
)
def test_choices_of_tools_are_written(choice: ToolChoice, calling: Json) -> None:
    body = CHAT.write_request(ChatRequest("m", [], tool_choice=choice)).body
    assert body["toolConfig"] == {"functionCallingConfig": calling}


@pytest.mark.parametrize(
    ("model", "asked", "thinking", "dropped"),
    [
        ("gemini-3-pro", Reasoning("high"), {"thinkingLevel": "HIGH"}, set()),
        ("gemini-3-pro", Reasoning(budget=999), {"thinkingBudget": 999}, set()),
        ("gemini-3-pro", Reasoning("low", 9), {"thinkingLevel": "LOW"}, {"reasoning.budget"}),
        ("gemini-2.5-pro", Reasoning("low", 999), {"thinkingBudget": 999}, {"reasoning.effort"}),
        ("gemini-2.5-pro", Reasoning("medium"), {"thinkingBudget": 8192}, {"reasoning.effort"}),
        ("gemini-2.5-flash", Reasoning("none"), {"thinkingBudget": 0}, set()),
        ("m", Reasoning("none"), {"thinkingLevel": "MINIMAL"}, {"reasoning.effort"}),
        ("m", Reasoning("max"), {"thinkingLevel": "XHIGH"}, {"reasoning.effort"}),
        ("m", Reasoning(budget=99), {"thinkingBudget": 99}, set()),
        ("m", Reasoning(shown=False, summary="auto"), {"includeThoughts": False}, set()),
        ("m", Reasoning(summary="detailed"), {"includeThoughts": True}, {"reasoning.summary"}),
    ],
)
def test_thinking_is_told_as_the_model_takes_it(
    model: str, asked: Reasoning, thinking: Json, dropped: set[str]
) -> None:
    request = ChatRequest(model, [], reasoning=asked)
    assert config(request) == ({"thinkingConfig": thinking}, dropped)


def test_an_empty_wish_for_thought_is_none() -> None:
    assert config(ChatRequest("m", [], reasoning=Reasoning())) == ({}, set())


def test_thinking_is_read() -> None:
    asked = {"thinkingBudget": -1, "includeThoughts": True, "thinkingLevel": "SOME"}
    request = read({}, generationConfig={"thinkingConfig": asked})
    assert request.reasoning == Reasoning(budget=-1, shown=True)
    assert request.unread == {"generationConfig.thinkingConfig.thinkingLevel": "SOME"}


def test_modalities_beside_text() -> None:
    assert read({}, generationConfig={"responseModalities": ["TEXT"]}).modalities is None
    assert config(ChatRequest("m", [], modalities=["text", "image"]))[0] == {
        "responseModalities": ["TEXT", "IMAGE"]
    }
    assert config(ChatRequest("m", [], modalities=["audio"]))[0] == {
        "responseModalities": ["AUDIO"]
    }


@pytest.mark.parametrize(("tier", "told"), [("default", "standard"), ("priority", "priority")])
def test_service_tiers(tier: str, told: str) -> None:
    body = CHAT.write_request(ChatRequest("m", [], service_tier=tier)).body
    assert body["serviceTier"] == told
    assert read({}, serviceTier=told.upper()).service_tier == tier
    assert CHAT.write_request(ChatRequest("m", [], service_tier="auto")).dropped == set()


def test_a_count_is_of_contents_or_of_a_whole_request() -> None:
    assert COUNT.read_request(REQUEST) == CHAT.read_request(REQUEST)
    inner = {**REQUEST, "model": "models/e"}
    request = COUNT.read_request({"generateContentRequest": inner, "odd": 1})
    assert (request.model, request.unread) == ("e", {"odd": 1})
    assert request.messages == CHAT.read_request(REQUEST).messages
    told = COUNT.write_request(ChatRequest("m", [Message("user", [Text("hi")])], user="u"))
    assert told.body == {
        "generateContentRequest": {
            "model": "models/m",
            "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
        }
    }
    assert told.dropped == {"user"}
    assert COUNT.read_reply({"totalTokens": 7}) == 7
    assert COUNT.write_reply(7) == {"totalTokens": 7}


def test_a_count_s_bad_field_is_named_by_its_whole_path() -> None:
    body = {"generateContentRequest": {"contents": [{"parts": [{"text": 3}]}]}}
    with pytest.raises(BadRequest) as refused:
        COUNT.read_request(body)
    assert refused.value.field == "generateContentRequest.contents[0].parts[0].text"

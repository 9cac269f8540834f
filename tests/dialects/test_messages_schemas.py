"""Schemas that Claude's answers and strict tools are held to, and what of them it does not take."""

import copy
from typing import Any

import pytest

from gateway.chat.blocks import Text
from gateway.chat.in_words import ONE_THAT_FITS
from gateway.chat.request import ChatRequest, Message, ResponseFormat, Tool
from gateway.dialects.anthropic_messages import write_request
from gateway.dialects.anthropic_messages.count import write_count
from gateway.dialects.anthropic_messages.schemas import Fitted, fit
from gateway.dialects.forms import Written
from gateway.wire.json import Json, dumps

MODEL = "claude-sonnet-4-5"
OLDER = ["claude-3-5-haiku-latest", "claude-3-7-sonnet-latest", "claude-sonnet-4-20250514",
         "anthropic.claude-opus-4-20250514-v1:0"]  # fmt: skip
HELD = [
    "claude-opus-4-1",
    MODEL,
    "claude-haiku-4-5",
    "claude-opus-4-8",
    "claude-fable-5",
    "kimi-k3",
]
SCHEMA: Json = {
    "type": "object",
    "properties": {"score": {"type": "integer", "minimum": 1, "maximum": 10}},
    "required": ["score"],
    "additionalProperties": False,
}
TOLD: Json = {**SCHEMA, "properties": {
    "score": {"type": "integer", "description": "{minimum: 1, maximum: 10}"}}}  # fmt: skip
PLAIN: Json = {**SCHEMA, "properties": {"score": {"type": "integer"}}}
TREE: Json = {
    "$ref": "#/$defs/node",
    "$defs": {
        "node": {
            "type": "object",
            "properties": {"below": {"type": "array", "items": {"$ref": "#/$defs/node"}}},
        }
    },
}
MAP: Json = {"type": "object", "additionalProperties": {"type": "string"}}


def write(model: str = MODEL, **asked: Any) -> Written:
    return write_request(ChatRequest(model, [Message("user", [Text("Hi")])], **asked))


def body(**more: Any) -> Json:
    said = {"messages": [{"role": "user", "content": "Hi"}]}
    return {"model": MODEL, "max_tokens": 8192, **said, **more}


def of_object(**properties: Any) -> Json:
    """What the API takes for an object."""
    return {**loose(**properties), "required": list(properties)}


def loose(**properties: Any) -> Json:
    """One whose properties are all optional."""
    return {"type": "object", "properties": properties, "additionalProperties": False}


def test_a_rule_that_no_grammar_holds_is_told_in_words_and_reported() -> None:
    before = copy.deepcopy(SCHEMA)
    sent = write(response_format=ResponseFormat(SCHEMA))
    told = {"format": {"type": "json_schema", "schema": TOLD}}
    assert sent == Written(body(output_config=told), frozenset({"response_format.schema"}))
    assert before == SCHEMA


def test_of_a_strict_tool_too_and_of_another_it_stays() -> None:
    tools: Any = [Tool("f", "does", SCHEMA, strict=True), Tool("g", None, SCHEMA, strict=False)]
    before = copy.deepcopy(SCHEMA)
    told = [
        {"name": "f", "description": "does", "input_schema": TOLD, "strict": True},
        {"name": "g", "input_schema": SCHEMA},
    ]
    assert write(tools=tools) == Written(body(tools=told), frozenset({"tools.schema"}))
    assert before == SCHEMA
    tools = [Tool("f", None, PLAIN, strict=True)]
    told = [{"name": "f", "input_schema": PLAIN, "strict": True}]
    assert write(tools=tools) == Written(body(tools=told))


@pytest.mark.parametrize(
    ("schema", "fitted"),
    [
        ({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1.5, "multipleOf": 0.1},
         {"type": "number",
          "description": "{exclusiveMinimum: 0, exclusiveMaximum: 1.5, multipleOf: 0.1}"}),
        ({"type": "string", "description": "a name", "minLength": 1, "maxLength": 9},
         {"type": "string", "description": "a name\n\n{minLength: 1, maxLength: 9}"}),
        ({"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 3},
         {"type": "array", "items": {"type": "string"}, "description": "{minItems: 2, maxItems: 3}"}),
        ({"type": "array", "items": [{"type": "string"}], "uniqueItems": True},
         {"type": "array", "description": '{items: [{"type":"string"}], uniqueItems: true}'}),
        ({"type": "string", "format": "uri-reference"},
         {"type": "string", "description": "{format: uri-reference}"}),
        ({"type": "integer", "format": "int32"},
         {"type": "integer", "description": "{format: int32}"}),
        ({"type": "string", "pattern": r"^(?!no)\w+$"},
         {"type": "string", "description": r"{pattern: ^(?!no)\w+$}"}),
        ({"enum": ["a", {"b": 1}]}, {"description": '{enum: ["a",{"b":1}]}'}),
        ({"const": [1]}, {"description": "{const: [1]}"}),
        ({"oneOf": [{"type": "string", "minLength": 1}, {"type": "null"}]},
         {"anyOf": [{"type": "string", "description": "{minLength: 1}"}, {"type": "null"}]}),
        ({"anyOf": [{"type": "null"}], "oneOf": [{"type": "string"}]},
         {"anyOf": [{"type": "null"}], "description": '{oneOf: [{"type":"string"}]}'}),
        ({**of_object(a={"type": "string"}), "if": {"required": ["a"]}, "then": {}, "not": {}},
         {**of_object(a={"type": "string"}),
          "description": '{if: {"required":["a"]}, then: {}, not: {}}'}),
        ({**of_object(a={"type": "string"}), "anyOf": [{"required": ["a"]}]},
         {**of_object(a={"type": "string"}), "description": '{anyOf: [{"required":["a"]}]}'}),
        ({"type": "object", "properties": {"a": {"type": "null"}}, "additionalProperties": True},
         loose(a={"type": "null"})),
        ({"$ref": "#/$defs/n", "$defs": {"n": {"type": "number", "minimum": 0}}},
         {"$ref": "#/$defs/n", "$defs": {"n": {"type": "number", "description": "{minimum: 0}"}}}),
    ],
)  # fmt: skip
def test_what_it_refuses_is_in_the_description_as_its_own_library_does_it(
    schema: Json, fitted: Json
) -> None:
    before = copy.deepcopy(schema)
    assert fit(schema) == Fitted(fitted, whole=False)
    assert schema == before


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array", "items": {"type": "string", "format": "date-time"}, "minItems": 1},
        {"type": ["string", "null"], "pattern": r"^(?:a|b)\d{2}$", "default": None, "title": "T"},
        {"enum": ["a", 1, None, True]},
        {"type": "integer", "const": 5, "x-order": 1},
        {"anyOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/a"}], "$defs": {"a": of_object()}},
        of_object(minimum={"type": "number"}, oneOf={"type": "string"}),
        {"$ref": "#/definitions/a~1b", "definitions": {"a/b": {"type": "null"}}},
        {"type": "string", "anyOf": [True]},
    ],
)
def test_all_that_it_takes_stays_as_it_is(schema: Json) -> None:
    assert fit(schema) == Fitted(schema, whole=True)


@pytest.mark.parametrize(
    ("schema", "closed"),
    [
        ({"type": "object", "properties": {"a": {"properties": {}}}},
         loose(a={"properties": {}, "additionalProperties": False})),
        ({"type": ["object", "null"], "properties": {}},
         {"type": ["object", "null"], "properties": {}, "additionalProperties": False}),
        ({"anyOf": [{"type": "object", "properties": {}}]},
         {"anyOf": [{"type": "object", "properties": {}, "additionalProperties": False}]}),
        ({"type": "object", "$ref": "#/$defs/a", "$defs": {"a": {"properties": {}}}},
         {"type": "object", "$ref": "#/$defs/a",
          "$defs": {"a": {"properties": {}, "additionalProperties": False}}}),
        ({"description": "why", "allOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {"enum": [1]}}},
         {"$ref": "#/$defs/a", "description": "why", "$defs": {"a": {"enum": [1]}}}),
    ],
)  # fmt: skip
def test_an_object_is_closed_where_it_lists_its_properties_and_nothing_is_lost(
    schema: Json, closed: Json
) -> None:
    assert fit(schema) == Fitted(closed, whole=True)


DEEP: Json = {"type": "string"}
for _ in range(60):
    DEEP = {"type": "array", "items": {"anyOf": [DEEP]}}
MANY = {f"d{n}": {"anyOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(600)}
UNSAYABLE: list[Json] = [
    {"type": "object"},
    {"type": ["object", "null"]},
    MAP,
    {"type": "object", "properties": {}, "additionalProperties": True},
    {"type": "object", "patternProperties": {"^x": {}}, "additionalProperties": False},
    {"type": "object", "properties": {"any": {"type": "array", "items": {"type": "object"}}}},
    {"allOf": [of_object(), of_object(a={})]},
    {"type": "object", "allOf": [{"type": "object", "properties": {}}]},
    {**of_object(a={}), "anyOf": [of_object(b={})]},
    TREE,
    {"type": "array", "items": {"$ref": "#"}},
    {"type": "object", "properties": {"a": {"items": {"$ref": "#/properties/a"}}}},
    DEEP,
    {"$ref": "#/$defs/d0", "$defs": MANY},
]


@pytest.mark.parametrize("schema", UNSAYABLE)
def test_what_would_mean_another_thing_has_no_form(schema: Json) -> None:
    assert fit(schema) is None


ODD: list[Any] = [None, 5, "a", [], [5], [[]], [{}], {}, {"a": 5}, True]
RULES = ("properties", "required", "anyOf", "oneOf", "allOf", "$defs", "items", "enum", "format",
         "pattern", "type", "$ref", "minItems", "description")  # fmt: skip


@pytest.mark.parametrize("odd", [{name: value} for name in RULES for value in ODD])
def test_an_odd_schema_is_the_providers_to_refuse(odd: Json) -> None:
    asked = ResponseFormat({"type": "object", "properties": {"a": odd}})
    written = write(response_format=asked, tools=[Tool("f", None, odd, strict=True)])
    assert written.body["tools"][0]["input_schema"]["type"] == "object"
    assert ("response_format" in written.dropped) is ("output_config" not in written.body)


@pytest.mark.parametrize("schema", [MAP, TREE])
def test_where_there_is_no_form_the_whole_schema_is_asked_for_in_words(schema: Json) -> None:
    words = f"{ONE_THAT_FITS}\n{dumps(schema).decode()}"
    asked = ResponseFormat(schema, "answer", strict=True)
    assert write(response_format=asked) == Written(
        body(system=words), frozenset({"response_format"})
    )
    tool = Tool("f", None, schema, strict=True)
    told = {"name": "f", "input_schema": {**schema, "type": "object"}}
    assert write(tools=[tool]) == Written(body(tools=[told]), frozenset({"tools.strict"}))


@pytest.mark.parametrize("model", OLDER)
def test_an_older_model_is_asked_in_words_and_no_tool_of_it_is_strict(model: str) -> None:
    request = ChatRequest(
        model,
        [Message("user", [Text("Hi")])],
        [Text("be brief")],
        [Tool("f", None, SCHEMA, strict=True)],
        response_format=ResponseFormat(SCHEMA),
    )
    words = f"{ONE_THAT_FITS}\n{dumps(SCHEMA).decode()}"
    told = {
        "model": model,
        "system": [{"type": "text", "text": "be brief"}, {"type": "text", "text": words}],
        "messages": [{"role": "user", "content": "Hi"}],
        "tools": [{"name": "f", "input_schema": SCHEMA}],
    }
    assert write_request(request) == Written(
        {**told, "max_tokens": 8192}, frozenset({"response_format", "tools.strict"})
    )
    assert write_count(request) == Written(told, frozenset({"tools.strict"}))


@pytest.mark.parametrize("model", HELD)
def test_a_newer_one_is_held_to_it(model: str) -> None:
    tool = Tool("f", None, PLAIN, strict=True)
    written = write(model, response_format=ResponseFormat(PLAIN), tools=[tool])
    config = {"format": {"type": "json_schema", "schema": PLAIN}}
    told = [{"name": "f", "input_schema": PLAIN, "strict": True}]
    assert (written.body["output_config"], written.body["tools"]) == (config, told)
    assert written.dropped == frozenset()


def test_a_count_is_of_the_same() -> None:
    request = ChatRequest(
        MODEL, [Message("user", [Text("Hi")])], response_format=ResponseFormat(SCHEMA)
    )
    counted = body(output_config={"format": {"type": "json_schema", "schema": TOLD}})
    del counted["max_tokens"]
    assert write_count(request) == Written(counted)


def strict_of(schemas: list[Json], **asked: Any) -> tuple[list[bool], frozenset[str]]:
    """Which of the tools are strict, and what was lost."""
    tools: Any = [Tool(f"f{nth}", None, schema, strict=True) for nth, schema in enumerate(schemas)]
    written = write(tools=tools, **asked)
    return ["strict" in tool for tool in written.body["tools"]], written.dropped


def optional(count: int) -> Json:
    return loose(**{f"p{nth}": {"type": "string"} for nth in range(count)})


def unions(count: int) -> Json:
    return of_object(**{f"p{nth}": {"type": ["string", "null"]} for nth in range(count)})


def test_there_are_only_so_many_strict_tools() -> None:
    lost = frozenset({"tools.strict"})
    assert strict_of([PLAIN] * 20) == ([True] * 20, frozenset())
    assert strict_of([PLAIN] * 21) == ([True] * 20 + [False], lost)


def test_nor_may_all_schemas_together_hold_too_much() -> None:
    """ "Schemas contains too many optional parameters (87) ... (limit: 24)"."""
    lost = frozenset({"tools.strict"})
    assert strict_of([optional(24), PLAIN]) == ([True, True], frozenset())
    assert strict_of([optional(20), optional(5), optional(4)]) == ([True, False, True], lost)
    assert strict_of([unions(16), unions(1)]) == ([True, False], lost)
    either = of_object(a={"anyOf": [{"type": "string"}, {"type": "null"}]})
    assert strict_of([either] * 17) == ([True] * 16 + [False], lost)
    asked = ResponseFormat(optional(20))
    assert strict_of([optional(5), PLAIN], response_format=asked) == ([False, True], lost)
    assert strict_of([PLAIN], response_format=ResponseFormat(optional(25))) == (
        [True],
        frozenset({"response_format"}),
    )

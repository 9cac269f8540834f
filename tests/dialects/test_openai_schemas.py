"""Which schemas OpenAI can be held to, strictly."""

import pytest
from hypothesis import given

from gateway.chat.blocks import Text
from gateway.chat.request import ChatRequest, Message, ResponseFormat, Tool
from gateway.dialects.forms import ChatForm
from gateway.dialects.openai_chat import CHAT_FORM
from gateway.dialects.openai_responses import RESPONSES_FORM
from gateway.dialects.openai_schemas import (
    as_strict,
    can_be_strict,
    held_to,
    of_an_object,
    strictly,
)
from gateway.wire.json import Json, dumps
from tests.dialects.hostile import anything, quickly


def closed(**properties: object) -> Json:
    return {
        "type": "object",
        "properties": properties,
        "required": [*properties],
        "additionalProperties": False,
    }


TEXT: Json = {"type": "string"}
OPEN: Json = {"type": "object", "properties": {"a": TEXT}, "required": ["a"]}
DEEP = closed(a=TEXT)
for _ in range(40):
    DEEP = closed(a=DEEP)


@pytest.mark.parametrize(
    "schema",
    [
        closed(),
        closed(a=TEXT, b={"type": ["integer", "null"], "minimum": 1}),
        closed(
            a={
                "type": "array",
                "items": closed(b={"type": "string", "enum": ["x", "y"]}),
                "minItems": 1,
            }
        ),
        closed(a={"anyOf": [TEXT, closed(c={"type": "integer", "const": 1})]}),
        {**closed(a={"$ref": "#/$defs/A"}), "$defs": {"A": closed()}, "title": "T"},
        closed(a={"type": "string", "format": "date-time", "description": "d"}),
        closed(a={"type": "string", "default": "x"}),
    ],
)
def test_a_closed_schema_of_plain_words_can_be_strict(schema: Json) -> None:
    assert can_be_strict(schema)


@pytest.mark.parametrize(
    "schema",
    [
        {},
        TEXT,
        {"anyOf": [closed()]},
        {"type": ["object", "null"]},
        {"type": "object", "properties": {}},
        {**closed(a=TEXT), "required": []},
        {**closed(a=TEXT), "required": ["a", "b"]},
        {**closed(a=TEXT), "required": "a"},
        {**closed(a=TEXT), "required": [[]]},
        {**closed(a=TEXT), "properties": ["a"]},
        {**closed(a=TEXT), "additionalProperties": True},
        {**closed(a=TEXT), "oneOf": []},
        {**closed(a=TEXT), "$defs": [TEXT, 5]},
        closed(a={"type": "object"}),
        closed(a={"type": ["object", "null"]}),
        closed(a={"properties": {}}),
        closed(a={"type": "string", "minLength": 1}),
        closed(a={"type": "string", "format": "uri"}),
        closed(a={"type": "string", "format": []}),
        closed(a={"type": "array", "items": {"type": "object"}}),
        closed(a={"anyOf": [TEXT, {"type": "object"}]}),
        closed(a={"anyOf": {"type": "object"}}),
        closed(a=True),
        {**closed(a={"$ref": "#/$defs/A"}), "$defs": {"A": {"type": "object"}}},
        DEEP,
    ],
)
def test_what_leaves_something_open_or_says_more_cannot(schema: Json) -> None:
    assert not can_be_strict(schema)


@given(anything)
@quickly
def test_no_schema_is_too_odd_to_be_looked_at(odd: object) -> None:
    can_be_strict({"type": "object", "properties": {"a": odd}, "required": odd})
    can_be_strict(closed(a={"type": odd, "anyOf": odd, "format": odd, "items": odd}))
    of_an_object({"type": odd})
    for one in (odd, closed(a=odd), {**OPEN, "anyOf": odd, "items": odd, "$defs": odd}):
        held_to(ResponseFormat(strict=True), one if isinstance(one, dict) else {}, set())


LOST = {"response_format.strict"}


@pytest.mark.parametrize(
    ("schema", "strict", "told", "dropped"),
    [
        (closed(), True, {"schema": closed(), "strict": True}, set()),
        (OPEN, True, {"schema": closed(a=TEXT), "strict": True}, set()),
        (  # as pydantic writes a model within a model
            {
                **OPEN,
                "properties": {
                    "a": {"type": "array", "items": {"anyOf": [OPEN, {"type": "null"}]}}
                },
                "$defs": {"B": OPEN},
            },
            True,
            {
                "schema": {
                    **closed(
                        a={
                            "type": "array",
                            "items": {"anyOf": [closed(a=TEXT), {"type": "null"}]},
                        }
                    ),
                    "$defs": {"B": closed(a=TEXT)},
                },
                "strict": True,
            },
            set(),
        ),
        ({}, True, {"schema": {}}, LOST),
        ({**OPEN, "required": []}, True, {"schema": {**OPEN, "required": []}}, LOST),
        (closed(a={"type": "object"}), True, {"schema": closed(a={"type": "object"})}, LOST),
        (
            {**OPEN, "additionalProperties": True},
            True,
            {"schema": {**OPEN, "additionalProperties": True}},
            LOST,
        ),
        (DEEP, True, {"schema": DEEP}, LOST),
        (OPEN, False, {"schema": OPEN, "strict": False}, set()),
        (OPEN, None, {"schema": OPEN}, set()),
    ],
)
def test_what_can_be_held_to_is_and_all_else_is_a_wish_and_told(
    schema: Json, strict: bool | None, told: Json, dropped: set[str]
) -> None:
    lost, before = set[str](), dumps(schema)
    assert held_to(ResponseFormat(schema, strict=strict), schema, lost) == told
    assert lost == dropped
    assert dumps(schema) == before


@pytest.mark.parametrize(
    ("schema", "told", "dropped"),
    [
        (OPEN, (closed(a=TEXT), True), set()),
        (
            {"type": "object", "properties": {}},
            ({"type": "object", "properties": {}, "additionalProperties": False}, True),
            set(),
        ),
        ({**OPEN, "required": []}, ({**OPEN, "required": []}, None), {"tools.strict"}),
        ({}, ({}, None), {"tools.strict"}),
    ],
)
def test_a_strict_tool_is_one_only_where_it_can_be(
    schema: Json, told: tuple[Json, bool | None], dropped: set[str]
) -> None:
    lost = set[str]()
    assert (strictly(schema, lost), lost) == (told, dropped)


@pytest.mark.parametrize("form", [CHAT_FORM, RESPONSES_FORM])
def test_a_strict_tool_that_leaves_something_open_is_offered_as_one_that_is_not(
    form: ChatForm,
) -> None:
    loose = {**OPEN, "required": []}
    request = ChatRequest("m", [Message("user", [Text("hi")])])
    request.tools = [Tool("f", None, OPEN, strict=True), Tool("g", None, loose, strict=True)]
    written = form.write_request(request)
    told = [tool.get("function", tool) for tool in written.body["tools"]]
    assert [(tool["parameters"], tool.get("strict", False)) for tool in told] == [
        (closed(a=TEXT), True),
        (loose, False),
    ]
    assert written.dropped == {"tools.strict"}


@pytest.mark.parametrize(
    ("told", "strict"),
    [
        (
            {"$ref": "#/$defs/A", "description": "d"},
            {"description": "d", "anyOf": [{"$ref": "#/$defs/A"}]},
        ),
        ({"enum": ["x", "y"]}, {"type": "string", "enum": ["x", "y"]}),
        ({"const": 1}, {"type": "integer", "const": 1}),
    ],
)
def test_what_openai_refuses_of_plain_words_is_said_otherwise(told: Json, strict: Json) -> None:
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **closed(a=told)}
    assert not can_be_strict(closed(a=told))
    assert as_strict(schema) == closed(a=strict)


@pytest.mark.parametrize("told", [{"description": "anything"}, {"enum": ["x", 1]}])
def test_what_has_no_type_cannot_be_strict(told: Json) -> None:
    assert as_strict(closed(a=told)) is None

"""JSON Schemas as OpenAI's APIs take them.

https://developers.openai.com/api/docs/guides/structured-outputs#supported-schemas
"""

from collections.abc import Mapping
from typing import Any

from gateway.chat.request import ResponseFormat
from gateway.wire.json import Json

# What a schema may say that is held to strictly. All else is refused, or was once: whoever uses it
# gets the schema as a wish.
PLAIN = frozenset(
    {
        "$ref",
        "const",
        "default",
        "description",
        "enum",
        "exclusiveMaximum",
        "exclusiveMinimum",
        "maxItems",
        "maximum",
        "minItems",
        "minimum",
        "multipleOf",
        "pattern",
        "required",
        "title",
        "type",
    }
)
ONE, SOME, NAMED = "items", "anyOf", ("properties", "$defs", "definitions")
FORMATS = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"}
)
OBJECT = "object"
SAID_OF_IT = frozenset({"default", "description", "title"})
DEEPEST = 32  # far beyond the nesting that is taken


def held_to(asked: ResponseFormat, schema: Json, dropped: set[str]) -> Json:
    """The members ``schema`` and ``strict``, whose absence means false. Asked for where the schema
    cannot be held to, it would have the call refused. ``schema``: the asked one."""
    if asked.strict is not True:
        return {"schema": schema} | ({} if asked.strict is None else {"strict": asked.strict})
    if (strict := as_strict(schema)) is not None:
        return {"schema": strict, "strict": True}
    dropped.add("response_format.strict")
    return {"schema": schema}


def as_strict(schema: Json) -> Json | None:
    """It, or what it means, as OpenAI can be held to; None where it cannot."""
    bare = {name: one for name, one in schema.items() if name != "$schema"}  # Zod's
    return next((one for one in (schema, _shut(bare, DEEPEST)) if can_be_strict(one)), None)


def strictly(schema: Json, dropped: set[str]) -> tuple[Json, bool | None]:
    """The schema of a tool that is to be strict, and whether it is: where it cannot be, whoever
    said so would have the call refused."""
    strict = as_strict(schema)
    if strict is None:
        dropped.add("tools.strict")
        return schema, None
    return strict, True


def _shut(schema: Any, depth: int) -> Any:
    """The same with each object closed that does not say whether it is, and needs all that it has:
    so it is meant by who holds to schemas anyhow (Gemini, Anthropic), and does not say it."""
    if not isinstance(schema, dict) or not depth:
        return schema
    if "$ref" in schema and len(schema) > 1:
        # Pydantic describes a field so ("$ref cannot have keywords {'description'}",
        # https://github.com/defog-ai/defog/pull/244).
        rest = {name: one for name, one in schema.items() if name != "$ref"}
        return {**rest, SOME: [{"$ref": schema["$ref"]}]} if rest.keys() <= SAID_OF_IT else schema
    shut: Json = {**_type_of(schema), **schema}
    for name in NAMED:
        if isinstance(inner := schema.get(name), dict):
            shut[name] = {key: _shut(one, depth - 1) for key, one in inner.items()}
    if ONE in schema:
        shut[ONE] = _shut(schema[ONE], depth - 1)
    if isinstance(some := schema.get(SOME), list):
        shut[SOME] = [_shut(one, depth - 1) for one in some]
    closing = {**shut, "additionalProperties": False}
    meant = "additionalProperties" not in schema and "properties" in schema and _closed(closing)
    return closing if meant else shut


KINDS: Mapping[type, str] = {str: "string", bool: "boolean", int: "integer", float: "number"}


def _type_of(schema: Json) -> Json:
    """The type that values have which stand for themselves: Anthropic's SDKs leave it out, OpenAI
    wants it (https://github.com/openclaw/clawpatch/issues/60)."""
    values = schema.get("enum", [schema["const"]] if "const" in schema else None)
    if "type" in schema or not isinstance(values, list):
        return {}
    kinds = {KINDS.get(type(value)) for value in values}
    return {"type": kinds.pop()} if len(kinds) == 1 and None not in kinds else {}


def can_be_strict(schema: Json) -> bool:
    """Whether OpenAI takes it as strict: at its root an object, and every object closed, with all
    of its properties required."""
    return schema.get("type") == OBJECT and _fits(schema, DEEPEST)


def _fits(schema: Any, depth: int) -> bool:
    if not isinstance(schema, dict) or not depth:
        return False
    known = {*PLAIN, *NAMED, ONE, SOME, "additionalProperties", "format"}
    if not schema.keys() <= known or not _closed(schema):
        return False
    if "$ref" in schema and len(schema) > 1:
        return False
    if not {"type", "$ref", SOME} & schema.keys():  # "schema must have a 'type' key"
        return False
    form = schema.get("format", "date")
    if not isinstance(form, str) or form not in FORMATS:
        return False
    inner = [one for name in NAMED for one in _values(schema.get(name))]
    inner += [schema[ONE]] if ONE in schema else []
    some = schema.get(SOME, [])
    inner += some if isinstance(some, list) else [some]
    return all(_fits(one, depth - 1) for one in inner)


def _closed(schema: Json) -> bool:
    kinds = schema.get("type")
    if kinds != OBJECT and not (isinstance(kinds, list) and OBJECT in kinds):
        return "properties" not in schema and "additionalProperties" not in schema
    properties, required = schema.get("properties", {}), schema.get("required", [])
    return (
        schema.get("additionalProperties") is False
        and isinstance(properties, dict)
        and isinstance(required, list)
        and all(isinstance(name, str) for name in required)
        and properties.keys() == set(required)
    )


def _values(schemas: Any) -> list[Any]:
    """``schemas``: by name; what is none of that fits nowhere."""
    if schemas is None:
        return []
    return list(schemas.values()) if isinstance(schemas, Mapping) else [schemas]


def of_an_object(schema: Json | None) -> Json | None:
    """What a tool takes: an object, which the root of its schema must say, and say alone (Gemini's
    ``nullable`` is ``["object", "null"]`` here), with properties, even if there are none ("object
    schema missing properties"). None where there is no schema."""
    if schema is None:
        return None
    kinds = schema.get("type", OBJECT)
    if kinds != OBJECT and not (isinstance(kinds, list) and OBJECT in kinds):
        return schema
    bare: Json = {} if {"$ref", "anyOf", "oneOf", "allOf"} & schema.keys() else {"properties": {}}
    return {"type": OBJECT, **bare, **schema} | {"type": OBJECT}

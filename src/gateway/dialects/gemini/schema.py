"""Google's own form of schemas, a part of OpenAPI 3.0, as JSON Schema.

https://ai.google.dev/api/caching#Schema
"""

from collections.abc import Mapping
from typing import Any

from gateway.dialects.base import json_type
from gateway.dialects.gemini.fields import snake_case
from gateway.errors import BadRequest
from gateway.wire.json import Json

DEEPEST = 100  # levels of a schema; Google refuses far fewer
ONE = ("items", "additionalProperties", "not")
LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
NAMED = ("properties", "$defs", "defs", "definitions")
COUNTS = ("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties")
OTHERS = ("propertyOrdering", "additionalProperties")

_CAMEL: Mapping[str, str] = {
    snake_case(name): name for name in (*ONE, *LISTS, *COUNTS, *OTHERS) if snake_case(name) != name
}


def json_schema(schema: object, place: str, depth: int = 0) -> Json:
    """Raises BadRequest for what is no schema."""
    if not isinstance(schema, dict):
        raise BadRequest(place, f"must be an object, not {json_type(schema)}")
    if depth > DEEPEST:
        raise BadRequest(place, "nests too deep")
    told = {_CAMEL.get(key, key): value for key, value in schema.items() if value is not None}
    nullable, order = told.pop("nullable", False), told.pop("propertyOrdering", None)
    out: Json = {}
    for key, value in told.items():
        at = f"{place}.{key}"
        if key in NAMED and isinstance(value, dict):
            out["$defs" if key == "defs" else key] = {
                name: json_schema(one, f"{at}.{name}", depth + 1) for name, one in value.items()
            }
        elif key in LISTS and isinstance(value, list):
            out[key] = [json_schema(one, f"{at}[{i}]", depth + 1) for i, one in enumerate(value)]
        elif key in ONE and not isinstance(value, bool):
            out[key] = json_schema(value, at, depth + 1)
        else:
            out |= _plain(key, value)
    if isinstance(order, list) and isinstance(out.get("properties"), dict):
        out["properties"] = _ordered(out["properties"], order)
    return _with_null(out) if nullable is True else out


def _plain(key: str, value: Any) -> Json:
    if key == "type":
        return _typed(value)
    if key == "example":
        return {"examples": [value]}
    if key == "ref":
        return {"$ref": value}
    if key in COUNTS and isinstance(value, str) and value.isdecimal():
        return {key: int(value)}  # 64 bits, which protocol buffers write as text
    return {key: value}


def _typed(value: Any) -> Json:
    """``STRING`` is ``string``; what is unspecified is left out."""
    if isinstance(value, list):
        return {"type": [one.lower() if isinstance(one, str) else one for one in value]}
    if value == "TYPE_UNSPECIFIED":
        return {}
    return {"type": value.lower() if isinstance(value, str) else value}


def _ordered(properties: Json, order: list[Any]) -> Json:
    """JSON Schema knows no order but that of writing."""
    first = {
        name: properties[name] for name in order if isinstance(name, str) and name in properties
    }
    return {**first, **properties}


def _with_null(schema: Json) -> Json:
    if isinstance(kind := schema.get("type"), str) and kind != "null":
        schema["type"] = [kind, "null"]
    if isinstance(options := schema.get("anyOf"), list) and {"type": "null"} not in options:
        schema["anyOf"] = [*options, {"type": "null"}]
    if isinstance(values := schema.get("enum"), list) and None not in values:
        schema["enum"] = [*values, None]
    return schema

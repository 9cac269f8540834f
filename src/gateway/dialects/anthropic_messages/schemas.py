"""Schemas for ``output_config.format``.

The API refuses an object that does not say ``additionalProperties: false``
(https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations),
where to others it is what a strict format means anyway. So it is said where the schema lists an
object's properties and is silent: each answer that fits then fits the caller's schema too. All
else stays as it is: a map of any keys, or an object put together with ``allOf``, would mean
another thing.
"""

from typing import Any

from gateway.wire.json import Json

ONE = ("items", "additionalItems", "not", "if", "then", "else", "contains")
LIST = ("anyOf", "oneOf", "prefixItems")
NAMED = ("properties", "$defs", "definitions")
ELSEWHERE = frozenset(
    {"additionalProperties", "unevaluatedProperties", "patternProperties"}
    | {"allOf", "anyOf", "oneOf", "$ref", "if"}
)


def closed(schema: Json) -> Json:
    """A copy in which every object that lists its properties has no others."""
    copy = dict(schema)
    for name in ONE:
        if name in copy:
            copy[name] = _within(copy[name])
    for name in LIST:
        if isinstance(inner := copy.get(name), list):
            copy[name] = [_within(one) for one in inner]
    for name in NAMED:
        if isinstance(inner := copy.get(name), dict):
            copy[name] = {key: _within(one) for key, one in inner.items()}
    if isinstance(copy.get("properties"), dict) and not ELSEWHERE & copy.keys():
        copy["additionalProperties"] = False
    return copy


def _within(schema: Any) -> Any:
    return closed(schema) if isinstance(schema, dict) else schema

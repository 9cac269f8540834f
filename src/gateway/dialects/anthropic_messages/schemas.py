"""Schemas that an answer, or a call of a strict tool, is held to.

The API compiles them into a grammar, and refuses what that cannot hold
(https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations).
Such rules move into the description of what they are about, as Anthropic's SDKs do it: the model
reads them, nothing enforces them. An object that does not say ``additionalProperties: false`` is
refused too; where it lists its properties and is silent, that is said, and each answer that fits
then fits the caller's schema too.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.wire.json import Json, dumps

# Refused by name, each of them seen: https://github.com/BerriAI/litellm/pull/34319. Names that it
# does not know the API takes no notice of.
REFUSED = frozenset(
    {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}
    | {"minLength", "maxLength", "maxItems", "uniqueItems", "minProperties", "maxProperties"}
    | {"contains", "minContains", "maxContains", "prefixItems", "additionalItems"}
    | {"patternProperties", "propertyNames", "unevaluatedProperties", "unevaluatedItems"}
    | {"dependencies", "dependentRequired", "dependentSchemas"}
    | {"not", "if", "then", "else", "oneOf"}
)
FORMATS = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"}
)
# In a pattern: looking around, back references, boundaries of words.
BEYOND = re.compile(r"\(\?[=!<]|\(\?P=|\\[bBk1-9]")


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float)


# What is taken with some values alone.
SOME: Mapping[str, Callable[[Any], bool]] = {
    "minItems": lambda least: least in (0, 1),
    "format": lambda name: isinstance(name, str) and name in FORMATS,
    "pattern": lambda pattern: isinstance(pattern, str) and not BEYOND.search(pattern),
    "enum": lambda values: isinstance(values, list) and all(map(_is_plain, values)),
    "const": _is_plain,
    "items": lambda inner: not isinstance(inner, list),
}

NAMED = ("properties", "$defs", "definitions")

# Of all schemas of a request together ("Schemas contains too many optional parameters (87)").
STRICT_TOOLS, OPTIONAL, UNIONS = 20, 24, 16
# Of our own choosing, for no grammar holds as much: lists and objects within each other, and
# places that references point at.
DEEPEST, MOST_PLACES = 64, 500


@dataclass(frozen=True, slots=True)
class Fitted:
    """``whole``: whether each rule of the caller's is still one."""

    schema: Json
    whole: bool


def fit(schema: Json) -> Fitted | None:
    """A copy that the API takes. None where there is none: for an object of any keys, one that is
    put together of several schemas, and a schema within itself."""
    if _is_deep(schema) or _is_recursive(schema):
        return None
    losses = _Losses()
    written = _fit(schema, losses)
    return None if losses.shape else Fitted(written, not losses.rules)


def described(schema: Json, rules: Json) -> Json:
    """With rules that only the model can follow; worded as the SDKs do:
    ``anthropic.transform_schema``."""
    words = "{" + ", ".join(f"{name}: {_worded(value)}" for name, value in rules.items()) + "}"
    before = schema.get("description")
    return {**schema, "description": f"{before}\n\n{words}" if before else words}


class Grammar:
    """What the schemas of one request may still hold."""

    __slots__ = ("_optional", "_tools", "_unions")

    def __init__(self) -> None:
        self._tools, self._optional, self._unions = STRICT_TOOLS, OPTIONAL, UNIONS

    def takes(self, schema: Json, *, tools: int = 0) -> bool:
        """Whether there is room for one more, which it then has. ``tools``: how many are held to
        it."""
        optional = sum(_optional(one) for one in _all(schema))
        unions = sum(_is_union(one) for one in _all(schema))
        if tools > self._tools or optional > self._optional or unions > self._unions:
            return False
        self._tools, self._optional = self._tools - tools, self._optional - optional
        self._unions -= unions
        return True


@dataclass(slots=True)
class _Losses:
    """``rules``: some are in words now; ``shape``: nothing would be right any more."""

    rules: bool = False
    shape: bool = False


def _fit(schema: Json, losses: _Losses) -> Json:
    schema = _unfolded(schema, losses)
    told = {name: value for name, value in schema.items() if _is_taken(name, value)}
    untold = {name: value for name, value in schema.items() if name not in told}
    if "properties" in told and "anyOf" in told:
        untold["anyOf"] = told.pop("anyOf")
        losses.shape |= any("properties" in one for one in _dicts(untold["anyOf"]))
    for name in NAMED:
        if isinstance(inner := told.get(name), dict):
            told[name] = {key: _within(one, losses) for key, one in inner.items()}
    if "items" in told:
        told["items"] = _within(told["items"], losses)
    if isinstance(told.get("anyOf"), list):
        told["anyOf"] = [_within(one, losses) for one in told["anyOf"]]
    _close(told, untold, losses)
    if untold:
        losses.rules = True
        return described(told, untold)
    return told


def _within(schema: Any, losses: _Losses) -> Any:
    return _fit(schema, losses) if isinstance(schema, dict) else schema


def _unfolded(schema: Json, losses: _Losses) -> Json:
    """With ``anyOf`` for ``oneOf``, and what ``allOf`` holds in its own place, if it is one."""
    if "oneOf" in schema and "anyOf" not in schema:
        losses.rules = True
        schema = {("anyOf" if name == "oneOf" else name): one for name, one in schema.items()}
    if "allOf" not in schema:
        return schema
    rest = {name: value for name, value in schema.items() if name != "allOf"}
    parts = _dicts(schema["allOf"])
    if len(parts) == 1 and not parts[0].keys() & rest.keys():
        return _unfolded({**parts[0], **rest}, losses)
    losses.shape = True
    return rest


def _is_taken(name: str, value: Any) -> bool:
    return name not in REFUSED and (name not in SOME or SOME[name](value))


def _close(told: Json, untold: Json, losses: _Losses) -> None:
    """Objects have the properties that they list, and no others."""
    listed = isinstance(told.get("properties"), dict)
    if not listed and not _may_be_object(told):
        return
    if not listed and not {"$ref", "anyOf"}.isdisjoint(told):
        return  # what it lists, it lists there
    others = told.get("additionalProperties", not listed)
    if not told.get("properties") and (others is not False or "patternProperties" in untold):
        losses.shape = True
    losses.rules |= others is not False and "additionalProperties" in told
    told["additionalProperties"] = False


def _may_be_object(schema: Json) -> bool:
    kinds = schema.get("type")
    return kinds == "object" or (isinstance(kinds, list) and "object" in kinds)


def _worded(value: Any) -> str:
    return value if isinstance(value, str) else dumps(value).decode()


def _dicts(items: Any) -> list[Json]:
    return [one for one in items if isinstance(one, dict)] if isinstance(items, list) else []


def _all(schema: Json) -> Iterator[Json]:
    """It, and every schema within: of one that fits."""
    yield schema
    inner = [schema.get("items"), *_dicts(schema.get("anyOf"))]
    for name in NAMED:
        inner += _named(schema, name).values()
    for one in _dicts(inner):
        yield from _all(one)


def _named(schema: Json, name: str) -> Json:
    inner = schema.get(name)
    return inner if isinstance(inner, dict) else {}


def _optional(schema: Json) -> int:
    required = schema.get("required")
    needed = required if isinstance(required, list) else []
    return sum(name not in needed for name in _named(schema, "properties"))


def _is_union(schema: Json) -> bool:
    return "anyOf" in schema or isinstance(schema.get("type"), list)


def _is_deep(schema: Json) -> bool:
    level: list[Any] = [schema]
    for _ in range(DEEPEST):
        level = [inner for one in level for inner in _inside(one)]
    return bool(level)


def _inside(part: Any) -> Iterable[Any]:
    if isinstance(part, dict):
        return part.values()
    return part if isinstance(part, list) else ()


def _is_recursive(root: Json) -> bool:
    """Whether some reference leads back to where it stands, or they are too many to tell."""
    ways: dict[str, set[str]] = {}  # from each place that is come to, where references lead
    read: dict[int, set[str]] = {}  # however many names a place has, it is read once
    coming = ["#"]
    while coming and len(ways) < MOST_PLACES:
        place = coming.pop()
        if place not in ways:
            part = _at(root, place)
            if id(part) not in read:
                read[id(part)] = set(_references(part))
            ways[place] = read[id(part)]
            coming += ways[place]
    while ends := [place for place, further in ways.items() if not further & ways.keys()]:
        for place in ends:
            del ways[place]
    return bool(ways or coming)


def _references(part: Any) -> Iterator[str]:
    """``$ref``; not those of definitions, which stand for nothing until they are pointed at."""
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        part = {name: one for name, one in part.items() if name not in ("$defs", "definitions")}
    for one in _inside(part):
        yield from _references(one)


def _at(root: Json, place: str) -> Any:
    """What a pointer within the schema points at; None where that is nothing of it."""
    found: Any = root if place.startswith("#") else None
    for step in place.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        found = found.get(name) if isinstance(found, dict) else None
    return found

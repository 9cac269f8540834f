"""A value for any JSON schema: what the echo puts where a model would think."""

from typing import Any

from gateway.wire.json import Json

DEEPEST = 16
MOST_VALUES = 200  # a schema that holds itself could go on for ever
MOST_ITEMS = 8
LONGEST_TEXT = 1000


def sample(schema: Any, text: str) -> Any:
    """The plainest value that the schema allows; strings hold the text."""
    return _Sampler(schema, text[:LONGEST_TEXT]).value(schema, 0)


class _Sampler:
    def __init__(self, root: Any, text: str) -> None:
        self._root, self._text = root, text
        self._values = 0

    def value(self, schema: Any, depth: int) -> Any:
        self._values += 1
        if not isinstance(schema, dict) or depth > DEEPEST or self._values > MOST_VALUES:
            return None
        for fixed in ("const", "default"):
            if fixed in schema:
                return schema[fixed]
        if found := _list(schema, "enum"):
            return found[0]
        if "$ref" in schema:
            return self.value(self._pointed_at(schema["$ref"]), depth + 1)
        for choice in ("anyOf", "oneOf", "allOf"):
            if found := _list(schema, choice):
                return self.value(found[0], depth + 1)
        return self._of_type(schema, depth)

    def _of_type(self, schema: Json, depth: int) -> Any:
        kind = schema.get("type")
        match kind[0] if isinstance(kind, list) and kind else kind:
            case "string":
                longest = _whole(schema, "maxLength", len(self._text))
                return self._text[:longest]
            case "integer" | "number":
                least = schema.get("minimum")
                return least if isinstance(least, int | float) else 1
            case "boolean":
                return True
            case "null":
                return None
            case "array":
                count = min(max(_whole(schema, "minItems", 1), 1), MOST_ITEMS)
                return [self.value(schema.get("items"), depth + 1) for _ in range(count)]
        properties = schema.get("properties")
        if not isinstance(properties, dict):
            return {}
        return {name: self.value(of, depth + 1) for name, of in properties.items()}

    def _pointed_at(self, pointer: Any) -> Any:
        found = self._root
        for step in filter(None, str(pointer).removeprefix("#").split("/")):
            if not isinstance(found, dict):
                return None
            found = found.get(step.replace("~1", "/").replace("~0", "~"))
        return found


def _list(schema: Json, name: str) -> list[Any]:
    value = schema.get(name)
    return value if isinstance(value, list) else []


def _whole(schema: Json, name: str, otherwise: int) -> int:
    value = schema.get(name)
    return value if isinstance(value, int) and value >= 0 else otherwise

"""A value for any JSON schema: what the echo puts where a model would think."""

from typing import Any

DEEPEST = 16


def sample(schema: Any, text: str, root: Any = None, depth: int = 0) -> Any:
    """The plainest value that the schema allows; strings hold the text."""
    root = schema if root is None else root
    if not isinstance(schema, dict) or depth > DEEPEST:
        return None
    for fixed in ("const", "default"):
        if fixed in schema:
            return schema[fixed]
    if schema.get("enum"):
        return schema["enum"][0]
    if "$ref" in schema:
        return sample(_pointed_at(root, schema["$ref"]), text, root, depth + 1)
    for choice in ("anyOf", "oneOf", "allOf"):
        if schema.get(choice):
            return sample(schema[choice][0], text, root, depth + 1)
    return _of_type(schema, text, root, depth)


def _of_type(schema: dict[str, Any], text: str, root: Any, depth: int) -> Any:
    kind = schema.get("type")
    match kind[0] if isinstance(kind, list) and kind else kind:
        case "string":
            return text[: schema.get("maxLength", len(text))]
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case "null":
            return None
        case "array":
            count = max(schema.get("minItems", 1), 1)
            return [
                sample(schema.get("items"), text, root, depth + 1) for _ in range(min(count, 8))
            ]
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return {}
    return {name: sample(of, text, root, depth + 1) for name, of in properties.items()}


def _pointed_at(root: Any, pointer: Any) -> Any:
    found = root
    for step in str(pointer).removeprefix("#").strip("/").split("/"):
        found = found.get(step.replace("~1", "/").replace("~0", "~")) if step else found
        if not isinstance(found, dict):
            return None
    return found

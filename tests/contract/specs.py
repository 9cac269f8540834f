"""OpenAI's own schemas, as validators: from its published OpenAPI document, with what that gets wrong
put right by what the API was recorded to answer."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from tests.parity.wire import SHARED

FILE = SHARED / "specs" / "openai-openapi.json"
# Members of a choice, and of what holds it, that recorded answers do without, or have as null.
CHOICES = {
    "CreateChatCompletionResponse": ("properties", "choices", "items"),
    "CreateChatCompletionStreamResponse": ("properties", "choices", "items"),
}


def corrected(schema: Any) -> Any:
    """With OpenAPI 3.0's ``nullable``, which the document still has, as JSON Schema says it."""
    if isinstance(schema, list):
        return [corrected(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    names = {"oneOf": "anyOf"}  # of the alternatives several often fit
    told = {names.get(n, n): corrected(v) for n, v in schema.items() if n != "nullable"}
    return {"anyOf": [told, {"type": "null"}]} if schema.get("nullable") is True else told


@cache
def registry() -> Registry[Any]:
    document = corrected(json.loads(FILE.read_text()))
    schemas = document["components"]["schemas"]
    for name, path in CHOICES.items():
        inner = schemas[name]
        for step in path:
            inner = inner[step]
        for one in ("logprobs", "finish_reason"):
            member = inner["properties"][one]
            inner["properties"][one] = {"anyOf": [member, {"type": "null"}]}
        inner["required"] = [one for one in inner["required"] if one != "logprobs"]
        for one in ("system_fingerprint", "usage"):
            inner = schemas[name]["properties"]
            inner[one] = {"anyOf": [inner[one], {"type": "null"}]}
    for properties in (
        schemas["ModelResponseProperties"]["properties"],
        *(one["properties"] for one in schemas["Response"]["allOf"] if "properties" in one),
    ):
        for one in {"user", "usage"} & properties.keys():
            properties[one] = {"anyOf": [properties[one], {"type": "null"}]}
    details = schemas["ResponseUsage"]["properties"]["input_tokens_details"]
    details["required"].remove("cache_write_tokens")
    whole: Resource[Any] = Resource.from_contents(document, default_specification=DRAFT202012)
    known: Registry[Any] = Registry().with_resource("urn:openai", whole)
    return known


@cache
def validator(name: str) -> Draft202012Validator:
    reference = {"$ref": f"urn:openai#/components/schemas/{name}"}
    return Draft202012Validator(reference, registry=registry())


def faults(name: str, value: Any) -> list[str]:
    """Where a value is not what its schema says; of alternatives, the nearest."""
    return [
        f"{'.'.join(map(str, error.absolute_path))}: {error.message[:160]}"
        for error in told(validator(name).iter_errors(value))
    ]


def told(errors: Iterator[ValidationError]) -> Iterator[ValidationError]:
    for error in errors:
        if error.context:
            yield from told(iter(nearest(error.context)))
        else:
            yield error


def nearest(context: list[ValidationError]) -> list[ValidationError]:
    """What is wrong by the alternative that is of the same type, or else the fewest faults."""
    branches: dict[Any, list[ValidationError]] = {}
    for error in context:
        branches.setdefault(error.schema_path[0], []).append(error)
    return min(
        branches.values(),
        key=lambda branch: (any(is_another(one) for one in branch), len(branch)),
    )


def is_another(error: ValidationError) -> bool:
    """The value is no such thing at all."""
    path = list(error.relative_path)
    return path == ["type"] or (not path and error.validator == "type")

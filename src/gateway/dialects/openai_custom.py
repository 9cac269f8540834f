"""OpenAI's custom tools, which take a text, as functions that take it in an object: only its own
models know the others (https://developers.openai.com/api/docs/guides/function-calling#custom-tools).
"""

from typing import Any

from gateway.chat.request import Tool
from gateway.wire.json import Json, dumps, loads

CUSTOM = "custom"
INPUT = "input"
LOST = "tools.custom.format"  # a grammar, which no function can be held to


def as_function(name: str, description: str | None) -> Tool:
    schema = {"type": "object", "properties": {INPUT: {"type": "string"}}, "required": [INPUT]}
    return Tool(name, description, schema)


def is_grammar(form: Json | None) -> bool:
    """Whether a custom tool's ``format`` says more than that it takes any text."""
    return form is not None and form.get("type") != "text"


def as_arguments(text: str) -> str:
    return dumps({INPUT: text}).decode()


def as_text(arguments: str) -> str:
    """What a model called the function with; as it stands, where it is not what the function
    takes."""
    try:
        given: Any = loads(arguments.encode())
    except ValueError:
        return arguments
    text = given.get(INPUT) if isinstance(given, dict) else None
    return text if isinstance(text, str) else arguments

"""How the answer's text must be formed: ``text``, both ways.

https://platform.openai.com/docs/guides/structured-outputs?api-mode=responses
"""

from itertools import takewhile

from gateway.chat.in_words import JSON_WORD
from gateway.chat.request import ResponseFormat
from gateway.dialects.base import Fields
from gateway.dialects.openai_schemas import held_to
from gateway.errors import BadRequest
from gateway.wire.json import Json


def read_text(fields: Fields, unread: Json) -> tuple[ResponseFormat | None, str | None]:
    """The form, and how verbose the answer is to be."""
    text = Fields(fields.may("text", dict) or {}, "text")
    form = Fields(text.may("format", dict) or {"type": "text"}, "text.format")
    verbosity, kind = text.may("verbosity", str), form.need("type", str)
    asked: ResponseFormat | None = None
    match kind:
        case "json_object":
            asked = ResponseFormat()
        case "json_schema":
            asked = ResponseFormat(
                schema=form.need("schema", dict),
                name=form.may("name", str),
                description=form.may("description", str),
                strict=form.may("strict", bool),
            )
        case "text":
            pass
        case _:
            raise BadRequest("text.format.type", "must be one of text, json_object, json_schema")
    form.leave(unread)
    text.leave(unread)
    return asked, verbosity


def write_text(asked: ResponseFormat | None, verbosity: str | None, dropped: set[str]) -> Json:
    text: Json = {}
    if asked:
        text["format"] = _write_format(asked, dropped)
    if verbosity is not None:
        text["verbosity"] = verbosity
    return text


def _write_format(asked: ResponseFormat, dropped: set[str]) -> Json:
    if asked.schema is None:
        return {"type": "json_object"}
    form: Json = {"type": "json_schema", "name": asked.name or "reply"}
    form |= held_to(asked, asked.schema, dropped)
    if asked.description is not None:
        form["description"] = asked.description
    return form


def speak_of_json(body: Json) -> None:
    """The API refuses to write "any JSON" where no message of the input says so in a word; what the
    instructions say does not count (https://github.com/miracodeai/mira/pull/267). What the system
    says of it becomes a message then; where nobody says it, we do. Only what is said before the
    first answer counts, which is the same in every turn: our words would else come and go at the
    front of what the API has in its cache."""
    if any(_says_json(item) for item in takewhile(_before_answers, body["input"])):
        return
    said = JSON_WORD
    if "json" in body.get("instructions", "").lower():
        said = body.pop("instructions")
    part = {"type": "input_text", "text": said}
    body["input"].insert(0, {"type": "message", "role": "system", "content": [part]})


def _before_answers(item: Json) -> bool:
    return item.get("type") == "message" and item["role"] != "assistant"


def _says_json(item: Json) -> bool:
    if item.get("type") != "message":
        return False
    return any("json" in part.get("text", "").lower() for part in item["content"])

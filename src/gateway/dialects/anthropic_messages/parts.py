"""The blocks of a message's content, read: in a request's messages and in a reply alike."""

from collections.abc import Callable, Mapping
from typing import Any

from gateway.chat.blocks import (
    Block,
    Citation,
    Foreign,
    Media,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
)
from gateway.chat.seals import uncarried, without_seal
from gateway.dialects.base import Fields
from gateway.wire.json import Json, dumps

NAME = "anthropic_messages"  # whose the foreign blocks are that are read here
ISSUER = "anthropic"  # of the signatures of its thoughts

SHORT = "5m"  # what a cache mark means that does not say

# Arguments that are no JSON object travel within one, under the name that the API's documentation
# has for it: .../agents-and-tools/tool-use/fine-grained-tool-streaming#handling-invalid-json
BROKEN = "INVALID_JSON"


def read_content(content: str | list[Any], place: str, unread: Json) -> list[Block]:
    """``unread`` takes what nobody understands, by its path."""
    if isinstance(content, str):
        return [Text(content)] if content else []
    return [read_block(one, f"{place}[{nth}]", unread) for nth, one in enumerate(content)]


def read_block(raw: object, place: str, unread: Json) -> Block:
    fields = Fields(raw, place)
    reader = READERS.get(fields.need("type", str))
    block = reader(fields, unread) if reader else None
    if block is None:
        return Foreign(NAME, dict(raw))  # type: ignore[call-overload]  # Fields saw that it is one
    fields.leave(unread)
    return block


def read_mark(fields: Fields, unread: Json) -> str | None:
    """How long to keep what the cache holds up to here, where there is a mark."""
    mark = fields.may("cache_control", dict)
    if mark is None:
        return None
    told = Fields(mark, fields.path("cache_control"))
    told.may("type", str)  # ephemeral, the only one there is
    ttl = told.may("ttl", str)
    told.leave(unread)
    return ttl or SHORT


def _text(fields: Fields, unread: Json) -> Text:
    text = fields.need("text", str)
    citations = [read_citation(Fields(*one), len(text), unread) for one in fields.each("citations")]
    return Text(text, read_mark(fields, unread), [one for one in citations if one])


def read_citation(fields: Fields, length: int, unread: Json) -> Citation | None:
    """None for one that says nothing known. Whatever it points at, what rests on it is the whole
    text of its block."""
    fields.may("type", str)
    citation = Citation(
        url=fields.may("url", str) or fields.may("source", str),
        title=fields.may("title", str) or fields.may("document_title", str),
        quote=fields.may("cited_text", str),
    )
    fields.leave(unread)
    if citation == Citation():
        return None
    citation.start, citation.end = 0, length
    return citation


def _image(fields: Fields, unread: Json) -> Media | None:
    media = read_source(fields, Media("image"), unread)
    return media and _marked(media, fields, unread)


def _document(fields: Fields, unread: Json) -> Media | None:
    media = read_source(fields, Media("document"), unread)
    if media is None:
        return None
    media.name = fields.may("title", str)
    return _marked(media, fields, unread)


def _search_result(fields: Fields, unread: Json) -> Media | None:
    """A document that was found: its ``source`` is left unread, its words and title are told."""
    text = _joined(fields.need("content", list))
    if text is None:
        return None
    media = Media("document", "text/plain", text=text, name=fields.may("title", str))
    return _marked(media, fields, unread)


def _marked(media: Media, fields: Fields, unread: Json) -> Media:
    media.cache_ttl = read_mark(fields, unread)
    return media


def read_source(fields: Fields, media: Media, unread: Json) -> Media | None:
    """Where an image or a document comes from; None for what only this API could make sense of."""
    source = Fields(fields.need("source", dict), fields.path("source"))
    match source.need("type", str):
        case "base64":
            media.mime_type = source.need("media_type", str)
            media.base64 = source.need("data", str)
        case "url":
            media.url = source.need("url", str)
        case "file":
            media.file_id = source.need("file_id", str)
        case "text":
            media.mime_type = source.may("media_type", str) or "text/plain"
            media.text = source.need("data", str)
        case "content":
            media.mime_type, media.text = "text/plain", _joined(source.need("content", (str, list)))
            if media.text is None:
                return None
        case _:
            return None
    source.leave(unread)
    return media


def _joined(content: Any) -> str | None:
    """The words of a document that is given in pieces; None where some piece is not words."""
    if isinstance(content, str):
        return content
    texts = [one.get("text") if isinstance(one, dict) else None for one in content]
    words = [text for text in texts if isinstance(text, str)]
    return "\n\n".join(words) if len(words) == len(content) else None


def _thinking(fields: Fields, unread: Json) -> Thinking:
    del unread
    text, signature = fields.need("thinking", str), fields.may("signature", str)
    return Thinking(text, uncarried(signature, ISSUER) if signature else None)


def _redacted(fields: Fields, unread: Json) -> Thinking:
    del unread
    return Thinking("", uncarried(fields.need("data", str), ISSUER), redacted=True)


def _tool_use(fields: Fields, unread: Json) -> ToolUse:
    own, seal = without_seal(fields.need("id", str))
    name = fields.need("name", str)
    arguments = read_input(fields.may("input", dict))
    caller = fields.rest.get("caller")
    if caller == {"type": "direct"}:  # the model itself, as ever
        del fields.rest["caller"]
    return ToolUse(own, name, arguments, seal, read_mark(fields, unread))


def read_input(given: Json | None) -> str:
    """A tool's arguments as text: compact, and as they were if they were no object."""
    if given is None:
        return ""
    broken = given.get(BROKEN)
    if len(given) == 1 and isinstance(broken, str):
        return broken
    return dumps(given).decode()


def _tool_result(fields: Fields, unread: Json) -> ToolResult:
    own, _ = without_seal(fields.need("tool_use_id", str))
    content = fields.may("content", (str, list))
    return ToolResult(
        own,
        tuple(read_content("" if content is None else content, fields.path("content"), unread)),
        fields.may("is_error", bool) or False,
        read_mark(fields, unread),
    )


# None: what the reader cannot tell in neutral words stays as it is, for this dialect alone.
READERS: Mapping[str, Callable[[Fields, Json], Block | None]] = {
    "text": _text,
    "image": _image,
    "document": _document,
    "search_result": _search_result,
    "thinking": _thinking,
    "redacted_thinking": _redacted,
    "tool_use": _tool_use,
    "tool_result": _tool_result,
}

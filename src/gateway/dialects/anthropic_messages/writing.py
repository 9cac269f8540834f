"""The blocks of a request's messages, written for a provider.

Each function returns None for what the API cannot say, and notes its name in ``dropped``.
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from typing import Literal

from gateway.chat.blocks import (
    Block,
    Foreign,
    Media,
    Refusal,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
)
from gateway.chat.media_types import plain
from gateway.dialects.anthropic_messages.parts import BROKEN, ISSUER, NAME, SHORT
from gateway.wire.json import Fragment, Json, loads

Speaker = Literal["user", "assistant"]


def write_blocks(blocks: Sequence[Block], speaker: Speaker, dropped: set[str]) -> list[Json]:
    written = [write_block(block, speaker, dropped) for block in blocks]
    return with_words([block for block in written if block is not None], dropped)


def with_words(blocks: list[Json], dropped: set[str]) -> list[Json]:
    """Without texts that are blank: "text content blocks must contain non-whitespace text". A
    cache mark on one keeps what stands before it, so that it goes there."""
    said: list[Json] = []
    for block in blocks:
        if block["type"] != "text" or block["text"].strip():
            said.append(block)
        elif (mark := block.get("cache_control")) is None:
            continue
        elif said and _may_bear(said[-1], mark):
            said[-1] = {**said[-1], "cache_control": mark}
        else:
            dropped.add("cache_control")
    return said


def _may_bear(block: Json, mark: Json) -> bool:
    return block["type"] in MARKED and block.get("cache_control", mark) == mark


MARKED = frozenset({"text", "image", "document", "tool_use", "tool_result"})


def write_block(block: Block, speaker: Speaker, dropped: set[str]) -> Json | None:
    match block:
        case Text():
            return write_text(block, dropped)
        case Refusal(text):
            dropped.add("refusal")
            return {"type": "text", "text": text}
        case Thinking():
            return _write_thought(block, dropped)
        case ToolUse():
            return _write_tool_use(block, dropped)
        case ToolResult():
            return _write_result(block, dropped)
        case Media():
            # "'image' blocks are not permitted within assistant turns", nor are documents.
            return write_media(block, dropped) if speaker == "user" else _unsaid(block, dropped)
        case Foreign(dialect, data) if dialect == NAME:
            return data
        case _:
            dropped.add(block.kind)
            return None


def marked(written: Json, ttl: str | None) -> Json:
    """With a cache mark, where one is set."""
    if ttl is not None:
        mark = {"type": "ephemeral"} if ttl == SHORT else {"type": "ephemeral", "ttl": ttl}
        written["cache_control"] = mark
    return written


def write_text(block: Text, dropped: set[str]) -> Json:
    """A citation of an earlier answer rests on an index or a token that only its issuer knows."""
    if block.citations:
        dropped.add("citations")
    if block.seal is not None:
        dropped.add("signature")
    return marked({"type": "text", "text": block.text}, block.cache_ttl)


def _write_thought(block: Thinking, dropped: set[str]) -> Json | None:
    """Only with the signature of its own issuer: another, or none, is refused."""
    if block.seal is None or block.seal.issuer != ISSUER:
        dropped.add("thinking")
        return None
    if block.redacted:
        return {"type": "redacted_thinking", "data": block.seal.value}
    return {"type": "thinking", "thinking": block.text, "signature": block.seal.value}


def _write_tool_use(block: ToolUse, dropped: set[str]) -> Json:
    if block.seal is not None:
        dropped.add("signature")
    written = {"type": "tool_use", "id": fit(block.id), "name": block.name}
    return marked({**written, "input": write_input(block.arguments)}, block.cache_ttl)


def write_input(arguments: str) -> Json | Fragment:
    """A tool's arguments as the object that the API wants.

    None at all are ``{}``. What a model wrote that is no JSON object is kept within one, for a
    conversation that holds it must go on; see BROKEN.
    """
    if not arguments.strip():
        return {}
    try:
        given = loads(arguments)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        return {BROKEN: arguments}
    return Fragment(arguments) if _INEXACT.search(arguments) else given


# A number that may not be the same once it has been parsed: beyond 64 bits, or a long fraction.
_INEXACT = re.compile(r"[\d.]{17}")


def _write_result(block: ToolResult, dropped: set[str]) -> Json:
    written: Json = {"type": "tool_result", "tool_use_id": fit(block.tool_use_id)}
    lost: set[str] = set()
    content = write_blocks(block.content, "user", lost)
    dropped |= {_of_result(name) for name in lost}
    if content:
        only = content[0] if len(content) == 1 else {}
        written["content"] = only["text"] if set(only) == {"type", "text"} else content
    if block.is_error:
        written["is_error"] = True
    return marked(written, block.cache_ttl)


def _of_result(name: str) -> str:
    return f"tool_result.{name}" if name in ("image", "audio", "video", "document") else name


def fit(id: str) -> str:
    """An id of letters, digits, ``_`` and ``-``, as the API wants it; others give theirs points and
    colons. Alike in a call and in its result."""
    return _UNFIT.sub(lambda found: f"_{ord(found[0]):x}", id)


_UNFIT = re.compile(r"[^a-zA-Z0-9_-]")


def write_media(media: Media, dropped: set[str]) -> Json | None:
    if media.seal is not None:
        dropped.add("signature")
    source = SOURCES[media.kind](media) if media.kind in SOURCES else None
    if source is None:
        return _unsaid(media, dropped)
    if media.detail not in (None, "auto"):
        dropped.add("detail")
    written: Json = {"type": media.kind, "source": source}
    if media.kind == "document" and media.name is not None:
        written["title"] = media.name
    return marked(written, media.cache_ttl)


def _unsaid(media: Media, dropped: set[str]) -> Json | None:
    """What a recording says is told at least."""
    dropped.add(media.kind)
    text = media.transcript
    return {"type": "text", "text": text} if text else None


def _image_source(media: Media) -> Json | None:
    if media.base64 is not None:
        mime_type = plain(media.mime_type or "") or _looks_like(media.base64)
        return {"type": "base64", "media_type": mime_type, "data": media.base64}
    return _kept_elsewhere(media)


def _document_source(media: Media) -> Json | None:
    """PDF or plain text; what is any kind of text is told as that."""
    text = media.text
    mime_type = plain(media.mime_type or "") or _looks_like(media.base64 or "")
    if text is None and media.base64 is not None:
        if mime_type == PDF:
            return {"type": "base64", "media_type": PDF, "data": media.base64}
        text = _as_text(media.base64) if _is_text(mime_type) else None
    if text is not None:
        return {"type": "text", "media_type": "text/plain", "data": text}
    return _kept_elsewhere(media)


def _kept_elsewhere(media: Media) -> Json | None:
    """By address, or by an id of the provider's own files, which begin with ``file_``."""
    if media.url is not None:
        return {"type": "url", "url": media.url}
    if media.file_id is not None and media.file_id.startswith("file_"):
        return {"type": "file", "file_id": media.file_id}
    return None


SOURCES = {"image": _image_source, "document": _document_source}

PDF = "application/pdf"
# How the base64 of each begins.
BEGINNINGS: Mapping[str, str] = {
    "iVBORw": "image/png",
    "/9j/": "image/jpeg",
    "R0lGOD": "image/gif",
    "UklGR": "image/webp",
    "JVBERi": PDF,
}


def _looks_like(data: str) -> str:
    return next((kind for start, kind in BEGINNINGS.items() if data.startswith(start)), "image/png")


def _is_text(mime_type: str) -> bool:
    endings = ("json", "xml", "yaml", "javascript")
    return mime_type.startswith("text/") or mime_type.endswith(endings)


def _as_text(data: str) -> str | None:
    try:
        return base64.b64decode(data, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None

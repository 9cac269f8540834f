"""The parts of a message's content: text, images, files, recordings.

https://platform.openai.com/docs/api-reference/responses/create#responses_create-input
"""

import base64
from collections.abc import Iterable, Mapping
from typing import Any

from gateway.chat.blocks import Block, Foreign, Media, MediaKind, Refusal, Text
from gateway.chat.media_types import plain
from gateway.dialects.base import Fields
from gateway.dialects.openai_responses.citations import read_citations, write_annotation
from gateway.errors import BadRequest
from gateway.wire.json import Json

NAME = "openai_responses"  # whose the foreign blocks are that are read here
ISSUER = "openai"  # whose seals its encrypted_content is

AUDIO_TYPES: Mapping[str, str] = {"mp3": "audio/mpeg"}  # where it is not audio/FORMAT
# A file may come as bare base64; then its name alone says what it is.
FILE_TYPES: Mapping[str, str] = {
    "pdf": "application/pdf",
    "txt": "text/plain",
    "md": "text/markdown",
    "csv": "text/csv",
    "html": "text/html",
    "xml": "text/xml",
    "json": "application/json",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
# How the ids of files begin that OpenAI keeps, and Azure (https://github.com/vercel/ai/pull/7915).
FILE_IDS = ("file-", "assistant-")
EXTENSIONS: Mapping[str, str] = {kind: extension for extension, kind in FILE_TYPES.items()}


def read_parts(content: str | list[Any], place: str, unread: Json) -> list[Block]:
    if isinstance(content, str):
        return [Text(content)] if content else []
    return [_read_part(part, f"{place}[{nth}]", unread) for nth, part in enumerate(content)]


def _read_part(part: Any, place: str, unread: Json) -> Block:
    fields = Fields(part, place)
    kind = fields.need("type", str)
    block: Block
    match kind:
        case "input_text" | "output_text" | "text":
            fields.rest.pop("logprobs", None)  # of an earlier answer
            block = Text(fields.need("text", str), citations=read_citations(fields, unread))
        case "refusal":
            block = Refusal(fields.need("refusal", str))
        case "input_image":
            block = read_image_part(fields)
        case "input_file":
            block = _read_file(fields)
        case "input_audio":
            block = _read_audio(fields, unread)
        case _:
            return Foreign(NAME, part)
    fields.leave(unread)
    return block


def read_image_part(fields: Fields) -> Media:
    url, file_id = fields.may("image_url", str), fields.may("file_id", str)
    if url is None and file_id is None:
        raise BadRequest(fields.path("image_url"), "is required: an address, or a file_id instead")
    image = _at("image", url) if url is not None else Media("image", file_id=file_id)
    image.detail = fields.may("detail", str)
    return image


def _read_file(fields: Fields) -> Media:
    url, file_id = fields.may("file_url", str), fields.may("file_id", str)
    data, name = fields.may("file_data", str), fields.may("filename", str)
    if data is not None:
        document = _at("document", data)
        if document.url is not None and not data.startswith("data:"):
            kind = FILE_TYPES.get((name or "").rpartition(".")[2].lower())
            document = Media("document", kind, base64=data)
    elif url is not None:
        document = _at("document", url)
    elif file_id is not None:
        document = Media("document", file_id=file_id)
    else:
        raise BadRequest(fields.path("file_data"), "is required, or file_url or file_id instead")
    document.name, document.detail = name, fields.may("detail", str)
    return document


def _read_audio(fields: Fields, unread: Json) -> Media:
    described = Fields(fields.need("input_audio", dict), fields.path("input_audio"))
    data, form = described.need("data", str), described.need("format", str)
    described.leave(unread)
    return Media("audio", AUDIO_TYPES.get(form) or plain(f"audio/{form}"), base64=data)


def _at(kind: MediaKind, url: str) -> Media:
    head, found, data = url.partition(";base64,")
    if not head.startswith("data:") or not found:
        return Media(kind, url=url)
    return Media(kind, plain(head[5:]) or None, base64=data)


def write_parts(
    blocks: Iterable[Block], role: str, dropped: set[str], prefix: str = ""
) -> list[Json]:
    """What can be told of the blocks as parts; ``prefix``: of the names of media that cannot."""
    written = (write_part(block, role, dropped, prefix) for block in blocks)
    return [part for part in written if part is not None]


def write_part(block: Block, role: str, dropped: set[str], prefix: str = "") -> Json | None:
    match block:
        case Text() | Refusal() if role == "assistant":
            return _write_said(block, dropped)
        case Text():
            _note_marks(block, dropped)
            if block.citations:
                dropped.add("citations")
            return {"type": "input_text", "text": block.text}
        case Refusal():
            dropped.add("refusal")
            return {"type": "input_text", "text": block.text}
        case Media():
            _note_marks(block, dropped)
            part = None if role == "assistant" else _write_media(block, dropped)
            if part is None:
                dropped.add(prefix + block.kind)
            return part
        case Foreign() if block.dialect == NAME:
            return block.data
        case Foreign():
            dropped.add(block.kind)
    return None


def _note_marks(block: Text | Media, dropped: set[str]) -> None:
    if block.cache_ttl is not None:
        dropped.add("cache_control")
    if block.seal is not None:
        dropped.add("signature")


def _write_said(block: Text | Refusal, dropped: set[str]) -> Json:
    if isinstance(block, Refusal):
        return {"type": "refusal", "refusal": block.text}
    _note_marks(block, dropped)
    part: Json = {"type": "output_text", "text": block.text}
    annotations = [write_annotation(one, 0, len(block.text), dropped) for one in block.citations]
    if told := [annotation for annotation in annotations if annotation is not None]:
        part["annotations"] = told
    return part


def _write_media(media: Media, dropped: set[str]) -> Json | None:
    """None for what has no part: the API takes no recordings and no videos, and what is nowhere."""
    match media.kind:
        case "image":
            part = _write_image(media)
        case "document":
            part = _write_file(media, dropped)
        case _:
            return None
    if part and media.detail is not None:
        part["detail"] = media.detail
    return part


def _write_image(media: Media) -> Json | None:
    if media.base64 is not None:
        url = f"data:{media.mime_type or 'image/png'};base64,{media.base64}"
        return {"type": "input_image", "image_url": url}
    if media.url is not None:
        return {"type": "input_image", "image_url": media.url}
    return _kept("input_image", media)


def _kept(kind: str, media: Media) -> Json | None:
    """None where nobody keeps it, or another provider: its ids mean nothing here."""
    if media.file_id is None or not media.file_id.startswith(FILE_IDS):
        return None
    return {"type": kind, "file_id": media.file_id}


def _write_file(media: Media, dropped: set[str]) -> Json | None:
    """``file_data`` needs a ``filename``; beside an address or an id none is taken."""
    data = media.base64
    kind = media.mime_type or ("application/pdf" if media.text is None else "text/plain")
    if data is None and media.text is not None:
        data = base64.b64encode(media.text.encode()).decode()
    if data is not None:
        name = media.name or f"document.{EXTENSIONS.get(kind, 'pdf')}"
        return {
            "type": "input_file",
            "filename": name,
            "file_data": f"data:{kind};base64,{data}",
        }
    if media.url is not None:
        told: Json | None = {"type": "input_file", "file_url": media.url}
    else:
        told = _kept("input_file", media)
    if told and media.name is not None:
        dropped.add("document.name")
    return told

"""The parts of a message's content: text, images, audio, files."""

from typing import Any

from gateway.chat.blocks import Block, Foreign, Media, MediaKind, Refusal, Text
from gateway.dialects.base import Fields
from gateway.errors import BadRequest
from gateway.wire.json import Json

NAME = "openai_chat"  # whose the foreign blocks are that are read here


def read_parts(content: Any, place: str) -> list[Block]:
    if content is None:
        return []
    if isinstance(content, str):
        return [Text(content)] if content else []
    if not isinstance(content, list):
        raise BadRequest(place, "must be a string or an array of parts")
    return [_read_part(part, f"{place}[{index}]") for index, part in enumerate(content)]


def _read_part(part: Any, place: str) -> Block:
    ttl = _cache_ttl(part) if isinstance(part, dict) else None
    match part:
        case {"type": "text", "text": str(text)}:
            return Text(text, ttl)
        case {"type": "refusal", "refusal": str(text)}:
            return Refusal(text)
        case {"type": "image_url", "image_url": {"url": str(url)} as described}:
            image = _read_url("image", url, ttl)
            image.detail = Fields(described, f"{place}.image_url").may("detail", str)
            return image
        case {"type": "input_audio", "input_audio": {"data": str(data), "format": str(form)}}:
            return Media("audio", f"audio/{form}", base64=data, cache_ttl=ttl)
        case {"type": "file", "file": {"file_data": str(url)} as described}:
            document = _read_url("document", url, ttl)
            document.name = Fields(described, f"{place}.file").may("filename", str)
            return document
        case {"type": "file", "file": {"file_id": str(id)}}:
            return Media("document", file_id=id, cache_ttl=ttl)
        case {"type": "text" | "refusal" | "image_url" | "input_audio" | "file" as kind}:
            raise BadRequest(f"{place}.{kind}", "is missing or malformed")
        case {"type": str()}:
            return Foreign(NAME, part)
    raise BadRequest(f"{place}.type", "is required: text, image_url, input_audio or file")


def _read_url(kind: MediaKind, url: str, ttl: str | None) -> Media:
    head, comma, base64 = url.partition(";base64,")
    if not head.startswith("data:") or not comma:
        return Media(kind, url=url, cache_ttl=ttl)
    return Media(kind, head[5:], base64=base64, cache_ttl=ttl)


SHORT = "5m"  # what a cache mark means that does not say


def _cache_ttl(part: Json) -> str | None:
    """Anthropic's cache mark, which several OpenAI-compatible providers take on a part."""
    mark = part.get("cache_control")
    ttl = mark.get("ttl", SHORT) if isinstance(mark, dict) else None
    return ttl if isinstance(ttl, str) else None


def write_part(block: Text | Refusal | Media | Foreign) -> Json:
    match block:
        case Foreign(data=data):
            return data
        case Refusal(text):
            return {"type": "refusal", "refusal": text}
        case Text(text, ttl):
            return {"type": "text", "text": text, **_cache_mark(ttl)}
        case Media(cache_ttl=ttl):
            return {**_write_media(block), **_cache_mark(ttl)}


def _cache_mark(ttl: str | None) -> Json:
    if ttl is None:
        return {}
    return {"cache_control": {"type": "ephemeral", **({} if ttl == SHORT else {"ttl": ttl})}}


def _write_media(media: Media) -> Json:
    if media.kind == "audio":
        form = (media.mime_type or "audio/wav").partition("/")[2]
        return {"type": "input_audio", "input_audio": {"data": media.base64, "format": form}}
    if media.kind == "image":
        detail = {"detail": media.detail} if media.detail else {}
        return {"type": "image_url", "image_url": {"url": _write_url(media), **detail}}
    if media.file_id is not None:
        return {"type": "file", "file": {"file_id": media.file_id}}
    name = {"filename": media.name} if media.name else {}
    return {"type": "file", "file": {"file_data": _write_url(media), **name}}


def _write_url(media: Media) -> str:
    return media.url or f"data:{media.mime_type};base64,{media.base64}"

"""The parts of a message's content: text, images, audio, files."""

from typing import Any

from gateway.chat.blocks import Block, Foreign, Media, MediaKind, Refusal, Text
from gateway.errors import BadRequest
from gateway.wire.json import Json


def read_parts(content: Any, place: str) -> list[Block]:
    if content is None:
        return []
    if isinstance(content, str):
        return [Text(content)] if content else []
    if not isinstance(content, list):
        raise BadRequest(place, "must be a string or an array of parts")
    return [_read_part(part, f"{place}[{index}]") for index, part in enumerate(content)]


def _read_part(part: Any, place: str) -> Block:
    match part:
        case {"type": "text", "text": str(text)}:
            return Text(text, _cache_ttl(part))
        case {"type": "refusal", "refusal": str(text)}:
            return Refusal(text)
        case {"type": "image_url", "image_url": {"url": str(url)} as described}:
            image = _read_url("image", url, part)
            image.detail = described.get("detail")
            return image
        case {"type": "input_audio", "input_audio": {"data": str(data), "format": str(form)}}:
            return Media("audio", f"audio/{form}", base64=data, cache_ttl=_cache_ttl(part))
        case {"type": "file", "file": {"file_data": str(url)} as described}:
            document = _read_url("document", url, part)
            document.name = described.get("filename")
            return document
        case {"type": "file", "file": {"file_id": str(id)}}:
            return Media("document", file_id=id, cache_ttl=_cache_ttl(part))
        case {"type": "text" | "refusal" | "image_url" | "input_audio" | "file" as kind}:
            raise BadRequest(f"{place}.{kind}", "is missing or malformed")
        case {"type": str()}:
            return Foreign("openai_chat", part)
    raise BadRequest(f"{place}.type", "is required: text, image_url, input_audio or file")


def _read_url(kind: MediaKind, url: str, part: Json) -> Media:
    ttl = _cache_ttl(part)
    head, comma, base64 = url.partition(";base64,")
    if not head.startswith("data:") or not comma:
        return Media(kind, url=url, cache_ttl=ttl)
    return Media(kind, head[5:], base64=base64, cache_ttl=ttl)


def _cache_ttl(part: Json) -> str | None:
    """Anthropic's cache mark, which several OpenAI-compatible providers take on a part."""
    mark = part.get("cache_control")
    return mark.get("ttl", "5m") if isinstance(mark, dict) else None


def write_part(block: Text | Refusal | Media) -> Json:
    match block:
        case Text(text):
            return {"type": "text", "text": text}
        case Refusal(text):
            return {"type": "refusal", "refusal": text}
        case Media(kind="audio", mime_type=mime, base64=data):
            form = (mime or "audio/wav").partition("/")[2]
            return {"type": "input_audio", "input_audio": {"data": data, "format": form}}
        case Media(kind="image", detail=detail):
            image: Json = {"url": _write_url(block)}
            return {
                "type": "image_url",
                "image_url": image | ({"detail": detail} if detail else {}),
            }
        case Media(file_id=str(id)):
            return {"type": "file", "file": {"file_id": id}}
        case Media(name=name):
            file: Json = {"file_data": _write_url(block)}
            return {"type": "file", "file": file | ({"filename": name} if name else {})}


def _write_url(block: Media) -> str:
    return block.url or f"data:{block.mime_type};base64,{block.base64}"

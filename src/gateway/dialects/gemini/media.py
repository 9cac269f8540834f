"""Images, recordings and documents: ``inlineData`` and ``fileData``."""

import base64
import re

from gateway.chat.blocks import Media, MediaKind
from gateway.chat.media_types import plain
from gateway.dialects.gemini.fields import ProtoFields
from gateway.wire.json import Json

KINDS: tuple[MediaKind, ...] = ("image", "audio", "video")
# Files that only Google's own servers can read.
OWN = ("gs://", "files/", "https://generativelanguage.googleapis.com/")
# Videos that every model watches by their address, and that are no files: they have no type.
# (https://ai.google.dev/gemini-api/docs/video-understanding#youtube)
YOUTUBE = re.compile(r"https?://((www|m|music)\.)?(youtube\.com|youtu\.be)/", re.IGNORECASE)
# Recordings that cannot be played without their parameters: ``audio/L16;codec=pcm;rate=24000``.
RAW = ("audio/l16", "audio/pcm")
UNKNOWN = ("", "application/octet-stream")
# Text, though not by name: the API refuses these types, and reads whatever is text as plain text.
# (https://github.com/epam/ai-dial-adapter-vertexai/issues/148,
# https://ai.google.dev/gemini-api/docs/document-processing)
TEXTS = re.compile(r"application/(.*[-+.])?(json|jsonl|ndjson|xml|yaml|toml)")
# For what has a name or an address, and no type: what its last word is most often.
ENDINGS = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
    "heic": "image/heic",
    "pdf": "application/pdf",
    "txt": "text/plain",
    "mp3": "audio/mp3",
    "wav": "audio/wav",
    "mp4": "video/mp4",
    "mov": "video/mov",
    "webm": "video/webm",
}


def read_inline(blob: ProtoFields) -> Media:
    """google-genai writes base64 in the alphabet for URLs; all others read the common one."""
    mime = _typed(blob.need("mimeType", str))
    data = blob.need("data", str).replace("-", "+").replace("_", "/")
    padded = data + "=" * (-len(data) % 4)
    return Media(_kind(mime), mime or None, base64=padded, name=blob.may("displayName", str))


def read_file(file: ProtoFields) -> Media:
    mime, uri = _typed(file.may("mimeType", str) or ""), file.need("fileUri", str)
    kind = "video" if YOUTUBE.match(uri) else _kind(mime or _guessed(uri) or "")
    media = Media(kind, mime or None, name=file.may("displayName", str))
    if uri.startswith(OWN):
        media.file_id = uri
    else:
        media.url = uri
    return media


def _typed(mime: str) -> str:
    kind = plain(mime)
    return mime if kind in RAW else kind


def _kind(mime: str) -> MediaKind:
    return next((kind for kind in KINDS if mime.startswith(f"{kind}/")), "document")


def _guessed(name: str) -> str | None:
    path = name.partition("?")[0].partition("#")[0]
    return ENDINGS.get(path.rpartition(".")[2].lower())


def write_inline(media: Media) -> Json | None:
    """None for what is not inline, or of no known type: the API asks for one."""
    if media.text is not None:
        data = base64.b64encode(media.text.encode()).decode()
        return {"mimeType": _type_of(media, "") or "text/plain", "data": data}
    mime = _type_of(media, media.name or "")
    if media.base64 is None or mime is None:
        return None
    return {"mimeType": mime, "data": media.base64}


def write_file(media: Media, *, fetches: bool) -> Json | None:
    """``fetches``: whether the model reads public addresses. None for another provider's file."""
    if media.file_id is not None and media.file_id.startswith(OWN):
        uri = media.file_id
    elif media.url is not None and YOUTUBE.match(media.url):
        return {"fileUri": media.url}
    elif media.url is not None and (fetches or media.url.startswith(OWN)):
        uri = media.url
    else:
        return None
    mime = _type_of(media, uri)
    return {"fileUri": uri, **({"mimeType": mime} if mime else {})}


def _type_of(media: Media, name: str) -> str | None:
    """As the API takes it; by the end of the name where none is told."""
    mime = _typed(media.mime_type or "")
    if mime in UNKNOWN:
        return _guessed(name)
    return "text/plain" if TEXTS.fullmatch(mime) else mime

"""Images, recordings and documents: ``inlineData`` and ``fileData``."""

import base64

from gateway.chat.blocks import Media, MediaKind
from gateway.dialects.gemini.fields import ProtoFields
from gateway.wire.json import Json

KINDS: tuple[MediaKind, ...] = ("image", "audio", "video")
# Files that only Google's own servers can read.
OWN = ("gs://", "files/", "https://generativelanguage.googleapis.com/")
# For addresses whose type nobody tells: what their last word is most often.
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
    mime = blob.need("mimeType", str)
    data = blob.need("data", str).replace("-", "+").replace("_", "/")
    padded = data + "=" * (-len(data) % 4)
    return Media(_kind(mime), mime, base64=padded, name=blob.may("displayName", str))


def read_file(file: ProtoFields) -> Media:
    mime, uri = file.may("mimeType", str), file.need("fileUri", str)
    media = Media(_kind(mime or _guessed(uri) or ""), mime, name=file.may("displayName", str))
    if uri.startswith(OWN):
        media.file_id = uri
    else:
        media.url = uri
    return media


def _kind(mime: str) -> MediaKind:
    return next((kind for kind in KINDS if mime.startswith(f"{kind}/")), "document")


def _guessed(url: str) -> str | None:
    path = url.partition("?")[0].partition("#")[0]
    return ENDINGS.get(path.rpartition(".")[2].lower())


def write_inline(media: Media) -> Json | None:
    """None for what is not inline, or of no known type: the API asks for one."""
    if media.text is not None:
        data = base64.b64encode(media.text.encode()).decode()
        return {"mimeType": media.mime_type or "text/plain", "data": data}
    if media.base64 is None or media.mime_type is None:
        return None
    return {"mimeType": media.mime_type, "data": media.base64}


def write_file(media: Media, *, fetches: bool) -> Json | None:
    """``fetches``: whether the model reads public addresses. None for another provider's file."""
    if media.file_id is not None and media.file_id.startswith(OWN):
        uri = media.file_id
    elif media.url is not None and (fetches or media.url.startswith(OWN)):
        uri = media.url
    else:
        return None
    mime = media.mime_type or _guessed(uri)
    return {"fileUri": uri, **({"mimeType": mime} if mime else {})}

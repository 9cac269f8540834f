"""The parts of a message's content: text, images, audio, files, thoughts."""

from base64 import b64decode
from collections.abc import Callable, Mapping

from gateway.chat.blocks import Block, Foreign, Media, MediaKind, Refusal, Text, Thinking
from gateway.chat.media_types import plain
from gateway.dialects.base import Fields
from gateway.dialects.openai_chat.thoughts import read_thought
from gateway.errors import BadRequest
from gateway.wire.json import Json

Part = Text | Thinking | Refusal | Media | Foreign
NAME = "openai_chat"  # whose the foreign blocks are that are read here


def read_content(message: Fields, unread: Json) -> list[Block]:
    """Pop a message's content: a text, or an array of parts."""
    content = message.may("content", (str, list))
    if isinstance(content, str):
        return [Text(content)] if content else []
    place = message.path("content")
    return [
        read_part(Fields(part, f"{place}[{nth}]"), unread) for nth, part in enumerate(content or ())
    ]


def read_part(part: Fields, unread: Json) -> Part:
    kind = part.need("type", str)
    if kind not in _READERS:
        return Foreign(NAME, {"type": kind, **part.rest})
    block = _READERS[kind](part, unread)
    part.leave(unread)
    return block


SHORT = "5m"  # what a cache mark means that does not say


def read_cache_mark(holder: Fields, unread: Json) -> str | None:
    """Pop Anthropic's cache mark, which LiteLLM and OpenRouter take on parts, messages and tools:
    its time to live."""
    given = holder.may("cache_control", dict)
    if given is None:
        return None
    mark = Fields(given, holder.path("cache_control"))
    mark.may("type", str)
    ttl: str = mark.may("ttl", str) or SHORT
    mark.leave(unread)
    return ttl


def _read_text(part: Fields, unread: Json) -> Part:
    return Text(part.need("text", str), read_cache_mark(part, unread))


def _read_refusal(part: Fields, unread: Json) -> Part:
    del unread
    return Refusal(part.need("refusal", str))


def _read_image(part: Fields, unread: Json) -> Part:
    described = Fields(part.need("image_url", dict), part.path("image_url"))
    image = read_url("image", described.need("url", str))
    image.detail = described.may("detail", str)
    image.cache_ttl = read_cache_mark(part, unread)
    described.leave(unread)
    return image


def _read_audio(part: Fields, unread: Json) -> Part:
    described = Fields(part.need("input_audio", dict), part.path("input_audio"))
    kind = f"audio/{described.need('format', str)}"
    ttl = read_cache_mark(part, unread)
    audio = Media("audio", kind, base64=described.need("data", str), cache_ttl=ttl)
    described.leave(unread)
    return audio


def _read_file(part: Fields, unread: Json) -> Part:
    described = Fields(part.need("file", dict), part.path("file"))
    data, file_id = described.may("file_data", str), described.may("file_id", str)
    if data is None and file_id is None:
        raise BadRequest(part.path("file"), "needs file_data or file_id")
    document = read_url("document", data) if data is not None else Media("document")
    document.file_id, document.name = file_id, described.may("filename", str)
    document.cache_ttl = read_cache_mark(part, unread)
    described.leave(unread)
    return document


def _read_thinking(kind: str) -> Callable[[Fields, Json], Part]:
    return lambda part, unread: read_thought(part, kind, unread)


_READERS: Mapping[str, Callable[[Fields, Json], Part]] = {
    "text": _read_text,
    "refusal": _read_refusal,
    "image_url": _read_image,
    "input_audio": _read_audio,
    "file": _read_file,
    "thinking": _read_thinking("thinking"),  # Mistral's, and LangChain's
    "redacted_thinking": _read_thinking("redacted_thinking"),
}


def read_url(kind: MediaKind, url: str) -> Media:
    """By address, or inline in a data URL; what is neither is bare base64."""
    head, comma, base64 = url.partition(";base64,")
    if head.startswith("data:") and comma:
        return Media(kind, plain(head[5:]) or None, base64=base64)
    if kind == "document" and "://" not in url:
        return Media(kind, base64=url)
    return Media(kind, url=url)


def write_url(media: Media) -> str | None:
    """None for one that is neither at an address nor inline with its type."""
    if media.url is not None:
        return media.url
    if media.base64 is None or media.mime_type is None:
        return None
    return f"data:{media.mime_type};base64,{media.base64}"


def write_part(block: Block, dropped: set[str]) -> Json | None:
    """None for what no part can hold; ``dropped`` gets the names of all that is not said."""
    match block:
        case Text():
            part: Json | None = {"type": "text", "text": block.text}
            if block.citations:
                dropped.add("citations")
        case Refusal():
            return {"type": "refusal", "refusal": block.text}
        case Media():
            part = _write_media(block, dropped)
        case Foreign(dialect, data) if dialect == NAME:
            return data
        case Foreign():
            dropped.add(block.kind)
            return None
        case _:
            return None
    if part is not None:
        note_marks(block, dropped)
    return part


def note_marks(block: Block, dropped: set[str]) -> None:
    """OpenAI has no cache marks of this kind, and refuses a member that it does not know."""
    if getattr(block, "cache_ttl", None) is not None:
        dropped.add("cache_control")
    if getattr(block, "seal", None) is not None:
        dropped.add("signature")


def _write_media(media: Media, dropped: set[str]) -> Json | None:
    part = _MEDIA_WRITERS[media.kind](media, dropped)
    if part is None:
        dropped.add(media.kind)
        return None
    if media.detail is not None and media.kind != "image":
        dropped.add("detail")
    if media.transcript is not None:
        dropped.add("transcript")
    return part


def _write_image(media: Media, dropped: set[str]) -> Json | None:
    del dropped
    url = write_url(media)
    if url is None:
        return None
    detail = {} if media.detail is None else {"detail": media.detail}
    return {"type": "image_url", "image_url": {"url": url, **detail}}


# What OpenAI hears (its ChatCompletionContentPartInputAudioParam), by every name in use.
AUDIO_FORMATS: Mapping[str, str] = {
    "audio/wav": "wav",
    "audio/wave": "wav",
    "audio/x-wav": "wav",
    "audio/vnd.wave": "wav",
    "audio/mp3": "mp3",
    "audio/mpeg": "mp3",
    "audio/mpeg3": "mp3",
    "audio/x-mp3": "mp3",
}


def _write_audio(media: Media, dropped: set[str]) -> Json | None:
    del dropped
    form = AUDIO_FORMATS.get(media.mime_type or "")
    if media.base64 is None or form is None:
        return None
    return {"type": "input_audio", "input_audio": {"data": media.base64, "format": form}}


# How OpenAI's ids of files begin, and Azure's (https://github.com/vercel/ai/pull/7915). What looks
# otherwise is of another maker, or an address at one.
FILE_IDS = ("file-", "assistant-")
PDF = "application/pdf"
# What is text under another name.
TEXTS = frozenset(
    {
        "application/javascript",
        "application/json",
        "application/toml",
        "application/x-javascript",
        "application/x-python",
        "application/x-sh",
        "application/x-yaml",
        "application/xml",
        "application/yaml",
    }
)


def _write_document(media: Media, dropped: set[str]) -> Json | None:
    if media.file_id is not None and media.file_id.startswith(FILE_IDS):
        if media.name is not None:
            dropped.add("document.name")
        return {"type": "file", "file": {"file_id": media.file_id}}
    if media.text is not None:
        return _in_words(media.text, media, dropped)
    url, kind = write_url(media), media.mime_type or ""
    if url is None or media.base64 is None:
        return None
    if kind == PDF:
        # Inline data without a name is refused, as if its file_id were missing
        # (https://github.com/openai/openai-agents-python/pull/1513).
        name = media.name or "document.pdf"
        return {"type": "file", "file": {"file_data": url, "filename": name}}
    return _write_other(kind, media, dropped)


def _write_other(kind: str, media: Media, dropped: set[str]) -> Json | None:
    """A file that is no PDF, which is the only kind that is taken
    (https://github.com/trpc-group/trpc-agent-go/issues/1816)."""
    if kind.startswith("text/") or kind in TEXTS:
        text = _text_of(media.base64 or "")
        return None if text is None else _in_words(text, media, dropped)
    if kind.startswith("image/"):
        part = _write_image(media, dropped)
    else:
        part = _write_audio(media, dropped)
    if part is not None and media.name is not None:
        dropped.add("document.name")
    return part


def _in_words(text: str, media: Media, dropped: set[str]) -> Json:
    """As near as a text can be told that is a file."""
    dropped |= {"document"} if media.name is None else {"document", "document.name"}
    return {"type": "text", "text": text}


def _text_of(base64: str) -> str | None:
    """None where it is no text."""
    try:
        return b64decode(base64).decode()
    except ValueError:
        return None


def _write_nothing(media: Media, dropped: set[str]) -> Json | None:
    del media, dropped
    return None


_MEDIA_WRITERS: Mapping[MediaKind, Callable[[Media, set[str]], Json | None]] = {
    "image": _write_image,
    "audio": _write_audio,
    "document": _write_document,
    "video": _write_nothing,
}

"""The ordered pieces a message is made of."""

from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(slots=True)
class Seal:
    """An opaque token only its issuer can check, such as a thinking signature.

    ``issuer``: whose models made it: ``anthropic``, ``gemini``, ``openai``.
    """

    issuer: str
    value: str


@dataclass(slots=True)
class Citation:
    """What a piece of text rests on. ``quote``: the source's own words; ``start``, ``end``: the
    characters of the text that rest on it, where the source tells."""

    url: str | None = None
    title: str | None = None
    quote: str | None = None
    start: int | None = None
    end: int | None = None


@dataclass(slots=True)
class Text:
    text: str
    cache_ttl: str | None = None
    citations: list[Citation] = field(default_factory=list)
    seal: Seal | None = None


@dataclass(slots=True)
class Thinking:
    """What a model thought, or a summary of it. ``redacted``: only the seal holds it, and ``text``
    is empty. ``id``: the name under which the provider keeps it."""

    text: str
    seal: Seal | None = None
    redacted: bool = False
    id: str | None = None


@dataclass(slots=True)
class Refusal:
    """The model's words on why it will not answer."""

    text: str


MediaKind = Literal["image", "audio", "video", "document"]


@dataclass(slots=True)
class Media:
    """An image, a recording or a document: by address, inline, or by the provider's own file id.

    ``text``: a document that is plain text, in place of ``base64``. ``transcript``: what a
    recording says. ``detail``: how closely to look (``low``, ``high``, ``auto``).
    """

    kind: MediaKind
    mime_type: str | None = None
    url: str | None = None
    base64: str | None = None
    file_id: str | None = None
    name: str | None = None
    detail: str | None = None
    cache_ttl: str | None = None
    text: str | None = None
    transcript: str | None = None
    seal: Seal | None = None


@dataclass(slots=True)
class ToolUse:
    id: str
    name: str
    arguments: str  # JSON text, kept as the model wrote it
    seal: Seal | None = None
    cache_ttl: str | None = None


@dataclass(slots=True)
class ToolResult:
    """``name``: the tool's, where the caller's dialect says it."""

    tool_use_id: str
    content: "tuple[Block, ...]"
    is_error: bool = False
    cache_ttl: str | None = None
    name: str | None = None


@dataclass(slots=True)
class Foreign:
    """A block that has no neutral meaning; only the dialect that read it can write it."""

    dialect: str
    data: dict[str, Any]

    @property
    def kind(self) -> str:
        """What its dialect calls it."""
        return str(self.data.get("type") or next(iter(self.data), "block"))


Block = Text | Thinking | Refusal | Media | ToolUse | ToolResult | Foreign

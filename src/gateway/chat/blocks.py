"""The ordered pieces a message is made of."""

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(slots=True)
class Seal:
    """An opaque token only its issuer can check, such as a thinking signature."""

    issuer: str
    value: str


@dataclass(slots=True)
class Text:
    text: str
    cache_ttl: str | None = None


@dataclass(slots=True)
class Thinking:
    text: str
    seal: Seal | None = None


@dataclass(slots=True)
class Refusal:
    """The model's words on why it will not answer."""

    text: str


MediaKind = Literal["image", "audio", "document"]


@dataclass(slots=True)
class Media:
    """An image, a recording or a document: by address, inline, or by the provider's own file id."""

    kind: MediaKind
    mime_type: str | None = None
    url: str | None = None
    base64: str | None = None
    file_id: str | None = None
    name: str | None = None
    detail: str | None = None
    cache_ttl: str | None = None


@dataclass(slots=True)
class ToolUse:
    id: str
    name: str
    arguments: str  # JSON text, kept as the model wrote it
    seal: Seal | None = None


@dataclass(slots=True)
class ToolResult:
    tool_use_id: str
    content: "tuple[Block, ...]"
    is_error: bool = False
    cache_ttl: str | None = None


@dataclass(slots=True)
class Foreign:
    """A block that has no neutral meaning; only the dialect that read it can write it."""

    dialect: str
    data: dict[str, Any]


Block = Text | Thinking | Refusal | Media | ToolUse | ToolResult | Foreign

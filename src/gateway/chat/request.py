"""A neutral chat request."""

from dataclasses import dataclass, field
from typing import Any, Literal

from gateway.chat.blocks import Block, Foreign, Text


@dataclass(slots=True)
class Message:
    role: Literal["user", "assistant"]
    content: list[Block]
    name: str | None = None


@dataclass(slots=True)
class Tool:
    name: str
    description: str | None
    schema: dict[str, Any]
    strict: bool | None = None
    cache_ttl: str | None = None


ChoiceMode = Literal["auto", "required", "none", "named"]


@dataclass(slots=True)
class ToolChoice:
    mode: ChoiceMode
    name: str | None = None


@dataclass(slots=True)
class Sampling:
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: list[str] | None = None
    seed: int | None = None
    n: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None


@dataclass(slots=True)
class ResponseFormat:
    """How the answer's text must be formed: any JSON object, or one that a schema describes."""

    schema: dict[str, Any] | None = None
    name: str | None = None
    description: str | None = None
    strict: bool | None = None


@dataclass(slots=True)
class ChatRequest:
    model: str
    messages: list[Message]
    system: list[Text] = field(default_factory=list)
    tools: list[Tool | Foreign] = field(default_factory=list)
    tool_choice: ToolChoice | None = None
    parallel_tools: bool | None = None
    sampling: Sampling = field(default_factory=Sampling)
    response_format: ResponseFormat | None = None
    stream: bool = False
    unread: dict[str, Any] = field(default_factory=dict)  # fields the reader did not understand

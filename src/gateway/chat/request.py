"""A neutral chat request."""

from dataclasses import dataclass, field
from typing import Any, Literal

from gateway.chat.blocks import Block, Foreign, Text


@dataclass(slots=True)
class Message:
    """``system``: what the system says in the middle of a conversation; what it says before all
    else is the request's ``system``."""

    role: Literal["user", "assistant", "system"]
    content: list[Block]
    name: str | None = None


@dataclass(slots=True)
class Tool:
    """``schema``: None where the caller gives none."""

    name: str
    description: str | None
    schema: dict[str, Any] | None
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
    logprobs: bool | None = None
    top_logprobs: int | None = None
    logit_bias: dict[str, Any] | None = None


Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]


@dataclass(slots=True)
class Reasoning:
    """How much to think. A caller gives an effort, or a budget in tokens (0: none; -1: the model
    decides). ``shown``: whether the answer tells the thoughts; ``summary``: how (``auto``,
    ``concise``, ``detailed``); None where the caller does not say."""

    effort: Effort | None = None
    budget: int | None = None
    shown: bool | None = None
    summary: str | None = None


@dataclass(slots=True)
class ResponseFormat:
    """How the answer's text must be formed: any JSON object, or one that a schema describes."""

    schema: dict[str, Any] | None = None
    name: str | None = None
    description: str | None = None
    strict: bool | None = None


@dataclass(slots=True)
class ChatRequest:
    """``user``: whom the caller asks for; ``service_tier``: in OpenAI's words; ``verbosity``:
    ``low``, ``medium``, ``high``; ``modalities``: what the answer may hold beside ``text``
    (``image``, ``audio``).

    ``unread``: what the reader did not understand, by its path in the caller's own words, list
    indices left out (``messages[].annotations``). Nulls are not in it: they say nothing.
    """

    model: str
    messages: list[Message]
    system: list[Text] = field(default_factory=list)
    tools: list[Tool | Foreign] = field(default_factory=list)
    tool_choice: ToolChoice | None = None
    parallel_tools: bool | None = None
    sampling: Sampling = field(default_factory=Sampling)
    reasoning: Reasoning | None = None
    response_format: ResponseFormat | None = None
    stream: bool = False
    user: str | None = None
    metadata: dict[str, Any] | None = None
    service_tier: str | None = None
    verbosity: str | None = None
    modalities: list[str] | None = None
    unread: dict[str, Any] = field(default_factory=dict)

"""How much to think: OpenAI's effort, and what others put beside it.

``reasoning_effort`` is OpenAI's; ``reasoning`` OpenRouter's
(https://openrouter.ai/docs/guides/best-practices/reasoning-tokens); ``thinking`` Anthropic's, which
LiteLLM, DeepSeek, Moonshot and Z.ai take.
"""

from collections.abc import Mapping
from typing import get_args

from gateway.chat.request import ChatRequest, Effort, Reasoning
from gateway.dialects.base import Fields
from gateway.dialects.openai_models import Model, fit_level, others_level
from gateway.errors import BadRequest
from gateway.wire.json import Json

EFFORTS: tuple[Effort, ...] = get_args(Effort)
THE_MODEL_DECIDES = -1
# How many tokens an effort is worth (https://ai.google.dev/gemini-api/docs/openai#thinking). Only
# efforts that every reasoning model takes.
TOKENS: Mapping[Effort, int] = {"low": 1024, "medium": 8192, "high": 24576}


def read_reasoning(fields: Fields, unread: Json) -> Reasoning | None:
    asked = Reasoning(effort=_effort(fields, "reasoning_effort"))
    if (routed := fields.may("reasoning", dict)) is not None:
        _read_routed(Fields(routed, "reasoning"), asked, unread)
    if (thinking := fields.may("thinking", dict)) is not None:
        _read_thinking(Fields(thinking, "thinking"), asked, unread)
    return None if asked == Reasoning() else asked


def _effort(fields: Fields, name: str) -> Effort | None:
    given = fields.may(name, str)
    effort = next((known for known in EFFORTS if known == given), None)
    if given is not None and effort is None:
        raise BadRequest(fields.path(name), f"must be one of {', '.join(EFFORTS)}, not {given!r}")
    return effort


def _read_routed(routed: Fields, asked: Reasoning, unread: Json) -> None:
    asked.effort = _effort(routed, "effort") or asked.effort
    asked.budget = routed.may("max_tokens", int)
    asked.summary = routed.may("summary", str)
    if (hidden := routed.may("exclude", bool)) is not None:
        asked.shown = not hidden
    enabled = routed.may("enabled", bool)
    if enabled is False:
        asked.effort = "none"
    elif enabled and asked.effort is None and asked.budget is None:
        asked.budget = THE_MODEL_DECIDES
    routed.leave(unread)


def _read_thinking(thinking: Fields, asked: Reasoning, unread: Json) -> None:
    kind, budget = thinking.need("type", str), thinking.may("budget_tokens", int)
    match kind:
        case "disabled":
            asked.effort = "none"
        case "enabled" | "adaptive" | "auto":
            asked.budget = budget if budget is not None else asked.budget
            if asked.effort is None and asked.budget is None:
                asked.budget = THE_MODEL_DECIDES
        case _:
            raise BadRequest("thinking.type", "must be one of enabled, disabled, adaptive")
    if (display := thinking.may("display", str)) is not None:
        asked.shown = display != "omitted"
    thinking.leave(unread)


def write_reasoning(request: ChatRequest, model: Model | None, dropped: set[str]) -> Effort | None:
    """The level to ask for, None for no word of it."""
    asked = request.reasoning
    effort = _write_asked(asked, dropped)
    if model is not None:
        return fit_level(asked, effort, model, dropped)
    return others_level(request.model, asked, effort, dropped)


def _write_asked(asked: Reasoning | None, dropped: set[str]) -> Effort | None:
    if asked is None:
        return None
    if asked.shown:  # OpenAI tells none here; that they be hidden, needs no word
        dropped.add("reasoning.shown")
    if asked.summary is not None:
        dropped.add("reasoning.summary")
    if asked.budget is not None and asked.budget > 0:
        dropped.add("reasoning.budget")
    if asked.effort is not None or asked.budget is None or asked.budget < 0:
        return asked.effort
    return "none" if asked.budget == 0 else _nearest(asked.budget)


def _nearest(budget: int) -> Effort:
    return min(TOKENS, key=lambda effort: abs(TOKENS[effort] - budget))

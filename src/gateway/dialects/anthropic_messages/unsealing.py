"""A conversation that a translation answered, and that goes on at a model of Anthropic's."""

from typing import Any

from gateway.dialects.anthropic_messages.models import model_of
from gateway.dialects.anthropic_messages.turns import fit_thinking
from gateway.dialects.unsealing import unsealed
from gateway.wire.json import Json


def unseal(body: Json, model: str) -> tuple[Json, frozenset[str]]:
    """Where the thoughts of the present turn were ours, it may no longer begin with one: then the
    model may not think on in it by a budget, as in a request that is translated."""
    cleaned, dropped = unsealed(body)
    thinking = cleaned.get("thinking")
    if "thinking" not in dropped or not _is_enabled(thinking) or not _is_told(cleaned):
        return cleaned, dropped
    lost = set(dropped)
    fitted = fit_thinking(thinking, cleaned, {"reasoning.budget"}, model_of(model), lost)
    if fitted is None:
        del cleaned["thinking"]
    else:
        cleaned["thinking"] = fitted
    return cleaned, frozenset(lost)


def _is_enabled(thinking: Any) -> bool:
    return isinstance(thinking, dict) and thinking.get("type") == "enabled"


def _is_told(body: Json) -> bool:
    """Whether the shape is one that the API takes; any other is its own to refuse."""
    messages, choice = body.get("messages"), body.get("tool_choice", {})
    return (
        isinstance(messages, list)
        and isinstance(choice, dict)
        and all(isinstance(one, dict) and "role" in one and _is_said(one) for one in messages)
    )


def _is_said(message: Json) -> bool:
    content = message.get("content")
    blocks = content if isinstance(content, list) else []
    whole = all(isinstance(block, dict) and "type" in block for block in blocks)
    return whole and isinstance(content, str | list)

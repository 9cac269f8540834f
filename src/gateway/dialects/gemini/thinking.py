"""``thinkingConfig``: how much to think, and whether to show it, both ways.

https://ai.google.dev/gemini-api/docs/generate-content/thinking
"""

from collections.abc import Mapping

from gateway.chat.request import Effort, Reasoning
from gateway.dialects.gemini.fields import ProtoFields
from gateway.dialects.gemini.models import LEVELS, Model
from gateway.wire.json import Json

EFFORTS: Mapping[str, Effort] = {
    "MINIMAL": "minimal",
    "LOW": "low",
    "MEDIUM": "medium",
    "HIGH": "high",
    "XHIGH": "xhigh",
}
# The level that an effort is worth, and the tokens: Google's own table for its OpenAI endpoint.
# (https://ai.google.dev/gemini-api/docs/openai#thinking)
WORTH: Mapping[Effort, str] = {
    **{effort: level for level, effort in EFFORTS.items()},
    "none": "MINIMAL",
    "max": "XHIGH",
}
BUDGETS: Mapping[Effort, int] = {
    "none": 0,
    "minimal": 1024,
    "low": 1024,
    "medium": 8192,
    "high": 24576,
    "xhigh": 24576,
    "max": 24576,
}
AUTOMATIC = -1  # the model decides
UNSPECIFIED = "THINKING_LEVEL_UNSPECIFIED"


def read_thinking(thinking: ProtoFields) -> Reasoning:
    level = thinking.rest.get(thinking.own("thinkingLevel"))
    effort = EFFORTS.get(level.upper()) if isinstance(level, str) else None
    if effort or level == UNSPECIFIED:
        thinking.may("thinkingLevel", str)
    return Reasoning(
        effort=effort,
        budget=thinking.whole("thinkingBudget"),
        shown=thinking.may("includeThoughts", bool),
    )


def write_thinking(asked: Reasoning, model: Model, dropped: set[str]) -> Json:
    """As this model takes it: as the nearest that it has, where that is not what was asked."""
    if not model.levels and model.budget is None:
        dropped |= _said(asked)
        return {}
    thinking = _how_much(asked, model, dropped)
    shown = asked.shown
    if asked.summary is not None:  # what Gemini shows of its thoughts is a summary
        shown = True if shown is None else shown
        if asked.summary != "auto":
            dropped.add("reasoning.summary")
    if shown is not None and thinking.get("thinkingBudget") != 0:
        thinking["includeThoughts"] = shown
    return thinking


def _said(asked: Reasoning) -> set[str]:
    """The names of what was asked of a model that does not think."""
    names = {
        "reasoning.effort": asked.effort not in (None, "none"),
        "reasoning.budget": bool(asked.budget),
        "reasoning.shown": asked.shown,
        "reasoning.summary": asked.summary,
    }
    return {name for name, told in names.items() if told}


def _how_much(asked: Reasoning, model: Model, dropped: set[str]) -> Json:
    """No model takes a level and a budget at once: what is the model's own way is told of both."""
    if asked.budget is not None and (asked.effort is None or not model.levels):
        if asked.effort is not None:
            dropped.add("reasoning.effort")
        return _budget(asked.budget, model, dropped)
    if asked.effort is None:
        return {}
    if asked.budget is not None:
        dropped.add("reasoning.budget")
    return _effort(asked.effort, model, dropped)


def _budget(tokens: int, model: Model, dropped: set[str]) -> Json:
    if tokens == AUTOMATIC:  # what a model that knows only levels does unasked
        return {} if model.budget is None else {"thinkingBudget": AUTOMATIC}
    if _takes(tokens, model):
        return {"thinkingBudget": tokens}
    dropped.add("reasoning.budget")
    if not model.levels:
        return {"thinkingBudget": _nearest_budget(tokens, model)}
    worth = next((WORTH[effort] for effort, size in BUDGETS.items() if size >= tokens), "HIGH")
    return {"thinkingLevel": _nearest_level(worth, model)}


def _effort(effort: Effort, model: Model, dropped: set[str]) -> Json:
    if not model.levels:
        tokens = _nearest_budget(BUDGETS[effort], model)
        if tokens:  # none at all is just what was asked
            dropped.add("reasoning.effort")
        return {"thinkingBudget": tokens}
    level = _nearest_level(WORTH[effort], model)
    if EFFORTS[level] != effort:
        dropped.add("reasoning.effort")
    return {"thinkingLevel": level}


def _nearest_level(level: str, model: Model) -> str:
    """The greater of two that are equally near, as in Google's own table: what was to be thought
    over should be."""
    wanted = LEVELS.index(level)
    return min(reversed(model.levels), key=lambda one: abs(LEVELS.index(one) - wanted))


def _takes(tokens: int, model: Model) -> bool:
    return model.budget is not None and (tokens in model.budget or (tokens == 0 and model.off))


def _nearest_budget(tokens: int, model: Model) -> int:
    if model.budget is None or _takes(tokens, model):
        return tokens
    return min(max(tokens, model.budget[0]), model.budget[-1])

"""How much to think: ``thinking`` and ``output_config.effort``, both ways."""

from collections.abc import Mapping
from typing import get_args

from gateway.chat.request import Effort, Reasoning
from gateway.dialects.anthropic_messages.models import Model
from gateway.dialects.base import Fields
from gateway.errors import BadRequest
from gateway.wire.json import Json

EFFORTS = ("low", "medium", "high", "xhigh", "max")
DISPLAYS: Mapping[str, bool] = {"summarized": True, "omitted": False}

LEAST_BUDGET = 1024  # the API refuses less
# An effort as a budget. With an answer it stays within the 32,000 that Claude Opus 4 gives at most.
BUDGETS: Mapping[Effort, int] = {
    "minimal": LEAST_BUDGET,
    "low": 2048,
    "medium": 8192,
    "high": 16384,
    "xhigh": 23552,
    "max": 23552,
}
UNSAID: Effort = "medium"  # where a model needs a budget and the caller leaves it to the model
# Room for adaptive thought beside the answer, where the caller sets no limit.
ADAPTIVE_ROOM = 24576


def read_reasoning(fields: Fields, config: Fields, unread: Json) -> Reasoning | None:
    """``config``: the request's ``output_config``."""
    effort = config.may("effort", str)
    if effort is not None and effort not in EFFORTS:
        raise BadRequest(config.path("effort"), f"must be one of {', '.join(EFFORTS)}")
    asked = fields.may("thinking", dict)
    if asked is None:
        return None if effort is None else Reasoning(effort)
    thinking = Fields(asked, "thinking")
    kind = thinking.need("type", str)
    display = thinking.rest.get("display")
    shown = DISPLAYS.get(display) if isinstance(display, str) else None
    if shown is not None:
        del thinking.rest["display"]
    match kind:
        case "enabled":
            reasoning = Reasoning(effort, thinking.need("budget_tokens", int), shown)
        case "adaptive":
            reasoning = Reasoning(effort, -1 if effort is None else None, shown)
        case "disabled" | "between_tools":
            reasoning = Reasoning("none", shown=shown)
            if effort is not None:  # of the answer alone then, which cannot be said
                config.rest["effort"] = effort
        case _:
            kinds = "enabled, adaptive, disabled, between_tools"
            raise BadRequest("thinking.type", f"must be one of {kinds}, not {kind!r}")
    thinking.leave(unread)
    return reasoning


def write_reasoning(
    asked: Reasoning | None, model: Model, max_tokens: int | None, dropped: set[str]
) -> tuple[Json | None, str | None]:
    """The body's ``thinking`` and ``output_config.effort``, as this model takes them."""
    if asked is None:
        return None, None
    if asked.summary in ("concise", "detailed"):
        dropped.add("reasoning.summary")
    if asked.effort == "none" or (asked.budget == 0 and asked.effort is None):
        return _off(asked, model, dropped)
    if model.thinking == "none":
        dropped |= said(asked)
        return None, None
    shown = True if asked.shown is None and asked.summary else asked.shown
    if asked.budget is not None and asked.budget > 0 and model.thinking != "adaptive":
        thinking = _fitting(asked.budget, max_tokens, dropped)
    elif model.thinking == "budget":
        thinking = _by_budget(asked, model, max_tokens, dropped)
    else:
        thinking = _adaptive(asked, model, dropped, shown=shown)
    if thinking is not None and shown is not None:
        thinking["display"] = "summarized" if shown else "omitted"
    elif thinking is None and shown:
        dropped.add("reasoning.shown")
    return thinking, _effort(asked, model, dropped)


def _off(asked: Reasoning, model: Model, dropped: set[str]) -> tuple[Json | None, str | None]:
    if not model.unasked:
        return None, None
    if model.off is not None:
        return {"type": model.off}, None
    dropped |= said(asked)
    return None, "low"  # the least that it can


def said(asked: Reasoning | None) -> set[str]:
    """The names of what was asked."""
    if asked is None:
        return set()
    told = {"reasoning.effort": asked.effort, "reasoning.budget": asked.budget}
    named = {name for name, value in told.items() if value is not None}
    shown = asked.shown or (asked.shown is None and asked.summary)
    return named | ({"reasoning.shown"} if shown else set())


def _fitting(budget: int, max_tokens: int | None, dropped: set[str]) -> Json | None:
    """The budget that the caller sets, or the nearest one that the API takes: others count
    otherwise, Gemini from 128 tokens on, and beside the answer's limit."""
    fitted = _within_limit(max(budget, LEAST_BUDGET), max_tokens)
    if fitted != budget:
        dropped.add("reasoning.budget")
    return None if fitted is None else _enabled(fitted)


def _by_budget(
    asked: Reasoning, model: Model, max_tokens: int | None, dropped: set[str]
) -> Json | None:
    """One of our own choosing."""
    if asked.budget is None and asked.effort is None:
        return None
    if asked.effort is None:
        dropped.add("reasoning.budget")
    elif asked.effort not in model.efforts:
        dropped.add("reasoning.effort")
    budget = _within_limit(BUDGETS[asked.effort or UNSAID], max_tokens)
    return None if budget is None else _enabled(budget)


def _within_limit(budget: int, max_tokens: int | None) -> int | None:
    """With room for an answer, where the API sees too little; None where there is no room to
    think at all."""
    if max_tokens is None or budget < max_tokens:
        return budget
    budget = max(max_tokens // 2, LEAST_BUDGET)
    return budget if budget < max_tokens else None


def _enabled(budget: int) -> Json:
    return {"type": "enabled", "budget_tokens": budget}


def _adaptive(
    asked: Reasoning, model: Model, dropped: set[str], *, shown: bool | None
) -> Json | None:
    if asked.budget is not None and asked.budget > 0:
        dropped.add("reasoning.budget")
    elif asked.budget is None and asked.effort is None and not (shown or model.unasked):
        return None  # not asked to think, only not to show it
    return {"type": "adaptive"}


def _effort(asked: Reasoning, model: Model, dropped: set[str]) -> str | None:
    """The nearest level that the model has: a lesser one where there is, which costs no more."""
    effort = asked.effort
    if effort is None:
        if asked.budget is None or asked.budget < 0 or model.thinking != "adaptive":
            return None
        effort = _worth(asked.budget)
    if effort in model.efforts:
        return effort
    if asked.effort is not None:
        dropped.add("reasoning.effort")
    order = get_args(Effort)
    lesser = [one for one in model.efforts if order.index(one) < order.index(effort)]
    return lesser[-1] if lesser else next(iter(model.efforts), None)


def _worth(budget: int) -> Effort:
    """A budget as an effort: the least whose budget is as large."""
    return next(
        (effort for effort in ("low", "medium") if BUDGETS[effort] >= budget), _more(budget)
    )


def _more(budget: int) -> Effort:
    return "high" if budget <= ADAPTIVE_ROOM else "xhigh"


def room_for(thinking: Json | None, model: Model) -> int:
    """Tokens of thought to add to an answer's, since ``max_tokens`` counts both."""
    kind = thinking.get("type") if thinking else None
    if thinking and kind == "enabled":
        return int(thinking["budget_tokens"])
    unasked = thinking is None and model.unasked and model.thinking == "adaptive"
    return ADAPTIVE_ROOM if unasked or kind == "adaptive" else 0

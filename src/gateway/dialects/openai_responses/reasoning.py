"""How much to think, and what of the thoughts to tell: ``reasoning``, both ways.

https://platform.openai.com/docs/guides/reasoning?api-mode=responses
"""

from typing import Any, get_args

from gateway.chat.blocks import Thinking
from gateway.chat.request import ChatRequest, Effort, Reasoning
from gateway.dialects.base import Fields
from gateway.dialects.openai_models import Model, fit_level, others_level
from gateway.dialects.openai_responses.parts import ISSUER
from gateway.errors import BadRequest
from gateway.wire.json import Json

# Where a budget of tokens for thinking ends to be an effort's.
BUDGETS: tuple[tuple[int, Effort], ...] = ((0, "none"), (2048, "low"), (8192, "medium"))


def read_reasoning(fields: Fields, unread: Json) -> Reasoning | None:
    """Thoughts are told only where a summary is asked for; ``generate_summary`` is its old name."""
    asked = Fields(fields.may("reasoning", dict) or {}, "reasoning")
    effort, summary = asked.may("effort", str), asked.may("summary", str)
    older = asked.may("generate_summary", str)
    asked.leave(unread)
    if effort is not None and effort not in get_args(Effort):
        raise BadRequest("reasoning.effort", f"must be one of {', '.join(get_args(Effort))}")
    summary = older if summary is None else summary
    if effort is None and summary is None:
        return None
    efforts: dict[str, Effort] = {one: one for one in get_args(Effort)}
    return Reasoning(
        effort=efforts.get(effort or ""), shown=None if summary is None else True, summary=summary
    )


def write_reasoning(request: ChatRequest, model: Model | None, dropped: set[str]) -> Json:
    asked = request.reasoning
    effort = _write_asked(asked, dropped)
    if model is not None:
        effort = fit_level(asked, effort, model, dropped)
    else:
        effort = others_level(request.model, asked, effort, dropped)
    silenced = effort == "none" and asked is not None and asked.effort not in (None, "none")
    summary = _write_summary(asked, model, dropped, silenced=silenced)
    said: dict[str, Any] = {"effort": effort, "summary": summary}
    return {name: value for name, value in said.items() if value is not None}


def _write_asked(asked: Reasoning | None, dropped: set[str]) -> Effort | None:
    if asked is None or asked.budget is None or asked.budget < 0:
        return asked.effort if asked else None
    worth: Effort = next((name for most, name in BUDGETS if asked.budget <= most), "high")
    effort = asked.effort or worth
    if asked.budget > 0 or effort != "none":
        dropped.add("reasoning.budget")
    return effort


def _write_summary(
    asked: Reasoning | None, model: Model | None, dropped: set[str], *, silenced: bool
) -> str | None:
    """``silenced``: it is to think, and this model's next lesser level is not to."""
    summary = (asked.summary or ("auto" if asked.shown else None)) if asked else None
    thoughtless = silenced or (model is not None and not model.efforts)
    if asked and summary and thoughtless:
        dropped.add("reasoning.summary" if asked.summary else "reasoning.shown")
        return None
    return summary


def thinks(request: ChatRequest, model: Model | None) -> bool:
    """Whether to ask for the seals of thoughts: the API gives them unasked by now, older hosts of
    it do not, and to models that do not think the wish is an error ("Encrypted content is not
    supported with this model"). So it goes only where thinking is asked for or was done.
    """
    if model is not None and not model.efforts:
        return False
    asked = request.reasoning
    if asked and (asked.effort or (asked.budget or 0) > 0 or asked.shown or asked.summary):
        return True
    return any(
        isinstance(block, Thinking) and block.seal is not None and block.seal.issuer == ISSUER
        for message in request.messages
        for block in message.content
    )

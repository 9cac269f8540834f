"""Counts of a chat's tokens.

https://platform.claude.com/docs/en/api/messages/count_tokens
"""

from gateway.chat.request import ChatRequest
from gateway.dialects.anthropic_messages.check import check_counted
from gateway.dialects.anthropic_messages.models import model_of
from gateway.dialects.anthropic_messages.request import write_config, write_prompt, write_schema
from gateway.dialects.anthropic_messages.schemas import Grammar
from gateway.dialects.anthropic_messages.thinking import write_reasoning
from gateway.dialects.anthropic_messages.turns import fit_thinking
from gateway.dialects.forms import Written
from gateway.wire.json import Json


def write_count(request: ChatRequest) -> Written:
    """What the model would read, and how it would think of it: thoughts of earlier turns count
    or do not, by that. How an answer is to be drawn and by whom it is asked for counts nothing,
    so it is not missed."""
    dropped: set[str] = set()
    model = model_of(request.model)
    grammar = Grammar()
    schema = write_schema(request.response_format, model, grammar, set())
    prompt = write_prompt(request, model, schema, grammar, dropped)
    thinking, effort = write_reasoning(request.reasoning, model, None, set())
    thinking = fit_thinking(thinking, prompt, set(), model, set())
    body: Json = {"model": request.model, **prompt}
    if thinking is not None:
        body["thinking"] = thinking
    if config := write_config(effort, schema):
        body["output_config"] = config
    return Written(body, frozenset(dropped))


def read_counted(body: Json) -> int:
    """Raises UpstreamBroke for what is no count."""
    check_counted(body)
    return int(body["input_tokens"])


def write_counted(tokens: int) -> Json:
    return {"input_tokens": tokens}

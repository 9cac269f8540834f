"""Requests as some imitators of OpenAI want them, where members of another name do not do."""

import hashlib
import re

from gateway.chat.request import ChatRequest
from gateway.dialects.forms import Written
from gateway.dialects.openai_chat.request import write_request
from gateway.dialects.openai_models import model_of
from gateway.wire.json import Json

NEWER, OLDER = "max_completion_tokens", "max_tokens"


def write_for_any(request: ChatRequest) -> Written:
    """For whoever may be at an address: only OpenAI's own models refuse the limit's older name, and
    Ollama (https://github.com/ollama/ollama/issues/7125), llama.cpp and others do not see the newer
    one, so that nothing would limit the answer."""
    written = write_request(request)
    if NEWER in written.body and model_of(request.model) is None:
        written.body[OLDER] = written.body.pop(NEWER)
    return written


# Its validator is public: _validate_message_order and its neighbours in
# https://github.com/mistralai/mistral-common (protocol/instruct/validator.py).
THINKERS = ("magistral", "mistral-medium", "mistral-small")
ID = re.compile(r"[a-zA-Z0-9]{9}")


def write_for_mistral(request: ChatRequest) -> Written:
    """Its older models refuse the ids of others' calls ("must be a-z, A-Z, 0-9, with a length of
    9"), a user behind a tool (https://github.com/avante-corp/avante.nvim/pull/2695), the system
    behind either of them or an assistant, and an assistant at the end that it is not said to be the
    beginning of the answer: which then has it, too."""
    written = write_request(request)
    dropped = set(written.dropped)
    messages = _system_first(written.body["messages"], dropped)
    messages = _words_with_results(messages, dropped)
    for message in messages:
        _fit_ids(message)
    _fit_effort(written.body, dropped)
    if messages and messages[-1]["role"] == "assistant":
        messages[-1]["prefix"] = True
    written.body["messages"] = messages
    return Written(written.body, frozenset(dropped))


def _fit_effort(body: Json, dropped: set[str]) -> None:
    """It thinks or does not: whatever is neither is a 422, and so is any word of it for a model
    that does not (https://github.com/anomalyco/models.dev/pull/1986,
    https://github.com/NousResearch/hermes-agent/issues/11243)."""
    effort = body.pop("reasoning_effort", None)
    thinks = any(known in body["model"].lower() for known in THINKERS)
    if effort is not None and thinks:
        body["reasoning_effort"] = "none" if effort == "none" else "high"
    told = effort in (None, body.get("reasoning_effort", "none"))
    if not told and "reasoning.budget" not in dropped:
        dropped.add("reasoning.effort")


def _system_first(messages: list[Json], dropped: set[str]) -> list[Json]:
    """Only at the beginning can it speak before a user in all cases."""
    begins = next((at for at, one in enumerate(messages) if one["role"] != "system"), None)
    if begins is None:
        return messages
    later = [one for one in messages[begins:] if one["role"] == "system"]
    if later:
        dropped.add("system.position")
    rest = [one for one in messages[begins:] if one["role"] != "system"]
    return [*messages[:begins], *later, *rest]


def _words_with_results(messages: list[Json], dropped: set[str]) -> list[Json]:
    """What a user says behind the answer of a tool stands in it. What is shown cannot."""
    told: list[Json] = []
    for message in messages:
        answer = told[-1] if told and told[-1]["role"] == "tool" else None
        words = _words(message) if answer and message["role"] == "user" else None
        if answer is None or words is None:
            told.append(message)
            continue
        dropped.add("user.position")
        if message.get("name") is not None:
            dropped.add("name")
        before = _words(answer)
        told[-1] = {**answer, "content": f"{before}\n\n{words}" if before else words}
    return told


def _words(message: Json) -> str | None:
    """None for a message that holds more than text."""
    content = message["content"]
    if isinstance(content, str):
        return content
    if not all(part.get("type") == "text" for part in content):
        return None
    return "\n\n".join(part["text"] for part in content)


def _fit_ids(message: Json) -> None:
    if "tool_call_id" in message:
        message["tool_call_id"] = _fitted(message["tool_call_id"])
    for call in message.get("tool_calls", ()):
        call["id"] = _fitted(call["id"])


def _fitted(id: str) -> str:
    """The same for a call and its answer."""
    if ID.fullmatch(id):
        return id
    return hashlib.sha256(id.encode("utf-8", "surrogatepass")).hexdigest()[:9]

"""What a response says beside its output: itself, and again what was asked.

https://platform.openai.com/docs/api-reference/responses/object
"""

from gateway.dialects.openai_responses.output import Output
from gateway.dialects.openai_responses.usage import write_usage
from gateway.usage import Usage
from gateway.wire.json import Json

# What was asked is said again: null where the caller did not ask, ...
ECHOED = ("instructions", "max_output_tokens", "max_tool_calls", "temperature", "top_p")
# ... or not at all.
ECHOED_IF_ASKED = (
    "prompt_cache_key",
    "prompt_cache_retention",
    "safety_identifier",
    "top_logprobs",
    "user",
)


def response_id(own: str) -> str:
    return own if own.startswith("resp_") else f"resp_{own}"


def begun(asked: Json, own: str, model: str, created: int) -> Json:
    """A response as it stands before the model has said anything."""
    parallel, tools = asked.get("parallel_tool_calls"), asked.get("tools")
    return {
        "id": response_id(own),
        "object": "response",
        "created_at": created,
        "status": "in_progress",
        "background": False,
        "error": None,
        "incomplete_details": None,
        **{name: asked.get(name) for name in ECHOED},
        "metadata": asked.get("metadata") or {},
        "model": model,
        "output": [],
        "parallel_tool_calls": True if parallel is None else parallel,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None} | (asked.get("reasoning") or {}),
        "store": False,
        "text": {"format": {"type": "text"}} | (asked.get("text") or {}),
        "tool_choice": asked.get("tool_choice") or "auto",
        "tools": tools or [],
        "truncation": "disabled",
        "usage": None,
        **{name: asked[name] for name in ECHOED_IF_ASKED if asked.get(name) is not None},
    }


def ended(begun: Json, output: Output, usage: Usage, tier: str | None) -> Json:
    return {
        **begun,
        "status": output.status,
        "incomplete_details": None if output.reason is None else {"reason": output.reason},
        "output": output.items,
        "usage": write_usage(usage),
        **({} if tier is None else {"service_tier": tier}),
    }

"""Token counts as Gemini reports them.

https://ai.google.dev/api/generate-content#UsageMetadata
"""

from gateway.dialects.base import count
from gateway.usage import Usage
from gateway.wire.json import Json

COUNTED = {"promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "totalTokenCount"}


def read_usage(body: Json) -> Usage | None:
    """The usage of a whole reply or of one chunk; None when it does not say."""
    return usage_of(counts_of(body))


def counts_of(body: Json) -> Json:
    """What a reply or a chunk counts; nulls say nothing."""
    counts = body.get("usageMetadata")
    if not isinstance(counts, dict):
        return {}
    return {name: told for name, told in counts.items() if told is not None}


def usage_of(counts: Json) -> Usage | None:
    """None where nothing is counted yet: a chunk may only say which tier served.

    ``promptTokenCount`` includes what came from the cache, but not what tools of Google's own
    put before the model. ``candidatesTokenCount`` leaves out the thoughts; where an imitator has
    them in it, the total tells."""
    if not counts.keys() & COUNTED:
        return None
    prompt, tools = count(counts, "promptTokenCount"), count(counts, "toolUsePromptTokenCount")
    answered = count(counts, "candidatesTokenCount")
    thoughts = count(counts, "thoughtsTokenCount")
    cached = min(count(counts, "cachedContentTokenCount"), prompt)
    if count(counts, "totalTokenCount") != prompt + tools + answered:
        answered += thoughts
    return Usage(
        input_tokens=prompt - cached + tools,
        output_tokens=answered,
        cache_read_tokens=cached,
        reasoning_tokens=min(thoughts, answered),
    )


def write_usage(usage: Usage) -> Json:
    counts: Json = {
        "promptTokenCount": usage.prompt_tokens,
        "candidatesTokenCount": usage.output_tokens - usage.reasoning_tokens,
        "totalTokenCount": usage.prompt_tokens + usage.output_tokens,
    }
    if usage.cache_read_tokens:
        counts["cachedContentTokenCount"] = usage.cache_read_tokens
    if usage.reasoning_tokens:
        counts["thoughtsTokenCount"] = usage.reasoning_tokens
    return counts


def read_counted(body: Json) -> int:
    """What countTokens answers: ``check_counted`` has seen that it does."""
    return count(body, "totalTokens")


def write_counted(tokens: int) -> Json:
    return {"totalTokens": tokens}

"""Why an answer ends.

https://ai.google.dev/api/generate-content#FinishReason
"""

from collections.abc import Mapping

from gateway.chat.reply import StopReason
from gateway.errors import UpstreamBroke

# What is not named here says no more than that it is over: OTHER, NO_IMAGE, IMAGE_OTHER.
STOP_REASONS: Mapping[str, StopReason] = {
    "STOP": "end",
    "MAX_TOKENS": "length",
    "CONTINUATION": "pause",
    **dict.fromkeys(
        (
            "SAFETY",
            "RECITATION",
            "LANGUAGE",
            "BLOCKLIST",
            "PROHIBITED_CONTENT",
            "SPII",
            "IMAGE_SAFETY",
            "IMAGE_PROHIBITED_CONTENT",
            "IMAGE_RECITATION",
            "ESCALATION",
            "MODEL_ARMOR",
            "PUP_LIMITED_DISABLED",
        ),
        "refusal",
    ),
}
STOP_REASONS_OUT: Mapping[StopReason, str] = {
    "end": "STOP",
    "length": "MAX_TOKENS",
    "tool_use": "STOP",
    "stop_sequence": "STOP",
    "refusal": "SAFETY",
    "pause": "OTHER",  # CONTINUATION comes with a token to go on with, which is not to be had
}
MALFORMED = "MALFORMED_FUNCTION_CALL"
# A call, or what was to come of calls, is lost: what was said until then is no answer, though an
# agent would take it for one (https://github.com/NousResearch/hermes-agent/issues/83869).
SPOILT = frozenset(
    {
        MALFORMED,
        "MALFORMED_RESPONSE",
        "UNEXPECTED_TOOL_CALL",
        "TOO_MANY_TOOL_CALLS",
        "MISSING_THOUGHT_SIGNATURE",
    }
)
# With nothing but thoughts there is no answer; OTHER may be that of an answer that only pauses.
WITHOUT = frozenset({"NO_IMAGE", "IMAGE_OTHER"})
UNSPECIFIED = "FINISH_REASON_UNSPECIFIED"  # some imitators send it as long as nothing has ended


def refuse_spoilt(finish: str | None, words: str | None, *, said: bool) -> None:
    """Raises UpstreamBroke, so that the model or another may try again. ``words``: the
    ``finishMessage``; ``said``: whether there is more than thoughts."""
    why = f"{finish}: {words}" if words else finish
    if finish in SPOILT:
        raise UpstreamBroke(f"the model's answer was spoilt: {why}")
    if finish in WITHOUT and not said:
        raise UpstreamBroke(f"the model gave no answer: {why}")


def stop_reason(finish: str | None, *, calls: bool) -> StopReason:
    """``calls``: whether the answer calls functions; the API has no word of its own for that."""
    reason = STOP_REASONS.get(finish or "", "end")
    return "tool_use" if calls and reason == "end" else reason

"""How a stream that failed ends.

OpenAI ends it twice: with an ``error`` event, at which its SDKs raise, and with
``response.failed``, the one thing that Codex reads (openai/codex,
codex-rs/codex-api/src/sse/responses.rs).
"""

import re
from collections.abc import Mapping

from gateway.dialects.openai_errors import TYPES, write_error
from gateway.errors import GatewayError, Kind, UpstreamRejected
from gateway.wire.json import Json, dumps, loads
from gateway.wire.sse import data_of, events, write_event

# The codes that Codex knows: whether to try again, and what to tell its user.
KNOWN = frozenset(
    {
        "context_length_exceeded",
        "cyber_policy",
        "insufficient_quota",
        "invalid_prompt",
        "rate_limit_exceeded",
        "server_is_overloaded",
        "slow_down",
        "usage_not_included",
    }
)
CODES: Mapping[Kind, str] = {
    "invalid_request": "invalid_prompt",
    "too_large": "invalid_prompt",
    "rate_limit": "rate_limit_exceeded",
    "overloaded": "server_is_overloaded",
}
_WAIT = re.compile(r"\d+(\.\d+)?")
_SAID_WAIT = re.compile(r"try again in\s*\d", re.IGNORECASE)


def write_stream_error(error: GatewayError, sent: bytes = b"") -> bytes:
    """``sent``: whole events that the caller has been sent, the first and the last among them: they
    say which response it is that failed, and how far the count is."""
    response, number = _left(sent)
    event = {
        "type": "error",
        "code": error.code or TYPES[error.kind],
        "message": error.message,
        "param": error.field,
        "sequence_number": number,
        **write_error(error),
    }
    failed = {
        "type": "response.failed",
        "sequence_number": number + 1,
        "response": {**response, "status": "failed", "error": _told(error)},
    }
    return write_event(dumps(event), "error") + write_event(dumps(failed), "response.failed")


def _told(error: GatewayError) -> Json:
    code = error.code if error.code in KNOWN else CODES.get(error.kind)
    message, wait = error.message, _wait(error)
    if code == "rate_limit_exceeded" and wait and not _SAID_WAIT.search(message):
        message = f"{message.rstrip('.')}. Please try again in {wait}s."  # Codex waits so long
    return {"code": code or error.code or "server_error", "message": message}


def _wait(error: GatewayError) -> str | None:
    """Seconds; None too where a date is given in their place."""
    theirs = error.upstream_headers if isinstance(error, UpstreamRejected) else {}
    given = error.headers.get("retry-after") or theirs.get("retry-after") or ""
    return given if _WAIT.fullmatch(given) else None


def _left(sent: bytes) -> tuple[Json, int]:
    """The response as it was last told whole, and the number of the next event."""
    said = [_read(data) for one in events(sent) if (data := data_of(one))]
    begun: Json = {"object": "response", "output": []}
    number = -1
    for event in said:
        if isinstance(response := event.get("response"), dict):
            begun = response
        if type(last := event.get("sequence_number")) is int:
            number = last
    return begun, number + 1


def _read(data: bytes) -> Json:
    """What could be sent on can be read, but for what some imitators end with (``[DONE]``)."""
    try:
        event = loads(data)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}

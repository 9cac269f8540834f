"""Errors as Google's APIs say them, in an answer and in a stream.

``{"error": {"code", "message", "status", "details"?}}``
(https://cloud.google.com/apis/design/errors; the words are google.rpc.Code's)
"""

import re
from collections.abc import Mapping

from gateway.dialects.base import read_error
from gateway.dialects.gemini.sse import write_event
from gateway.errors import KINDS, GatewayError, Kind, UpstreamBroke, whose_to_try
from gateway.wire.json import Json, dumps

WORDS: Mapping[Kind, str] = {
    "invalid_request": "INVALID_ARGUMENT",
    "authentication": "UNAUTHENTICATED",
    "permission": "PERMISSION_DENIED",
    "not_found": "NOT_FOUND",
    "too_large": "INVALID_ARGUMENT",
    "rate_limit": "RESOURCE_EXHAUSTED",
    "timeout": "DEADLINE_EXCEEDED",
    "overloaded": "UNAVAILABLE",
    "upstream": "INTERNAL",
    "internal": "INTERNAL",
}

# What a status would have said, in the words of an error that came too late to have one.
STATUSES: Mapping[str, int] = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "OUT_OF_RANGE": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ABORTED": 409,
    "ALREADY_EXISTS": 409,
    "RESOURCE_EXHAUSTED": 429,
    "CANCELLED": 499,
    "DATA_LOSS": 500,
    "UNKNOWN": 500,
    "INTERNAL": 500,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}


def write_error(error: GatewayError, request_id: str | None = None) -> Json:
    del request_id  # it stands in a header only
    word = "UNAVAILABLE" if error.status == 502 else WORDS[error.kind]
    return {"error": {"code": error.status, "message": error.message, "status": word}}


def write_stream_error(error: GatewayError, sent: bytes = b"") -> bytes:
    """An error event. google-genai raises APIError at it, of the class that the code says."""
    del sent
    return write_event(dumps(write_error(error)))


def is_error(body: Json) -> bool:
    error = body.get("error")
    return (
        isinstance(error, dict)
        and isinstance(error.get("code"), int)
        and isinstance(error.get("message"), str)
        and isinstance(error.get("status"), str)
    )


def read_first_error(body: object) -> str | None:
    """What an error body says. A streamed call's may stand in an array."""
    return read_error(body[0] if isinstance(body, list) and body else body)


def read_wait(body: object) -> str | None:
    """``retryDelay`` of google.rpc.RetryInfo: ``"37s"``, or with a fraction."""
    body = body[0] if isinstance(body, list) and body else body
    error = body.get("error") if isinstance(body, dict) else None
    details = error.get("details") if isinstance(error, dict) else None
    for detail in details if isinstance(details, list) else ():
        told = detail.get("retryDelay") if isinstance(detail, dict) else None
        if isinstance(told, str) and (found := _SECONDS.fullmatch(told)):
            return str(int(found[1]) + (1 if found[2] else 0))
    return None


_SECONDS = re.compile(r"(\d{1,6})(\.\d+)?s")


def failure_in(error: object) -> UpstreamBroke:
    """What a provider's error in the place of an answer means: in a stream, or in a 200."""
    message = read_error({"error": error}) or "an error without a message"
    failure = UpstreamBroke(f"the provider failed while it answered: {message}")
    status = _status(error) if isinstance(error, dict) else None
    if status is not None:
        failure.status, failure.kind = status, KINDS.get(status, "upstream")
        failure.falls_back, failure.retryable = whose_to_try(status)
    return failure


def _status(error: Json) -> int | None:
    code, word = error.get("code"), error.get("status")
    if isinstance(code, int) and not isinstance(code, bool) and 400 <= code <= 599:
        return code
    return STATUSES.get(word) if isinstance(word, str) else None

"""Errors as Anthropic's APIs say them, in an answer and in a stream.

``{"type": "error", "error": {"type", "message"}, "request_id"}``
(https://platform.claude.com/docs/en/api/errors)
"""

from collections.abc import Mapping

from gateway.dialects.base import read_error
from gateway.dialects.overlong import in_anthropics_words
from gateway.errors import KINDS, GatewayError, Kind, UpstreamBroke, whose_to_try
from gateway.wire.json import Json, dumps
from gateway.wire.sse import write_event

TYPES: Mapping[Kind, str] = {
    "invalid_request": "invalid_request_error",
    "authentication": "authentication_error",
    "permission": "permission_error",
    "not_found": "not_found_error",
    "too_large": "request_too_large",
    "rate_limit": "rate_limit_error",
    "timeout": "timeout_error",
    "overloaded": "overloaded_error",
    "upstream": "api_error",
    "internal": "api_error",
}

# What a status would have said, in the words of an error that came too late to have one.
STATUSES: Mapping[str, int] = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "conflict_error": 409,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}

# A conversation cannot be kept at the provider: who hears this word of the API's sends it whole,
# as the SDK's runner of tools does of itself (types/thread_unsupported_request_error.py).
UNTHREADED = "thread_unsupported_request"


def write_error(error: GatewayError, request_id: str | None = None) -> Json:
    kind = "billing_error" if error.status == 402 else TYPES[error.kind]
    said: Json = {"type": kind, "message": in_anthropics_words(error)}
    if error.code == UNTHREADED:
        said["details"] = {"error_code": UNTHREADED}
    told: Json = {"type": "error", "error": said}
    return {**told, "request_id": request_id} if request_id else told


def write_stream_error(error: GatewayError, sent: bytes = b"") -> bytes:
    """The API's ``error`` event: SDKs go by its name, and raise APIStatusError at it."""
    del sent
    return write_event(dumps(write_error(error)), "error")


def is_error(body: Json) -> bool:
    error = body.get("error")
    return (
        body.get("type") == "error"
        and isinstance(error, dict)
        and isinstance(error.get("type"), str)
        and isinstance(error.get("message"), str)
    )


def failure_in(error: object) -> UpstreamBroke:
    """What a provider's error in the place of an answer means: in a stream, or in a 200."""
    message = read_error({"error": error}) or "an error without a message"
    failure = UpstreamBroke(f"the provider failed while it answered: {message}")
    kind = error.get("type") if isinstance(error, dict) else None
    status = STATUSES.get(kind) if isinstance(kind, str) else None
    if status is not None:
        failure.status, failure.kind = status, KINDS.get(status, "upstream")
        failure.falls_back, failure.retryable = whose_to_try(status)
    return failure

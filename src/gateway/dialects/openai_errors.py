"""The one shape of error that every OpenAI API answers with.

``{"error": {"message", "type", "param", "code"}}``
(https://platform.openai.com/docs/guides/error-codes; the schema is ErrorResponse in their OpenAPI
document.)
"""

from collections.abc import Mapping

from gateway.errors import KINDS, GatewayError, Kind, UpstreamBroke
from gateway.wire.json import Json, dumps
from gateway.wire.sse import write_event

TYPES: Mapping[Kind, str] = {
    "invalid_request": "invalid_request_error",
    "authentication": "authentication_error",
    "permission": "permission_error",
    "not_found": "not_found_error",
    "too_large": "invalid_request_error",
    "rate_limit": "rate_limit_error",
    "timeout": "timeout_error",
    "overloaded": "service_unavailable_error",
    "upstream": "upstream_error",
    "internal": "server_error",
}


def write_error(error: GatewayError) -> Json:
    return {
        "error": {
            "message": error.message,
            "type": TYPES[error.kind],
            "param": error.field,
            "code": error.code,
        }
    }


def write_stream_error(error: GatewayError) -> bytes:
    """An error event. The SDK raises APIError at it, so nobody takes the stream for complete."""
    return write_event(dumps(write_error(error)))


def read_error(body: object) -> str | None:
    """What an error body says, in OpenAI's shape or one of its imitators' (error as text, FastAPI's
    ``detail``, Mistral's bare ``message``)."""
    if not isinstance(body, dict):
        return None
    error = body.get("error")
    candidates = [
        error.get("message") if isinstance(error, dict) else error,
        body.get("message"),
        body.get("detail"),
    ]
    return next((text for text in candidates if isinstance(text, str) and text), None)


def failure_in(error: object) -> UpstreamBroke:
    """What a provider's error in the place of an answer means: in a stream, or in a 200."""
    message = read_error({"error": error}) or "an error without a message"
    failure = UpstreamBroke(f"the provider failed while it answered: {message}")
    code = error.get("code") if isinstance(error, dict) else None
    if isinstance(code, int) and 400 <= code <= 599:
        failure.status, failure.kind = code, KINDS.get(code, "upstream")
    elif isinstance(code, str):
        failure.code = code
    return failure

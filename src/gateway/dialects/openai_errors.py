"""The one shape of error that every OpenAI API answers with.

``{"error": {"message", "type", "param", "code"}}``
(https://platform.openai.com/docs/guides/error-codes; the schema is ErrorResponse in their OpenAPI
document.)
"""

from collections.abc import Mapping

from gateway.dialects.base import read_error
from gateway.errors import KINDS, GatewayError, Kind, UpstreamBroke, whose_to_try
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


def write_error(error: GatewayError, request_id: str | None = None) -> Json:
    del request_id  # it stands in a header only
    return {
        "error": {
            "message": error.message,
            "type": TYPES[error.kind],
            "param": error.field,
            "code": error.code,
        }
    }


def write_stream_error(error: GatewayError, sent: bytes = b"") -> bytes:
    """An error event. The SDK raises APIError at it, so nobody takes the stream for complete."""
    del sent
    return write_event(dumps(write_error(error)))


def is_error(body: Json) -> bool:
    error = body.get("error")
    return isinstance(error, dict) and isinstance(error.get("message"), str)


def failure_in(error: object) -> UpstreamBroke:
    """What a provider's error in the place of an answer means: in a stream, or in a 200."""
    message = read_error({"error": error}) or "an error without a message"
    failure = UpstreamBroke(f"the provider failed while it answered: {message}")
    said = error if isinstance(error, dict) else {}
    code = said.get("code")
    failure.code = code if isinstance(code, str) else None
    status = next((found for word in (code, said.get("type")) if (found := _status(word))), None)
    if status is not None:
        failure.status, failure.kind = status, KINDS.get(status, "upstream")
        failure.falls_back, failure.retryable = whose_to_try(status)
    return failure


# What is wrong with what was asked, as responses say it that failed (ResponseError in OpenAI's
# Python SDK): nobody else need try, and to try again is of no use.
REFUSALS = (
    "bio_policy",
    "data_residency_mismatch",
    "empty_image_file",
    "failed_to_download_image",
    "image_content_policy_violation",
    "image_file_not_found",
    "image_file_too_large",
    "image_parse_error",
    "image_too_large",
    "image_too_small",
    "invalid_base64_image",
    "invalid_image",
    "invalid_image_format",
    "invalid_image_mode",
    "invalid_image_url",
    "misalignment_policy_violation",
    "unsupported_image_media_type",
)
# What a status would have said, in the words of an error that came too late to have one.
STATUSES: Mapping[str, int] = {
    **dict.fromkeys(REFUSALS, 400),
    "context_length_exceeded": 400,
    "invalid_prompt": 400,
    "invalid_request_error": 400,
    "invalid_api_key": 401,
    "authentication_error": 401,
    "model_not_found": 404,
    "rate_limit_exceeded": 429,
    "rate_limit_error": 429,
    "insufficient_quota": 429,
    "server_error": 500,
    "overloaded_error": 503,
    "service_unavailable_error": 503,
}


def _status(word: object) -> int | None:
    if isinstance(word, str):
        if word.isascii() and word.isdigit() and len(word) == 3:
            return _status(int(word))
        return STATUSES.get(word)
    return word if isinstance(word, int) and 400 <= word <= 599 else None

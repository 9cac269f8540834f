"""Errors as answers, in the caller's own dialect."""

import logging
from collections.abc import Callable

from gateway.dialects.openai_errors import write_error
from gateway.errors import (
    EndpointNotFound,
    GatewayError,
    Unavailable,
    UpstreamRejected,
    shortened,
)
from gateway.exchange.answer import Answer
from gateway.exchange.gateway import passed_back
from gateway.wire.json import Json, dumps, loads

logger = logging.getLogger("sluicegate")


def answer_for(
    error: GatewayError,
    *,
    detail: bool,
    request_id: str | None = None,
    write: Callable[[GatewayError], Json] = write_error,
) -> Answer:
    """``detail``: say it once more as MLflow's clients read it, beside the dialect's own shape.

    A provider's own error body is handed on where it already has the caller's shape.
    """
    if write is write_error:
        error = _discreet(error, request_id)
    headers = {"content-type": "application/json", **error.headers}
    if error.status >= 500 and not (error.retryable or error.falls_back):
        headers["x-should-retry"] = "false"  # what OpenAI's SDKs go by
    if request_id:
        headers["x-gateway-request-id"] = request_id
    body: Json | None = None
    if isinstance(error, UpstreamRejected):
        headers |= passed_back(error.upstream_headers)
        parsed = _parsed(error.body)
        if _has_our_shape(parsed):
            if not detail:
                return Answer(error.status, headers, error.body)
            body = parsed
    body = body if body is not None else write(error)
    if detail:
        body = {**body, "detail": _detail(error, body)}
    return Answer(error.status, headers, dumps(body))


def _discreet(error: GatewayError, request_id: str | None) -> GatewayError:
    """What AWS said is for the operator, who finds it in the log."""
    if not (isinstance(error, Unavailable) and (error.code or "").startswith("aws_")):
        return error
    logger.warning("request %s: %s", request_id, error.message)
    told = Unavailable("the gateway's store does not answer now: try again", code="store_down")
    told.headers = {**error.headers, "retry-after": "1"}
    return told


def _parsed(text: bytes) -> Json | None:
    try:
        parsed = loads(text)
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) else None


def _has_our_shape(body: Json | None) -> bool:
    error = (body or {}).get("error")
    return isinstance(error, dict) and isinstance(error.get("message"), str)


def _detail(error: GatewayError, body: Json) -> Json | str:
    if isinstance(error, EndpointNotFound):  # as MLflow words it: programs test for the code
        return {
            "error_code": "RESOURCE_DOES_NOT_EXIST",
            "message": f"GatewayEndpoint not found (name={shortened(error.name)!r})",
        }
    message: str = body["error"]["message"]
    return message

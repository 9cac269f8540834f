"""Errors as answers, in the caller's own dialect."""

import logging
from collections.abc import Callable, Mapping

from gateway.dialects import ANTHROPIC_MESSAGES, GEMINI, OPENAI_CHAT, Dialect
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
from gateway.wire.patch import patch

logger = logging.getLogger("sluicegate")

ROOTS: Mapping[str, Dialect] = {
    "/gateway/anthropic": ANTHROPIC_MESSAGES,
    "/gateway/gemini": GEMINI,
}


def dialect_at(path: str) -> Dialect:
    """Whose errors are said on a path that no route of ours has, or before one is found."""
    if not path.endswith("/mlflow/invocations"):
        for root, dialect in ROOTS.items():
            if path == root or path.startswith(root + "/"):
                return dialect
    return OPENAI_CHAT


def early_answer(error: GatewayError, path: str) -> Answer:
    """For whatever client of this path it may be: nothing has looked at who it is."""
    dialect = dialect_at(path)
    return answer_for(error, detail=dialect is OPENAI_CHAT, dialect=dialect)


def answer_for(
    error: GatewayError,
    *,
    detail: bool,
    request_id: str | None = None,
    dialect: Dialect = OPENAI_CHAT,
    write: Callable[[GatewayError], Json] | None = None,
) -> Answer:
    """``detail``: say it once more as MLflow's clients read it, beside the dialect's own shape.
    ``write``: in a shape of its own instead of the dialect's.

    A provider's own error body is handed on where it already has the caller's shape.
    """
    if write is None:
        error = _discreet(error, request_id)
    headers = _headers(error, request_id, dialect)
    if isinstance(error, UpstreamRejected) and not error.foreign:
        parsed = _parsed(error.body)
        if parsed is not None and dialect.is_error(parsed):
            body = (
                error.body
                if not detail
                else patch(error.body, parsed, {"detail": _detail(error, parsed)})
            )
            return Answer(error.status, headers, body)
    named = headers.get(dialect.request_id_header or "")
    written = write(error) if write else dialect.write_error(error, named)
    if detail:
        written = {**written, "detail": _detail(error, written)}
    return Answer(error.status, headers, dumps(written))


def _headers(error: GatewayError, request_id: str | None, dialect: Dialect) -> dict[str, str]:
    headers = {"content-type": "application/json", **error.headers}
    if error.status >= 500 and not (error.retryable or error.falls_back):
        headers["x-should-retry"] = "false"  # what OpenAI's and Anthropic's SDKs go by
    if request_id:
        headers["x-gateway-request-id"] = request_id
        if dialect.request_id_header:
            headers[dialect.request_id_header] = request_id
    if isinstance(error, UpstreamRejected):
        headers |= passed_back(error.upstream_headers)
    return headers


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


def _detail(error: GatewayError, body: Json) -> Json | str:
    if isinstance(error, EndpointNotFound):  # as MLflow words it: programs test for the code
        return {
            "error_code": "RESOURCE_DOES_NOT_EXIST",
            "message": f"GatewayEndpoint not found (name={shortened(error.name)!r})",
        }
    message: str = body["error"]["message"]
    return message

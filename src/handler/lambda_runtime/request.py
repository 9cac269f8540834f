"""From an event to what an ASGI app is asked."""

import base64
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from mangum import Mangum

from gateway.errors import BadRequest, GatewayError
from gateway.wire.json import loads
from handler.lambda_runtime.invocation import Invocation

NO_HTTP = (
    "this event is no HTTP request: invoke the function through its URL, an API Gateway or a load "
    "balancer"
)


@dataclass(frozen=True, slots=True)
class Request:
    """``body``: or why it cannot be read. ``shape``: Mangum's handler of the event."""

    scope: dict[str, Any]
    body: bytes | GatewayError
    shape: Any


def event_of(invocation: Invocation) -> Any:
    """What was sent; None for what is no JSON, which Lambda would not send."""
    try:
        return loads(invocation.event)
    except ValueError:
        return None


def request_of(mangum: Mangum, event: Any, invocation: Invocation) -> Request:
    """Raises BadRequest for what is no HTTP request, or only half of one."""
    if not isinstance(event, dict):
        raise BadRequest(None, NO_HTTP, code="not_http")
    try:
        shape = mangum.infer(event, invocation)  # type: ignore[arg-type] # it has all that is used
        scope = dict(shape.scope)
    except (RuntimeError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise BadRequest(None, NO_HTTP, code="not_http") from error
    # 2.4: Starlette need not listen for a caller who goes (nothing would tell), and takes an
    # OSError from `send` for that.
    scope["asgi"] = {"version": "3.0", "spec_version": "2.4"}
    if isinstance(raw := event.get("rawPath"), str):
        # A function URL has decoded the path once already, and Mangum would once more.
        scope["raw_path"], scope["path"] = raw.encode(), unquote(raw) or "/"
    return Request(scope, _body(event, shape), shape)


def _body(event: dict[str, Any], shape: Any) -> bytes | GatewayError:
    try:
        if event.get("isBase64Encoded"):  # Mangum would leave out what is none, in silence
            base64.b64decode(event.get("body") or b"", validate=True)
        body: bytes = shape.body
    except (ValueError, TypeError, AttributeError):  # broken base64, or no text at all
        return BadRequest(None, "the body is not the base64 that its event says it is")
    return body

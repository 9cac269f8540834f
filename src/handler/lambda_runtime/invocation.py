"""One invocation, as the Runtime API hands it out."""

import os
import time
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from gateway.wire.json import loads
from handler.lambda_runtime.connection import Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """Looks like the context object that AWS' own runtime hands to a handler.

    ``invocation_id``: to be said back with the answer, where AWS gives one; it keeps answers from
    crossing. ``deadline_ms``: milliseconds since 1970 at which Lambda ends the process.
    """

    aws_request_id: str
    invocation_id: str | None
    deadline_ms: int
    invoked_function_arn: str
    trace_id: str | None
    tenant_id: str | None
    client_context: Any
    identity: Any
    event: bytes = field(repr=False)
    function_name: str = ""
    function_version: str = ""
    memory_limit_in_mb: str = ""
    log_group_name: str = ""
    log_stream_name: str = ""

    def get_remaining_time_in_millis(self) -> int:
        return max(self.deadline_ms - int(time.time() * 1000), 0)


CURRENT: ContextVar[Invocation | None] = ContextVar("invocation", default=None)


def invocation_of(reply: Reply) -> Invocation:
    """Raises KeyError or ValueError for what is no invocation."""
    headers, told = reply.headers, os.environ.get
    return Invocation(
        aws_request_id=headers["lambda-runtime-aws-request-id"],
        invocation_id=headers.get("lambda-runtime-invocation-id"),
        deadline_ms=int(headers["lambda-runtime-deadline-ms"]),
        invoked_function_arn=headers.get("lambda-runtime-invoked-function-arn", ""),
        trace_id=headers.get("lambda-runtime-trace-id"),
        tenant_id=headers.get("lambda-runtime-aws-tenant-id"),
        client_context=_parsed(headers.get("lambda-runtime-client-context")),
        identity=_parsed(headers.get("lambda-runtime-cognito-identity")),
        event=reply.body,
        function_name=told("AWS_LAMBDA_FUNCTION_NAME", ""),
        function_version=told("AWS_LAMBDA_FUNCTION_VERSION", ""),
        memory_limit_in_mb=told("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", ""),
        log_group_name=told("AWS_LAMBDA_LOG_GROUP_NAME", ""),
        log_stream_name=told("AWS_LAMBDA_LOG_STREAM_NAME", ""),
    )


def _parsed(text: str | None) -> Any:
    try:
        return loads(text) if text else None
    except ValueError:  # a caller of Invoke may write anything there
        return None

"""Everything that can go wrong, and who is to blame.

* GatewayError
  x CallerError              the caller can fix it
    - BadRequest             400  a field is missing, of the wrong type or out of range
    - Unauthenticated        401  no valid gateway key
    - Forbidden              403  a valid one that may not do this
    - NotFound               404  no such endpoint, model or path
    - MethodNotAllowed       405
    - Conflict               409  it exists, is in use, or was changed meanwhile
    - BodyTooLarge           413
    - UnsupportedEncoding    415
    - Unprocessable          422  a field that this route does not take
    - Unsupported            400  an API that the target's provider does not offer
      - Unsayable            422  a parameter it does not offer, on a route that leaves nothing out
    - LoopDetected           508  a target leads back to the gateway
  x UpstreamError            a provider failed
    - UpstreamRejected       it answered with an error status
    - UpstreamUnreachable    no connection could be made
    - UpstreamTimedOut       it did not answer, or fell silent
    - UpstreamBroke          its answer was cut, malformed, or an error in disguise
  x Unavailable              503  the gateway itself cannot serve now: store down, secret missing
  x OutOfTime                504  the gateway's own time for the call is up
"""

from collections.abc import Mapping, Sequence
from typing import Literal

Kind = Literal[
    "invalid_request",
    "authentication",
    "permission",
    "not_found",
    "too_large",
    "rate_limit",
    "timeout",
    "overloaded",
    "upstream",
    "internal",
]


class GatewayError(Exception):
    """Base of every error that the gateway raises on purpose.

    ``field`` is the path of the offending request field (``messages[2].role``), ``code`` a word a
    program can test for; either may be absent. ``headers`` go out with the answer.
    """

    status = 500
    kind: Kind = "internal"
    # Who can help: the same target tried again, another target, or neither.
    retryable = False
    falls_back = False

    def __init__(self, message: str, *, field: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field, self.code = field, code
        self.headers: dict[str, str] = {}


class CallerError(GatewayError):
    status = 400
    kind: Kind = "invalid_request"


class BadRequest(CallerError):
    """A field is missing, of the wrong type, or out of range."""

    def __init__(self, field: str | None, problem: str, *, code: str | None = None) -> None:
        super().__init__(f"{field}: {problem}" if field else problem, field=field, code=code)


class Invalid(BadRequest):
    """What was written to configure the gateway has faults: each is a field and its problem."""

    def __init__(self, faults: Sequence[tuple[str | None, str]]) -> None:
        (field, problem), *others = faults
        more = f" (and {len(others)} more)" if others else ""
        super().__init__(field, problem + more)
        self.faults = tuple(faults)


class Unauthenticated(CallerError):
    """One answer whatever is wrong with a key, so that it tells nobody which keys exist."""

    status, kind = 401, "authentication"

    def __init__(self) -> None:
        super().__init__(
            "no valid gateway key: send yours as `Authorization: Bearer sgk_…`, `x-api-key`, "
            "`api-key` or `x-goog-api-key`",
            code="invalid_api_key",
        )
        self.headers["www-authenticate"] = 'Bearer realm="sluicegate"'


class Forbidden(CallerError):
    status, kind = 403, "permission"


class NotFound(CallerError):
    status, kind = 404, "not_found"


class EndpointNotFound(NotFound):
    """``hint``: what would make the name one that is found."""

    def __init__(self, name: str, hint: str | None = None) -> None:
        advice = hint or "GET /gateway/mlflow/v1/models lists them"
        super().__init__(
            f"endpoint {shortened(name)!r} not found; {advice}",
            field="model",
            code="endpoint_not_found",
        )
        self.name, self.hint = name, hint


class MethodNotAllowed(CallerError):
    status = 405


class Conflict(CallerError):
    status = 409


class ChangedMeanwhile(Conflict):
    """A write that expected another version than there is: read it again, and try again."""


class BodyTooLarge(CallerError):
    status, kind = 413, "too_large"


class UnsupportedEncoding(CallerError):
    status = 415


class Unprocessable(CallerError):
    """A field that this route does not take, however well formed."""

    status = 422


class Unsupported(CallerError):
    """An API that this target's provider does not offer; another target's may."""

    falls_back = True


class Unsayable(Unsupported):
    """What this target's provider cannot be told, on a route that does not leave it out."""

    status = 422


def shortened(name: str) -> str:
    """A caller's word, fit to be said back."""
    return name if len(name) <= 128 else f"{name[:128]}…"


class LoopDetected(CallerError):
    """A target's base URL leads back to the gateway."""

    status = 508


class Unavailable(GatewayError):
    status, kind = 503, "overloaded"
    falls_back = True


class OutOfTime(GatewayError):
    """The gateway has only so long for one call, and that is up."""

    status, kind = 504, "timeout"

    def __init__(self) -> None:
        super().__init__("the time that the gateway has for one call is up", code="out_of_time")


class UpstreamError(GatewayError):
    """A provider failed."""

    status = 502
    kind: Kind = "upstream"
    retryable = True
    falls_back = True


class UpstreamUnreachable(UpstreamError):
    """No connection: refused, name not found, TLS failed, address forbidden."""


class UpstreamTimedOut(UpstreamError):
    status, kind = 504, "timeout"


class UpstreamBroke(UpstreamError):
    """The answer was cut short, malformed, or an error dressed as an answer."""


class UpstreamRejected(UpstreamError):
    """The provider answered with an error status.

    ``body`` is the provider's own, as it came; ``upstream_headers`` have lower-case names.
    ``foreign``: the body is in another dialect than the caller's.
    """

    foreign = False

    def __init__(self, provider: str, status: int, headers: Mapping[str, str], body: bytes) -> None:
        super().__init__(f"provider {provider!r} answered {status}")
        self.provider, self.status, self.body = provider, status, body
        self.upstream_headers = headers
        self.kind = KINDS.get(status, "upstream" if status >= 500 else "invalid_request")
        self.falls_back, self.retryable = whose_to_try(status)


# A caller's mistake fails alike at every target, so no other is asked.
CALLERS_FAULT = frozenset({400, 404, 405, 413, 415, 422})
# What is wrong with the key or the account will not have changed in a second.
TARGETS_FAULT = frozenset({401, 402, 403})


def whose_to_try(status: int) -> tuple[bool, bool]:
    """Whether another target may do better, and whether the same one may in a moment."""
    falls_back = status not in CALLERS_FAULT
    return falls_back, falls_back and status not in TARGETS_FAULT


KINDS: Mapping[int, Kind] = {
    400: "invalid_request",
    401: "authentication",
    403: "permission",
    404: "not_found",
    408: "timeout",
    413: "too_large",
    429: "rate_limit",
    503: "overloaded",
    504: "timeout",
    529: "overloaded",
}

"""The front doors, as a table: what each makes of an answer, and of what is none."""

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from examples.local_lambda import events
from examples.local_lambda.connection import Headers
from examples.local_lambda.events import Event, Request, Stamp
from examples.local_lambda.posted import MIB, Posted, Prelude

LARGEST_EVENT = 6 * MIB  # Lambda's own limit, for whatever is waited for
LARGEST_BODY, LARGEST_BEHIND_ALB = 10 * MIB, MIB
JSON: Headers = (("Content-Type", "application/json"),)


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer."""

    status: int
    headers: Headers
    body: bytes = b""


class Malformed(Exception):
    """The function's answer is none that this door understands; the message says why."""


@dataclass(frozen=True, slots=True)
class Door:
    """``event``: of a request. ``read``: the reply that a whole answer's JSON stands for.
    ``failed``: the reply when there is none. ``fields``: the headers in a stream's prelude; None
    where nothing streams. ``not_streamed``: what comes of JSON where a stream is due, and
    ``not_whole``: of a stream where JSON is.
    """

    event: Callable[[Request, Stamp], Event]
    read: Callable[[Any], Reply]
    failed: Reply
    too_large: Reply
    largest_body: int = LARGEST_BODY
    fields: Callable[[Prelude], Headers] | None = None
    not_streamed: Callable[[Posted], Reply] | None = None
    not_whole: Callable[[Posted], Reply] | None = None


def url_fields(prelude: Prelude) -> Headers:
    """A function URL knows no multiValueHeaders."""
    return [*prelude.headers.items(), *(("set-cookie", cookie) for cookie in prelude.cookies)]


def rest_fields(prelude: Prelude) -> Headers:
    several = _flat(prelude.multi_value_headers)
    return [*url_fields(prelude), *several]


def read_version_2(told: Any) -> Reply:
    """What has no status is the body itself."""
    if not isinstance(told, dict) or "statusCode" not in told:
        return Reply(200, JSON, json.dumps(told).encode())
    headers = _strings(told.get("headers"))
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers = [*headers, *JSON]
    cookies = told.get("cookies") or []
    if not isinstance(cookies, list):
        raise Malformed(f"cookies: {cookies!r}")
    headers = [*headers, *(("set-cookie", str(cookie)) for cookie in cookies)]
    return Reply(_status(told), headers, _body(told))


def read_version_1(told: Any) -> Reply:
    """Of a header in both kinds, the one with several values counts."""
    if not isinstance(told, dict):
        raise Malformed(f"no object: {told!r}")
    several = _lists(told.get("multiValueHeaders"))
    names = {name.lower() for name, _ in several}
    single = [pair for pair in _strings(told.get("headers")) if pair[0].lower() not in names]
    return Reply(_status(told), [*single, *several], _body(told))


def read_alb(told: Any) -> Reply:
    if isinstance(told, dict) and told.get("multiValueHeaders") and not told.get("headers"):
        raise Malformed("multiValueHeaders for a target group that has them off")
    return read_version_1(told)


def read_alb_multi(told: Any) -> Reply:
    if isinstance(told, dict) and told.get("headers") and not told.get("multiValueHeaders"):
        raise Malformed("no multiValueHeaders for a target group that has them on")
    return read_version_1(told)


def _as_it_is(posted: Posted) -> Reply:
    return Reply(200, JSON, posted.raw)


def _nothing(_: Posted) -> Reply:
    return Reply(200, ())


def _head_only(posted: Posted) -> Reply:
    return Reply(posted.status or 200, list(posted.headers.items()))


def _status(told: Mapping[str, Any]) -> int:
    status = told.get("statusCode")
    if not isinstance(status, int) or isinstance(status, bool) or not 200 <= status <= 599:
        raise Malformed(f"statusCode: {status!r}")
    return status


def _body(told: Mapping[str, Any]) -> bytes:
    body = told.get("body")
    if not isinstance(body, str | None):
        raise Malformed(f"body: {body!r}")
    if not told.get("isBase64Encoded"):
        return (body or "").encode()
    try:
        return base64.b64decode(body or "", validate=True)
    except ValueError as error:
        raise Malformed(f"body: {error}") from error


def _strings(told: Any) -> Headers:
    if told is None:
        return []
    if not isinstance(told, dict) or any(isinstance(one, list | dict) for one in told.values()):
        raise Malformed(f"headers: {told!r}")
    return [(name, str(value)) for name, value in told.items()]


def _lists(told: Any) -> Headers:
    if told is None:
        return []
    if not isinstance(told, dict) or not all(isinstance(one, list) for one in told.values()):
        raise Malformed(f"multiValueHeaders: {told!r}")
    return _flat(told)


def _flat(lists: Mapping[str, Iterable[Any]]) -> Headers:
    return [(name, str(value)) for name, values in lists.items() for value in values]


def _message(status: int, text: str, name: str = "message") -> Reply:
    return Reply(status, JSON, json.dumps({name: text}).encode())


_URL_FAILED = Reply(502, (("Content-Type", "text/plain"),), b"Internal Server Error")
_REST_FAILED = _message(502, "Internal server error")
_HTTP_FAILED = _message(500, "Internal Server Error")
_ALB_FAILED = Reply(502, (("Content-Type", "text/html"),), b"<h1>502 Bad Gateway</h1>")
_URL_TOO_LARGE = _message(
    413, f"Request must be smaller than {LARGEST_EVENT} bytes for the InvokeFunction operation"
)
_REST_TOO_LARGE = _message(413, "Request Too Long")
_HTTP_TOO_LARGE = _message(413, "Request Entity Too Large")
_ALB_TOO_LARGE = Reply(413, (("Content-Type", "text/html"),), b"<h1>413 Payload Too Large</h1>")

FUNCTION_URL, FUNCTION_URL_IAM = (
    Door(
        event,
        read_version_2,
        _URL_FAILED,
        _URL_TOO_LARGE,
        fields=url_fields,
        not_streamed=_as_it_is,
        not_whole=_nothing,
    )
    for event in (events.function_url, events.function_url_iam)
)
REST_API = Door(
    events.rest_api,
    read_version_1,
    _REST_FAILED,
    _REST_TOO_LARGE,
    fields=rest_fields,
    not_streamed=lambda _: _message(500, "Internal server error"),
    not_whole=_head_only,
)
DOORS: Mapping[str, Door] = {
    "function_url": FUNCTION_URL,
    "function_url_iam": FUNCTION_URL_IAM,
    "rest_api": REST_API,
    "http_api_v1": Door(events.http_api_v1, read_version_1, _HTTP_FAILED, _HTTP_TOO_LARGE),
    "http_api_v2": Door(events.http_api_v2, read_version_2, _HTTP_FAILED, _HTTP_TOO_LARGE),
    "alb": Door(events.alb, read_alb, _ALB_FAILED, _ALB_TOO_LARGE, LARGEST_BEHIND_ALB),
    "alb_multi": Door(
        events.alb_multi, read_alb_multi, _ALB_FAILED, _ALB_TOO_LARGE, LARGEST_BEHIND_ALB
    ),
}

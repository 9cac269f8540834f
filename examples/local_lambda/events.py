"""The event that each front door makes of an HTTP request. Plain functions; no clock, no chance.

Shapes are those of AWS' documentation and of its samples; where neither says, of what has been
seen: function URLs tell cookies twice, HTTP APIs decode the path, load balancers decode nothing.
"""

import base64
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

from examples.local_lambda.connection import Headers, joined

Event = dict[str, Any]

ACCOUNT, REGION, STAGE = "123456789012", "us-east-1", "prod"
URL_ID, API_ID = "abcdefghijklmnopqrstuvwxyz012345", "a1b2c3d4e5"
URL_HOST = f"{URL_ID}.lambda-url.{REGION}.on.aws"
API_HOST = f"{API_ID}.execute-api.{REGION}.amazonaws.com"
ALB_HOST = f"sluicegate-1234567890.{REGION}.elb.amazonaws.com"
TARGET_GROUP = (
    f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/sluicegate/0123456789abcdef"
)
CALLER = {
    "accessKey": "AKIAIOSFODNN7EXAMPLE",
    "accountId": ACCOUNT,
    "callerId": "AIDACKCEVSQ6C2EXAMPLE",
    "cognitoIdentity": None,
    "principalOrgId": None,
    "userArn": f"arn:aws:iam::{ACCOUNT}:user/example",
    "userId": "AIDACKCEVSQ6C2EXAMPLE",
}
NOT_TOLD = (
    *("accessKey", "accountId", "caller", "principalOrgId", "user", "userArn"),
    *("cognitoAuthenticationProvider", "cognitoAuthenticationType"),
    *("cognitoIdentityId", "cognitoIdentityPoolId"),
)
TEXT = ("application/json", "application/javascript", "application/xml")


@dataclass(frozen=True, slots=True)
class Request:
    """As it came: names of headers in the caller's case, the target undecoded."""

    method: str
    target: str
    headers: Headers = ()
    body: bytes = b""
    source_ip: str = "203.0.113.7"

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]

    def header(self, name: str) -> str:
        return joined((key.lower(), value) for key, value in self.headers).get(name, "")


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a front door adds of its own."""

    request_id: str
    epoch_ms: int

    @property
    def time(self) -> str:
        moment = datetime.fromtimestamp(self.epoch_ms / 1000, UTC)
        return moment.strftime("%d/%b/%Y:%H:%M:%S +0000")

    @property
    def trace_id(self) -> str:
        digits = self.request_id.replace("-", "")
        return f"Root=1-{self.epoch_ms // 1000:08x}-{digits[:24]}"


def function_url(request: Request, stamp: Stamp) -> Event:
    """Payload format 2.0. The path stays as it came in ``rawPath`` and is decoded beside it."""
    context = {"accountId": "anonymous", "apiId": URL_ID, "domainName": URL_HOST}
    event = _version_2(request, stamp, context, raw_path=request.path, stage="$default")
    if cookie := request.header("cookie"):
        event["headers"]["cookie"] = cookie
    return event


def function_url_iam(request: Request, stamp: Stamp) -> Event:
    """The same with AuthType AWS_IAM: who calls is told."""
    event = function_url(request, stamp)
    event["requestContext"] |= {"accountId": ACCOUNT, "authorizer": {"iam": CALLER}}
    return event


def http_api_v2(request: Request, stamp: Stamp) -> Event:
    """Payload format 2.0. The path is decoded everywhere; cookies are told apart only."""
    context = {"accountId": ACCOUNT, "apiId": API_ID, "domainName": API_HOST}
    return _version_2(request, stamp, context, raw_path=unquote(request.path), stage="$default")


def http_api_v1(request: Request, stamp: Stamp) -> Event:
    """Payload format 1.0: a REST API's but for its version."""
    event = _version_1(request, stamp, API_HOST)
    event["requestContext"] |= {"stage": "$default", "path": request.path}
    for absent in ("resourceId", "requestTimeEpoch"):
        del event["requestContext"][absent]
    return {"version": "1.0", **event}


def rest_api(request: Request, stamp: Stamp) -> Event:
    return _version_1(request, stamp, API_HOST)


def alb(request: Request, stamp: Stamp) -> Event:
    """Multi-value headers off: of a repeated header or parameter the last counts."""
    body, encoded = _body(request)
    headers = _added(request, stamp, ALB_HOST)
    return {
        "requestContext": {"elb": {"targetGroupArn": TARGET_GROUP}},
        "httpMethod": request.method,
        "path": request.path,
        "queryStringParameters": dict(_undecoded(request.query)),
        "headers": {name.lower(): value for name, value in headers},
        "body": body,
        "isBase64Encoded": encoded,
    }


def alb_multi(request: Request, stamp: Stamp) -> Event:
    """Multi-value headers on."""
    event = alb(request, stamp)
    headers = _added(request, stamp, ALB_HOST)
    del event["queryStringParameters"], event["headers"]
    event["multiValueQueryStringParameters"] = _lists(_undecoded(request.query))
    event["multiValueHeaders"] = _lists((name.lower(), value) for name, value in headers)
    return event


FRONT_DOORS: Mapping[str, Callable[[Request, Stamp], Event]] = {
    "function_url": function_url,
    "function_url_iam": function_url_iam,
    "rest_api": rest_api,
    "http_api_v1": http_api_v1,
    "http_api_v2": http_api_v2,
    "alb": alb,
    "alb_multi": alb_multi,
}


def _version_2(
    request: Request, stamp: Stamp, context: Event, *, raw_path: str, stage: str
) -> Event:
    headers = _added(request, stamp, context["domainName"])
    event: Event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": raw_path,
        "rawQueryString": request.query,
    }
    if cookie := request.header("cookie"):
        event["cookies"] = [one.strip() for one in cookie.split(";") if one.strip()]
    event["headers"] = joined(
        (name.lower(), value) for name, value in headers if name.lower() != "cookie"
    )
    if parameters := joined(parse_qsl(request.query, keep_blank_values=True)):
        event["queryStringParameters"] = parameters
    event["requestContext"] = {
        **context,
        "domainPrefix": context["apiId"],
        "http": {
            "method": request.method,
            "path": unquote(request.path),
            "protocol": "HTTP/1.1",
            "sourceIp": request.source_ip,
            "userAgent": request.header("user-agent"),
        },
        "requestId": stamp.request_id,
        "routeKey": "$default",
        "stage": stage,
        "time": stamp.time,
        "timeEpoch": stamp.epoch_ms,
    }
    body, encoded = _body(request)
    return {**event, **({"body": body} if body else {}), "isBase64Encoded": encoded}


def _version_1(request: Request, stamp: Stamp, host: str) -> Event:
    headers = _added(request, stamp, host)
    parameters = parse_qsl(request.query, keep_blank_values=True)
    body, encoded = _body(request)
    return {
        "resource": "/{proxy+}",
        "path": request.path,
        "httpMethod": request.method,
        "headers": dict(headers),
        "multiValueHeaders": _lists(headers),
        "queryStringParameters": dict(parameters) or None,
        "multiValueQueryStringParameters": _lists(parameters) or None,
        "pathParameters": {"proxy": request.path.removeprefix("/")},
        "stageVariables": None,
        "requestContext": _context_1(request, stamp, host),
        "body": body or None,
        "isBase64Encoded": encoded,
    }


def _context_1(request: Request, stamp: Stamp, host: str) -> Event:
    return {
        "resourceId": "1a2b3c",
        "resourcePath": "/{proxy+}",
        "httpMethod": request.method,
        "extendedRequestId": "JKJaXmPLvHcESHA=",
        "requestTime": stamp.time,
        "requestTimeEpoch": stamp.epoch_ms,
        "path": f"/{STAGE}{request.path}",
        "accountId": ACCOUNT,
        "protocol": "HTTP/1.1",
        "stage": STAGE,
        "domainPrefix": API_ID,
        "domainName": host,
        "apiId": API_ID,
        "requestId": stamp.request_id,
        "identity": {
            **dict.fromkeys(NOT_TOLD),
            "sourceIp": request.source_ip,
            "userAgent": request.header("user-agent"),
        },
    }


def _added(request: Request, stamp: Stamp, host: str) -> Headers:
    """The caller's headers but those that a front door sets itself."""
    own = {"host", "connection", "x-forwarded-for", "x-forwarded-port", "x-forwarded-proto"}
    own |= {"x-amzn-trace-id", "transfer-encoding"}
    return [
        *((name, value) for name, value in request.headers if name.lower() not in own),
        ("Host", host),
        ("X-Amzn-Trace-Id", stamp.trace_id),
        ("X-Forwarded-For", request.source_ip),
        ("X-Forwarded-Port", "443"),
        ("X-Forwarded-Proto", "https"),
    ]


def _body(request: Request) -> tuple[str, bool]:
    """As text, or as base64 and true: what is packed, no text or not UTF-8."""
    kind = request.header("content-type").partition(";")[0].strip().lower()
    text = kind in TEXT or kind.startswith("text/") or kind.endswith(("+json", "+xml"))
    if (text or not request.body) and not request.header("content-encoding"):
        try:
            return request.body.decode(), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(request.body).decode(), True


def _undecoded(query: str) -> list[tuple[str, str]]:
    pairs = (one.partition("=") for one in query.split("&") if one)
    return [(name, value) for name, _, value in pairs]


def _lists(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found

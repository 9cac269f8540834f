"""What the Runtime API asks of a runtime, as checks over what has been read. No I/O.

Each check yields the breaches it finds, in words.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from examples.local_lambda.connection import Head, Headers
from examples.local_lambda.posted import MIB, Prelude

INTEGRATION = "application/vnd.awslambda.http-integration-response"
RESPONSE_MODE = "lambda-runtime-function-response-mode"
INVOCATION_ID = "lambda-runtime-invocation-id"
ERROR_TYPE = "lambda-runtime-function-error-type"
ERROR_BODY = "lambda-runtime-function-error-body"
XRAY_CAUSE = "lambda-runtime-function-xray-error-cause"

DELIMITER = b"\0" * 8
LONGEST_PRELUDE = 16 * 1024  # the delimiter included
LONGEST_TRAILERS = 4096  # what the buffer of Go's server holds, the empty line included
LARGEST_BUFFERED = 6 * MIB + 100
LARGEST_CAUSE = MIB

PRELUDE_KEYS = {"statusCode", "headers", "multiValueHeaders", "cookies"}
ERROR_KEYS = {"errorMessage", "errorType", "stackTrace"}
ERROR_TYPES = re.compile(r"(Runtime|Function)\.[A-Z][A-Za-z]+")
TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
NOT_IN_A_VALUE = re.compile(r"[\0\r\n]")
HOPS = {
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}


def check_head(head: Head, address: str) -> Iterator[str]:
    """What holds for every request of a runtime."""
    headers = head.headers
    if head.version != "1.1":
        yield f"speaks HTTP/{head.version}"
    if head.bare_newlines:
        yield "ends a line of the head with a bare newline"
    if not headers.get("user-agent"):
        yield "sends no User-Agent"
    if headers.get("host") != address:
        yield f"sends Host {headers.get('host')!r} to {address}"
    if head.method == "GET" and (
        headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
    ):
        yield "sends a body with a GET"


def check_streaming(headers: Mapping[str, str]) -> Iterator[str]:
    if headers.get("content-type") != INTEGRATION:
        yield f"streams with the content type {headers.get('content-type')!r}, not {INTEGRATION}"
    if headers.get("transfer-encoding", "").lower() != "chunked":
        yield "streams without Transfer-Encoding: chunked"
    undeclared = {ERROR_TYPE, ERROR_BODY} - _listed(headers.get("trailer", ""))
    if undeclared:
        yield f"streams without declaring in Trailer: {', '.join(sorted(undeclared))}"


def check_buffered(headers: Mapping[str, str], body: bytes) -> Iterator[str]:
    yield from _check_json_post(headers)
    try:
        json.loads(body)
    except ValueError as error:
        yield f"posts a buffered answer that is not JSON: {error}"


def check_error(headers: Mapping[str, str], body: bytes) -> Iterator[str]:
    """For /error of an invocation, of the start and of the restoring."""
    yield from _check_json_post(headers)
    yield from _check_error_type(headers.get(ERROR_TYPE))
    yield from _check_error_body(body)
    if (cause := headers.get(XRAY_CAUSE)) is not None:
        if len(cause) >= LARGEST_CAUSE:
            yield "sends an X-Ray cause of 1 MiB or more"
        elif json_or_none(cause.encode("latin-1")) is None:
            yield "sends an X-Ray cause that is not JSON"


def check_invocation_id(headers: Mapping[str, str], given: str | None) -> Iterator[str]:
    echoed = headers.get(INVOCATION_ID)
    if given is None and echoed is not None:
        yield f"sends {INVOCATION_ID}, which it was not given"
    elif echoed is None and given is not None:
        yield f"does not echo {INVOCATION_ID}"
    elif echoed != given:
        yield f"echoes the {INVOCATION_ID} {echoed!r}, and was given {given!r}"


def check_trailers(trailers: Headers) -> Iterator[str]:
    names = [name.lower() for name, _ in trailers]
    told = {name.lower(): value for name, value in trailers}
    if not names:
        return
    if sorted(names) != sorted([ERROR_TYPE, ERROR_BODY]):
        yield f"sends the trailers {', '.join(names)}, not just the two of an error"
    yield from _check_error_type(told.get(ERROR_TYPE))
    try:
        body = base64.b64decode(told.get(ERROR_BODY, ""), validate=True)
    except binascii.Error as error:
        yield f"sends an error body in the trailers that is not base64: {error}"
    else:
        yield from _check_error_body(body)


def error_in(trailers: Headers) -> Any:
    """What the trailers say, as far as it can be read."""
    told = {name.lower(): value for name, value in trailers}
    try:
        return json.loads(base64.b64decode(told.get(ERROR_BODY, "")))
    except ValueError:
        return None


class PreludeReader:
    """Finds the prelude at the start of a stream, wherever the pieces are cut."""

    def __init__(self) -> None:
        self._text = b""
        self._began = False
        self.prelude: Prelude | None = None
        self.faults: list[str] = []
        self.lost = False  # there is none: what came is no streamed answer

    def feed(self, data: bytes) -> bytes:
        """What is already the body."""
        if self.prelude:
            return self._first(data)
        if self.lost:
            return b""
        self._text += data
        at = self._text.find(DELIMITER)
        if at < 0 and len(self._text) < LONGEST_PRELUDE:
            return b""
        if at < 0 or at + len(DELIMITER) > LONGEST_PRELUDE:
            self.faults.append("sends no eight NULs within the first 16 KB")
            self.lost = at < 0
            if self.lost:
                return b""
        self.prelude, told = read_prelude(self._text[:at])
        self.faults += told
        return self._first(self._text[at + len(DELIMITER) :])

    def _first(self, body: bytes) -> bytes:
        if body and not self._began:
            self._began = True
            if body.startswith(b"\0"):
                self.faults.append("sends more than eight NULs behind the prelude")
        return body


def read_prelude(text: bytes) -> tuple[Prelude, list[str]]:
    """As much as can be made of it, and what is wrong with it."""
    told = json_or_none(text)
    if not isinstance(told, dict):
        return Prelude(200, {}, {}, ()), [f"sends a prelude that is no JSON object: {text[:80]!r}"]
    faults = list(_check_prelude(told))
    if faults:
        return Prelude(200, {}, {}, ()), faults
    return Prelude(
        status=told.get("statusCode", 200),
        headers=told.get("headers", {}),
        multi_value_headers=told.get("multiValueHeaders", {}),
        cookies=tuple(told.get("cookies", ())),
    ), []


def _check_prelude(told: dict[str, Any]) -> Iterator[str]:
    if unknown := told.keys() - PRELUDE_KEYS:
        yield f"sends a prelude with {', '.join(sorted(unknown))}"
    if not _is_status(told.get("statusCode", 200)):
        yield f"sends a prelude with the status {told['statusCode']!r}"
    headers, multiple = told.get("headers", {}), told.get("multiValueHeaders", {})
    if not isinstance(headers, dict) or not all(isinstance(one, str) for one in headers.values()):
        yield "sends a prelude whose headers are not strings by name"
        return
    if not isinstance(multiple, dict) or not all(map(_is_strings, multiple.values())):
        yield "sends a prelude whose multiValueHeaders are not lists of strings by name"
        return
    cookies = told.get("cookies", [])
    if not _is_strings(cookies):
        yield "sends a prelude whose cookies are not a list of strings"
        return
    values = [(name, [value]) for name, value in headers.items()]
    yield from _check_fields([*values, *multiple.items(), ("set-cookie", cookies)])


def _check_fields(fields: Sequence[tuple[str, Sequence[str]]]) -> Iterator[str]:
    seen: set[str] = set()
    for name, values in fields:
        lower = name.lower()
        if not TOKEN.fullmatch(name):
            yield f"sends a prelude with a header that has no valid name: {name!r}"
        if lower in HOPS:
            yield f"sends a prelude with {lower}, which is between two hops only"
        if lower in seen and lower != "set-cookie":
            yield f"sends a prelude with {lower} twice"
        if any(NOT_IN_A_VALUE.search(value) for value in values):
            yield f"sends a prelude with a line break or NUL in {lower}"
        seen.add(lower)


def _check_json_post(headers: Mapping[str, str]) -> Iterator[str]:
    kind = headers.get("content-type", "")
    if not re.fullmatch(r"application/([\w.]+\+)?json(; *charset=utf-8)?", kind, re.IGNORECASE):
        yield f"posts JSON with the content type {kind!r}"
    if "content-length" not in headers:
        yield "posts a whole body without Content-Length"


def _check_error_type(told: str | None) -> Iterator[str]:
    if told is None:
        yield f"tells an error without {ERROR_TYPE}"
    elif not ERROR_TYPES.fullmatch(told):
        yield f"tells an error of the type {told!r}, not Runtime.Name or Function.Name"


def _check_error_body(body: bytes) -> Iterator[str]:
    told = json_or_none(body)
    if not isinstance(told, dict):
        yield f"tells an error that is no JSON object: {body[:80]!r}"
        return
    if told.keys() != ERROR_KEYS:
        yield f"tells an error with {', '.join(sorted(told))}, not {', '.join(sorted(ERROR_KEYS))}"
    elif not _is_strings(told["stackTrace"]) or not _is_strings(
        [told["errorMessage"], told["errorType"]]
    ):
        yield "tells an error whose members have the wrong type"


def _is_status(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 200 <= value <= 599


def _is_strings(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _listed(value: str) -> set[str]:
    return {one.strip().lower() for one in value.split(",")}


def json_or_none(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None

"""Errors as answers: a true status, and a shape that each kind of client reads."""

from typing import Any

import pytest

from gateway.errors import (
    BadRequest,
    BodyTooLarge,
    EndpointNotFound,
    GatewayError,
    MethodNotAllowed,
    Unavailable,
    Unprocessable,
    UnsupportedEncoding,
    UpstreamBroke,
    UpstreamRejected,
    UpstreamTimedOut,
    UpstreamUnreachable,
)
from gateway.wire.json import Json, dumps, loads
from handler.control.asked import write_faults
from handler.errors import answer_for


def told(error: GatewayError, *, detail: bool = False) -> tuple[int, Json]:
    answer = answer_for(error, detail=detail)
    assert isinstance(answer.body, bytes)
    return answer.status, loads(answer.body)


def shaped(
    message: str, type: str, param: str | None = None, code: str | None = None
) -> dict[str, Any]:
    return {"error": {"message": message, "type": type, "param": param, "code": code}}


@pytest.mark.parametrize(
    ("error", "status", "body"),
    [
        (BadRequest("n", "no"), 400, shaped("n: no", "invalid_request_error", "n")),
        (BadRequest(None, "no", code="c"), 400, shaped("no", "invalid_request_error", None, "c")),
        (MethodNotAllowed("no"), 405, shaped("no", "invalid_request_error")),
        (BodyTooLarge("no"), 413, shaped("no", "invalid_request_error")),
        (UnsupportedEncoding("no"), 415, shaped("no", "invalid_request_error")),
        (Unprocessable("no", field="model"), 422, shaped("no", "invalid_request_error", "model")),
        (Unavailable("no"), 503, shaped("no", "service_unavailable_error")),
        (UpstreamUnreachable("no"), 502, shaped("no", "upstream_error")),
        (UpstreamBroke("no"), 502, shaped("no", "upstream_error")),
        (UpstreamTimedOut("no"), 504, shaped("no", "timeout_error")),
        (GatewayError("no"), 500, shaped("no", "server_error")),
        (
            EndpointNotFound("x", "set A"),
            404,
            shaped(
                "endpoint 'x' not found; set A", "not_found_error", "model", "endpoint_not_found"
            ),
        ),
    ],
)
def test_each_error_has_its_status_and_openais_shape(
    error: GatewayError, status: int, body: Json
) -> None:
    assert told(error) == (status, body)


def test_mlflows_clients_find_the_message_under_detail_too() -> None:
    body = shaped("n: no", "invalid_request_error", "n") | {"detail": "n: no"}
    assert told(BadRequest("n", "no"), detail=True) == (400, body)


def test_an_unknown_endpoint_is_told_in_mlflows_own_words() -> None:
    assert told(EndpointNotFound("x"), detail=True)[1]["detail"] == {
        "error_code": "RESOURCE_DOES_NOT_EXIST",
        "message": "GatewayEndpoint not found (name='x')",
    }


def rejected(body: bytes, status: int = 400, **headers: str) -> UpstreamRejected:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return UpstreamRejected("openai", status, named, body)


THEIRS = b'{"error": {"message": "no such model", "type": "x", "extra": [1.0]},  "more": 1}'


def test_a_providers_own_error_is_handed_on_byte_for_byte() -> None:
    answer = answer_for(rejected(THEIRS, 404), detail=False)
    assert (answer.status, answer.body) == (404, THEIRS)


def test_for_mlflows_clients_it_has_a_detail_besides() -> None:
    assert told(rejected(THEIRS, 404), detail=True) == (
        404,
        loads(THEIRS) | {"detail": "no such model"},
    )


@pytest.mark.parametrize(
    "error",
    [{"message": ""}, {"message": None}, {"message": 5}, {}, None, [], 5, {"message": ["no"]}],
)
def test_whatever_stands_under_error_the_answer_is_one(error: Any) -> None:
    for detail in (True, False):
        status, body = told(rejected(dumps({"error": error})), detail=detail)
        assert status == 400
        assert isinstance(body["error"]["message"], str)


def test_what_a_caller_can_use_of_the_providers_headers_goes_on() -> None:
    upstream = {
        "x-request-id": "r",
        "retry-after": "7",
        "retry-after-ms": "7000",
        "x-ratelimit-remaining": "0",
        "set-cookie": "a=b",
        "content-length": "5",
        "content-encoding": "gzip",
        "transfer-encoding": "chunked",
        "server": "x",
    }
    error = UpstreamRejected("openai", 429, upstream, b"{}")
    assert answer_for(error, detail=False, request_id="q").headers == {
        "content-type": "application/json",
        "x-gateway-request-id": "q",
        "x-request-id": "r",
        "retry-after": "7",
        "retry-after-ms": "7000",
        "x-ratelimit-remaining": "0",
    }


def test_what_aws_said_is_for_the_log_and_not_for_callers(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert told(ON_AWS) == (
        503,
        {
            "error": {
                "message": "the gateway's store does not answer now: try again",
                "type": "service_unavailable_error",
                "param": None,
                "code": "store_down",
            }
        },
    )
    assert answer_for(ON_AWS, detail=False).headers["retry-after"] == "1"
    assert f"request None: {ON_AWS.message}" in caplog.messages


def test_an_administrator_is_told_what_aws_said() -> None:
    answer = answer_for(ON_AWS, detail=False, write=write_faults)
    assert isinstance(answer.body, bytes)
    assert loads(answer.body)["error"]["message"] == ON_AWS.message


ON_AWS = Unavailable("dynamodb:GetItem on table 'config' timed out", code="aws_timed_out")

"""Stream or buffer: decided from the event's shape and one setting."""

from typing import Any

import pytest

from handler.lambda_runtime.mode import streams

STREAMING = {"GATEWAY_INVOKE_MODE": "RESPONSE_STREAM"}
URL: Any = {
    "version": "2.0",
    "requestContext": {"domainName": "abc.lambda-url.eu-central-1.on.aws", "http": {}},
}
REST: Any = {"resource": "/{proxy+}", "httpMethod": "POST", "requestContext": {"stage": "prod"}}
HTTP_V1 = REST | {"version": "1.0"}
HTTP_V2: Any = {
    "version": "2.0",
    "requestContext": {"domainName": "abc.execute-api.eu-central-1.amazonaws.com", "http": {}},
}
ALB: Any = {"httpMethod": "POST", "path": "/", "requestContext": {"elb": {"targetGroupArn": "x"}}}


@pytest.mark.parametrize("event", [URL, REST], ids=["function URL", "REST API"])
def test_what_can_stream_does_so_when_the_setting_says_so(event: Any) -> None:
    assert streams(event, STREAMING)
    assert not streams(event, {"GATEWAY_INVOKE_MODE": "BUFFERED"})
    assert not streams(event, {})


@pytest.mark.parametrize(
    "event",
    [
        HTTP_V1,
        HTTP_V2,
        ALB,
        ALB | {"resource": "/"},
        {"source": "aws.events"},
        {"version": "2.0"},
        {"version": "2.0", "requestContext": None},
        {"version": "2.0", "requestContext": {"domainName": None}},
        {"resource": "/", "httpMethod": "GET"},
        "text",
        [],
        None,
        7,
    ],
    ids=repr,
)
def test_what_cannot_stream_never_does(event: Any) -> None:
    assert not streams(event, STREAMING)


@pytest.mark.parametrize("event", [URL, REST], ids=["function URL", "REST API"])
def test_sam_local_shows_a_stream_as_garbage(event: Any) -> None:
    assert not streams(event, STREAMING | {"AWS_SAM_LOCAL": "true"})

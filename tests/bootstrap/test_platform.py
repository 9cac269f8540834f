"""Where Lambda hands out calls: no target may point there."""

from collections.abc import Mapping

import pytest

from gateway.bootstrap.aws import _platform

VARIABLE = "AWS_LAMBDA_RUNTIME_API"


@pytest.mark.parametrize(
    ("environment", "forbidden"),
    [
        ({VARIABLE: "127.0.0.1:9001"}, {("127.0.0.1", 9001)}),
        ({VARIABLE: "169.254.100.1:9001"}, {("169.254.100.1", 9001)}),
        ({VARIABLE: "::1:9001"}, {("::1", 9001)}),
        ({VARIABLE: "localhost:9001"}, {("127.0.0.1", 9001)}),
        ({VARIABLE: "sandbox.local:9001"}, {("127.0.0.1", 9001)}),
        ({VARIABLE: ":9001"}, {("127.0.0.1", 9001)}),
        ({VARIABLE: "127.0.0.1"}, set()),
        ({VARIABLE: "127.0.0.1:"}, set()),
        ({VARIABLE: "127.0.0.1:api"}, set()),
        ({VARIABLE: "junk"}, set()),
        ({VARIABLE: ""}, set()),
        ({}, set()),
    ],
)
def test_the_runtime_api_is_where_the_variable_says_or_on_this_machine(
    environment: Mapping[str, str], forbidden: set[tuple[str, int]]
) -> None:
    assert _platform(environment) == forbidden

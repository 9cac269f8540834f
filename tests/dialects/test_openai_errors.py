"""Errors in OpenAI's shape, and in those of its imitators."""

from typing import Any, get_args

import pytest
from hypothesis import given

from gateway.dialects.base import read_error
from gateway.dialects.openai_errors import (
    TYPES,
    failure_in,
    write_error,
    write_stream_error,
)
from gateway.errors import BadRequest, GatewayError, Kind, UpstreamTimedOut
from tests.dialects.hostile import anything, quickly


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"error": {"message": "no", "type": "x", "code": 5}}, "no"),
        ({"error": "no"}, "no"),
        ({"message": "no", "object": "error"}, "no"),  # Mistral
        ({"detail": "no"}, "no"),  # FastAPI
        ({"detail": [{"loc": ["body"], "msg": "no"}]}, "no"),
        (
            {"detail": [{"loc": ["body", "n"], "msg": "too many"}, {"loc": ["seed"], "msg": "no"}]},
            "n: too many; seed: no",
        ),
        (  # Mistral's 422
            {"object": "error", "message": {"detail": [{"loc": ["body", "user"], "msg": "no"}]}},
            "user: no",
        ),
        ([{"error": {"code": 400, "message": "no"}}], "no"),  # Google's OpenAI layer
        ({"errors": [{"message": "no"}, {"message": "nor this"}]}, "no; nor this"),
        ({"errors": [{"message": str(nth)} for nth in range(9)]}, "0; 1; 2; 3; 4"),
        ({"error": {"error": {"error": {"error": {"error": "too deep"}}}}}, None),
        ({"error": {"message": ""}, "message": "yet"}, "yet"),
        ({"error": {"message": None}, "detail": "yet"}, "yet"),
        ({"error": None, "message": 5, "detail": "yet"}, "yet"),
        ({"error": {"message": {"other": "no"}}}, None),
        ({"error": 5}, None),
        ({"error": ["no"]}, "no"),
        ({}, None),
        (None, None),
        ([], None),
        ("no", "no"),
        (5, None),
    ],
)
def test_what_an_error_body_says_is_found_in_every_known_shape(body: Any, said: str | None) -> None:
    assert read_error(body) == said


SAID = "the provider failed while it answered: "


@pytest.mark.parametrize(
    ("error", "status", "kind", "code", "message"),
    [
        ({"message": "no", "code": 429}, 429, "rate_limit", None, SAID + "no"),
        ({"message": "no", "code": 503}, 503, "overloaded", None, SAID + "no"),
        ({"message": "no", "code": 418}, 418, "upstream", None, SAID + "no"),
        ({"message": "no", "code": "bad"}, 502, "upstream", "bad", SAID + "no"),
        ({"message": "no", "code": 200}, 502, "upstream", None, SAID + "no"),
        ({"message": "no", "code": True}, 502, "upstream", None, SAID + "no"),
        ({"message": "no", "code": 1e400}, 502, "upstream", None, SAID + "no"),
        ("no", 502, "upstream", None, SAID + "no"),
        (5, 502, "upstream", None, SAID + "an error without a message"),
        (None, 502, "upstream", None, SAID + "an error without a message"),
        ({"message": ["no"]}, 502, "upstream", None, SAID + "no"),
        ({"message": [5]}, 502, "upstream", None, SAID + "an error without a message"),
    ],
)
def test_an_error_in_the_place_of_an_answer_is_a_broken_upstream(
    error: Any, status: int, kind: Kind, code: str | None, message: str
) -> None:
    failure = failure_in(error)
    found = (failure.status, failure.kind, failure.code, failure.message)
    assert found == (status, kind, code, message)


@given(anything)
@quickly
def test_whatever_stands_there_an_error_can_be_made_of_it(error: Any) -> None:
    failure = failure_in(error)
    assert write_error(failure)["error"]["message"] == failure.message
    read_error(error)


def test_an_error_is_written_whole() -> None:
    assert write_error(BadRequest("n", "must be 1", code="c")) == {
        "error": {
            "message": "n: must be 1",
            "type": "invalid_request_error",
            "param": "n",
            "code": "c",
        }
    }


def test_an_error_event_is_an_error_alone() -> None:
    assert write_stream_error(UpstreamTimedOut("slow")) == (
        b'data: {"error":{"message":"slow","type":"timeout_error","param":null,"code":null}}\n\n'
    )


def test_every_kind_of_error_has_a_type() -> None:
    assert set(TYPES) == set(get_args(Kind))


def test_an_unknown_failure_is_the_servers_own() -> None:
    assert write_error(GatewayError("x"))["error"]["type"] == "server_error"


@pytest.mark.parametrize("code", ["invalid_image", "image_too_large", "bio_policy"])
def test_what_is_wrong_with_what_was_asked_is_nobody_elses_to_try(code: str) -> None:
    failure = failure_in({"code": code, "message": "no"})
    assert (failure.status, failure.falls_back, failure.retryable) == (400, False, False)

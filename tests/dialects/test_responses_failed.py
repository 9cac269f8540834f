"""How a Responses stream that failed ends, and what OpenAI's SDK and Codex make of it."""

import re
from collections.abc import Mapping
from typing import Any

import httpx2
import openai
import pytest

from gateway.dialects import OPENAI_RESPONSES
from gateway.dialects.openai_errors import failure_in
from gateway.dialects.openai_responses.failed import write_stream_error
from gateway.errors import (
    BadRequest,
    GatewayError,
    Unavailable,
    UpstreamBroke,
    UpstreamRejected,
    UpstreamTimedOut,
)
from gateway.wire.json import Json, dumps, loads
from gateway.wire.sse import SseReader, events, name_of, write_event

BEGUN: Json = {"id": "resp_1", "object": "response", "status": "in_progress", "error": None}


def sent(*told: Json) -> bytes:
    return b"".join(write_event(dumps(one), one["type"]) for one in told)


SENT = sent(
    {"type": "response.created", "sequence_number": 0, "response": BEGUN | {"model": "m"}},
    {"type": "response.output_text.delta", "sequence_number": 7, "delta": "h"},
)


def last(error: GatewayError, before: bytes = b"") -> list[Json]:
    return [loads(data) for data in SseReader().feed(write_stream_error(error, before))]


def test_it_ends_with_an_error_and_with_the_response_that_failed() -> None:
    assert last(UpstreamTimedOut("slow"), SENT) == [
        {
            "type": "error",
            "code": "timeout_error",
            "message": "slow",
            "param": None,
            "sequence_number": 8,
            "error": {"message": "slow", "type": "timeout_error", "param": None, "code": None},
        },
        {
            "type": "response.failed",
            "sequence_number": 9,
            "response": {
                "id": "resp_1",
                "object": "response",
                "status": "failed",
                "error": {"code": "server_error", "message": "slow"},
                "model": "m",
            },
        },
    ]


def test_where_nothing_was_sent_the_count_begins_here() -> None:
    told = last(UpstreamTimedOut("slow"), b": heartbeat\n\n")
    assert [one["sequence_number"] for one in told] == [0, 1]
    assert told[1]["response"] == {
        "object": "response",
        "output": [],
        "status": "failed",
        "error": {"code": "server_error", "message": "slow"},
    }


@pytest.mark.parametrize(
    "before",
    [
        b"data: [DONE]\n\n",
        b"data: [1]\n\n",
        sent({"type": "x", "sequence_number": "3", "response": 5}),
        sent({"type": "x", "sequence_number": True}),
    ],
)
def test_what_was_sent_may_say_nothing_of_it(before: bytes) -> None:
    assert [one["sequence_number"] for one in last(GatewayError("x"), before)] == [0, 1]


def test_the_events_are_named_as_they_say_themselves() -> None:
    told = [*events(OPENAI_RESPONSES.write_stream_error(GatewayError("x")))]
    assert [name_of(one) for one in told] == ["error", "response.failed"]


def test_the_sdk_raises_at_it() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        body = SENT + write_stream_error(UpstreamTimedOut("slow"), SENT)
        headers = {"content-type": "text/event-stream"}
        return httpx2.Response(200, headers=headers, content=body, request=request)

    http = httpx2.Client(transport=httpx2.MockTransport(answer))
    client = openai.OpenAI(api_key="k", base_url="http://gateway", http_client=http)
    seen: list[str] = []
    with pytest.raises(openai.APIError, match="slow"):
        seen += [one.type for one in client.responses.create(model="m", input="hi", stream=True)]
    assert seen == []


def codex(told: Json) -> Any:
    """What Codex makes of ``response.failed``, as its source has it at the head of the module."""
    error = told["response"]["error"]
    known: Mapping[str, str] = {
        "context_length_exceeded": "ContextWindowExceeded",
        "insufficient_quota": "QuotaExceeded",
        "usage_not_included": "UsageNotIncluded",
        "invalid_prompt": "InvalidRequest",
        "server_is_overloaded": "ServerOverloaded",
        "slow_down": "ServerOverloaded",
    }
    if error["code"] in known:
        return known[error["code"]]
    wait = re.search(r"(?i)try again in\s*(\d+(?:\.\d+)?)\s*(s|ms|seconds?)", error["message"])
    if error["code"] == "rate_limit_exceeded" and wait:
        return "Retryable", float(wait[1])
    return "Retryable", None


def rejected(status: int, wait: str | None = None, code: str | None = None) -> GatewayError:
    headers = {} if wait is None else {"retry-after": wait}
    error = UpstreamRejected("openai", status, headers, b"")
    error.code = code
    return error


BUSY = Unavailable("busy")
BUSY.headers["retry-after"] = "2"


@pytest.mark.parametrize(
    ("error", "meant"),
    [
        (failure_in({"code": "insufficient_quota", "message": "pay"}), "QuotaExceeded"),
        (failure_in({"code": "context_length_exceeded", "message": "x"}), "ContextWindowExceeded"),
        (failure_in({"code": "slow_down", "message": "x"}), "ServerOverloaded"),
        (
            failure_in({"code": "rate_limit_exceeded", "message": "Please try again in 11.05s."}),
            ("Retryable", 11.05),
        ),
        (rejected(429, "20"), ("Retryable", 20.0)),
        (rejected(429, "Wed, 21 Oct 2026 07:28:00 GMT"), ("Retryable", None)),
        (rejected(429), ("Retryable", None)),
        (rejected(400, code="context_length_exceeded"), "ContextWindowExceeded"),
        (rejected(413), "InvalidRequest"),
        (rejected(529), "ServerOverloaded"),
        (BUSY, "ServerOverloaded"),
        (BadRequest("input", "is odd"), "InvalidRequest"),
        (UpstreamBroke("cut"), ("Retryable", None)),
    ],
)
def test_codex_reads_what_to_do(error: GatewayError, meant: Any) -> None:
    assert codex(last(error)[1]) == meant


def test_how_long_to_wait_is_said_once() -> None:
    said = failure_in({"code": "rate_limit_exceeded", "message": "Please try again in 3s."})
    said.headers["retry-after"] = "20"
    assert last(said)[1]["response"]["error"] == {
        "code": "rate_limit_exceeded",
        "message": "the provider failed while it answered: Please try again in 3s.",
    }
    assert last(rejected(429, "20"))[1]["response"]["error"] == {
        "code": "rate_limit_exceeded",
        "message": "provider 'openai' answered 429. Please try again in 20s.",
    }

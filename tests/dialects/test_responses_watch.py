"""The watch over a relayed Responses stream, and what a Responses request must be."""

import contextlib
from typing import Any

import pytest
from hypothesis import given

from gateway.dialects import OPENAI_COMPACTION, OPENAI_RESPONSES
from gateway.dialects.openai_responses.watch import LIFECYCLE, ResponsesWatch
from gateway.errors import BadRequest, UpstreamBroke, UpstreamTimedOut
from gateway.usage import Usage
from gateway.wire.json import Json, dumps, loads
from gateway.wire.sse import SseReader
from tests.dialects.hostile import anything, crashes, quickly

COUNTS: Json = {"input_tokens": 9, "input_tokens_details": {"cached_tokens": 4}, "output_tokens": 2}
USED = Usage(input_tokens=5, output_tokens=2, cache_read_tokens=4)
TEXT: Json = {"type": "response.output_text.delta", "delta": "h"}


def look(*chunks: Json) -> ResponsesWatch:
    watch = ResponsesWatch({})
    for chunk in chunks:
        watch.look(dumps(chunk))
    return watch


@pytest.mark.parametrize("kind", sorted(LIFECYCLE))
def test_what_comes_before_the_model_speaks_begins_nothing(kind: str) -> None:
    watch = look({"type": kind, "response": {"id": "r"}})
    assert (watch.begun, watch.ended, watch.failure) == (False, False, None)


def test_the_first_delta_begins_it() -> None:
    watch = look({"type": "response.created"}, TEXT)
    assert (watch.begun, watch.ended, watch.failure) == (True, False, None)


@pytest.mark.parametrize("kind", ["response.completed", "response.incomplete"])
def test_a_terminal_event_ends_it_with_its_usage(kind: str) -> None:
    watch = look(TEXT, {"type": kind, "response": {"id": "r", "usage": COUNTS}})
    assert (watch.ended, watch.failure, watch.usage) == (True, None, USED)


def test_a_response_that_fails_before_its_content_is_a_failure() -> None:
    error = {"code": "server_error", "message": "no"}
    watch = ResponsesWatch({})
    event = {"type": "response.failed", "response": {"error": error, "usage": COUNTS}}
    assert watch.look(dumps(event)) is False
    assert watch.failure is not None
    assert watch.failure.message == "the provider failed while it answered: no"
    assert (watch.failure.code, watch.ended, watch.usage) == ("server_error", False, USED)


def test_a_response_that_fails_later_says_so_itself() -> None:
    watch = look(TEXT)
    assert watch.look(dumps({"type": "response.failed", "response": {"error": {}}})) is True
    assert (watch.ended, watch.failure) == (True, None)


@pytest.mark.parametrize(
    "event",
    [
        {"type": "error", "code": "c", "message": "no", "param": None},
        {"type": "error", "error": {"code": "c", "message": "no"}},
    ],
)
def test_an_error_event_is_a_failure_in_either_shape(event: Json) -> None:
    watch = look(TEXT)
    assert watch.look(dumps(event)) is False
    assert watch.failure is not None
    assert (watch.failure.message, watch.failure.code) == (
        "the provider failed while it answered: no",
        "c",
    )


def test_done_which_some_imitators_send_is_no_end() -> None:
    watch = ResponsesWatch({})
    assert watch.look(b"[DONE]") is True
    assert (watch.begun, watch.ended) == (False, False)


@pytest.mark.parametrize("data", [b"{", b"[1]", b"null", b"\xff", b"[" * 2000])
def test_what_is_no_event_is_the_providers_fault(data: bytes) -> None:
    with pytest.raises(UpstreamBroke):
        ResponsesWatch({}).look(data)


EVENT: Json = {
    "type": "response.failed",
    "response": {"id": "r", "usage": COUNTS, "error": {"code": "c", "message": "m"}},
    "error": {"message": "m"},
}


@pytest.mark.parametrize("kind", ["response.failed", "response.completed", "error", "x"])
def test_no_wound_in_an_event_is_more_than_a_broken_upstream(kind: str) -> None:
    found = crashes(
        lambda event: ResponsesWatch({}).look(dumps(event)), EVENT | {"type": kind}, UpstreamBroke
    )
    assert found == []


@given(anything)
@quickly
def test_whatever_json_comes_only_a_broken_upstream_is_raised(value: Any) -> None:
    with contextlib.suppress(UpstreamBroke):
        ResponsesWatch({}).look(dumps(value))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "input: is required: a text, or a list of input items"),
        ({"input": None}, "input: is required: a text, or a list of input items"),
        ({"prompt": {}}, "input: is required: a text, or a list of input items"),
        ({"input": 5}, "input: must be a string or an array, not an integer"),
        ({"input": {}}, "input: must be a string or an array, not an object"),
        ({"input": True, "prompt": "p"}, "input: must be a string or an array, not a boolean"),
        ({"input": "a", "stream": "yes"}, "stream: must be a boolean, not a string"),
        ({"input": "a", "stream": 0}, "stream: must be a boolean, not an integer"),
    ],
)
def test_what_no_provider_could_serve_is_refused_by_its_field(body: Json, message: str) -> None:
    for dialect in (OPENAI_RESPONSES, OPENAI_COMPACTION):
        for check in (dialect.check, dialect.check_closely):
            with pytest.raises(BadRequest) as refused:
                check(body)
            assert refused.value.message == message


@pytest.mark.parametrize(
    "body",
    [
        {"input": ""},
        {"input": []},
        {"input": "a", "stream": False},
        {"previous_response_id": "r"},
        {"conversation": "c"},
        {"prompt": {"id": "p"}, "input": None},
    ],
)
def test_what_a_provider_may_serve_passes(body: Json) -> None:
    OPENAI_RESPONSES.check(body)
    OPENAI_COMPACTION.check(body)


def test_a_compaction_is_never_streamed() -> None:
    OPENAI_RESPONSES.check({"input": "a", "stream": True})
    with pytest.raises(BadRequest, match="stream=true is not supported on /responses/compact"):
        OPENAI_COMPACTION.check({"input": "a", "stream": True})


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"error": {"message": "busy"}}, "the provider failed while it answered: busy"),
        ({}, "the provider's answer has no id: it is no response"),
        ({"id": ""}, "the provider's answer has no id: it is no response"),
    ],
)
def test_a_200_that_is_no_response_is_the_providers_fault(body: Json, message: str) -> None:
    with pytest.raises(UpstreamBroke) as broke:
        OPENAI_RESPONSES.check_reply(body)
    assert broke.value.message == message


def test_a_failed_response_is_a_reply_too() -> None:
    OPENAI_RESPONSES.check_reply({"id": "r", "status": "failed", "error": {"message": "no"}})


def test_a_failure_of_ours_is_the_apis_own_error_event() -> None:
    event = OPENAI_RESPONSES.write_stream_error(UpstreamTimedOut("slow"))
    assert event.startswith(b"event: error\n")
    (data,) = SseReader().feed(event)
    error = {"message": "slow", "type": "timeout_error", "param": None, "code": None}
    assert loads(data) == {
        "type": "error",
        "code": "timeout_error",
        "message": "slow",
        "param": None,
        "sequence_number": 0,
        "error": error,
    }

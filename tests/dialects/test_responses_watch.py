"""The watch over a relayed Responses stream, and what a Responses request must be."""

import contextlib
from typing import Any

import pytest
from hypothesis import given

from gateway.dialects import OPENAI_COMPACTION, OPENAI_RESPONSES
from gateway.dialects.openai_responses.watch import LIFECYCLE, ResponsesWatch
from gateway.errors import BadRequest, UpstreamBroke
from gateway.usage import Usage
from gateway.wire.json import Json, dumps
from gateway.wire.sse import data_of
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


SECRET = "sk-SECRETKEY-999"
OTHER_SHAPES: list[tuple[Json, str, int]] = [
    ({"error": {"message": SECRET, "code": 503}}, SECRET, 503),
    ({"error": {"message": SECRET, "code": "429"}}, SECRET, 429),
    ({"error": SECRET}, SECRET, 502),
    ({"object": "error", "message": SECRET, "code": 401}, SECRET, 401),
    ({"detail": SECRET}, SECRET, 502),
    ({"detail": [{"loc": ["body", "user"], "msg": "no"}]}, "user: no", 502),
    ({"errors": [{"message": SECRET}]}, SECRET, 502),
    ({"message": SECRET}, SECRET, 502),
]


@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize(("event", "words", "status"), OTHER_SHAPES)
def test_an_error_in_another_apis_shape_is_a_failure_and_is_not_shown(
    event: Json, words: str, status: int, *, begun: bool
) -> None:
    watch = look(TEXT) if begun else look()
    data = dumps(event)
    assert watch.telling(b"data: " + data + b"\n\n", 0) >= 0
    with pytest.raises(UpstreamBroke) as failed:
        watch.look(data)
    told = failed.value
    assert (told.message, told.status) == (
        f"the provider failed while it answered: {words}",
        status,
    )


def test_an_event_without_a_type_is_a_heartbeat_and_no_content() -> None:
    events: list[Json] = [{}, {"type": None}, {"type": 5}, {"choices": []}, {"sequence_number": 3}]
    for event in events:
        watch = ResponsesWatch({})
        assert not watch.look(dumps(event), "ping")
        assert (watch.begun, watch.ended, watch.failure) == (False, False, None)


def test_an_error_that_says_nothing_is_one_by_its_name_or_its_member() -> None:
    with pytest.raises(UpstreamBroke):
        ResponsesWatch({}).look(dumps({"error": {"code": 500}}))
    watch = look(TEXT)
    assert not watch.look(dumps({"code": 500}), "error")
    assert watch.failure is not None
    assert watch.failure.status == 500


def test_an_error_that_only_its_name_tells_is_looked_at() -> None:
    watch = look(TEXT)
    whole = b"event: error\ndata: bad key " + SECRET.encode() + b"\n\n"
    assert watch.telling(whole, 0) == 0
    with pytest.raises(UpstreamBroke, match="an event that is not JSON"):
        watch.look(data_of(whole), "error")


def test_a_plain_delta_is_not_looked_at() -> None:
    told = {
        "type": "response.output_text.delta",
        "item_id": "msg_1",
        "delta": "an error, a message",
    }
    event = b"event: response.output_text.delta\ndata: " + dumps(told) + b"\n\n"
    for whole in (event, event * 3, b": heartbeat\n\n" + event, event.replace(b"\n", b"\r\n")):
        assert look(TEXT).telling(whole, 0) == -1


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


def test_a_response_that_failed_is_the_failure_that_it_tells() -> None:
    error = {"code": "rate_limit_exceeded", "message": "slowly"}
    with pytest.raises(UpstreamBroke) as broke:
        OPENAI_RESPONSES.check_reply({"id": "r", "status": "failed", "error": error})
    told = broke.value
    assert (told.message, told.code) == (
        "the provider failed while it answered: slowly",
        "rate_limit_exceeded",
    )
    assert (told.status, told.falls_back, told.retryable) == (429, True, True)


@pytest.mark.parametrize("status", ["completed", "incomplete", "queued"])
def test_any_other_response_with_an_id_is_an_answer(status: str) -> None:
    OPENAI_RESPONSES.check_reply({"id": "r", "status": status, "error": None})

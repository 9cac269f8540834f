"""The watch over a relayed stream of messages, and what its requests and replies must be."""

import contextlib
from typing import Any, get_args

import pytest
from hypothesis import given

from gateway.dialects import ANTHROPIC_COUNT, ANTHROPIC_MESSAGES
from gateway.dialects.anthropic_messages.errors import TYPES, failure_in
from gateway.dialects.anthropic_messages.watch import MessagesWatch
from gateway.errors import (
    BadRequest,
    GatewayError,
    Kind,
    UpstreamBroke,
    UpstreamRejected,
    UpstreamTimedOut,
)
from gateway.exchange.bridge import Relay
from gateway.exchange.exchange import Call
from gateway.usage import Usage
from gateway.wire.json import Json, dumps, loads
from gateway.wire.sse import SseReader, data_of, events, name_of
from tests.dialects.hostile import anything, crashes, quickly
from tests.dialects.messages import (
    BUSY,
    END,
    HELLO,
    MESSAGE,
    OVERLOADED,
    PING,
    START,
    STOP,
    TEXT,
    TOLD,
    WHOLE,
    delta,
    event,
    faults,
    opened,
)
from tests.fakes import CALLER

ASK: Json = {"model": "e", "messages": [], "max_tokens": 5, "stream": True}
USED = Usage(input_tokens=7, output_tokens=2, cache_read_tokens=4)


def look(*stream: bytes) -> MessagesWatch:
    watch = MessagesWatch({})
    for one in stream:
        watch.look(data_of(one), name_of(one))
    return watch


def relay() -> Relay:
    return Relay(Call("r", CALLER, ANTHROPIC_MESSAGES, "e", dumps(ASK), ASK))


@pytest.mark.parametrize(
    "one",
    [
        START,
        PING,
        TEXT,
        opened("thinking", thinking="", signature=""),
        delta("text_delta", text=""),
        STOP,
        event("message_delta", delta={"stop_reason": None}, usage={"output_tokens": 1}),
        event("something_new", text="x"),
    ],
)
def test_what_says_nothing_begins_nothing(one: bytes) -> None:
    watch = look(START, one)
    assert (watch.begun, watch.ended, watch.failure) == (False, False, None)


@pytest.mark.parametrize(
    "one",
    [
        HELLO,
        opened("text", text="Hi"),
        opened("tool_use", id="t", name="f", input={}),
        opened("redacted_thinking", data="x"),
        delta("thinking_delta", thinking="Hm"),
        delta("signature_delta", signature="s"),
        delta("input_json_delta", partial_json="{"),
        TOLD,
        END,
    ],
)
def test_the_first_that_says_something_begins_it(one: bytes) -> None:
    watch = look(START, one)
    assert (watch.begun, watch.ended, watch.failure) == (True, one == END, None)


def test_the_counts_of_the_start_hold_where_the_end_does_not_tell_others() -> None:
    assert look(START, HELLO, TOLD, END).usage == USED


def test_of_each_count_the_last_that_is_not_null_is_right() -> None:
    later = {
        "input_tokens": 9,
        "output_tokens": 5,
        "cache_read_input_tokens": None,
        "cache_creation_input_tokens": 3,
        "output_tokens_details": {"thinking_tokens": 2},
    }
    assert look(START, event("message_delta", delta={}, usage=later)).usage == Usage(9, 5, 4, 3, 2)


def test_a_stream_that_never_told_has_no_usage() -> None:
    assert look(event("message_start", message={}), HELLO, END).usage is None


def test_what_several_turns_of_the_model_used_is_added_up() -> None:
    """As Anthropic tells it of a compaction: the top level leaves the summary's own turn out."""
    turns = [
        {"type": "compaction", "input_tokens": 180000, "output_tokens": 3500},
        {"type": "message", "input_tokens": 23000, "output_tokens": 1000},
    ]
    counts = {"input_tokens": 23000, "output_tokens": 1000, "iterations": turns}
    assert ANTHROPIC_MESSAGES.read_usage({"usage": counts}) == Usage(203000, 4500)
    assert ANTHROPIC_MESSAGES.read_usage({"usage": {**counts, "iterations": []}}) == Usage(
        23000, 1000
    )


def test_an_error_before_content_is_a_failure_that_others_may_mend() -> None:
    watch = MessagesWatch({})
    watch.look(data_of(START), "message_start")
    assert watch.look(data_of(BUSY), "error") is False
    assert watch.failure is not None
    assert (watch.failure.status, watch.failure.kind) == (529, "overloaded")
    assert watch.failure.message == "the provider failed while it answered: Overloaded"
    assert (watch.failure.falls_back, watch.ended) == (True, False)


def test_an_error_after_content_is_the_providers_own_last_word() -> None:
    watch = look(START, HELLO, BUSY)
    assert (watch.ended, watch.failure) == (True, None)
    assert watch.admitted is not None
    assert watch.admitted.status == 529


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"type": "error", "error": OVERLOADED}, ""),  # SDKs go by the name, and would skip it
        ({"error": OVERLOADED}, "error"),
        ({"error": {"message": "Overloaded"}}, ""),
        ({"type": "error", "error": "Overloaded"}, "error"),
        ({"type": "error"}, "error"),
    ],
)
def test_an_error_that_sdks_would_not_read_as_one_is_said_anew(body: Json, name: str) -> None:
    watch = look(START, HELLO)
    assert watch.look(dumps(body), name) is False
    assert (watch.failure is not None, watch.ended) == (True, False)


def test_events_without_names_are_no_stream_that_an_sdk_would_read() -> None:
    with pytest.raises(UpstreamBroke, match="have no names"):
        MessagesWatch({}).look(data_of(START))


def test_done_which_some_imitators_send_is_no_end() -> None:
    watch = look(START, HELLO)
    assert watch.look(b"[DONE]") is True
    assert (watch.begun, watch.ended) == (True, False)


@pytest.mark.parametrize("data", [b"{", b"[1]", b"null", b"\xff", b"[" * 2000])
def test_what_is_no_event_is_the_providers_fault(data: bytes) -> None:
    with pytest.raises(UpstreamBroke):
        MessagesWatch({}).look(data, "ping")


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"])
def test_wherever_a_stream_is_cut_the_caller_gets_the_same(ending: bytes) -> None:
    whole = (b": hi\n\n" + WHOLE).replace(b"\n", ending)
    for cut in range(len(whole) + 1):
        one = relay()
        out = one.feed(whole[:cut]) + one.feed(whole[cut:]) + one.finish()
        assert (one.begun, one.ended, one.usage) == (True, True, USED)
        # A blank line of CR LF may end at its CR; once all is said, what follows is not waited for.
        assert out.removesuffix(b"\n") == whole.removesuffix(b"\n")
    one = relay()
    out = b"".join(one.feed(whole[at : at + 1]) for at in range(len(whole)))
    assert out.removesuffix(b"\n") == whole.removesuffix(b"\n")


def test_the_order_of_the_events_is_checked_by_a_machine_that_finds_faults() -> None:
    assert faults(WHOLE) == []
    assert faults(START + HELLO + END) == ["delta 0", "message_stop"]
    assert faults(START + START + TEXT) == ["a second message_start", "no end"]
    assert faults(START + TEXT + HELLO + BUSY) == []
    assert faults(WHOLE + PING) == ["ping after the end"]


def test_nothing_follows_the_end() -> None:
    one = relay()
    assert one.feed(WHOLE + PING + HELLO) == WHOLE
    assert one.feed(HELLO) + one.finish() == b""


EVENT: Json = {
    "message": MESSAGE,
    "content_block": {"type": "text", "text": "x"},
    "delta": {"type": "text_delta", "text": "x", "stop_reason": "end_turn"},
    "usage": {
        "input_tokens": 1,
        "output_tokens_details": {"thinking_tokens": 1},
        "iterations": [{}],
    },
    "error": None,
}
KINDS = (
    "message_start",
    "content_block_start",
    "content_block_delta",
    "message_delta",
    "message_stop",
    "error",
    "x",
)


@pytest.mark.parametrize("kind", KINDS)
def test_no_wound_in_an_event_is_more_than_a_broken_upstream(kind: str) -> None:
    found = crashes(
        lambda event: MessagesWatch({}).look(dumps(event), kind),
        EVENT | {"type": kind},
        UpstreamBroke,
    )
    assert found == []


@given(anything)
@quickly
def test_whatever_json_comes_only_a_broken_upstream_is_raised(value: Any) -> None:
    with contextlib.suppress(UpstreamBroke):
        MessagesWatch({}).look(dumps(value), "message_delta")
    for dialect in (ANTHROPIC_MESSAGES, ANTHROPIC_COUNT):
        body = value if isinstance(value, dict) else {"error": value, "usage": value}
        dialect.read_usage(body)
        dialect.is_error(body)
        with contextlib.suppress(UpstreamBroke):
            dialect.check_reply(body)
        with contextlib.suppress(BadRequest):
            dialect.check(body)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "messages: is required: a list of messages, each with a role"),
        ({"messages": None}, "messages: is required: a list of messages, each with a role"),
        ({"messages": "hi"}, "messages: must be an array, not a string"),
        ({"messages": [], "stream": "yes"}, "stream: must be a boolean, not a string"),
        ({"messages": [], "stream": 1}, "stream: must be a boolean, not an integer"),
    ],
)
def test_what_no_provider_could_serve_is_refused_by_its_field(body: Json, message: str) -> None:
    for dialect in (ANTHROPIC_MESSAGES, ANTHROPIC_COUNT):
        for check in (dialect.check, dialect.check_closely):
            with pytest.raises(BadRequest) as refused:
                check(body)
            assert refused.value.message == message


def test_a_count_is_never_streamed() -> None:
    ANTHROPIC_MESSAGES.check(ASK)
    with pytest.raises(BadRequest, match="stream: a count of tokens is not streamed"):
        ANTHROPIC_COUNT.check(ASK)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            {"type": "error", "error": OVERLOADED},
            "the provider failed while it answered: Overloaded",
        ),
        ({"error": {"message": "busy"}}, "the provider failed while it answered: busy"),
        ({}, "the provider's answer has no content: it is no message"),
        ({"content": "Hi"}, "the provider's answer has no content: it is no message"),
    ],
)
def test_a_200_that_is_no_message_is_the_providers_fault(body: Json, message: str) -> None:
    with pytest.raises(UpstreamBroke) as broke:
        ANTHROPIC_MESSAGES.check_reply(body)
    assert broke.value.message == message


def test_a_200_that_is_no_count_is_the_providers_fault() -> None:
    ANTHROPIC_COUNT.check_reply({"input_tokens": 0})
    with pytest.raises(UpstreamBroke, match="has no input_tokens"):
        ANTHROPIC_COUNT.check_reply({"content": []})


def test_a_count_uses_nothing() -> None:
    assert ANTHROPIC_COUNT.read_usage({"input_tokens": 588}) is None


def test_every_kind_of_error_has_a_type_of_anthropics() -> None:
    assert set(TYPES) == set(get_args(Kind))
    written = ANTHROPIC_MESSAGES.write_error(BadRequest("max_tokens", "must be 1"), "req1")
    assert written == {
        "type": "error",
        "error": {"type": "invalid_request_error", "message": "max_tokens: must be 1"},
        "request_id": "req1",
    }
    assert ANTHROPIC_MESSAGES.is_error(written)


def test_what_is_owed_is_a_matter_of_billing() -> None:
    written = ANTHROPIC_MESSAGES.write_error(UpstreamRejected("p", 402, {}, b""), None)
    assert written == {
        "type": "error",
        "error": {"type": "billing_error", "message": "provider 'p' answered 402"},
    }


@pytest.mark.parametrize(
    ("kind", "status", "falls_back"),
    [
        ("invalid_request_error", 400, False),
        ("billing_error", 402, True),
        ("rate_limit_error", 429, True),
        ("overloaded_error", 529, True),
        ("api_error", 500, True),
        ("unheard_of", 502, True),
        (None, 502, True),
        ([], 502, True),
    ],
)
def test_an_error_that_came_too_late_means_what_its_status_would_have(
    kind: Any, status: int, falls_back: bool
) -> None:
    failure = failure_in({"type": kind, "message": "m"})
    assert (failure.status, failure.falls_back) == (status, falls_back)


def test_a_failure_of_ours_is_the_apis_own_error_event() -> None:
    told = ANTHROPIC_MESSAGES.write_stream_error(UpstreamTimedOut("slow"))
    assert told.startswith(b"event: error\n")
    (data,) = SseReader().feed(told)
    assert loads(data) == {"type": "error", "error": {"type": "timeout_error", "message": "slow"}}
    ours = ANTHROPIC_MESSAGES.write_stream_error(GatewayError("x"))
    assert b'"api_error"' in ours


def test_a_heartbeat_is_the_apis_own_ping() -> None:
    (one,) = events(ANTHROPIC_MESSAGES.heartbeat)
    assert (name_of(one), loads(data_of(one))) == ("ping", {"type": "ping"})

"""A Gemini call that is relayed: what is looked at on its way, and its errors."""

import pytest

from gateway.dialects.base import Dialect
from gateway.dialects.gemini import GEMINI, GEMINI_BATCH_EMBED, GEMINI_COUNT, GEMINI_EMBED
from gateway.dialects.gemini.watch import GeminiWatch
from gateway.errors import (
    BadRequest,
    GatewayError,
    NotFound,
    OutOfTime,
    Unauthenticated,
    UpstreamBroke,
    UpstreamUnreachable,
)
from gateway.exchange.bridge import Relay
from gateway.exchange.exchange import Call
from gateway.usage import Usage
from gateway.wire.json import Json, dumps
from tests.dialects.gemini import chunk, sse
from tests.fakes import CALLER


def counted(answered: int, **more: int) -> Json:
    return {"promptTokenCount": 9, "candidatesTokenCount": answered, **more}


HI = chunk({"text": "hi"}, usageMetadata=counted(1))
THERE = chunk({"text": " there"}, usageMetadata=counted(2))
END = chunk({"text": "."}, finish="STOP", usageMetadata=counted(3, thoughtsTokenCount=4))
FAILED: Json = {"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}}


def relay() -> Relay:
    return Relay(Call("r", CALLER, GEMINI, "e", b"{}", {}))


def looked(*chunks: Json) -> GeminiWatch:
    watch = GeminiWatch({})
    for one in chunks:
        watch.look(dumps(one))
    return watch


def test_a_stream_passes_untouched_and_is_over_at_its_clean_end() -> None:
    bridge, stream = relay(), sse(HI, THERE, END)
    out = b"".join(bridge.feed(stream[at : at + 1]) for at in range(len(stream)))
    assert out.rstrip() == stream.rstrip()
    assert (bridge.begun, bridge.ended) == (True, False)
    bridge.finish()
    assert bridge.ended
    assert bridge.usage == Usage(9, 7, reasoning_tokens=4)


def test_a_stream_that_told_no_reason_to_end_has_not_ended() -> None:
    bridge = relay()
    bridge.feed(sse(HI, THERE))
    bridge.finish()
    assert not bridge.ended


def test_a_reason_that_is_none_ends_nothing() -> None:
    watch = looked(chunk({"text": "hi"}, finish="FINISH_REASON_UNSPECIFIED"))
    watch.finish()
    assert (watch.begun, watch.ended) == (True, False)


@pytest.mark.parametrize(
    ("first", "begun"),
    [
        ({"usageMetadata": counted(0)}, False),
        ({"candidates": [{"content": {"role": "model"}}]}, False),
        ({"candidates": [None, {"content": None}], "promptFeedback": None}, False),
        (chunk({"text": "hi"}), True),
        ({"candidates": [{"content": {}, "finishReason": "SAFETY"}]}, True),
        ({"promptFeedback": {"blockReason": "SAFETY"}}, True),
        ({"promptFeedback": {"safetyRatings": []}}, False),
    ],
)
def test_content_a_reason_to_end_or_to_refuse_begins_it(first: Json, *, begun: bool) -> None:
    assert looked(first).begun is begun


def test_a_refused_prompt_ends_with_the_body() -> None:
    watch = looked({"promptFeedback": {"blockReason": "SAFETY"}})
    watch.finish()
    assert watch.ended


def test_of_what_passes_only_ends_and_errors_are_looked_at() -> None:
    watch = looked(HI)
    assert watch.telling(sse(THERE, THERE), 0) == -1
    whole = sse(THERE, END)
    assert whole[watch.telling(whole, 0) :].startswith(b'"finishReason"')
    watch.look(dumps(END))
    assert watch.telling(sse(THERE), 0) == 0


def test_who_asks_before_the_end_is_told_what_the_last_chunk_counts() -> None:
    watch = looked(HI)
    watch.telling(sse(HI, THERE), 0)
    assert watch.usage == Usage(9, 2)
    for unread in (b'data: {"usageMetadata": oh\r\n\r\n', b'data: {"text": 1}\r\n\r\n'):
        watch.telling(unread, 0)
        assert watch.usage == Usage(9, 2)
    with pytest.raises(AttributeError):
        watch.usage = None


def test_each_count_is_of_all_so_far_and_a_null_says_nothing() -> None:
    last = {"usageMetadata": {"candidatesTokenCount": 5, "promptTokenCount": None}}
    assert looked(HI, last).usage == Usage(9, 5)


def test_nothing_is_used_before_anything_is_counted() -> None:
    assert looked({"usageMetadata": {"trafficType": "ON_DEMAND"}}).usage is None


@pytest.mark.parametrize("event", [dumps(FAILED), dumps([FAILED])])
def test_an_error_in_the_stream_is_a_failure_of_its_status(event: bytes) -> None:
    watch = looked(HI)
    assert not watch.look(event)
    assert watch.failure
    assert (watch.failure.status, watch.failure.kind) == (503, "overloaded")
    assert watch.failure.message == "the provider failed while it answered: overloaded"


@pytest.mark.parametrize("event", [b"{", b"[]", b"3", b'[{"a": 1}, {}]'])
def test_what_is_no_chunk_is_broken(event: bytes) -> None:
    with pytest.raises(UpstreamBroke):
        GeminiWatch({}).look(event)


@pytest.mark.parametrize(
    ("error", "status", "word"),
    [
        (BadRequest("contents", "is required"), 400, "INVALID_ARGUMENT"),
        (Unauthenticated(), 401, "UNAUTHENTICATED"),
        (NotFound("no"), 404, "NOT_FOUND"),
        (UpstreamUnreachable("down"), 502, "UNAVAILABLE"),
        (OutOfTime(), 504, "DEADLINE_EXCEEDED"),
        (GatewayError("oh"), 500, "INTERNAL"),
    ],
)
def test_errors_are_said_as_google_says_them(error: GatewayError, status: int, word: str) -> None:
    told = GEMINI.write_error(error, "r1")
    assert told == {"error": {"code": status, "message": error.message, "status": word}}
    assert GEMINI.is_error(told)
    assert GEMINI.read_error(told) == GEMINI.read_error([told]) == error.message
    assert GEMINI.write_stream_error(error) == b"data: " + dumps(told) + b"\r\n\r\n"


@pytest.mark.parametrize("body", [{}, {"error": "x"}, {"error": {"message": "x", "code": 400}}])
def test_other_shapes_are_not_google_s(body: Json) -> None:
    assert not GEMINI.is_error(body)


@pytest.mark.parametrize(
    ("counts", "usage"),
    [
        (counted(3, thoughtsTokenCount=4, totalTokenCount=16), Usage(9, 7, reasoning_tokens=4)),
        # An imitator that has the thoughts among the candidates' tokens.
        (counted(7, thoughtsTokenCount=4, totalTokenCount=16), Usage(9, 7, reasoning_tokens=4)),
        (counted(3, cachedContentTokenCount=5), Usage(4, 3, cache_read_tokens=5)),
        (counted(3, cachedContentTokenCount=50), Usage(0, 3, cache_read_tokens=9)),
        (counted(3, toolUsePromptTokenCount=6), Usage(15, 3)),
        ({"promptTokenCount": "9", "candidatesTokenCount": True}, Usage()),
    ],
)
def test_classes_of_tokens_are_disjoint(counts: Json, usage: Usage) -> None:
    assert GEMINI.read_usage({"usageMetadata": counts}) == usage


def test_no_usage_is_none() -> None:
    assert GEMINI.read_usage({}) is None
    assert GEMINI.read_usage({"usageMetadata": 3}) is None


@pytest.mark.parametrize(
    ("dialect", "body", "field"),
    [
        (GEMINI, {}, "contents"),
        (GEMINI, {"contents": "hi"}, "contents"),
        (GEMINI_COUNT, {}, "contents"),
        (GEMINI_COUNT, {"generateContentRequest": 3}, "generateContentRequest"),
        (GEMINI_COUNT, {"generate_content_request": {}}, "generate_content_request.contents"),
        (GEMINI_EMBED, {}, "content"),
        (GEMINI_EMBED, {"content": "hi"}, "content"),
        (GEMINI_BATCH_EMBED, {}, "requests"),
        (GEMINI_BATCH_EMBED, {"requests": {}}, "requests"),
        (GEMINI_BATCH_EMBED, {"requests": []}, "requests"),
        (GEMINI_BATCH_EMBED, {"requests": [3]}, "requests[0]"),
        (GEMINI_BATCH_EMBED, {"requests": [{}]}, "requests[0].content"),
        (GEMINI_BATCH_EMBED, {"requests": [{"content": 3}]}, "requests[0].content"),
    ],
)
def test_what_nobody_could_answer_is_refused_by_its_field(
    dialect: Dialect, body: Json, field: str
) -> None:
    with pytest.raises(BadRequest) as refused:
        dialect.check(body)
    assert refused.value.field == field


CONTENT: Json = {"parts": [{"text": "hi"}]}


@pytest.mark.parametrize(
    ("dialect", "body", "changes"),
    [
        (GEMINI, {"contents": [CONTENT]}, {}),
        (GEMINI_COUNT, {"contents": CONTENT}, {}),
        (
            GEMINI_COUNT,
            {"generateContentRequest": {"model": "models/a", "contents": [CONTENT]}},
            {"generateContentRequest": {"model": "models/b", "contents": [CONTENT]}},
        ),
        (GEMINI_EMBED, {"content": CONTENT}, {}),
        (GEMINI_EMBED, {"model": "models/a", "content": CONTENT}, {"model": "models/b"}),
        (
            GEMINI_BATCH_EMBED,
            {"requests": [{"content": CONTENT}, {"model": "models/a", "content": CONTENT}]},
            {
                "requests": [
                    {"content": CONTENT, "model": "models/b"},
                    {"model": "models/b", "content": CONTENT},
                ]
            },
        ),
    ],
)
def test_a_body_names_the_target_s_model_where_it_names_one(
    dialect: Dialect, body: Json, changes: Json
) -> None:
    dialect.check(body)
    assert dialect.address(body, "b") == changes


def test_a_model_with_a_path_of_its_own_keeps_it() -> None:
    assert GEMINI_EMBED.address({"model": "a"}, "tunedModels/b") == {"model": "tunedModels/b"}


@pytest.mark.parametrize(
    ("dialect", "reply"),
    [
        (GEMINI, {"candidates": []}),
        (GEMINI, {"promptFeedback": {"blockReason": "SAFETY"}}),
        (GEMINI, {"usageMetadata": {}}),
        (GEMINI_COUNT, {"totalTokens": 3}),
        (GEMINI_EMBED, {"embedding": {"values": []}}),
        (GEMINI_BATCH_EMBED, {"embeddings": []}),
    ],
)
def test_a_reply_is_known_by_what_it_holds(dialect: Dialect, reply: Json) -> None:
    dialect.check_reply(reply)
    with pytest.raises(UpstreamBroke, match=r"it is no|no embedding"):
        dialect.check_reply({"choices": []})
    with pytest.raises(UpstreamBroke, match="overloaded") as failed:
        dialect.check_reply(FAILED)
    assert failed.value.status == 503


def test_an_error_without_a_status_is_a_bad_gateway() -> None:
    for error in ("oh", {"code": 200, "status": "SOME"}, {"code": True}):
        with pytest.raises(UpstreamBroke) as failed:
            GEMINI.check_reply({"error": error})
        assert failed.value.status == 502


def test_a_status_is_read_from_its_word_too() -> None:
    with pytest.raises(UpstreamBroke) as failed:
        GEMINI.check_reply({"error": {"status": "RESOURCE_EXHAUSTED"}})
    assert (failed.value.status, failed.value.falls_back) == (429, True)

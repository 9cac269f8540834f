"""An answer that is none, or that failed: whole, streamed, and relayed."""

from typing import Any

import pytest

from gateway.dialects.forms import Identity
from gateway.dialects.openai_chat import CHAT_FORM, OPENAI_CHAT
from gateway.dialects.openai_chat.watch import ChatWatch
from gateway.errors import UpstreamBroke, UpstreamError
from gateway.wire.json import Json, dumps

SAID = "the provider failed while it answered: "
SLOW: Json = {"error": {"code": 429, "message": "Slow down"}, "finish_reason": "error"}
FAILED = [  # what stands in the place of an answer or a chunk, its words, and its status
    ({"error": {"message": "m", "code": "rate_limit_exceeded"}}, "m", 429),
    ({"object": "error", "message": "m", "code": 503}, "m", 503),
    ({"object": "error", "message": {"detail": [{"loc": ["body", "x"], "msg": "m"}]}}, "x: m", 502),
    ({"detail": "m"}, "m", 502),
    ({"message": "m", "code": 400}, "m", 400),
    ({"id": "c", "choices": [{"index": 0, **SLOW}]}, "Slow down", 429),
    (
        {"id": "c", "choices": [{"index": 0, "finish_reason": "error"}]},
        "it stopped with an error",
        502,
    ),
]


def fault(call: Any, *given: Any) -> tuple[str, int]:
    with pytest.raises(UpstreamError) as caught:
        call(*given)
    return caught.value.message, caught.value.status


@pytest.mark.parametrize(("body", "words", "status"), FAILED)
def test_a_whole_answer_that_failed_is_none_also_where_it_is_relayed(
    body: Json, words: str, status: int
) -> None:
    assert fault(OPENAI_CHAT.check_reply, body) == (SAID + words, status)
    assert fault(CHAT_FORM.read_reply, body, Identity("i", 0)) == (SAID + words, status)


def chunk(delta: Json, **more: Any) -> bytes:
    return dumps({"id": "c", "choices": [{"index": 0, "delta": delta, **more}]})


@pytest.mark.parametrize("before", [[], [chunk({"content": "a"})]])
@pytest.mark.parametrize(("body", "words", "status"), FAILED)
def test_a_stream_that_failed_says_so(
    body: Json, words: str, status: int, before: list[bytes]
) -> None:
    reader = CHAT_FORM.reader(Identity("i", 0))
    for data in before:
        reader.feed(data)
    assert fault(reader.feed, dumps(body)) == (SAID + words, status)


def test_a_failure_beside_a_piece_of_text_is_no_piece_of_text() -> None:
    reader = CHAT_FORM.reader(Identity("i", 0))
    reader.feed(chunk({"content": "a"}))
    error = {"code": 503, "message": "m"}
    assert fault(reader.feed, chunk({"content": "b"}, error=error)) == (SAID + "m", 503)


@pytest.mark.parametrize(("body", "words", "status"), FAILED)
def test_a_relayed_stream_that_failed_is_known(body: Json, words: str, status: int) -> None:
    watch = ChatWatch({})
    assert watch.look(dumps(body)) is False
    assert watch.failure is not None
    assert (watch.failure.message, watch.failure.status) == (SAID + words, status)


@pytest.mark.parametrize("at", [0, 1, 5, 6])
def test_a_failure_in_the_middle_of_a_relayed_stream_is_looked_at(at: int) -> None:
    watch = ChatWatch({})
    watch.look(chunk({"content": "a"}))
    event = b"data: " + dumps(FAILED[at][0]) + b"\n\n"
    assert watch.telling(event, 0) >= 0


NOTHING = "the provider's stream ended before it said anything"
EMPTY = [
    [],
    [chunk({"role": "assistant", "content": ""})],
    [dumps({"id": "c", "choices": [], "usage": {"prompt_tokens": 5}})],
]


@pytest.mark.parametrize("chunks", EMPTY)
def test_the_end_of_nothing_is_no_end(chunks: list[bytes]) -> None:
    reader, watch = CHAT_FORM.reader(Identity("i", 0)), ChatWatch({})
    for data in chunks:
        reader.feed(data)
        watch.look(data)
    assert fault(reader.feed, b"[DONE]") == (NOTHING, 502)
    assert fault(watch.look, b"[DONE]") == (NOTHING, 502)
    assert (watch.begun, watch.ended, reader.ended) == (False, False, False)


@pytest.mark.parametrize(
    "data", [chunk({"content": "a"}), chunk({}, finish_reason="stop"), chunk({"reasoning": "h"})]
)
def test_whatever_was_said_may_end_without_a_reason(data: bytes) -> None:
    reader, watch = CHAT_FORM.reader(Identity("i", 0)), ChatWatch({})
    reader.feed(data)
    watch.look(data)
    reader.feed(b"[DONE]")
    watch.look(b"[DONE]")
    assert (watch.ended, reader.ended) == (True, True)


def test_an_answer_without_choices_is_none() -> None:
    message = "the provider's answer has no choices: it is no chat completion"
    assert fault(OPENAI_CHAT.check_reply, {"id": "c"}) == (message, 502)
    with pytest.raises(UpstreamBroke):
        OPENAI_CHAT.check_reply({})

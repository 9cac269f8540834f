"""The watch over a relayed Chat stream: it must miss nothing, and be asked seldom."""

import contextlib
from typing import Any

import pytest
from hypothesis import given

from gateway.dialects.openai_chat.watch import ChatWatch
from gateway.errors import UpstreamBroke
from gateway.usage import Usage
from gateway.wire.json import Json, dumps
from tests.dialects.hostile import anything, crashes, quickly

COUNTS: Json = {"prompt_tokens": 7, "completion_tokens": 2}
ASKED: Json = {"stream_options": {"include_usage": True}}


def of(delta: Any, finish: str | None = None, **more: Any) -> Json:
    return {"id": "c", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **more}


@pytest.mark.parametrize(
    ("chunk", "begun"),
    [
        (of({"role": "assistant"}), False),
        (of({"role": "assistant", "content": ""}), False),
        (of({"role": "assistant", "content": None, "refusal": None, "tool_calls": []}), False),
        (of({}), False),
        (of(None), False),
        ({"choices": []}, False),
        ({"choices": None}, False),
        ({"choices": [None, 5]}, False),
        ({"choices": {}}, False),
        ({}, False),
        (of({"content": "h"}), True),
        (of({"role": "assistant", "content": "h"}), True),
        (of({"reasoning_content": "h"}), True),
        (of({"reasoning": "h"}), True),
        (of({"refusal": "h"}), True),
        (of({"tool_calls": [{"index": 0}]}), True),
        (of({}, "stop"), True),
        ({"choices": [{"index": 0, "delta": {}}, {"index": 1, "delta": {"content": "h"}}]}, True),
    ],
)
def test_an_answer_has_begun_at_its_first_content(chunk: Json, *, begun: bool) -> None:
    watch = ChatWatch({})
    assert watch.look(dumps(chunk)) is True
    assert (watch.begun, watch.ended, watch.failure) == (begun, False, None)


def test_done_is_the_end() -> None:
    watch = ChatWatch({})
    watch.look(dumps({"choices": [{"delta": {"content": "a"}}]}))
    assert watch.look(b"[DONE]") is True
    assert (watch.begun, watch.ended) == (True, True)


@pytest.mark.parametrize("padded", [b"[DONE] ", b" [DONE]", b"[DONE]\t"])
def test_done_is_the_end_with_blanks_about_it_too(padded: bytes) -> None:
    watch = ChatWatch({})
    watch.look(dumps({"choices": [{"delta": {"content": "a"}}]}))
    watch.look(padded)
    assert watch.ended


@pytest.mark.parametrize(
    ("request_body", "chunk", "shown"),
    [
        ({}, {"choices": [], "usage": COUNTS}, False),
        ({}, {"usage": COUNTS}, False),
        ({"stream_options": {"include_usage": False}}, {"choices": [], "usage": COUNTS}, False),
        ({"stream_options": None}, {"choices": [], "usage": COUNTS}, False),
        (ASKED, {"choices": [], "usage": COUNTS}, True),
        ({}, of({"content": "h"}, usage=COUNTS), True),
    ],
)
def test_usage_is_noted_and_shown_only_to_who_asked(
    request_body: Json, chunk: Json, *, shown: bool
) -> None:
    watch = ChatWatch(request_body)
    assert watch.look(dumps(chunk)) is shown
    assert watch.usage == Usage(7, 2)


def test_the_last_usage_holds() -> None:
    """Perplexity and others tell the usage so far in every chunk."""
    watch = ChatWatch({})
    watch.look(dumps(of({"content": "a"}, usage={"prompt_tokens": 7, "completion_tokens": 1})))
    watch.look(dumps(of({"content": "b"}, usage=COUNTS)))
    watch.look(dumps(of({"content": "c"}, usage=None)))
    assert watch.usage == Usage(7, 2)


@pytest.mark.parametrize("error", [{"message": "busy"}, "busy", {"message": "busy", "code": 429}])
def test_an_error_in_the_stream_is_its_failure(error: Any) -> None:
    watch = ChatWatch({})
    assert watch.look(dumps({"error": error})) is False
    assert watch.failure is not None
    assert watch.failure.message == "the provider failed while it answered: busy"
    assert watch.ended is False


@pytest.mark.parametrize("data", [b"{", b"not json", b"[1]", b"null", b'"x"', b"\xff", b"[" * 2000])
def test_what_is_no_chunk_is_the_providers_fault(data: bytes) -> None:
    with pytest.raises(UpstreamBroke):
        ChatWatch({}).look(data)


CHUNK = of(
    {"role": "assistant", "content": "h", "tool_calls": [{"index": 0}]}, "stop", usage=COUNTS
)


def test_no_wound_in_a_chunk_is_more_than_a_broken_upstream() -> None:
    found = crashes(lambda chunk: ChatWatch({}).look(dumps(chunk)), CHUNK, UpstreamBroke)
    found += crashes(
        lambda chunk: ChatWatch({}).look(dumps({"error": chunk})), CHUNK, UpstreamBroke
    )
    assert found == []


@given(anything)
@quickly
def test_whatever_json_comes_only_a_broken_upstream_is_raised(value: Any) -> None:
    with contextlib.suppress(UpstreamBroke):
        ChatWatch({}).look(dumps(value))

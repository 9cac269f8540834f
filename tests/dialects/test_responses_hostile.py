"""Whatever stands in a Responses body, a reader says what is wrong, and never breaks by itself."""

from typing import Any

from hypothesis import given

from gateway.dialects.forms import Asked, Identity
from gateway.dialects.openai_responses import RESPONSES_FORM
from gateway.dialects.openai_responses.count import read_count
from gateway.dialects.openai_responses.request import read_counted, write_counted
from gateway.errors import BadRequest, UpstreamError
from gateway.wire.json import Json, dumps
from tests.dialects.hostile import anything, crashes, quickly
from tests.dialects.test_responses_reading import WHOLE, text
from tests.dialects.test_responses_replies import CALL, MESSAGE, REASONING, SEARCH, answer

ME = Identity("me", 5)

ASKED: Json = {
    "model": "m",
    "instructions": "i",
    "input": [
        {"role": "developer", "content": "d"},
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "a"},
                {"type": "input_image", "image_url": "data:image/png;base64,A", "detail": "low"},
                {"type": "input_file", "filename": "a.pdf", "file_data": "AAAA"},
                {"type": "input_audio", "input_audio": {"data": "A", "format": "mp3"}},
            ],
        },
        REASONING,
        MESSAGE,
        CALL,
        {
            "type": "function_call_output",
            "call_id": "call_1",
            "output": [{"type": "input_text", "text": "x"}],
        },
        SEARCH,
        {"type": "image_generation_call", "id": "ig", "result": "AAAA", "output_format": "png"},
    ],
    "tools": [{"type": "function", "name": "f", "parameters": {"a": 1}, "strict": True}],
    "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function"}]},
    "max_output_tokens": 5,
    "include": ["message.output_text.logprobs"],
    "reasoning": {"effort": "low", "summary": "auto"},
    "text": {"format": {"type": "json_schema", "name": "s", "schema": {}}, "verbosity": "low"},
    "metadata": {"a": "b"},
    "service_tier": "flex",
    "store": True,
    "truncation": "auto",
    "user": "u",
}
# A heavily wounded conversation is slow to try whole: a few events stand for the stream.
STREAMS = [
    WHOLE[:7],
    [WHOLE[0], *WHOLE[9:13], WHOLE[-1]],
    [WHOLE[0], *WHOLE[13:21], WHOLE[-1]],
    [WHOLE[0], *WHOLE[21:]],
    [WHOLE[0], {**text("a"), "logprobs": [{"token": "a", "logprob": -1, "top_logprobs": [{}]}]}],
]


def told_on(body: Json) -> None:
    """Read, and written to a provider: what is read can be written."""
    dumps(RESPONSES_FORM.write_request(RESPONSES_FORM.read_request(body)).body)
    dumps(write_counted(read_counted(body)).body)


def retold(body: Json) -> None:
    asked: Json = {"model": "m", "input": "x"}
    reply = RESPONSES_FORM.read_reply(body, ME)
    dumps(RESPONSES_FORM.write_reply(reply, Asked(asked, RESPONSES_FORM.read_request(asked))).body)


def heard(body: Json) -> None:
    asked: Json = {"model": "m", "input": "x"}
    reader = RESPONSES_FORM.reader(ME)
    writer = RESPONSES_FORM.writer(Asked(asked, RESPONSES_FORM.read_request(asked)))
    for event in body["events"]:
        for told in reader.feed(dumps(event)):
            writer.feed(told)
    reader.finish()


def test_no_wound_in_a_request_is_more_than_a_bad_request() -> None:
    told_on(ASKED)
    assert crashes(told_on, ASKED, BadRequest) == []


def test_no_wound_in_a_reply_is_more_than_the_providers_fault() -> None:
    item = {"type": "image_generation_call", "result": "AAAA", "output_format": "png"}
    refusal = {"type": "message", "content": [{"type": "refusal", "refusal": "no"}]}
    body = answer(
        REASONING, MESSAGE, CALL, SEARCH, item, refusal, incomplete_details={"reason": "x"}
    )
    retold(body)
    assert crashes(retold, body, UpstreamError) == []


def test_no_wound_in_a_stream_is_more_than_the_providers_fault() -> None:
    for stream in STREAMS:
        body = {"events": stream}
        heard(body)
        assert crashes(lambda one: heard(one) if _listed(one) else None, body, UpstreamError) == []


def _listed(body: Json) -> bool:
    return isinstance(body.get("events"), list)


@quickly
@given(anything)
def test_nothing_at_all_breaks_a_reader(junk: Any) -> None:
    for work, allowed in (
        (lambda: RESPONSES_FORM.read_request({"model": "m", "input": junk}), BadRequest),
        (lambda: RESPONSES_FORM.read_request({"input": "x", "tools": junk}), BadRequest),
        (
            lambda: RESPONSES_FORM.read_reply({"id": "r", "model": "m", "output": junk}, ME),
            UpstreamError,
        ),
        (lambda: RESPONSES_FORM.reader(ME).feed(dumps(junk)), UpstreamError),
        (lambda: read_count({"input_tokens": junk}), UpstreamError),
    ):
        try:
            work()
        except allowed:
            continue

"""OpenAI's Embeddings dialect."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dialects import OPENAI_EMBEDDINGS
from gateway.dialects.openai_embeddings import EMBEDDINGS_FORM, pack, unpack
from gateway.embeddings import EmbeddingsReply, EmbeddingsRequest
from gateway.errors import BadRequest, UpstreamBroke
from gateway.usage import Usage
from gateway.wire.json import Json, dumps, loads
from tests.dialects.hostile import crashes, quickly

read_request, read_reply = EMBEDDINGS_FORM.read_request, EMBEDDINGS_FORM.read_reply
MIXED = "input: must be all texts, all token numbers, or all arrays of them"


@pytest.mark.parametrize(
    ("given_input", "inputs"),
    [
        ("hi", ["hi"]),
        ("", [""]),
        (["a", "b"], ["a", "b"]),
        ([1, 2], [[1, 2]]),
        ([[1, 2], [3]], [[1, 2], [3]]),
    ],
)
def test_every_form_of_input_is_read(given_input: Any, inputs: Any) -> None:
    body = {"model": "m", "input": given_input, "dimensions": 8, "user": "u", "input_type": "query"}
    assert read_request(body) == EmbeddingsRequest(
        "m", inputs, 8, user="u", unread={"input_type": "query"}
    )


@pytest.mark.parametrize(
    ("asked", "encoding"),
    [({}, "float"), ({"encoding_format": None}, "float")]
    + [({"encoding_format": form}, form) for form in ("float", "base64")],
)
def test_every_encoding_is_read(asked: Json, encoding: str) -> None:
    assert read_request({"model": "m", "input": "a", **asked}).encoding == encoding


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "input: is required: a text, or a list of texts or of token numbers"),
        ({"input": None}, "input: is required: a text, or a list of texts or of token numbers"),
        ({"input": 5}, "input: must be a string or an array, not an integer"),
        ({"input": {"text": "a"}}, "input: must be a string or an array, not an object"),
        ({"input": []}, "input: must hold at least one text"),
        ({"input": [None]}, MIXED),
        ({"input": ["a", 1]}, MIXED),
        ({"input": [1, [2]]}, MIXED),
        ({"input": [True]}, MIXED),
        ({"input": [1.5]}, MIXED),
        ({"input": [[]]}, MIXED),
        ({"input": [["a"]]}, MIXED),
        ({"input": [[True]]}, MIXED),
        ({"input": "a", "stream": True}, "stream: embeddings are not streamed"),
        (
            {"model": "m", "input": "a", "encoding_format": "hex"},
            "encoding_format: must be float or base64",
        ),
        ({"input": ["a"], "encoding_format": []}, "encoding_format: must be float or base64"),
        ({"input": "a", "model": 5}, "model: must be a string, not an integer"),
        ({"input": "a", "user": 5}, "user: must be a string, not an integer"),
        (
            {"model": "m", "input": "a", "dimensions": "8"},
            "dimensions: must be an integer, not a string",
        ),
    ],
)
def test_what_is_wrong_is_refused_by_name(body: Json, message: str) -> None:
    with pytest.raises(BadRequest) as refused:
        read_request(body)
    assert refused.value.message == message
    assert refused.value.field == message.partition(":")[0]


floats = st.floats(width=32, allow_nan=False, allow_infinity=False)
replies = st.builds(
    EmbeddingsReply,
    st.text(max_size=5),
    st.lists(st.lists(floats, max_size=5), max_size=4),
    st.builds(Usage, st.integers(0, 2**40)),
)


@given(replies, st.booleans())
@quickly
def test_a_reply_is_read_as_it_was_meant(reply: EmbeddingsReply, base64: bool) -> None:
    asked = EmbeddingsRequest("m", ["a"], encoding="base64" if base64 else "float")
    written = EMBEDDINGS_FORM.write_reply(reply, asked)
    assert written.dropped == set()
    body = loads(dumps(written.body))
    OPENAI_EMBEDDINGS.check_reply(body)
    assert read_reply(body) == reply


@given(
    st.builds(
        EmbeddingsRequest,
        st.text(max_size=5),
        st.lists(st.text(max_size=5), min_size=1, max_size=3)
        | st.lists(st.lists(st.integers(0, 9), min_size=1), min_size=1, max_size=3),
        st.none() | st.integers(1, 9),
        user=st.none() | st.text(max_size=5),
    )
)
@quickly
def test_a_request_is_read_as_it_was_meant(request: EmbeddingsRequest) -> None:
    written = EMBEDDINGS_FORM.write_request(request)
    assert read_request(loads(dumps(written.body))) == request
    assert written.dropped == set()


def test_a_reply_is_written_as_it_was_asked_for() -> None:
    reply = EmbeddingsReply("m", [[1.0, -2.0]], Usage(3))
    floats = EmbeddingsRequest("m", ["a"])
    packed = EmbeddingsRequest("m", ["a"], encoding="base64")
    assert EMBEDDINGS_FORM.write_reply(reply, floats).body == {
        "object": "list",
        "data": [{"object": "embedding", "index": 0, "embedding": [1.0, -2.0]}],
        "model": "m",
        "usage": {"prompt_tokens": 3, "total_tokens": 3},
    }
    (row,) = EMBEDDINGS_FORM.write_reply(reply, packed).body["data"]
    assert row["embedding"] == "AACAPwAAAMA="


def test_an_imitator_may_leave_out_its_model_and_the_rows_numbers() -> None:
    rows = [{"embedding": [1.0]}, {"embedding": [2.0]}]
    assert read_reply({"data": rows}) == EmbeddingsReply("", [[1.0], [2.0]])


def test_base64_is_of_little_endian_floats_of_32_bits() -> None:
    assert pack([1.0, -2.0]) == "AACAPwAAAMA="
    assert unpack("AACAPwAAAMA=") == [1.0, -2.0]


def test_rows_are_put_in_the_order_of_their_inputs() -> None:
    rows = [{"index": 1, "embedding": [2.0]}, {"index": 0, "embedding": [1.0]}]
    assert read_reply({"model": "m", "data": rows}) == EmbeddingsReply("m", [[1.0], [2.0]])


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"data": {}},
        {"error": {"message": "busy"}},
        {"model": "m", "data": [None]},
        {"model": "m", "data": [{"index": 0}]},
        {"model": "m", "data": [{"index": 0, "embedding": "AAAA"}]},
        {"model": "m", "data": [{"index": 0, "embedding": "A"}]},
        {"model": "m", "data": [{"index": 0, "embedding": None}]},
        {"model": "m", "data": [{"index": 0, "embedding": {"a": 1}}]},
        {"model": "m", "data": [{"index": 0, "embedding": ["x"]}]},
        {"model": "m", "data": [{"index": 0, "embedding": "****"}]},
    ],
)
def test_a_malformed_reply_is_the_providers_fault(body: Json) -> None:
    with pytest.raises(UpstreamBroke):
        read_reply(body)


def test_no_wound_in_a_request_is_more_than_a_bad_request() -> None:
    body = {
        "model": "m",
        "input": [[1]],
        "dimensions": 1,
        "encoding_format": "float",
        "stream": False,
    }
    assert crashes(read_request, body, BadRequest) == []
    assert crashes(read_request, body | {"input": ["a"]}, BadRequest) == []


def test_no_wound_in_a_reply_is_more_than_a_broken_upstream() -> None:
    rows = [{"object": "embedding", "index": at, "embedding": [1.0]} for at in range(2)]
    body = {"model": "m", "data": rows, "usage": {"prompt_tokens": 1}}
    assert crashes(read_reply, body, UpstreamBroke) == []

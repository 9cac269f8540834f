"""embedContent and batchEmbedContents, both ways."""

import pytest

from gateway.dialects.forms import Written
from gateway.dialects.gemini import GEMINI_BATCH_EMBED, GEMINI_EMBED
from gateway.embeddings import EmbeddingsReply, EmbeddingsRequest
from gateway.errors import BadRequest, Unsupported, UpstreamBroke
from gateway.usage import Usage
from gateway.wire.json import Json

assert GEMINI_EMBED.embeddings
assert GEMINI_BATCH_EMBED.embeddings
ONE, MANY = GEMINI_EMBED.embeddings, GEMINI_BATCH_EMBED.embeddings


def content(*texts: str) -> Json:
    return {"role": "user", "parts": [{"text": text} for text in texts]}


def test_one_text_is_read() -> None:
    body = {
        "model": "models/e",
        "content": content("a", "b"),
        "output_dimensionality": 3,
        "taskType": "RETRIEVAL_QUERY",
    }
    assert ONE.read_request(body) == EmbeddingsRequest(
        "e", ["ab"], 3, single=True, unread={"taskType": "RETRIEVAL_QUERY"}
    )


def test_a_batch_is_read() -> None:
    requests = [
        {"model": "models/e", "content": content("a"), "outputDimensionality": 3},
        {"content": content("b"), "outputDimensionality": 3, "title": "t"},
    ]
    assert MANY.read_request({"requests": requests, "odd": 1}) == EmbeddingsRequest(
        "e", ["a", "b"], 3, unread={"requests[].title": "t", "odd": 1}
    )


def test_vectors_of_different_lengths_cannot_be_asked_for_elsewhere() -> None:
    requests = [{"content": content("a")}, {"content": content("b"), "outputDimensionality": 3}]
    with pytest.raises(BadRequest) as refused:
        MANY.read_request({"requests": requests})
    assert refused.value.field == "requests[1].outputDimensionality"


def test_only_texts_are_embedded_elsewhere() -> None:
    image = {"parts": [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]}
    with pytest.raises(Unsupported) as refused:
        MANY.read_request({"requests": [{"content": image}]})
    assert refused.value.field == "requests[0].content"


def test_requests_are_written() -> None:
    request = EmbeddingsRequest("e", ["a"], 3, user="u")
    one = {"model": "models/e", "content": {"parts": [{"text": "a"}]}, "outputDimensionality": 3}
    assert ONE.write_request(request) == Written(one, frozenset({"user"}))
    assert MANY.write_request(request).body == {"requests": [one]}
    assert MANY.write_request(EmbeddingsRequest("tunedModels/e", ["a"])).body == {
        "requests": [{"model": "tunedModels/e", "content": {"parts": [{"text": "a"}]}}]
    }


def test_what_gemini_cannot_embed_is_for_another() -> None:
    with pytest.raises(Unsupported, match="one text at a time"):
        ONE.write_request(EmbeddingsRequest("e", ["a", "b"]))
    with pytest.raises(Unsupported, match="not token numbers"):
        MANY.write_request(EmbeddingsRequest("e", [[1, 2]]))


def test_replies_are_read_and_written() -> None:
    counted = {"usageMetadata": {"promptTokenCount": 4}}
    one = {"embedding": {"values": [1, 0.5]}, **counted}
    many = {"embeddings": [{"values": [1.0]}, {"values": [0.5]}], **counted}
    request = EmbeddingsRequest("e", ["a"])
    assert ONE.read_reply(one) == EmbeddingsReply("", [[1.0, 0.5]], Usage(4))
    assert ONE.write_reply(ONE.read_reply(one), request).body == one
    assert MANY.read_reply(many) == EmbeddingsReply("", [[1.0], [0.5]], Usage(4))
    assert MANY.write_reply(MANY.read_reply(many), request).body == many
    assert ONE.write_reply(EmbeddingsReply("e", [[0.5]]), request).body == {
        "embedding": {"values": [0.5]}
    }


@pytest.mark.parametrize("values", [None, 3, ["x"], [True], [None]])
def test_what_is_no_vector_is_broken(values: object) -> None:
    with pytest.raises(UpstreamBroke):
        ONE.read_reply({"embedding": {"values": values}})
    with pytest.raises(UpstreamBroke):
        MANY.read_reply({"embeddings": [{"values": values}]})
    with pytest.raises(UpstreamBroke):
        MANY.read_reply({"embeddings": [values]})

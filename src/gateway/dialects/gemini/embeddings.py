"""embedContent and batchEmbedContents, both ways.

https://ai.google.dev/api/embeddings
"""

from typing import Any

from gateway.chat.blocks import Text
from gateway.dialects.forms import Written
from gateway.dialects.gemini.calls import Calls
from gateway.dialects.gemini.check import (
    check_batch_embed,
    check_batch_embedded,
    check_embed,
    check_embedded,
    resource,
)
from gateway.dialects.gemini.contents import read_parts
from gateway.dialects.gemini.fields import NUMBER, ProtoFields
from gateway.dialects.gemini.parts import PartReader
from gateway.dialects.gemini.seals import returned
from gateway.dialects.gemini.usage import read_usage
from gateway.embeddings import EmbeddingsReply, EmbeddingsRequest
from gateway.errors import BadRequest, Unsupported, UpstreamBroke
from gateway.usage import Usage
from gateway.wire.json import Json


def read_one(body: Json) -> EmbeddingsRequest:
    check_embed(body)
    unread: Json = {}
    text, dimensions, model = _read(ProtoFields(body), unread)
    return EmbeddingsRequest(model, [text], dimensions, single=True, unread=unread)


def read_batch(body: Json) -> EmbeddingsRequest:
    """Raises BadRequest for requests that want vectors of different lengths."""
    check_batch_embed(body)
    fields, unread = ProtoFields(body), dict[str, Any]()
    read = [_read(ProtoFields(*one), unread) for one in fields.each("requests")]
    fields.leave(unread)
    _, dimensions, model = read[0]
    for nth, (_, others, _) in enumerate(read):
        if others != dimensions:
            path = f"requests[{nth}].outputDimensionality"
            raise BadRequest(path, "must be the same in all requests")
    return EmbeddingsRequest(model, [text for text, _, _ in read], dimensions, unread=unread)


def _read(fields: ProtoFields, unread: Json) -> tuple[str, int | None, str]:
    content = ProtoFields(fields.need("content", dict), fields.path("content"))
    content.may("role", str)
    calls = Calls()
    blocks = read_parts(content, PartReader(returned, calls.called, calls.answered, unread), "")
    content.leave(unread)
    texts = [block.text for block in blocks if isinstance(block, Text)]
    if len(texts) < len(blocks):
        raise Unsupported(
            f"{fields.path('content')}: only texts can be embedded by another provider's models",
            field=fields.path("content"),
        )
    dimensions = fields.whole("outputDimensionality")
    model = (fields.may("model", str) or "").removeprefix("models/")
    fields.leave(unread)
    return "".join(texts), dimensions, model


def write_one(request: EmbeddingsRequest) -> Written:
    texts = _texts(request)
    if len(texts) != 1:
        raise Unsupported("embedContent embeds one text at a time", field="input")
    return Written(_write(request, texts[0]), _dropped(request))


def write_batch(request: EmbeddingsRequest) -> Written:
    body = {"requests": [_write(request, text) for text in _texts(request)]}
    return Written(body, _dropped(request))


def _texts(request: EmbeddingsRequest) -> list[str]:
    texts = [one for one in request.inputs if isinstance(one, str)]
    if len(texts) < len(request.inputs):
        raise Unsupported("Gemini embeds texts, and not token numbers", field="input")
    return texts


def _write(request: EmbeddingsRequest, text: str) -> Json:
    body: Json = {"model": resource(request.model), "content": {"parts": [{"text": text}]}}
    if request.dimensions is not None:
        body["outputDimensionality"] = request.dimensions
    return body


def _dropped(request: EmbeddingsRequest) -> frozenset[str]:
    return frozenset(("user",) if request.user is not None else ())


def read_one_reply(body: Json) -> EmbeddingsReply:
    """Raises UpstreamBroke when the reply is not what this API answers."""
    check_embedded(body)
    return _reply(body, [body["embedding"]])


def read_batch_reply(body: Json) -> EmbeddingsReply:
    check_batch_embedded(body)
    return _reply(body, body["embeddings"])


def _reply(body: Json, embeddings: list[Any]) -> EmbeddingsReply:
    try:
        vectors = [_vector(ProtoFields(one, "embedding")) for one in embeddings]
    except BadRequest as error:
        raise UpstreamBroke(f"the provider's answer is malformed: {error}") from error
    return EmbeddingsReply("", vectors, read_usage(body) or Usage())


def _vector(embedding: ProtoFields) -> list[float]:
    values: list[Any] = embedding.need("values", list)
    if not all(isinstance(one, NUMBER) and not isinstance(one, bool) for one in values):
        raise BadRequest("embedding.values", "must be numbers")
    return [float(one) for one in values]


def write_one_reply(reply: EmbeddingsReply, request: EmbeddingsRequest) -> Written:
    del request
    return Written({"embedding": {"values": reply.vectors[0]}, **_usage(reply)})


def write_batch_reply(reply: EmbeddingsReply, request: EmbeddingsRequest) -> Written:
    del request
    vectors = [{"values": vector} for vector in reply.vectors]
    return Written({"embeddings": vectors, **_usage(reply)})


def _usage(reply: EmbeddingsReply) -> Json:
    tokens = reply.usage.prompt_tokens
    return {"usageMetadata": {"promptTokenCount": tokens}} if tokens else {}

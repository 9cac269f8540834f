"""The OpenAI Embeddings API, and the many that imitate it.

https://platform.openai.com/docs/api-reference/embeddings
"""

import struct
from base64 import b64decode, b64encode

from gateway.dialects.base import Dialect, Fields, count, json_type, read_error
from gateway.dialects.forms import EmbeddingsForm, Written
from gateway.dialects.openai_errors import failure_in, is_error, write_error, write_stream_error
from gateway.embeddings import EmbeddingsReply, EmbeddingsRequest
from gateway.errors import BadRequest, UpstreamBroke
from gateway.usage import Usage
from gateway.wire.json import Json


def check(body: Json) -> None:
    if body.get("input") is None:
        raise BadRequest("input", "is required: a text, or a list of texts or of token numbers")
    if body.get("stream"):
        raise BadRequest("stream", "embeddings are not streamed")


def check_closely(body: Json) -> None:
    check(body)
    _check_inputs(body["input"])
    if body.get("encoding_format") not in (None, "float", "base64"):
        raise BadRequest("encoding_format", "must be float or base64")


def _check_inputs(inputs: object) -> None:
    if isinstance(inputs, str):
        return
    if not isinstance(inputs, list):
        raise BadRequest("input", f"must be a string or an array, not {json_type(inputs)}")
    if not inputs:
        raise BadRequest("input", "must hold at least one text")
    if not (_all(inputs, str) or _all(inputs, int) or all(_tokens(one) for one in inputs)):
        raise BadRequest("input", "must be all texts, all token numbers, or all arrays of them")


def _all(values: list[object], kind: type) -> bool:
    return all(isinstance(one, kind) and not isinstance(one, bool) for one in values)


def _tokens(value: object) -> bool:
    return isinstance(value, list) and bool(value) and _all(value, int)


def read_request(body: Json) -> EmbeddingsRequest:
    check_closely(body)
    fields, unread = Fields(body), dict[str, object]()
    fields.rest.pop("stream", None)
    inputs = fields.rest.pop("input")
    if isinstance(inputs, str) or isinstance(inputs[0], int):
        inputs = [inputs]
    request = EmbeddingsRequest(
        model=fields.may("model", str) or "",
        inputs=inputs,
        dimensions=fields.may("dimensions", int),
        encoding=fields.may("encoding_format", str) or "float",
        user=fields.may("user", str),
        unread=unread,
    )
    fields.leave(unread)
    return request


def write_request(request: EmbeddingsRequest) -> Written:
    """Without an encoding: not every imitator has base64, and numbers are what all answer with."""
    body: Json = {"model": request.model, "input": request.inputs}
    if request.dimensions is not None:
        body["dimensions"] = request.dimensions
    if request.user is not None:
        body["user"] = request.user
    return Written(body)


def write_reply(reply: EmbeddingsReply, request: EmbeddingsRequest) -> Written:
    """As base64, which the official SDKs ask for, a vector is little-endian 32-bit floats."""
    base64 = request.encoding == "base64"
    body: Json = {
        "object": "list",
        "data": [
            {
                "object": "embedding",
                "index": index,
                "embedding": pack(vector) if base64 else vector,
            }
            for index, vector in enumerate(reply.vectors)
        ],
        "model": reply.model,
        "usage": {
            "prompt_tokens": reply.usage.input_tokens,
            "total_tokens": reply.usage.input_tokens,
        },
    }
    return Written(body)


def read_reply(body: Json) -> EmbeddingsReply:
    """Raises UpstreamBroke when the reply is not what this API answers."""
    check_reply(body)
    try:
        rows = sorted(body["data"], key=lambda row: row.get("index", 0))
        return EmbeddingsReply(
            model=str(body.get("model") or ""),
            vectors=[unpack(row["embedding"]) for row in rows],
            usage=read_usage(body) or Usage(),
        )
    except (AttributeError, KeyError, TypeError, ValueError, struct.error) as error:
        raise UpstreamBroke(f"the provider's answer is malformed: {error!r}") from error


def pack(vector: list[float]) -> str:
    return b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def unpack(vector: list[float] | str) -> list[float]:
    """Raises TypeError or ValueError for what is no vector."""
    if isinstance(vector, list):
        return [float(number) for number in vector]
    raw = b64decode(vector, validate=True)
    return list(struct.unpack(f"<{len(raw) // 4}f", raw))


def check_reply(body: Json) -> None:
    if isinstance(body.get("data"), list):
        return
    if error := body.get("error"):
        raise failure_in(error)
    raise UpstreamBroke("the provider's answer has no data: it is no list of embeddings")


def read_usage(body: Json) -> Usage | None:
    counts = body.get("usage")
    tokens = count(counts, "prompt_tokens")
    return Usage(input_tokens=tokens) if tokens else None


EMBEDDINGS_FORM = EmbeddingsForm(read_request, write_request, read_reply, write_reply)

OPENAI_EMBEDDINGS = Dialect(
    name="openai_embeddings",
    check=check,
    check_closely=check_closely,
    amend=lambda _: {},
    watch=None,
    read_usage=read_usage,
    check_reply=check_reply,
    read_error=read_error,
    is_error=is_error,
    write_error=write_error,
    write_stream_error=write_stream_error,
    embeddings=EMBEDDINGS_FORM,
)

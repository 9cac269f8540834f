"""The echo in OpenAI's Embeddings dialect: hashed bags of words, so that like texts lie close."""

import math
import re
import zlib

from gateway.adapters.echo.speech import count_tokens
from gateway.dialects.forms import Identity
from gateway.dialects.openai_embeddings import EMBEDDINGS_FORM
from gateway.embeddings import EmbeddingsReply
from gateway.errors import BadRequest
from gateway.usage import Usage
from gateway.wire.json import Json, dumps

DIMENSIONS = 256
MOST_DIMENSIONS = 4096
MOST_INPUTS = 2048  # as many as OpenAI takes
_WORD = re.compile(r"\w+")


def answer_embeddings(body: Json, identity: Identity) -> bytes:
    del identity  # equal texts have equal embeddings
    request = EMBEDDINGS_FORM.read_request(body)
    dimensions = DIMENSIONS if request.dimensions is None else request.dimensions
    if len(request.inputs) > MOST_INPUTS:
        raise BadRequest("input", f"must hold at most {MOST_INPUTS} texts")
    if not 1 <= dimensions <= MOST_DIMENSIONS:
        raise BadRequest("dimensions", f"must be between 1 and {MOST_DIMENSIONS}")
    texts = [one if isinstance(one, str) else " ".join(map(str, one)) for one in request.inputs]
    reply = EmbeddingsReply(
        model=request.model,
        vectors=[embed(text, dimensions) for text in texts],
        usage=Usage(input_tokens=sum(count_tokens(text) for text in texts)),
    )
    return dumps(EMBEDDINGS_FORM.write_reply(reply, request).body)


def embed(text: str, dimensions: int) -> list[float]:
    """A vector of length 1: each word adds to the place and with the sign that its hash says."""
    vector = [0.0] * dimensions
    for word in _WORD.findall(text.lower()) or [text]:
        hashed = zlib.crc32(word.encode())
        vector[(hashed >> 1) % dimensions] += 1.0 if hashed & 1 else -1.0
    length = math.sqrt(sum(value * value for value in vector))
    return [value / length for value in vector] if length else [1.0, *vector[1:]]

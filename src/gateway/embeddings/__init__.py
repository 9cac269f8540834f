"""What a request for embeddings *is*, whatever wire format it arrived in."""

from dataclasses import dataclass, field
from typing import Any, Literal

from gateway.usage import Usage


@dataclass(slots=True)
class EmbeddingsRequest:
    """``inputs``: texts, or texts as token numbers. ``encoding``: how the caller wants them.
    ``single``: the caller's dialect has one input and one vector, not lists of them."""

    model: str
    inputs: list[str] | list[list[int]]
    dimensions: int | None = None
    encoding: Literal["float", "base64"] = "float"
    user: str | None = None
    single: bool = False
    unread: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class EmbeddingsReply:
    """``vectors``: one for each input, in its order."""

    model: str
    vectors: list[list[float]]
    usage: Usage = field(default_factory=Usage)

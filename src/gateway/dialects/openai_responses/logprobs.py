"""Tokens and their probabilities."""

from collections.abc import Iterable

from gateway.chat.reply import TokenLogprob
from gateway.dialects.base import Fields
from gateway.wire.json import Json

NUMBER = (int, float)


def read_logprobs(holder: Fields) -> list[TokenLogprob]:
    return [_read(Fields(*one)) for one in holder.each("logprobs")]


def _read(token: Fields) -> TokenLogprob:
    others = [Fields(*one) for one in token.each("top_logprobs")]
    return TokenLogprob(
        token.need("token", str),
        token.need("logprob", NUMBER),
        token.may("bytes", list),
        tuple(_read(other) for other in others if other.rest.get("token") is not None),
    )


def write_logprobs(tokens: Iterable[TokenLogprob]) -> list[Json]:
    return [{**_write(token), "top_logprobs": [*map(_write, token.top)]} for token in tokens]


def _write(token: TokenLogprob) -> Json:
    """``bytes`` is required here."""
    data = list(token.token.encode()) if token.bytes is None else token.bytes
    return {"token": token.token, "bytes": data, "logprob": token.logprob}

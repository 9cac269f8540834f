"""How likely each token was.

https://ai.google.dev/api/generate-content#LogprobsResult
"""

from collections.abc import Iterable

from gateway.chat.reply import TokenLogprob
from gateway.dialects.gemini.fields import NUMBER, ProtoFields
from gateway.wire.json import Json


def read_logprobs(candidate: ProtoFields) -> list[TokenLogprob]:
    """Raises BadRequest for what is none of this API's."""
    result = candidate.inner("logprobsResult")
    if result is None:
        return []
    steps = [ProtoFields(*step).each("candidates") for step in result.each("topCandidates")]
    chosen = []
    for nth, (raw, path) in enumerate(result.each("chosenCandidates")):
        token = _read(raw, path)
        if nth < len(steps):
            token.top = tuple(_read(*one) for one in steps[nth])
        chosen.append(token)
    return chosen


def _read(raw: object, path: str) -> TokenLogprob:
    token = ProtoFields(raw, path)
    # What is certain has the logarithm 0, which protocol buffers may leave out.
    return TokenLogprob(token.may("token", str) or "", token.may("logProbability", NUMBER) or 0)


def write_logprobs(tokens: Iterable[TokenLogprob]) -> Json:
    tokens = list(tokens)
    result: Json = {"chosenCandidates": [_write(token) for token in tokens]}
    if any(token.top for token in tokens):
        result["topCandidates"] = [
            {"candidates": [_write(one) for one in token.top]} for token in tokens
        ]
    return result


def _write(token: TokenLogprob) -> Json:
    return {"token": token.token, "logProbability": token.logprob}

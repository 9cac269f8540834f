"""What an answer says beside its content, and no other dialect has a place for.

https://ai.google.dev/api/generate-content#candidate
"""

from collections.abc import Iterator
from typing import Any

from gateway.chat.blocks import Foreign
from gateway.dialects.gemini.fields import camel_case
from gateway.dialects.gemini.stops import STOP_REASONS, UNSPECIFIED
from gateway.wire.json import Json

Aside = tuple[str, Any]  # its name, and what is said

# What is read elsewhere, or says nothing that a caller would miss.
ENVELOPE = frozenset(
    {
        "candidates",
        "createTime",
        "modelStatus",
        "modelVersion",
        "promptFeedback",
        "responseId",
        "usageMetadata",
    }
)
CANDIDATE = frozenset(
    {
        "avgLogprobs",
        "citationMetadata",
        "content",
        "finishMessage",
        "finishReason",
        "groundingMetadata",
        "index",
        "logprobsResult",
        "safetyRatings",
        "tokenCount",
    }
)
GROUNDING = frozenset({"groundingChunks", "groundingSupports", "retrievalMetadata"})
SOURCE = frozenset({"domain", "sourceUri", "text", "title", "uri"})
PASSAGE = frozenset({"endIndex", "startIndex", "title", "uri"})
# Reasons to end that say no more than that it has.
ENDS = frozenset({None, UNSPECIFIED, "STOP"})
# How harmful an answer may be before its rating is worth a word.
HARMFUL = ("HIGH", "MEDIUM")  # what is compared may be anything
# Not of the dialect's own name: these are no parts, so even Gemini's writer cannot tell them.
NAME = "gemini_aside"


def aside(told: Aside) -> Foreign:
    """So that whoever writes a whole answer reports it."""
    name, value = told
    return Foreign(NAME, {name: value})


def beside_candidates(envelope: Json) -> Iterator[Aside]:
    yield from _others(envelope, ENVELOPE)
    ratings = _object(envelope.get("promptFeedback")).get("safetyRatings")
    if _harmful(ratings):
        yield "promptFeedback.safetyRatings", ratings


def beside_content(candidate: Json) -> Iterator[Aside]:
    """What is malformed is passed over: the answer does not depend on it."""
    yield from _others(candidate, CANDIDATE)
    if _harmful(ratings := candidate.get("safetyRatings")):
        yield "safetyRatings", ratings
    grounding = _object(candidate.get("groundingMetadata"))
    for name, value in _others(grounding, GROUNDING):
        yield f"groundingMetadata.{name}", value
    for chunk in _objects(grounding.get("groundingChunks")):
        for source in _objects(list(chunk.values())):
            yield from (("citations", value) for _, value in _others(source, SOURCE))
    passages = _object(candidate.get("citationMetadata"))
    for one in _objects(passages.get("citationSources") or passages.get("citations")):
        for name, value in _others(one, PASSAGE):
            yield f"citationMetadata.{name}", value


def beside_reason(finish: str | None, words: str | None) -> Iterator[Aside]:
    """``words``: the ``finishMessage``. Of a ``STOP`` it says only that functions are called. A
    filter's are no refusal of the model's: who is told those may take what came before for all."""
    if finish in ENDS:
        return
    if finish not in STOP_REASONS:
        yield "finishReason", finish
    if words:
        yield "finishMessage", words


def _others(told: Json, known: frozenset[str]) -> Iterator[Aside]:
    for name, value in told.items():
        if value and camel_case(name) not in known:
            yield name, value


def _harmful(ratings: object) -> bool:
    return any(
        one.get("blocked") is True or one.get("probability") in HARMFUL for one in _objects(ratings)
    )


def _object(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def _objects(value: object) -> list[Json]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []

"""Whatever stands in the place of any value, Gemini's dialect answers with an error of ours."""

from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dialects.gemini import GEMINI, GEMINI_BATCH_EMBED, GEMINI_COUNT, GEMINI_EMBED
from gateway.dialects.gemini.watch import GeminiWatch
from gateway.errors import CallerError, UpstreamError
from gateway.wire.json import Json, dumps
from tests.dialects.gemini import CHAT, IDENTITY, REPLY, REQUEST, asked, chunk
from tests.dialects.hostile import anything, crashes, quickly

assert GEMINI_COUNT.count
assert GEMINI_EMBED.embeddings
assert GEMINI_BATCH_EMBED.embeddings
COUNT, ONE, MANY = GEMINI_COUNT.count, GEMINI_EMBED.embeddings, GEMINI_BATCH_EMBED.embeddings
PARTIAL = chunk(
    {"functionCall": {"name": "f", "willContinue": True}},
    {
        "functionCall": {
            "partialArgs": [
                {"jsonPath": "$.a[0].b", "stringValue": "x"},
                {"jsonPath": "$['c d']", "numberValue": 1},
            ]
        }
    },
    finish="STOP",
    promptFeedback={"blockReason": "SAFETY", "blockReasonMessage": "no"},
)


def ask(body: Json) -> None:
    GEMINI.check(body)
    GEMINI.address(body, "m")
    GEMINI.unseal(body, "m")
    request = CHAT.read_request(body)
    for model in ("gemini-3-pro", "gemini-4-neon", "gemini-2.5-flash", "gemma-3-27b-it"):
        request.model = model
        CHAT.write_request(request)


def count(body: Json) -> None:
    GEMINI_COUNT.check(body)
    GEMINI_COUNT.address(body, "m")
    GEMINI_COUNT.unseal(body, "m")
    COUNT.write_request(COUNT.read_request(body))


def embed(body: Json) -> None:
    GEMINI_EMBED.check(body)
    GEMINI_EMBED.address(body, "m")
    ONE.write_request(ONE.read_request(body))


def embed_many(body: Json) -> None:
    GEMINI_BATCH_EMBED.check(body)
    GEMINI_BATCH_EMBED.address(body, "m")
    MANY.write_request(MANY.read_request(body))


def answer(body: Json) -> None:
    GEMINI.read_usage(body)
    GEMINI.read_error(body)
    CHAT.write_reply(CHAT.read_reply(body, IDENTITY), asked())


def stream(body: Json) -> None:
    reader, writer = CHAT.reader(IDENTITY), CHAT.writer(asked())
    for _ in range(2):
        for event in reader.feed(dumps(body)):
            writer.feed(event)
    for event in reader.finish():
        writer.feed(event)


def watch(body: Json) -> None:
    watching = GeminiWatch({})
    for _ in range(2):
        watching.look(dumps(body))
    watching.telling(b"data: " + dumps(body) + b"\n\n", 0)
    watching.finish()
    assert watching.usage is None or watching.usage.output_tokens >= 0


BESIDE = chunk(
    {"text": "aé"},
    finish="OTHER",
    index=0,
    promptFeedback={"safetyRatings": [{"category": "C", "probability": "HIGH"}]},
    tomorrow=[1],
)
BESIDE["candidates"][0] |= {
    "finishMessage": "odd",
    "safetyRatings": [{"category": "C", "probability": "LOW", "blocked": True}],
    "urlContextMetadata": {"urlMetadata": [{"retrievedUrl": "u"}]},
    "groundingMetadata": {
        "searchEntryPoint": {"renderedContent": "x"},
        "groundingChunks": [{"maps": {"uri": "u", "placeId": "p"}}],
        "groundingSupports": [
            {
                "segment": {"partIndex": 0, "startIndex": 1, "endIndex": 3},
                "groundingChunkIndices": [0],
            }
        ],
    },
    "citationMetadata": {"citations": [{"uri": "u", "license": "mit", "endIndex": 1}]},
}
NEWER: Json = {
    "contents": [{"parts": [{"fileData": {"fileUri": "files/a"}, "thought": True}]}],
    "generationConfig": {
        "responseFormat": [{"text": {"mimeType": "APPLICATION_JSON", "schema": {"type": "object"}}}]
    },
    "store": False,
}
EMBED: Json = {"model": "models/e", "content": {"parts": [{"text": "a"}]}, "taskType": "X"}


@pytest.mark.parametrize(
    ("work", "body", "allowed"),
    [
        (ask, REQUEST, CallerError),
        (ask, NEWER, CallerError),
        (count, {"generateContentRequest": {**REQUEST, "model": "models/x"}}, CallerError),
        (embed, {**EMBED, "outputDimensionality": 3}, CallerError),
        (embed_many, {"requests": [EMBED]}, CallerError),
        (answer, REPLY, UpstreamError),
        (stream, REPLY, UpstreamError),
        (stream, PARTIAL, UpstreamError),
        (answer, BESIDE, UpstreamError),
        (stream, BESIDE, UpstreamError),
        (watch, REPLY, UpstreamError),
        (COUNT.read_reply, {"totalTokens": 3}, UpstreamError),
        (ONE.read_reply, {"embedding": {"values": [1]}}, UpstreamError),
        (MANY.read_reply, {"embeddings": [{"values": [1]}]}, UpstreamError),
    ],
)
def test_a_wound_is_answered_by_an_error_of_ours(
    work: Callable[[Json], object], body: Json, allowed: type[Exception]
) -> None:
    assert crashes(work, body, allowed) == []


@quickly
@given(st.dictionaries(st.sampled_from([*REQUEST, *REPLY]) | st.text(max_size=3), anything))
def test_so_is_anything_else(body: Json) -> None:
    for work, allowed in ((ask, CallerError), (answer, UpstreamError), (stream, UpstreamError)):
        with suppress(allowed):
            work(body)

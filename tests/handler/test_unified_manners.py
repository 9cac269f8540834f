"""What MLflow's own API refuses in the place of leaving it out, and that nobody else does."""

import pytest

from gateway.adapters.memory import MemoryEndpoints
from gateway.routing.endpoint import Endpoint, Target
from gateway.wire.json import Json, dumps
from tests.dialects.messages import REPLY
from tests.fakes import FakeUpstream
from tests.handler.driver import World, post
from tests.sdk.said import completion, says

CLAUDE, GEMINI = Target("anthropic", "claude-real", "key"), Target("gemini", "gemini-real", "key")
GPT = Target("openai", "gpt-real", "key")
HI: Json = {"messages": [{"role": "user", "content": "hi"}]}
UNIFIED, OPENAIS = "/gateway/mlflow/v1/chat/completions", "/gateway/openai/v1/chat/completions"
CHAT = dumps(completion(says("hi")))
GENERATED = b'{"candidates": [{"content": {"parts": [{"text": "hi"}]}, "finishReason": "STOP"}]}'


def world(*answers: bytes) -> World:
    served = [
        Endpoint("claude", (CLAUDE,)),
        Endpoint("gemini", (GEMINI,)),
        Endpoint("gpt", (GPT,)),
        Endpoint("both", (CLAUDE,), (GPT,)),
    ]
    return World(tuple(map(FakeUpstream, answers)), endpoints=MemoryEndpoints(served))


ONLY_ONE = "'n' must be '1' for the Anthropic provider. Received value: '2'."
REFUSED = [
    ("claude", {"n": 2}, ONLY_ONE),
    (
        "claude",
        {"temperature": 0.5, "top_p": 0.5},
        "Cannot set both 'temperature' and 'top_p' parameters.",
    ),
    ("gemini", {"topP": 0.5}, "Invalid parameter topP. Use top_p instead."),
    ("gemini", {"topK": 5}, "Invalid parameter topK. Use top_k instead."),
    (
        "gemini",
        {"maxOutputTokens": 5},
        "Invalid parameter maxOutputTokens. Use max_tokens instead.",
    ),
    ("gemini", {"stopSequences": ["x"]}, "Invalid parameter stopSequences. Use stop instead."),
    ("gemini", {"candidateCount": 1}, "Invalid parameter candidateCount. Use n instead."),
]


@pytest.mark.parametrize(("endpoint", "asked", "words"), REFUSED)
def test_a_parameter_that_mlflow_refuses_is_refused_in_its_words(
    endpoint: str, asked: Json, words: str
) -> None:
    told = post(UNIFIED, {**HI, **asked, "model": endpoint}, world())
    assert (told.status, told.json["detail"]) == (422, words)
    assert told.json["error"]["param"] == next(iter(asked))


@pytest.mark.parametrize(("endpoint", "asked", "words"), REFUSED)
def test_elsewhere_it_is_left_out_and_reported(endpoint: str, asked: Json, words: str) -> None:
    del words
    reply = REPLY if endpoint == "claude" else GENERATED
    told = post(OPENAIS, {**HI, **asked, "model": endpoint}, world(reply))
    assert told.status == 200
    # Older models of Claude take both of temperature and top_p, today's neither.
    assert told.headers.get("x-gateway-dropped") == ", ".join(asked)


@pytest.mark.parametrize("asked", [{"n": 2}, {"temperature": 0.5, "top_p": 0.5}])
def test_a_fallback_that_can_be_told_is_tried(asked: Json) -> None:
    served = world(CHAT)
    told = post(UNIFIED, {**HI, **asked, "model": "both"}, served)
    assert (told.status, told.body) == (200, CHAT)
    assert told.headers["x-gateway-target"] == "openai/gpt-real"


@pytest.mark.parametrize(
    ("endpoint", "asked", "reply"),
    [
        ("claude", {"n": 1, "temperature": 0.5}, REPLY),
        ("claude", {"n": None, "temperature": None, "top_p": 0.5}, REPLY),
        ("gemini", {"n": 2, "temperature": 0.5, "top_p": 0.5}, GENERATED),
        ("gpt", {"n": 2, "temperature": 0.5, "top_p": 0.5}, CHAT),
    ],
)
def test_what_can_be_told_is_not_refused(endpoint: str, asked: Json, reply: bytes) -> None:
    assert post(UNIFIED, {**HI, **asked, "model": endpoint}, world(reply)).status == 200

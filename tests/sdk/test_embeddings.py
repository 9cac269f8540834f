"""Embeddings and the list of models."""

import base64
import struct
from typing import Any

import openai
import pytest

from gateway.usage import Usage
from tests.live import LiveGateway, ScriptedProvider, answer
from tests.sdk.clients import Sdk

pytestmark = pytest.mark.sdk

VECTORS = [[0.5, -0.25], [0.125, 1.0]]
PACKED = [base64.b64encode(struct.pack("<2f", *vector)).decode() for vector in VECTORS]


def embeddings(*vectors: Any) -> dict[str, Any]:
    rows = [
        {"object": "embedding", "index": nth, "embedding": vector}
        for nth, vector in enumerate(vectors)
    ]
    used = {"prompt_tokens": 4, "total_tokens": 4}
    return {"object": "list", "data": rows, "model": "text-embedding-test", "usage": used}


def test_by_default_the_sdk_asks_for_base64_and_unpacks_it(
    sdk: Sdk, provider: ScriptedProvider
) -> None:
    provider.will(answer(embeddings(*PACKED)))
    reply = sdk.call(lambda client: client.embeddings.create(model="model", input=["a", "b"]))
    assert [row.embedding for row in reply.data] == VECTORS
    assert (provider.requests[0].path, provider.requests[0].json) == (
        "/v1/embeddings",
        {"model": "gpt-test", "input": ["a", "b"], "encoding_format": "base64"},
    )


def test_floats_and_dimensions_pass(
    sdk: Sdk, provider: ScriptedProvider, gateway: LiveGateway
) -> None:
    provider.will(answer(embeddings(*VECTORS)))
    raw = sdk.call(
        lambda client: client.embeddings.with_raw_response.create(
            model="model", input=[[1, 2], [3]], encoding_format="float", dimensions=2, user="u"
        )
    )
    assert [row.embedding for row in raw.parse().data] == VECTORS
    assert provider.requests[0].json == {
        "model": "gpt-test",
        "input": [[1, 2], [3]],
        "encoding_format": "float",
        "dimensions": 2,
        "user": "u",
    }
    assert gateway.ledger.of(raw).usage == Usage(4)


def test_a_providers_refusal_is_raised(sdk: Sdk, provider: ScriptedProvider) -> None:
    said = {"message": "too long", "type": "invalid_request_error", "param": None, "code": None}
    provider.will(answer({"error": said}, 400))
    with pytest.raises(openai.BadRequestError) as caught:
        sdk.call(lambda client: client.embeddings.create(model="model", input="a"))
    assert caught.value.body == said


def test_a_success_without_vectors_is_a_bad_gateway(sdk: Sdk, provider: ScriptedProvider) -> None:
    provider.will(answer({"object": "list"}))
    with pytest.raises(openai.InternalServerError) as caught:
        sdk.call(lambda client: client.embeddings.create(model="model", input="a"))
    assert caught.value.status_code == 502


def test_the_endpoints_are_listed_as_models(sdk: Sdk, api: str) -> None:
    listed = list(sdk.call(lambda client: client.models.list()).data)
    names = [
        "demo",
        "gone",
        "impatient",
        "keyless",
        "model",
        "quits",
        "restless",
        "steady",
        "thinker",
    ]
    others = [one.id for one in listed if "claude" not in one.id and "any-" not in one.id]
    assert others == names
    owner = {"openai": "sluicegate", "mlflow": "mlflow"}[api]
    assert {(one.object, one.owned_by) for one in listed} == {("model", owner)}


def test_an_endpoint_is_shown_as_a_model(sdk: Sdk) -> None:
    assert sdk.call(lambda client: client.models.retrieve("model")).id == "model"


def test_an_unknown_model_is_not_found(sdk: Sdk) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        sdk.call(lambda client: client.models.retrieve("nope"))
    assert caught.value.code == "model_not_found"

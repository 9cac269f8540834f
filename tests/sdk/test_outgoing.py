"""What of a caller's request reaches the provider, and what never does."""

from typing import Any

import pytest

from tests.live import KEY, ScriptedProvider, answer, sse
from tests.sdk.clients import Sdk
from tests.sdk.said import HELLO, HI, completion, response, says

pytestmark = pytest.mark.sdk

OF_THE_CALLER = {
    "Cookie": "session=1",
    "X-Forwarded-For": "10.1.2.3",
    "X-Real-IP": "10.1.2.3",
    "Forwarded": "for=10.1.2.3",
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "api-key": "caller-key",
    "x-api-key": "caller-key",
    "x-goog-api-key": "caller-key",
    "OpenAI-Organization": "org-of-the-caller",
    "OpenAI-Project": "project-of-the-caller",
    "Proxy-Authorization": "Basic Y2FsbGVy",
    "X-MLflow-Gateway-Caller": "judge",
    "X-MLflow-Guardrail-Bypass": "1",
}


def own_headers(provider: ScriptedProvider, *, stream: bool) -> dict[str, str]:
    (request,) = provider.requests
    return {
        "host": provider.origin.removeprefix("http://"),
        "authorization": f"Bearer {KEY}",
        "content-type": "application/json",
        "content-length": str(len(request.body)),
        "accept": "text/event-stream" if stream else "application/json",
        "accept-encoding": "identity",
        "user-agent": "sluicegate",
        "x-gateway-hops": "1",
    }


def test_the_headers_are_the_gateways_own(sdk: Sdk, provider: ScriptedProvider) -> None:
    provider.will(answer(completion(says("Hello!"))))
    sdk.call(
        lambda client: client.chat.completions.create(
            model="model", messages=HI, extra_headers=OF_THE_CALLER
        )
    )
    assert provider.requests[0].headers == own_headers(provider, stream=False)


def test_a_beta_is_asked_of_the_provider(openai_sdk: Sdk, provider: ScriptedProvider) -> None:
    provider.will(answer(response()))
    beta = {"OpenAI-Beta": "responses=v2", **OF_THE_CALLER}
    openai_sdk.call(
        lambda client: client.responses.create(model="model", input="Hi", extra_headers=beta)
    )
    expected = {**own_headers(provider, stream=False), "openai-beta": "responses=v2"}
    assert provider.requests[0].headers == expected


def test_a_stream_is_asked_for_as_one(sdk: Sdk, provider: ScriptedProvider) -> None:
    provider.will(sse(*HELLO))
    sdk.stream(
        lambda client: client.chat.completions.create(model="model", messages=HI, stream=True)
    )
    assert provider.requests[0].headers == own_headers(provider, stream=True)


# What an SDK would spell anew: numbers, key order, unknown members, the word "model" elsewhere.
ODD: dict[str, Any] = {
    "temperature": 1.0,
    "extra_body": {
        "zeta": {"model": "model", "deep": [1e2, -0.0, 12345678901234567890]},
        "alpha": 'the "model": "model" said',
        "null": None,
    },
}


def test_the_body_arrives_byte_for_byte_but_for_the_model(
    sdk: Sdk, provider: ScriptedProvider
) -> None:
    provider.will(answer(completion(says("Hello!"))))
    raw = sdk.call(
        lambda client: client.chat.completions.with_raw_response.create(
            model="model", messages=HI, **ODD
        )
    )
    sent: bytes = raw.http_request.content
    before, _, after = sent.partition(b'"model":"model"')
    assert b'"zeta":{"model":"model"' in after
    assert provider.requests[0].body == before + b'"model":"gpt-test"' + after


def test_a_streams_body_asks_for_the_usage_besides(sdk: Sdk, provider: ScriptedProvider) -> None:
    provider.will(sse(*HELLO))
    told = sdk.stream(
        lambda client: client.chat.completions.create(model="model", messages=HI, stream=True)
    )
    sent: bytes = told.response.request.content
    renamed = sent.replace(b'"model":"model"', b'"model":"gpt-test"')
    added = b',"stream_options":{"include_usage":true}}'
    assert provider.requests[0].body == renamed[:-1] + added

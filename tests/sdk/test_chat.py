"""Chat completions, whole, as the official SDK asks for them and reads them."""

from typing import Any

import pytest
from pydantic import BaseModel

from gateway.usage import Usage
from tests.live import LiveGateway, ScriptedProvider, answer
from tests.sdk.clients import Sdk
from tests.sdk.said import HI, WEATHER, completion, says, tool_call

pytestmark = pytest.mark.sdk


class Capital(BaseModel):
    city: str
    in_europe: bool


def test_the_answer_is_what_the_provider_said(sdk: Sdk, provider: ScriptedProvider) -> None:
    whole = completion(says("Hello!"), system_fingerprint="fp_1", service_tier="default")
    provider.will(answer(whole))
    reply = sdk.call(lambda client: client.chat.completions.create(model="model", messages=HI))
    assert reply.to_dict() == whole


def test_the_request_names_the_targets_model(sdk: Sdk, provider: ScriptedProvider) -> None:
    provider.will(answer(completion(says("Hello!"))))
    sdk.call(
        lambda client: client.chat.completions.create(
            model="model", messages=HI, temperature=0.5, stop=["\n"], seed=7, user="u"
        )
    )
    (request,) = provider.requests
    assert (request.method, request.path) == ("POST", "/v1/chat/completions")
    assert request.json == {
        "model": "gpt-test",
        "messages": HI,
        "temperature": 0.5,
        "stop": ["\n"],
        "seed": 7,
        "user": "u",
    }


def test_tool_calls_side_by_side(sdk: Sdk, provider: ScriptedProvider) -> None:
    calls = [
        tool_call("call_1", "get_weather", '{"city":"Oslo"}'),
        tool_call("call_2", "get_weather", '{"city":"Zürich"}'),
    ]
    provider.will(answer(completion(says(None, "tool_calls", tool_calls=calls))))
    reply = sdk.call(
        lambda client: client.chat.completions.create(
            model="model", messages=HI, tools=[WEATHER], parallel_tool_calls=True
        )
    )
    assert [call.to_dict() for call in reply.choices[0].message.tool_calls] == calls
    assert reply.choices[0].finish_reason == "tool_calls"
    assert provider.requests[0].json["tools"] == [WEATHER]


def test_tool_results_reach_the_provider(sdk: Sdk, provider: ScriptedProvider) -> None:
    provider.will(answer(completion(says("Sunny."))))
    asked: list[dict[str, Any]] = [
        *HI,
        {"role": "assistant", "tool_calls": [tool_call("call_1", "get_weather", "{}")]},
        {"role": "tool", "tool_call_id": "call_1", "content": "sunny"},
    ]
    reply = sdk.call(
        lambda client: client.chat.completions.create(
            model="model", messages=asked, tools=[WEATHER], tool_choice="none"
        )
    )
    assert reply.choices[0].message.content == "Sunny."
    assert provider.requests[0].json["messages"] == asked


def test_structured_output_is_parsed(sdk: Sdk, provider: ScriptedProvider) -> None:
    provider.will(answer(completion(says('{"city":"Oslo","in_europe":true}'))))
    reply = sdk.call(
        lambda client: client.chat.completions.parse(
            model="model", messages=HI, response_format=Capital
        )
    )
    assert reply.choices[0].message.parsed == Capital(city="Oslo", in_europe=True)
    form = provider.requests[0].json["response_format"]
    assert (form["type"], form["json_schema"]["name"]) == ("json_schema", "Capital")
    assert form["json_schema"]["strict"] is True


def test_several_choices(sdk: Sdk, provider: ScriptedProvider) -> None:
    provider.will(answer(completion(says("One."), says("Two.", "length"))))
    reply = sdk.call(lambda client: client.chat.completions.create(model="model", messages=HI, n=2))
    told = [(one.index, one.message.content, one.finish_reason) for one in reply.choices]
    assert told == [(0, "One.", "stop"), (1, "Two.", "length")]


def test_log_probabilities(sdk: Sdk, provider: ScriptedProvider) -> None:
    likely = {"token": "Hi", "logprob": -0.25, "bytes": [72, 105], "top_logprobs": []}
    provider.will(answer(completion({**says("Hi"), "logprobs": {"content": [likely]}})))
    reply = sdk.call(
        lambda client: client.chat.completions.create(
            model="model", messages=HI, logprobs=True, top_logprobs=0
        )
    )
    assert reply.choices[0].logprobs.to_dict() == {"content": [likely]}


def test_the_answer_tells_who_served_it(sdk: Sdk, provider: ScriptedProvider) -> None:
    limits = {"x-request-id": "req_1", "x-ratelimit-remaining-requests": "41"}
    private = {"set-cookie": "session=1", "openai-organization": "org-1", "server": "theirs"}
    provider.will(answer(completion(says("Hello!")), headers={**limits, **private}))
    raw = sdk.call(
        lambda client: client.chat.completions.with_raw_response.create(model="model", messages=HI)
    )
    told = {name: value for name, value in raw.headers.items() if name.startswith("x-")}
    assert len(told.pop("x-gateway-request-id")) == 24
    told.pop("x-mlflow-gateway-duration-ms", None)
    served = {"x-gateway-endpoint": "model", "x-gateway-target": "openai/gpt-test"}
    assert told == served | limits
    assert not private.items() & dict(raw.headers).items()


def test_what_it_used_is_written_down(
    sdk: Sdk, provider: ScriptedProvider, gateway: LiveGateway
) -> None:
    counted = {
        "prompt_tokens": 9,
        "completion_tokens": 3,
        "total_tokens": 12,
        "prompt_tokens_details": {"cached_tokens": 4},
        "completion_tokens_details": {"reasoning_tokens": 2},
    }
    provider.will(answer(completion(says("Hello!"), usage=counted)))
    raw = sdk.call(
        lambda client: client.chat.completions.with_raw_response.create(model="model", messages=HI)
    )
    record = gateway.ledger.of(raw)
    assert record.usage == Usage(5, 3, cache_read_tokens=4, reasoning_tokens=2)
    assert (record.outcome, record.status, record.attempts) == ("answered", 200, 1)

"""The Responses API, relayed: whole, streamed, in a loop with tools, and compacted."""

import threading
from typing import Any

import openai
import pytest
from pydantic import BaseModel

from gateway.usage import Usage
from tests.live import Act, LiveGateway, ScriptedProvider, Step, answer, sse
from tests.sdk.clients import Ask, Sdk, Streamed
from tests.sdk.said import Numbered, message_item, response, streamed_response

pytestmark = pytest.mark.sdk

METERED = Usage(5, 3, cache_read_tokens=4, reasoning_tokens=1)
LOOKUP = {
    "type": "function",
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    "strict": False,
}
CALLED = {
    "id": "fc_1",
    "type": "function_call",
    "call_id": "call_1",
    "name": "get_weather",
    "arguments": '{"city":"Oslo"}',
    "status": "completed",
}
THOUGHT = {"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": "gAAAA+/=="}


def asks(model: str = "model", **more: Any) -> Ask:
    asked = {"model": model, "input": "Hi", **more}
    return lambda client: client.responses.create(**asked)


def words(told: Streamed) -> str:
    deltas = [e.delta for e in told.chunks if e.type == "response.output_text.delta"]
    return "".join(deltas)


def test_the_response_is_what_the_provider_said(
    openai_sdk: Sdk, provider: ScriptedProvider, gateway: LiveGateway
) -> None:
    whole = response(THOUGHT, message_item("Hello!"), service_tier="default", store=False)
    provider.will(answer(whole))
    raw = openai_sdk.call(
        lambda client: client.responses.with_raw_response.create(
            model="model", input="Hi", instructions="Be brief.", store=False
        )
    )
    assert raw.parse().to_dict() == whole
    assert raw.parse().output_text == "Hello!"
    assert (provider.requests[0].path, provider.requests[0].json) == (
        "/v1/responses",
        {"model": "gpt-test", "input": "Hi", "instructions": "Be brief.", "store": False},
    )
    assert gateway.ledger.of(raw).usage == METERED


def test_every_event_of_a_stream_arrives(
    openai_sdk: Sdk, provider: ScriptedProvider, gateway: LiveGateway
) -> None:
    provider.will(sse(*streamed_response("Hel", "lo")))
    told = openai_sdk.stream(asks(stream=True))
    assert (words(told), told.error) == ("Hello", None)
    assert [e.sequence_number for e in told.chunks] == list(range(10))
    assert told.chunks[-1].response.to_dict() == response(message_item("Hello"))
    assert provider.requests[0].json == {"model": "gpt-test", "input": "Hi", "stream": True}
    assert gateway.ledger.of(told.response).usage == METERED


def test_nothing_is_held_back(openai_sdk: Sdk, provider: ScriptedProvider) -> None:
    """From the first word on, each event is said only once the caller has the one before."""
    said = streamed_response("a", "b", "c")
    cues = [threading.Event() for _ in said]
    steps: list[Step] = [*said[:4]]
    for nth in range(4, len(said)):
        steps += [said[nth], cues[nth]]
    provider.will(sse(*steps))
    told = openai_sdk.stream(asks(stream=True), cues)
    assert (words(told), told.error) == ("abc", None)


def test_the_stream_helper_builds_the_response(openai_sdk: Sdk, provider: ScriptedProvider) -> None:
    provider.will(sse(*streamed_response("Hel", "lo")))
    events, final = openai_sdk.gather(
        lambda client: client.responses.stream(model="model", input="Hi"), "get_final_response"
    )
    assert final.output_text == "Hello"
    assert [e.snapshot for e in events if e.type == "response.output_text.delta"] == [
        "Hel",
        "Hello",
    ]


class Capital(BaseModel):
    city: str


def test_structured_output_is_parsed(openai_sdk: Sdk, provider: ScriptedProvider) -> None:
    provider.will(answer(response(message_item('{"city":"Oslo"}'))))
    reply = openai_sdk.call(
        lambda client: client.responses.parse(model="model", input="Hi", text_format=Capital)
    )
    assert reply.output_parsed == Capital(city="Oslo")
    assert provider.requests[0].json["text"]["format"]["name"] == "Capital"


def test_a_loop_with_a_tool_carries_the_seal_unchanged(
    openai_sdk: Sdk, provider: ScriptedProvider
) -> None:
    provider.will(answer(response(THOUGHT, CALLED)), answer(response(message_item("Sunny."))))
    asked: list[Any] = [{"role": "user", "content": "Weather in Oslo?"}]
    first = openai_sdk.call(
        asks(input=asked, tools=[LOOKUP], include=["reasoning.encrypted_content"])
    )
    result = {"type": "function_call_output", "call_id": "call_1", "output": "sunny"}
    asked += [item.to_dict() for item in first.output] + [result]
    second = openai_sdk.call(asks(input=asked, tools=[LOOKUP]))
    assert second.output_text == "Sunny."
    assert provider.requests[1].json["input"] == [
        {"role": "user", "content": "Weather in Oslo?"},
        THOUGHT,
        CALLED,
        result,
    ]


def test_what_the_provider_holds_needs_no_input(
    openai_sdk: Sdk, provider: ScriptedProvider
) -> None:
    provider.will(answer(response(message_item("Hello!"))))
    openai_sdk.call(
        lambda client: client.responses.create(model="model", previous_response_id="resp_0")
    )
    sent = {"model": "gpt-test", "previous_response_id": "resp_0"}
    assert provider.requests[0].json == sent


def test_a_conversation_is_compacted(
    openai_sdk: Sdk, provider: ScriptedProvider, gateway: LiveGateway
) -> None:
    sealed = {"id": "cmp_1", "type": "compaction", "encrypted_content": "gAAAA+/=="}
    whole = {**response(sealed), "object": "response.compaction"}
    provider.will(answer(whole))
    raw = openai_sdk.call(
        lambda client: client.responses.with_raw_response.compact(model="model", input="Hi")
    )
    assert raw.parse().output[0].to_dict() == sealed
    assert (provider.requests[0].path, provider.requests[0].json) == (
        "/v1/responses/compact",
        {"model": "gpt-test", "input": "Hi"},
    )
    assert gateway.ledger.of(raw).usage == METERED


def failing(kind: str, **more: Any) -> bytes:
    say = Numbered()
    return say(kind, **more)


SO_FAR = streamed_response("Hel", "lo")[:6]


@pytest.mark.parametrize("how", [Act.HANG_UP, Act.RESET])
def test_a_cut_stream_is_told(
    openai_sdk: Sdk, provider: ScriptedProvider, gateway: LiveGateway, how: Act
) -> None:
    provider.will(sse(*SO_FAR, 0.05, how))
    told = openai_sdk.stream(asks(stream=True))
    assert words(told) == "Hello"
    assert type(told.error) is openai.APIError
    assert gateway.ledger.of(told.response).outcome == "failed"


def test_a_stream_that_ends_unfinished_is_told(openai_sdk: Sdk, provider: ScriptedProvider) -> None:
    provider.will(sse(*SO_FAR))
    told = openai_sdk.stream(asks(stream=True))
    assert words(told) == "Hello"
    assert type(told.error) is openai.APIError
    assert "ended without its last event" in told.error.message


def test_a_stream_that_falls_silent_is_told(openai_sdk: Sdk, provider: ScriptedProvider) -> None:
    provider.will(sse(*SO_FAR, Act.SILENCE))
    told = openai_sdk.stream(asks("restless", stream=True))
    assert words(told) == "Hello"
    assert type(told.error) is openai.APIError
    assert told.error.type == "timeout_error"


def test_an_error_event_after_the_first_word_is_raised(
    openai_sdk: Sdk, provider: ScriptedProvider
) -> None:
    provider.will(sse(*SO_FAR, failing("error", code="oom", message="out of memory", param=None)))
    told = openai_sdk.stream(asks(stream=True))
    assert words(told) == "Hello"
    assert type(told.error) is openai.APIError
    assert (told.error.code, "out of memory" in told.error.message) == ("oom", True)


def test_an_error_event_before_the_first_word_is_a_status(
    openai_sdk: Sdk, provider: ScriptedProvider
) -> None:
    failed = {"code": "rate_limit_exceeded", "message": "slow down"}
    provider.will(sse(SO_FAR[0], failing("error", **failed, param=None)))
    with pytest.raises(openai.APIStatusError) as caught:
        openai_sdk.call(asks(stream=True))
    assert (caught.value.code, "slow down" in caught.value.message) == (failed["code"], True)


def test_a_response_that_failed_before_the_first_word_is_a_status(
    openai_sdk: Sdk, provider: ScriptedProvider
) -> None:
    failed = response(status="failed", error={"code": "server_error", "message": "no room"})
    provider.will(sse(SO_FAR[0], failing("response.failed", response=failed)))
    with pytest.raises(openai.InternalServerError) as caught:
        openai_sdk.call(asks(stream=True))
    assert "no room" in caught.value.message


def test_a_response_that_failed_in_its_middle_is_seen_and_settled_as_failed(
    openai_sdk: Sdk, provider: ScriptedProvider, gateway: LiveGateway
) -> None:
    failed = response(status="failed", error={"code": "server_error", "message": "no room"})
    provider.will(sse(*SO_FAR, failing("response.failed", response=failed)))
    told = openai_sdk.stream(asks(stream=True))
    assert told.chunks[-1].response.error.message == "no room"
    record = gateway.ledger.of(told.response)
    assert (record.outcome, record.usage) == ("failed", METERED)


def test_an_incomplete_response_is_complete_as_a_stream(
    openai_sdk: Sdk, provider: ScriptedProvider, gateway: LiveGateway
) -> None:
    cut = response(status="incomplete", incomplete_details={"reason": "max_output_tokens"})
    provider.will(sse(*SO_FAR, failing("response.incomplete", response=cut)))
    told = openai_sdk.stream(asks(stream=True))
    assert (told.error, told.chunks[-1].response.status) == (None, "incomplete")
    assert gateway.ledger.of(told.response).outcome == "answered"

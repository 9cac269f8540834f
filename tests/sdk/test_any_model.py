"""Every official SDK, served by a provider of every dialect: what it makes of the answer is what the
provider said."""

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import openai
import pytest
from google import genai
from google.genai import errors as google_errors
from google.genai import types

from gateway.usage import Usage
from tests.live import Act, LiveGateway, ScriptedProvider, Step, answer, sse
from tests.sdk.clients import GIVEN, Gemini, Sdk
from tests.sdk.providers import ANSWERS, CALLS, ERRORS, FAILURE, STREAMS, TEXT

pytestmark = pytest.mark.sdk

DIALECTS = tuple(ANSWERS)
SCHEMA: dict[str, Any] = {"type": "object", "properties": {"city": {"type": "string"}}}
USED = Usage(10, 6, 20, 0, 2)
# Anthropic does not tell which of the tokens were thoughts.
UNTOLD = Usage(10, 6, 20)


@pytest.fixture(params=DIALECTS)
def spoken(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def used(spoken: str) -> Usage:
    return UNTOLD if spoken == "anthropic_messages" else USED


def chat(spoken: str, **more: Any) -> dict[str, Any]:
    tool = {"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}
    hi = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    return {"model": f"any-{spoken}", "messages": hi, "tools": [tool], **more}


def calls_in(message: Any) -> list[tuple[str, Any]]:
    return [(c.function.name, json.loads(c.function.arguments)) for c in message.tool_calls]


def test_openai_chat(
    openai_sdk: Sdk, provider: ScriptedProvider, gateway: LiveGateway, spoken: str
) -> None:
    provider.will(answer(ANSWERS[spoken]))
    raw = openai_sdk.call(
        lambda client: client.chat.completions.with_raw_response.create(**chat(spoken))
    )
    told = raw.parse()
    message = told.choices[0].message
    assert (message.content, told.choices[0].finish_reason) == (TEXT, "tool_calls")
    assert calls_in(message) == list(CALLS)
    assert len({call.id for call in message.tool_calls}) == 2
    assert (told.usage.prompt_tokens, told.usage.completion_tokens) == (30, 6)
    assert told.usage.prompt_tokens_details.cached_tokens == 20
    assert gateway.ledger.of(raw).usage == used(spoken)


def test_openai_chat_streamed(openai_sdk: Sdk, provider: ScriptedProvider, spoken: str) -> None:
    provider.will(sse(*STREAMS[spoken]))
    events, told = openai_sdk.gather(
        lambda client: client.chat.completions.stream(
            **chat(spoken, stream_options={"include_usage": True})
        ),
        "get_final_completion",
    )
    assert len(events) > 3
    message = told.choices[0].message
    assert (message.content, told.choices[0].finish_reason) == (TEXT, "tool_calls")
    assert calls_in(message) == list(CALLS)
    assert (told.usage.prompt_tokens, told.usage.completion_tokens) == (30, 6)


def response(spoken: str, **more: Any) -> dict[str, Any]:
    tool = {"type": "function", "name": "weather", "parameters": SCHEMA, "strict": False}
    return {
        "model": f"any-{spoken}",
        "instructions": "Be brief.",
        "input": "Hi",
        "tools": [tool],
        **more,
    }


def assert_response(told: Any) -> None:
    assert told.status == "completed"
    assert told.output_text == TEXT
    calls = [one for one in told.output if one.type == "function_call"]
    assert [(one.name, json.loads(one.arguments)) for one in calls] == list(CALLS)
    assert len({one.call_id for one in calls}) == len({one.id for one in told.output}) - 1 == 2
    assert (told.usage.input_tokens, told.usage.output_tokens) == (30, 6)
    assert told.usage.input_tokens_details.cached_tokens == 20


def test_openai_responses(openai_sdk: Sdk, provider: ScriptedProvider, spoken: str) -> None:
    provider.will(answer(ANSWERS[spoken]))
    assert_response(openai_sdk.call(lambda client: client.responses.create(**response(spoken))))


def test_openai_responses_streamed(
    openai_sdk: Sdk, provider: ScriptedProvider, spoken: str
) -> None:
    provider.will(sse(*STREAMS[spoken]))
    events, told = openai_sdk.gather(
        lambda client: client.responses.stream(**response(spoken)), "get_final_response"
    )
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert_response(told)


def message(spoken: str) -> dict[str, Any]:
    tool = {"name": "weather", "input_schema": SCHEMA}
    hi = [{"role": "user", "content": "Hi"}]
    return {
        "model": f"any-{spoken}",
        "max_tokens": 64,
        "system": "Be brief.",
        "messages": hi,
        "tools": [tool],
    }


def assert_message(told: Any) -> None:
    assert told.stop_reason == "tool_use"
    text, *calls = told.content
    assert text.text == TEXT
    assert [(call.name, call.input) for call in calls] == list(CALLS)
    assert len({call.id for call in calls}) == 2
    assert (told.usage.input_tokens, told.usage.output_tokens) == (10, 6)
    assert told.usage.cache_read_input_tokens == 20


def test_anthropic(anthropic_sdk: Sdk, provider: ScriptedProvider, spoken: str) -> None:
    provider.will(answer(ANSWERS[spoken]))
    assert_message(anthropic_sdk.call(lambda client: client.messages.create(**message(spoken))))


def test_anthropic_streamed(anthropic_sdk: Sdk, provider: ScriptedProvider, spoken: str) -> None:
    provider.will(sse(*STREAMS[spoken]))
    events, told = anthropic_sdk.gather(
        lambda client: client.messages.stream(**message(spoken)), "get_final_message"
    )
    assert sum(event.type == "message_start" for event in events) == 1
    assert_message(told)


def content(spoken: str) -> dict[str, Any]:
    declared = types.FunctionDeclaration(name="weather", parameters_json_schema=SCHEMA)
    config = types.GenerateContentConfig(
        system_instruction="Be brief.",
        tools=[types.Tool(function_declarations=[declared])],
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
    )
    return {"model": f"any-{spoken}", "contents": "Hi", "config": config}


def assert_usage(counts: Any) -> None:
    # Whether thoughts are told apart or not: together they are what was said.
    assert (counts.prompt_token_count, counts.cached_content_token_count) == (30, 20)
    assert counts.candidates_token_count + (counts.thoughts_token_count or 0) == 6


def test_gemini(gemini_sdk: Gemini, provider: ScriptedProvider, spoken: str) -> None:
    provider.will(answer(ANSWERS[spoken]))
    told = gemini_sdk.call(lambda models: models.generate_content(**content(spoken)))
    assert "".join(part.text or "" for part in told.candidates[0].content.parts) == TEXT
    assert [(call.name, call.args) for call in told.function_calls] == list(CALLS)
    assert told.candidates[0].finish_reason == types.FinishReason.STOP
    assert_usage(told.usage_metadata)


def test_gemini_streamed(gemini_sdk: Gemini, provider: ScriptedProvider, spoken: str) -> None:
    provider.will(sse(*STREAMS[spoken]))
    chunks = gemini_sdk.chunks(lambda models: models.generate_content_stream(**content(spoken)))
    parts = [
        part
        for chunk in chunks
        for one in chunk.candidates or ()
        for part in (one.content and one.content.parts) or ()
    ]
    assert "".join(part.text or "" for part in parts) == TEXT
    called = [part.function_call for part in parts if part.function_call]
    assert [(call.name, call.args) for call in called] == list(CALLS)
    reasons = [one.finish_reason for chunk in chunks for one in chunk.candidates or ()]
    assert [reason for reason in reasons if reason] == [types.FinishReason.STOP]
    assert_usage(chunks[-1].usage_metadata)


def refused(spoken: str) -> tuple[Step, ...]:
    return answer(ERRORS[spoken], 429, {"retry-after": "7"})


def test_openai_is_told_of_an_error(
    openai_sdk: Sdk, provider: ScriptedProvider, spoken: str
) -> None:
    provider.will(refused(spoken), refused(spoken))
    with pytest.raises(openai.RateLimitError, match=FAILURE) as caught:
        openai_sdk.call(lambda client: client.chat.completions.create(**chat(spoken)))
    assert caught.value.response.headers["retry-after"] == "7"
    with pytest.raises(openai.RateLimitError, match=FAILURE):
        openai_sdk.call(lambda client: client.responses.create(**response(spoken)))


def test_anthropic_is_told_of_an_error(
    anthropic_sdk: Sdk, provider: ScriptedProvider, spoken: str
) -> None:
    provider.will(refused(spoken))
    with pytest.raises(anthropic.RateLimitError, match=FAILURE):
        anthropic_sdk.call(lambda client: client.messages.create(**message(spoken)))


def test_gemini_is_told_of_an_error(
    gemini_sdk: Gemini, provider: ScriptedProvider, spoken: str
) -> None:
    provider.will(*[refused(spoken)] * 8)  # this SDK tries again by itself
    with pytest.raises(google_errors.ClientError, match=FAILURE) as caught:
        gemini_sdk.call(lambda models: models.generate_content(**content(spoken)))
    assert (caught.value.code, caught.value.status) == (429, "RESOURCE_EXHAUSTED")


def cut(spoken: str) -> tuple[Step, ...]:
    """A stream that breaks off after its first words."""
    steps = STREAMS[spoken]
    return sse(*steps[: 1 if spoken == "gemini" else -3], Act.HANG_UP)


def test_openai_does_not_take_a_cut_stream_for_whole(
    openai_sdk: Sdk, provider: ScriptedProvider, spoken: str
) -> None:
    provider.will(cut(spoken), cut(spoken))
    asked = chat(spoken, stream=True)
    told = openai_sdk.stream(lambda client: client.chat.completions.create(**asked))
    assert isinstance(told.error, openai.APIError)
    assert told.text
    again = response(spoken, stream=True)
    told = openai_sdk.stream(lambda client: client.responses.create(**again))
    assert isinstance(told.error, openai.APIError)
    assert told.chunks


def test_anthropic_does_not_take_a_cut_stream_for_whole(
    anthropic_sdk: Sdk, provider: ScriptedProvider, spoken: str
) -> None:
    provider.will(cut(spoken))
    told = anthropic_sdk.stream(
        lambda client: client.messages.create(**message(spoken), stream=True)
    )
    assert isinstance(told.error, anthropic.APIStatusError)
    assert told.chunks


def test_gemini_does_not_take_a_cut_stream_for_whole(
    gemini_sdk: Gemini, provider: ScriptedProvider, spoken: str
) -> None:
    provider.will(cut(spoken))
    with pytest.raises(google_errors.APIError):
        gemini_sdk.chunks(lambda models: models.generate_content_stream(**content(spoken)))


# How many of a stream's first events it takes until the first words are said.
FIRST_WORDS = {"openai_chat": 2, "openai_responses": 5, "anthropic_messages": 4, "gemini": 1}


def words_of_openai(url: str, spoken: str) -> Iterator[str]:
    with openai.OpenAI(base_url=f"{url}/gateway/openai/v1", **GIVEN) as client:
        for chunk in client.chat.completions.create(**chat(spoken, stream=True)):
            yield (chunk.choices and chunk.choices[0].delta.content) or ""


def words_of_responses(url: str, spoken: str) -> Iterator[str]:
    with openai.OpenAI(base_url=f"{url}/gateway/openai/v1", **GIVEN) as client:
        for told in client.responses.create(**response(spoken), stream=True):
            yield told.delta if told.type == "response.output_text.delta" else ""


def words_of_anthropic(url: str, spoken: str) -> Iterator[str]:
    with (
        anthropic.Anthropic(base_url=f"{url}/gateway/anthropic", **GIVEN) as client,
        client.messages.stream(**message(spoken)) as stream,
    ):
        yield from stream.text_stream


def words_of_gemini(url: str, spoken: str) -> Iterator[str]:
    options = types.HttpOptions(base_url=f"{url}/gateway/gemini", timeout=10_000)
    with genai.Client(api_key="caller-key", http_options=options) as client:
        for chunk in client.models.generate_content_stream(**content(spoken)):
            parts = (chunk.candidates and chunk.candidates[0].content) or types.Content()
            yield "".join(part.text or "" for part in parts.parts or ())


@pytest.mark.parametrize(
    "words_of", [words_of_openai, words_of_responses, words_of_anthropic, words_of_gemini]
)
def test_the_first_words_are_told_before_the_next_are_said(
    words_of: Callable[[str, str], Iterator[str]],
    gateway: LiveGateway,
    provider: ScriptedProvider,
    spoken: str,
) -> None:
    heard, steps, at = threading.Event(), STREAMS[spoken], FIRST_WORDS[spoken]
    provider.will(sse(*steps[:at], heard, *steps[at:]))
    words = filter(None, words_of(gateway.url, spoken))
    first = next(words)
    assert not heard.is_set()
    heard.set()
    assert (first, first + "".join(words)) == (TEXT[:7], TEXT)

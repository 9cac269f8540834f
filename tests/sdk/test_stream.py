"""Streamed chat completions: what arrives, when it arrives, and what does not."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel

from gateway.usage import Usage
from tests.live import DONE, LiveGateway, ScriptedProvider, event, sse
from tests.sdk.clients import Ask, Sdk
from tests.sdk.said import BEGIN, CHAT, COUNTED, END, HELLO, HI, USAGE, WEATHER, part

pytestmark = pytest.mark.sdk


def chat(**more: Any) -> Ask:
    asked = {"model": "model", "messages": HI, "stream": True, **more}
    return lambda client: client.chat.completions.create(**asked)


def helper(**more: Any) -> Ask:
    asked = {"model": "model", "messages": HI, **more}
    return lambda client: client.chat.completions.stream(**asked)


def test_every_word_arrives_and_the_usage_was_not_asked_for(
    sdk: Sdk, provider: ScriptedProvider, gateway: LiveGateway
) -> None:
    provider.will(sse(*HELLO))
    told = sdk.stream(chat())
    assert (told.text, told.error) == ("Hello", None)
    assert [len(chunk.choices) for chunk in told.chunks] == [1, 1, 1, 1]
    assert all(chunk.usage is None for chunk in told.chunks)
    assert provider.requests[0].json["stream_options"] == {"include_usage": True}
    assert gateway.ledger.of(told.response).usage == Usage(9, 3)


def test_who_asks_for_the_usage_gets_it(sdk: Sdk, provider: ScriptedProvider) -> None:
    provider.will(sse(*HELLO))
    told = sdk.stream(chat(stream_options={"include_usage": True}))
    assert told.text == "Hello"
    assert [chunk.usage and chunk.usage.to_dict() for chunk in told.chunks] == [*[None] * 4, USAGE]


def test_who_refuses_the_usage_does_not_get_it(
    sdk: Sdk, provider: ScriptedProvider, gateway: LiveGateway
) -> None:
    provider.will(sse(*HELLO))
    options = {"include_usage": False, "include_obfuscation": False}
    told = sdk.stream(chat(stream_options=options))
    assert [chunk.usage for chunk in told.chunks] == [None] * 4
    sent = provider.requests[0].json["stream_options"]
    assert sent == {"include_usage": True, "include_obfuscation": False}
    assert gateway.ledger.of(told.response).usage == Usage(9, 3)


def test_nothing_is_held_back(sdk: Sdk, provider: ScriptedProvider) -> None:
    """The provider says each word only once the caller has the one before."""
    cues = [threading.Event() for _ in range(4)]
    words = [part(content=word) for word in ("a", "b", "c", "d")]
    steps = [step for pair in zip(words, cues, strict=True) for step in pair]
    provider.will(sse(*steps, END, DONE))
    told = sdk.stream(chat(), cues)
    assert (told.text, told.error) == ("abcd", None)


def test_a_word_in_pieces_arrives_whole(sdk: Sdk, provider: ScriptedProvider) -> None:
    """A chunk of HTTP ends in the middle of a character, of a line, of an event."""
    said = part(content="Zoë 👋").replace(b"\\u00eb", "ë".encode())
    cut = said.index("ë".encode()) + 1
    provider.will(sse(said[:cut], 0.01, said[cut:-1], 0.01, said[-1:] + END, DONE))
    assert sdk.stream(chat()).text == "Zoë 👋"


def test_tool_calls_side_by_side_are_put_together(sdk: Sdk, provider: ScriptedProvider) -> None:
    def call(index: int, arguments: str, **begins: str) -> bytes:
        function = {"arguments": arguments}
        if begins:
            function["name"] = begins.pop("name")
        return part(tool_calls=[{"index": index, **begins, "function": function}])

    first = {"id": "call_1", "type": "function", "name": "get_weather"}
    second = {"id": "call_2", "type": "function", "name": "get_weather"}
    calls = [call(0, "", **first), call(0, '{"city":'), call(0, '"Oslo"}')]
    calls += [call(1, "", **second), call(1, '{"city":"Bergen"}')]
    provider.will(sse(BEGIN, *calls, part("tool_calls"), COUNTED, DONE))
    events, final = sdk.gather(helper(tools=[WEATHER]), "get_final_completion")
    done = [e for e in events if e.type == "tool_calls.function.arguments.done"]
    assert [e.arguments for e in done] == ['{"city":"Oslo"}', '{"city":"Bergen"}']
    assert [
        (one.id, one.function.name, one.function.parsed_arguments)
        for one in final.choices[0].message.tool_calls
    ] == [
        ("call_1", "get_weather", {"city": "Oslo"}),
        ("call_2", "get_weather", {"city": "Bergen"}),
    ]


class City(BaseModel):
    city: str


def test_structured_output_is_parsed_as_it_grows(sdk: Sdk, provider: ScriptedProvider) -> None:
    words = [part(content=piece) for piece in ('{"ci', 'ty":"O', 'slo"}')]
    provider.will(sse(BEGIN, *words, END, COUNTED, DONE))
    events, final = sdk.gather(helper(response_format=City), "get_final_completion")
    assert final.choices[0].message.parsed == City(city="Oslo")
    assert [e.content for e in events if e.type == "content.done"] == ['{"city":"Oslo"}']


def test_several_choices_interleaved(sdk: Sdk, provider: ScriptedProvider) -> None:
    said = [part(content="a"), part(index=1, content="b"), END, part("length", index=1)]
    provider.will(sse(*said, COUNTED, DONE))
    told = sdk.stream(chat(n=2))
    choices = [chunk.choices[0] for chunk in told.chunks]
    assert [(one.index, one.delta.content, one.finish_reason) for one in choices] == [
        (0, "a", None),
        (1, "b", None),
        (0, None, "stop"),
        (1, None, "length"),
    ]


def test_log_probabilities_reasoning_and_refusals_pass(
    sdk: Sdk, provider: ScriptedProvider
) -> None:
    likely = {"content": [{"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": []}]}
    choice = {"index": 0, "delta": {"content": "a"}, "logprobs": likely, "finish_reason": None}
    said = [part(reasoning_content="hm"), event({**CHAT, "choices": [choice]}), part(refusal="no")]
    provider.will(sse(*said, END, DONE))
    told = sdk.stream(chat(logprobs=True))
    deltas = [chunk.choices[0].delta for chunk in told.chunks]
    assert deltas[0].reasoning_content == "hm"
    assert told.chunks[1].choices[0].logprobs.to_dict() == {**likely}
    assert deltas[2].refusal == "no"


def test_usage_beside_the_last_words_is_shown_and_metered(
    sdk: Sdk, provider: ScriptedProvider, gateway: LiveGateway
) -> None:
    """As some imitators of OpenAI send it, asked or not."""
    choice = {"index": 0, "delta": {}, "finish_reason": "stop"}
    provider.will(
        sse(part(content="a"), event({**CHAT, "choices": [choice], "usage": USAGE}), DONE)
    )
    told = sdk.stream(chat())
    assert told.chunks[-1].usage.to_dict() == USAGE
    assert gateway.ledger.of(told.response).usage == Usage(9, 3)


def test_comments_and_carriage_returns_do_no_harm(sdk: Sdk, provider: ScriptedProvider) -> None:
    said = [b": processing\r\n\r\n", *(step for step in HELLO if isinstance(step, bytes))]
    provider.will(sse(*(step.replace(b"\n", b"\r\n") for step in said)))
    told = sdk.stream(chat())
    assert (told.text, told.error) == ("Hello", None)


def test_the_headers_say_that_it_is_a_stream(sdk: Sdk, provider: ScriptedProvider) -> None:
    provider.will(sse(*HELLO, headers={"x-request-id": "req_1"}))
    headers = sdk.stream(chat()).response.headers
    assert headers["content-type"] == "text/event-stream; charset=utf-8"
    assert headers["cache-control"] == "no-cache"
    assert headers["x-request-id"] == "req_1"


def test_the_kind_of_body_is_read_whatever_its_case(
    plain_sdk: Sdk, provider: ScriptedProvider
) -> None:
    """RFC 9110 8.3.1: names of types and of their parameters know no case."""
    provider.will(sse(*HELLO, headers={"content-type": "Text/Event-Stream;charset=UTF-8"}))
    told = plain_sdk.stream(chat())
    assert (told.text, told.error) == ("Hello", None)


def test_many_streams_at_once_do_not_mix(
    sdk_at: Callable[[str, str], Sdk], provider: ScriptedProvider
) -> None:
    texts = [f"{nth} " * 5 for nth in range(24)]
    provider.will(*(sse(*[part(content=word) for word in split(t)], END, DONE) for t in texts))

    async def one(client: Any) -> str:
        stream = await chat()(client)
        return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    async def all_at_once(client: Any) -> list[str]:
        return await asyncio.gather(*(one(client) for _ in texts))

    told = sdk_at("async", "openai").call(all_at_once)
    assert sorted(told) == sorted(texts)


def split(text: str) -> list[str]:
    return [text[at : at + 2] for at in range(0, len(text), 2)]

"""Anthropic's SDK has its conversations kept by the provider wherever one does: its runner of tools by
itself, ``messages.thread()`` where it is asked to. Nobody else's models keep any: then it must get
to know, and says all of the conversation itself."""

from typing import Any

import pytest
from anthropic import beta_async_tool, beta_tool
from anthropic.types import ThreadUnsupportedRequestError

from tests.dialects.messages import MESSAGE
from tests.live import Received, Reply, ScriptedProvider, answer, sse
from tests.sdk.clients import Sdk
from tests.sdk.providers import ANSWERS, CALLS, STREAMS, TEXT
from tests.sdk.said import HELLO, completion, message_item, response, says

pytestmark = pytest.mark.sdk

QUESTION, SYSTEM, HEARD, END = "Is it wet in Oslo?", "Speak Norwegian.", "wet in Oslo", "It is wet."
ENDS: dict[str, Any] = {
    "openai_chat": completion(says(END)),
    "openai_responses": response(message_item(END)),
    "gemini": {
        "candidates": [
            {"content": {"role": "model", "parts": [{"text": END}]}, "finishReason": "STOP"}
        ]
    },
}


@pytest.fixture(params=list(ENDS))
def spoken(request: pytest.FixtureRequest) -> str:
    """What the provider speaks, who keeps no conversation."""
    return str(request.param)


def weather(city: str, days: list[int] | None = None) -> str:
    """What the weather is like.

    Args:
        city: where
        days: when
    """
    return f"wet in {city}{days or ''}"


async def weather_soon(city: str, days: list[int] | None = None) -> str:
    """What the weather is like.

    Args:
        city: where
        days: when
    """
    return weather(city, days)


def run_tools(sdk: Sdk, manner: str, model: str, **more: Any) -> Any:
    tool: Any = (
        beta_tool(weather) if manner == "sync" else beta_async_tool(weather_soon, name="weather")
    )
    asked: dict[str, Any] = {
        "model": model,
        "max_tokens": 500,
        "system": SYSTEM,
        "tools": [tool],
        "messages": [{"role": "user", "content": QUESTION}],
        **more,
    }
    return sdk.call(lambda client: client.beta.messages.tool_runner(**asked).until_done())


def assert_told_all(sent: Received) -> None:
    """The last request has the whole conversation, and all that goes with it."""
    said = sent.body.decode()
    for part in (SYSTEM, QUESTION, TEXT, HEARD, "wet in Rome[1, 2]", "What the weather is like."):
        assert part in said
    assert said.count('"weather"') == len(CALLS) + said.count('"functionResponse"') + 1
    assert "thread" not in sent.json


def test_the_runner_of_tools_goes_on_without_a_thread(
    anthropic_sdk: Sdk, provider: ScriptedProvider, manner: str, spoken: str
) -> None:
    provider.will(answer(ANSWERS[spoken]), answer(ENDS[spoken]))
    told = run_tools(anthropic_sdk, manner, f"any-{spoken}")
    assert [(block.type, block.text) for block in told.content] == [("text", END)]
    first, second = provider.requests
    assert SYSTEM in first.body.decode()
    assert_told_all(second)


def test_where_it_streams_it_does_so_too(
    anthropic_sdk: Sdk, provider: ScriptedProvider, manner: str
) -> None:
    provider.will(sse(*STREAMS["openai_chat"]), sse(*HELLO))
    told = run_tools(anthropic_sdk, manner, "any-openai_chat", stream=True)
    assert "".join(block.text for block in told.content) == "Hello"
    assert_told_all(provider.requests[1])


def converse(sdk: Sdk, manner: str, model: str, **more: Any) -> Any:
    """Two turns of a thread; the last answer."""

    def ask(client: Any) -> Any:
        thread = client.beta.messages.thread(model=model, max_tokens=50, system=SYSTEM, **more)
        turns = [{"role": "user", "content": words} for words in ("I am Zoe.", "Who am I?")]
        if manner == "sync":
            return [thread.send(turn) for turn in turns][-1]
        return _in_turn(thread, turns)

    return sdk.call(ask)


async def _in_turn(thread: Any, turns: list[Any]) -> Any:
    return [await thread.send(turn) for turn in turns][-1]


def test_a_thread_is_refused_as_anthropic_refuses_it(
    anthropic_sdk: Sdk, provider: ScriptedProvider, manner: str, spoken: str
) -> None:
    with pytest.raises(ThreadUnsupportedRequestError, match="nobody keeps"):
        converse(anthropic_sdk, manner, f"any-{spoken}", unsupported_request_behavior="raise")
    assert provider.requests == []


def test_a_thread_that_may_do_without_sends_the_whole_conversation(
    anthropic_sdk: Sdk, provider: ScriptedProvider, manner: str, spoken: str
) -> None:
    provider.will(answer(ENDS[spoken]), answer(ENDS[spoken]))
    more = {"unsupported_request_behavior": "continue_unthreaded"}
    assert converse(anthropic_sdk, manner, f"any-{spoken}", **more).content[0].text == END
    said = provider.requests[1].body.decode()
    for part in (SYSTEM, "I am Zoe.", END, "Who am I?"):
        assert part in said


def message(number: int) -> Reply:
    content = [{"type": "text", "text": END}]
    told = {**MESSAGE, "id": f"msg_{number}", "content": content, "stop_reason": "end_turn"}
    return answer(told)


def test_anthropic_keeps_it_itself(
    anthropic_sdk: Sdk, provider: ScriptedProvider, manner: str
) -> None:
    provider.will(message(1), message(2))
    converse(anthropic_sdk, manner, "any-anthropic_messages")
    assert [sent.json["thread"] for sent in provider.requests] == [
        {"type": "create"},
        {"type": "continue", "previous_message_id": "msg_1"},
    ]

"""What goes wrong after the first word: the text so far, then an exception, and never a clean end."""

from json import JSONDecodeError
from typing import Any

import openai
import pytest

from gateway.usage import Usage
from tests.live import DONE, Act, LiveGateway, ScriptedProvider, Step, event, sse
from tests.sdk.clients import Ask, Sdk, Streamed
from tests.sdk.said import BEGIN, COUNTED, END, HI, part

pytestmark = pytest.mark.sdk

HELLO: tuple[Step, ...] = (BEGIN, part(content="Hel"), part(content="lo"))


def chat(model: str = "model") -> Ask:
    asked: dict[str, Any] = {"model": model, "messages": HI, "stream": True}
    return lambda client: client.chat.completions.create(**asked)


def broke_off(told: Streamed) -> openai.APIError:
    """The exception, which must be the one that an error event makes."""
    assert type(told.error) is openai.APIError
    return told.error


@pytest.mark.parametrize("how", [Act.HANG_UP, Act.RESET])
def test_a_cut_stream_is_told(
    sdk: Sdk, provider: ScriptedProvider, gateway: LiveGateway, how: Act
) -> None:
    provider.will(sse(*HELLO, 0.05, how))
    told = sdk.stream(chat())
    assert told.text == "Hello"
    assert broke_off(told).type == "upstream_error"
    record = gateway.ledger.of(told.response)
    assert (record.outcome, record.status, record.error) == ("failed", 502, "UpstreamBroke")


def test_a_stream_cut_within_an_event_is_told(sdk: Sdk, provider: ScriptedProvider) -> None:
    provider.will(sse(*HELLO, part(content="!")[:-2], 0.05, Act.HANG_UP))
    told = sdk.stream(chat())
    assert told.text == "Hello"
    broke_off(told)


@pytest.mark.parametrize("end", [(), (END,), (END, COUNTED)])
def test_a_stream_that_ends_without_its_last_event_is_told(
    sdk: Sdk, provider: ScriptedProvider, end: tuple[Step, ...]
) -> None:
    """The body ends in good order, but nobody said DONE: the SDK alone would not notice."""
    provider.will(sse(*HELLO, *end))
    told = sdk.stream(chat())
    assert told.text == "Hello"
    assert "ended without its last event" in broke_off(told).message


@pytest.mark.parametrize("ends", [Act.HANG_UP, 0.0])
def test_all_in_one_breath_is_told_too(
    sdk: Sdk, provider: ScriptedProvider, ends: Act | float
) -> None:
    """The first word, the last and the end arrive in one piece."""
    whole = b"".join(step for step in HELLO if isinstance(step, bytes))
    provider.will(sse(whole, ends))
    told = sdk.stream(chat())
    assert told.text == "Hello"
    broke_off(told)


@pytest.mark.parametrize("last", [b"data: [DONE]", b"data: [DONE]\n"])
def test_a_last_event_without_its_blank_line_is_still_the_last(
    plain_sdk: Sdk, provider: ScriptedProvider, last: bytes
) -> None:
    """The body ends in good order right after it: nothing is missing that was to come."""
    provider.will(sse(*HELLO, END, last))
    told = plain_sdk.stream(chat())
    assert (told.text, told.error) == ("Hello", None)


def test_a_provider_that_does_not_close_after_its_last_event_is_not_waited_for(
    sdk: Sdk, provider: ScriptedProvider, gateway: LiveGateway
) -> None:
    provider.will(sse(*HELLO, END, DONE, Act.SILENCE))
    told = sdk.stream(chat())
    assert (told.text, told.error) == ("Hello", None)
    assert provider.hung_up.wait(5)
    assert gateway.ledger.of(told.response).outcome == "answered"


def test_a_stream_that_falls_silent_is_told(
    openai_sdk: Sdk, provider: ScriptedProvider, gateway: LiveGateway
) -> None:
    provider.will(sse(*HELLO, Act.SILENCE))
    told = openai_sdk.stream(chat("restless"))
    assert told.text == "Hello"
    assert broke_off(told).type == "timeout_error"
    assert provider.hung_up.wait(5)
    assert gateway.ledger.of(told.response).error == "UpstreamTimedOut"


def test_a_pause_is_borne_and_the_line_kept_open(
    openai_sdk: Sdk, provider: ScriptedProvider
) -> None:
    provider.will(sse(*HELLO, 0.12, END, 0.12, DONE))
    told = openai_sdk.stream(chat("steady"))
    assert (told.text, told.error) == ("Hello", None)


def test_a_heartbeat_never_falls_within_an_event(
    openai_sdk: Sdk, provider: ScriptedProvider
) -> None:
    said = part(content="!")
    provider.will(sse(*HELLO, said[:40], 0.12, said[40:-1], 0.12, said[-1:], END, DONE))
    told = openai_sdk.stream(chat("steady"))
    assert (told.text, told.error) == ("Hello!", None)


def test_an_error_event_in_the_stream_is_raised(
    sdk: Sdk, provider: ScriptedProvider, gateway: LiveGateway
) -> None:
    failed = {"error": {"message": "out of memory", "type": "server_error", "code": "oom"}}
    provider.will(sse(*HELLO, event(failed), DONE))
    told = sdk.stream(chat())
    assert told.text == "Hello"
    assert "out of memory" in broke_off(told).message
    assert broke_off(told).code == "oom"
    assert gateway.ledger.of(told.response).outcome == "failed"


def test_junk_is_told(sdk: Sdk, provider: ScriptedProvider) -> None:
    """A relay looks only into events that may tell how it goes; the SDK looks into the others."""
    provider.will(sse(*HELLO, b'data: {"usage": not json}\n\n', DONE))
    told = sdk.stream(chat())
    assert told.text == "Hello"
    broke_off(told)
    provider.will(sse(*HELLO, b"data: {not json}\n\n", DONE))
    told = sdk.stream(chat())
    assert told.text == "Hello"
    assert type(told.error) is JSONDecodeError


def test_what_was_used_before_the_cut_is_metered(
    sdk: Sdk, provider: ScriptedProvider, gateway: LiveGateway
) -> None:
    provider.will(sse(*HELLO, COUNTED, 0.05, Act.RESET))
    told = sdk.stream(chat())
    assert gateway.ledger.of(told.response).usage == Usage(9, 3)


def test_a_model_may_think_long_before_its_first_word(
    openai_sdk: Sdk, provider: ScriptedProvider
) -> None:
    """The answer is committed meanwhile, and heartbeats keep the line open."""
    provider.will((0.12, *sse(BEGIN, 0.12, part(content="a"), END, DONE)))
    told = openai_sdk.stream(chat("thinker"))
    assert (told.text, told.error) == ("a", None)


def test_a_model_that_never_stops_thinking_is_told(
    openai_sdk: Sdk, provider: ScriptedProvider, gateway: LiveGateway
) -> None:
    provider.will((Act.SILENCE,))
    told = openai_sdk.stream(chat("quits"))
    assert told.chunks == []
    assert broke_off(told).type == "timeout_error"
    record = gateway.ledger.of(told.response)
    assert (record.outcome, record.status) == ("failed", 504)


def test_a_status_that_comes_too_late_to_be_one_is_told(
    openai_sdk: Sdk, provider: ScriptedProvider
) -> None:
    body = b'{"error": {"message": "no room", "type": "t", "code": "full"}}'
    late = b"HTTP/1.1 429 Slow Down\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
    provider.will((0.12, late))
    error = broke_off(openai_sdk.stream(chat("thinker")))
    assert "no room" in error.message

"""Providers that fail in every way, for callers of every dialect: their SDK raises, and never takes
half an answer for a whole one."""

import re

import anthropic
import openai
import pytest
from google.genai import errors as google_errors

from gateway.chat.reply import BlockEnded, Ended, ReplyEvent, Started, Stopped, TextDelta
from gateway.dialects import CHAT_DIALECTS, Dialect
from gateway.errors import UpstreamBroke
from gateway.routing.endpoint import Target
from gateway.usage import Usage
from tests.contract.callers import CALLERS
from tests.contract.wires import written
from tests.fakes import FakeUpstream, World, endpoint

ERRORS = (openai.APIError, anthropic.APIError, google_errors.APIError)
AT = {"anthropic_messages": "anthropic", "gemini": "gemini"}
PAIRS = [(a, b) for a in CHAT_DIALECTS for b in CHAT_DIALECTS if a is not b]
pairs = pytest.mark.parametrize(
    ("caller", "provider"), PAIRS, ids=[f"{a.name}-{b.name}" for a, b in PAIRS]
)
HTML = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
SSE = {"content-type": "text/event-stream"}


def told(*texts: str) -> list[ReplyEvent]:
    return [
        Started("r_1", "m", 1_700_000_000),
        *(TextDelta(0, text) for text in texts),
        BlockEnded(0),
        Stopped("end"),
        Ended(Usage(3, 4)),
    ]


def served(provider: Dialect, *parts: bytes, kind: str = "text/event-stream") -> World:
    target = Target(AT.get(provider.name, "openai"), "m", secret="key", dialect=provider.name)
    upstream = FakeUpstream(*parts, headers={"content-type": kind})
    return World(endpoint(target), upstream)


def failing(provider: Dialect) -> bytes:
    """What this provider's stream says when it fails."""
    error = UpstreamBroke("the engine is on fire")
    error.kind = "overloaded"
    return provider.write_stream_error(error)


def raised(caller: Dialect, world: World, *, stream: bool) -> str:
    with pytest.raises(ERRORS) as found:
        CALLERS[caller](world, caller).ask(stream=stream)
    return str(found.value)


@pairs
@pytest.mark.parametrize("kind", ["text/html", "application/json", "text/event-stream"])
def test_a_page_in_the_place_of_an_answer(caller: Dialect, provider: Dialect, kind: str) -> None:
    for stream in (False, True):
        words = raised(caller, served(provider, HTML, kind=kind), stream=stream)
        assert "provider" in words


@pairs
def test_an_error_in_the_place_of_the_first_word(caller: Dialect, provider: Dialect) -> None:
    assert "on fire" in raised(caller, served(provider, failing(provider)), stream=True)


@pairs
def test_an_error_amid_the_answer(caller: Dialect, provider: Dialect) -> None:
    stream = written(provider, told("Hel", "lo")[:3])
    words = raised(caller, served(provider, stream, failing(provider)), stream=True)
    assert "on fire" in words


@pairs
def test_a_stream_that_ends_in_the_middle(caller: Dialect, provider: Dialect) -> None:
    """At every event, and within one."""
    stream = written(provider, told("Hel", "lo"))
    ends = [found.end() for found in re.finditer(rb"\r?\n\r?\n", stream)]
    for end in [*ends[:-1], ends[-1] - 9]:
        assert raised(caller, served(provider, stream[:end]), stream=True)


@pairs
def test_an_event_of_five_megabytes(caller: Dialect, provider: Dialect) -> None:
    text = "0123456789abcdef" * 327_680
    stream = written(provider, told(text))
    pieces = [stream[at : at + 65_536] for at in range(0, len(stream), 65_536)]
    answer = CALLERS[caller](served(provider, *pieces), caller).ask(stream=True)
    assert answer.answers[0].text == text

"""Streams keep to their protocol, whatever the provider's events and however they are cut."""

from itertools import accumulate, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.chat.blocks import Refusal, Seal, Text, Thinking, ToolUse
from gateway.chat.reply import (
    ArgumentsDelta,
    BlockEnded,
    Choice,
    Ended,
    ReplyEvent,
    SealDelta,
    Started,
    Stopped,
    TextDelta,
    ThinkingDelta,
    ToolUseStarted,
)
from gateway.chat.request import ChatRequest
from gateway.dialects import CHAT_DIALECTS, OPENAI_CHAT, Dialect
from gateway.dialects.forms import Asked
from gateway.usage import Usage
from gateway.wire.json import loads
from gateway.wire.sse import SseSplitter
from tests.contract.drawing import drawn
from tests.contract.heard import Heard
from tests.contract.holding import BOUNDS, IDENTITY, IDS, form_of
from tests.contract.machine_chat import ChatMachine
from tests.contract.machines import MACHINES
from tests.contract.replies import streams
from tests.contract.told import gathered
from tests.contract.wires import PLAIN, events_in, read_stream, written

dialects = pytest.mark.parametrize("dialect", CHAT_DIALECTS, ids=IDS)


def heard_of(choice: Choice, *, as_values: bool, refusals_apart: bool) -> Heard:
    """What must be heard of an answer, but for how its end is called."""
    heard = Heard()
    for block in choice.content:
        match block:
            case Text(text):
                heard.text += text
            case Thinking(text):
                heard.thinking += text
            case Refusal(text) if refusals_apart:
                heard.refusal += text
            case Refusal(text):
                heard.text += text
            case ToolUse(_, name, arguments):
                told: Any = arguments or "{}"
                heard.calls.append(("", name, loads(told) if as_values else told))
    return heard


@dialects
@given(streams())
@drawn(60)
def test_a_strict_listener_hears_all_that_was_said(
    dialect: Dialect, events: list[ReplyEvent]
) -> None:
    told = MACHINES[dialect.name](PLAIN[dialect.name]).hear(written(dialect, events))
    reply = gathered(events)
    as_values = dialect.name == "gemini"  # of Anthropic's arguments too the text is streamed
    apart = dialect.name.startswith("openai")
    wanted = [heard_of(c, as_values=as_values, refusals_apart=apart) for c in reply.choices]
    if len(told) < len(wanted):  # where there is only one answer
        assert BOUNDS[dialect.name].issuer in ("openai", "anthropic")
        wanted = wanted[:1]
    for one in told:
        assert one.stop
        one.stop, one.calls = None, [("", name, arguments) for _, name, arguments in one.calls]
    assert told == wanted


@dialects
@given(streams(), st.lists(st.integers(1, 60), max_size=8))
@drawn(30)
def test_how_a_stream_is_cut_makes_no_difference(
    dialect: Dialect, events: list[ReplyEvent], sizes: list[int]
) -> None:
    stream = written(dialect, events)
    places = [0, *(place for place in accumulate(sizes) if place < len(stream)), len(stream)]
    chunks = [stream[a:b] for a, b in pairwise(places)]
    assert read_stream(dialect, chunks) == read_stream(dialect, [stream])


SEAL = Seal("gemini", "c2VhbA==")
# One of each, small enough to be cut at every byte.
SMALL: tuple[ReplyEvent, ...] = (
    Started("r", "m", 1_700_000_000),
    ThinkingDelta(0, "hm"),
    SealDelta(0, SEAL),
    BlockEnded(0),
    TextDelta(1, "Zoë"),
    TextDelta(1, " 👋\n"),
    BlockEnded(1),
    ToolUseStarted(2, "call_1", "f"),
    ToolUseStarted(3, "call_2", "f", seal=SEAL),
    ArgumentsDelta(2, '{"a":'),
    ArgumentsDelta(3, "{}"),
    ArgumentsDelta(2, ' "é"}'),
    BlockEnded(2),
    BlockEnded(3),
    Stopped("tool_use"),
    Ended(Usage(3, 4, 5, 0, 1)),
)


@dialects
def test_a_stream_may_be_cut_at_every_byte(dialect: Dialect) -> None:
    stream = written(dialect, SMALL)
    whole = read_stream(dialect, [stream])
    for at in range(1, len(stream)):
        assert read_stream(dialect, [stream[:at], stream[at:]]) == whole, at
    assert read_stream(dialect, [stream[at : at + 1] for at in range(len(stream))]) == whole


@dialects
@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n", b"\r\r"])
def test_events_may_end_in_any_way(dialect: Dialect, end: bytes) -> None:
    stream = written(dialect, SMALL)
    whole = read_stream(dialect, [stream])
    line = end[: len(end) // 2]
    lines = stream.replace(b"\r\n", b"\n").replace(b"\n", line)
    assert read_stream(dialect, [lines[at : at + 7] for at in range(0, len(lines), 7)]) == whole


@given(streams())
@drawn(30)
def test_a_chat_tells_no_usage_that_nobody_asked_for(events: list[ReplyEvent]) -> None:
    body = {"model": "e", "messages": [], "stream": True}
    unasked = Asked(body, ChatRequest("e", [], stream=True))
    ChatMachine(body).hear(written(OPENAI_CHAT, events, unasked))


@dialects
@given(streams())
@drawn(30)
def test_a_stream_says_who_and_when(dialect: Dialect, events: list[ReplyEvent]) -> None:
    before, after = gathered(events), gathered(read_stream(dialect, [written(dialect, events)]))
    assert after.id.endswith(before.id)  # some want a word before it
    assert after.model == before.model
    dated = dialect.name.startswith("openai")
    assert after.created == (before.created if dated else IDENTITY.created)


@dialects
@given(streams())
@drawn(20)
def test_a_stream_that_is_cut_short_does_not_look_complete(
    dialect: Dialect, events: list[ReplyEvent]
) -> None:
    """Where the provider breaks off, no terminal event is written, and nothing is found to end."""
    stream = written(dialect, events[:-1])
    with pytest.raises((AssertionError, LookupError, ValueError)):
        MACHINES[dialect.name](PLAIN[dialect.name]).hear(stream)
    splitter, reader = SseSplitter(), form_of(dialect).reader(IDENTITY)
    for name, data in events_in(splitter.feed(stream)):
        reader.feed(data, name)
    assert not reader.ended

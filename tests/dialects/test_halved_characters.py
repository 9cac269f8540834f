"""Streams in which a character is cut in two, with each half in an event of its own."""

import pytest

from gateway.chat.reply import TextDelta
from gateway.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from gateway.dialects.base import Dialect
from gateway.dialects.forms import Identity
from gateway.dialects.openai_chat import OPENAI_CHAT
from gateway.dialects.openai_responses import OPENAI_RESPONSES
from gateway.errors import UpstreamBroke

# An event up to its text, and after it.
EVENTS: dict[Dialect, tuple[str, str]] = {
    OPENAI_CHAT: (
        r'{"id": "c", "choices": [{"index": 0, "delta": {"role": "assistant", "content": ',
        r"}}]}",
    ),
    ANTHROPIC_MESSAGES: (
        r'{"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": ',
        r"}}",
    ),
    OPENAI_RESPONSES: (
        r'{"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": ',
        r"}",
    ),
}


def read(dialect: Dialect, *texts: str) -> str:
    """What is read of a stream with these texts, as JSON says them."""
    assert dialect.chat is not None
    reader = dialect.chat.reader(Identity("id", 5))
    before, after = EVENTS[dialect]
    told = [event for text in texts for event in reader.feed(f"{before}{text}{after}".encode())]
    return "".join(event.text for event in told if isinstance(event, TextDelta))


@pytest.mark.parametrize("dialect", EVENTS, ids=lambda dialect: dialect.name)
def test_the_halves_are_joined(dialect: Dialect) -> None:
    assert read(dialect, r'"a"', r'"b\ud83d"', r'"\ude00c"', r'"d"') == "ab\U0001f600cd"
    assert read(dialect, r'"\ud83d"', r'"\ude00\ud83d"', r'"\ude01"') == "\U0001f600\U0001f601"


@pytest.mark.parametrize("dialect", EVENTS, ids=lambda dialect: dialect.name)
def test_a_half_that_is_alone_is_no_character(dialect: Dialect) -> None:
    assert read(dialect, r'"a\ud83db"', r'"\ude00c"') == "a\ufffdb\ufffdc"


@pytest.mark.parametrize("dialect", EVENTS, ids=lambda dialect: dialect.name)
def test_what_is_no_json_is_still_none(dialect: Dialect) -> None:
    with pytest.raises(UpstreamBroke):
        read(dialect, r'"\ud83d')


@pytest.mark.parametrize("dialect", EVENTS, ids=lambda dialect: dialect.name)
def test_a_relay_passes_them_on_as_they_are(dialect: Dialect) -> None:
    assert dialect.watch is not None
    before, after = EVENTS[dialect]
    watch = dialect.watch({})
    data = f'{before}"a\\ud83d"{after}'.encode()
    assert watch.look(data, "content_block_delta")
    assert (watch.begun, watch.failure) == (True, None)

"""Streams as bytes."""

from collections.abc import Iterable, Iterator

from gateway.chat.reply import ReplyEvent
from gateway.chat.request import ChatRequest
from gateway.dialects import Dialect
from gateway.dialects.forms import Asked
from gateway.wire.json import Json
from gateway.wire.sse import SseSplitter, data_of, events, name_of
from tests.contract.holding import IDENTITY, form_of

# What callers ask, as far as it matters for how they are answered.
PLAIN: dict[str, Json] = {
    "openai_chat": {
        "model": "e",
        "messages": [],
        "stream": True,
        "stream_options": {"include_usage": True},
    },
    "openai_responses": {"model": "e", "input": "hi", "stream": True},
    "anthropic_messages": {"model": "e", "max_tokens": 9, "messages": [], "stream": True},
    "gemini": {"contents": [{"parts": [{"text": "hi"}]}]},
}


def plain_asked(dialect: Dialect) -> Asked:
    return Asked(PLAIN[dialect.name], ChatRequest("e", [], stream=True))


def events_in(stream: bytes) -> Iterator[tuple[str, bytes]]:
    """The name and the data of each event."""
    for event in events(stream):
        yield name_of(event), data_of(event)


def read_stream(dialect: Dialect, chunks: Iterable[bytes]) -> list[ReplyEvent]:
    """What a provider's stream says when it arrives so."""
    splitter, reader = SseSplitter(), form_of(dialect).reader(IDENTITY)
    told: list[ReplyEvent] = []
    for chunk in chunks:
        for name, data in events_in(splitter.feed(chunk)):
            if data:
                told += reader.feed(data, name)
    if not reader.ended:
        told += reader.finish()
    assert reader.ended
    return told


def written(dialect: Dialect, told: Iterable[ReplyEvent], asked: Asked | None = None) -> bytes:
    writer = form_of(dialect).writer(asked or plain_asked(dialect))
    return b"".join(writer.feed(event) for event in told)

"""What is written in OpenAI's Chat dialect is read back as it was meant."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.chat.reply import ChatReply, ReplyEvent
from gateway.chat.request import ChatRequest
from gateway.dialects.forms import Asked, Identity
from gateway.dialects.openai_chat import CHAT_FORM
from gateway.dialects.openai_chat.check import check
from gateway.dialects.openai_chat.reply import check_reply
from gateway.wire.json import Json, dumps, loads
from gateway.wire.sse import SseReader
from tests.dialects.hostile import quickly
from tests.dialects.neutral import event_sequences, replies, requests

NAMELESS = Identity("unused", 0)


def over_the_wire(body: Json) -> Json:
    sent: Json = loads(dumps(body))
    return sent


def asked(**body: object) -> Asked:
    return Asked(body, ChatRequest("m", []))


@given(requests)
@quickly
def test_a_request_is_read_as_it_was_meant(request: ChatRequest) -> None:
    written = CHAT_FORM.write_request(request)
    assert (CHAT_FORM.read_request(over_the_wire(written.body)), written.dropped) == (
        request,
        frozenset(),
    )


@given(requests)
@quickly
def test_a_request_that_we_write_passes_our_own_check(request: ChatRequest) -> None:
    check(over_the_wire(CHAT_FORM.write_request(request).body))


@given(requests)
@quickly
def test_a_request_is_not_changed_by_being_read(request: ChatRequest) -> None:
    body = over_the_wire(CHAT_FORM.write_request(request).body)
    before = dumps(body)
    CHAT_FORM.read_request(body)
    assert dumps(body) == before


@given(replies)
@quickly
def test_a_reply_is_read_as_it_was_meant(reply: ChatReply) -> None:
    written = CHAT_FORM.write_reply(reply, asked())
    body = over_the_wire(written.body)
    check_reply(body)
    assert CHAT_FORM.read_reply(body, NAMELESS) == reply
    assert written.dropped == set()


def written(events: list[ReplyEvent]) -> bytes:
    writer = CHAT_FORM.writer(asked(stream_options={"include_usage": True}))
    stream = b"".join(writer.feed(event) for event in events)
    assert writer.dropped == set()
    return stream


def read(stream: bytes, *sizes: int) -> list[ReplyEvent]:
    """The stream's events when it arrives in pieces of these sizes, and then the rest."""
    splitter, reader = SseReader(), CHAT_FORM.reader(NAMELESS)
    events: list[ReplyEvent] = []
    at = 0
    for size in (*sizes, len(stream)):
        for data in splitter.feed(stream[at : at + size]):
            events += reader.feed(data)
        at += size
    return events + reader.finish()


@given(event_sequences(), st.lists(st.integers(1, 80), max_size=6))
@quickly
def test_a_stream_is_read_as_it_was_meant_however_it_is_cut(
    events: list[ReplyEvent], sizes: list[int]
) -> None:
    assert read(written(events), *sizes) == events


@given(event_sequences())
@quickly
def test_a_stream_never_holds_a_usage_that_nobody_asked_for(events: list[ReplyEvent]) -> None:
    writer = CHAT_FORM.writer(asked())
    stream = b"".join(writer.feed(event) for event in events)
    chunks = [loads(data) for data in SseReader().feed(stream) if data != b"[DONE]"]
    assert [chunk for chunk in chunks if "usage" in chunk] == []

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.sse import SseReader, SseSplitter, data_of, events, name_of, write_event

STREAM = (
    b": a comment\n\n"
    b'data: {"a":1}\n\n'
    b"event: named\ndata: one\ndata:two\n\n"
    b"data: carriage\r\n\r\n"
    b"data: old\r\rdata: mac\r\r"
    b"id: 7\nretry: 10\n\n"
    b"data: [DONE]\n\n"
)
DATA = [b'{"a":1}', b"one\ntwo", b"carriage", b"old", b"mac", b"[DONE]"]


def test_reads_the_data_of_every_event() -> None:
    assert list(SseReader().feed(STREAM)) == DATA


@pytest.mark.parametrize("at", range(len(STREAM)))
def test_reads_the_same_wherever_the_stream_is_cut(at: int) -> None:
    reader = SseReader()
    assert [*reader.feed(STREAM[:at]), *reader.feed(STREAM[at:])] == DATA


@given(st.lists(st.integers(1, 9)))
def test_gives_back_every_byte_in_order(sizes: list[int]) -> None:
    splitter, rest, out = SseSplitter(), STREAM, b""
    for size in sizes:
        out += splitter.feed(rest[:size])
        rest = rest[size:]
    assert out + splitter.waiting + rest == STREAM


def test_whole_events_pass_without_a_copy() -> None:
    event = b"data: x\n\n"
    assert SseSplitter().feed(event) is event


def test_half_an_event_waits() -> None:
    splitter = SseSplitter()
    assert splitter.feed(b"data: x\n\ndata: y") == b"data: x\n\n"
    assert splitter.waiting == b"data: y"
    assert splitter.feed(b"\n\n") == b"data: y\n\n"


def test_an_event_without_end_is_refused_at_the_limit() -> None:
    splitter = SseSplitter(limit=100)
    with pytest.raises(ValueError, match="100 bytes"):
        for _ in range(20):
            splitter.feed(b"data: xxxx")


def test_an_event_of_megabytes_in_small_pieces_is_read() -> None:
    splitter, event = SseSplitter(), b"data: " + b"x" * 5_000_000 + b"\n\n"
    out = b"".join(splitter.feed(event[at : at + 16384]) for at in range(0, len(event), 16384))
    assert out == event


def test_splits_a_run_into_its_events() -> None:
    assert b"".join(events(STREAM)) == STREAM
    assert [data for event in events(STREAM) if (data := data_of(event))] == DATA


def test_a_byte_order_mark_is_no_part_of_the_first_field() -> None:
    assert data_of(b"\xef\xbb\xbfdata: x\n\n") == b"x"


def test_writes_events_with_and_without_a_name() -> None:
    assert write_event(b"x") == b"data: x\n\n"
    assert write_event(b"x", "ping") == b"event: ping\ndata: x\n\n"


@pytest.mark.parametrize(
    ("event", "name"),
    [
        (b"event: ping\ndata: {}\n\n", "ping"),
        (b"\xef\xbb\xbfevent:ping\r\ndata: {}\r\n\r\n", "ping"),
        (b"data: {}\nevent: last\nevent: one\n\n", "one"),
        (b"data: event: x\n\n", ""),
        (b": event: x\n\n", ""),
        (b"event: \xff\n\n", "\u00ff"),
    ],
)
def test_an_event_has_the_name_that_it_was_given_last(event: bytes, name: str) -> None:
    assert name_of(event) == name

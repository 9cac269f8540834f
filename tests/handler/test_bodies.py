"""A request's body: read, unpacked and parsed within bounds."""

import asyncio
import gzip
import random
import sys
import tracemalloc
import zlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest

from gateway.errors import BadRequest, BodyTooLarge, GatewayError, UnsupportedEncoding
from gateway.wire.json import Json
from handler import bodies
from handler.bodies import CallerGone, Message, read_body, read_object, refuse_upgrade
from tests.fakes import run

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LIMIT = 10_000
TEXT = b'{"messages": "hello"}' * 20


def deflated(text: bytes) -> bytes:
    """Bare, without the zlib header that RFC 9110 asks for: what some clients take deflate for."""
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(text) + packer.flush()


def zipped(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": zipped,
    "x-gzip": zipped,
    "deflate": zlib.compress,
    "zstd": zstd.compress,
    "identity": bytes,
}
PACKED = pytest.mark.parametrize("encoding", [name for name in PACKERS if name != "identity"])


def read(*parts: bytes, limit: int = LIMIT, **headers: Any) -> bytes:
    messages: list[Message] = [
        {"type": "http.request", "body": part, "more_body": True} for part in parts
    ]
    messages[-1]["more_body"] = False
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return run(read_body(receiving(messages), named, limit))


@pytest.mark.parametrize(
    "before", [[], [{"type": "http.request", "body": b"{", "more_body": True}]]
)
def test_a_body_that_stops_coming_is_not_waited_for_for_ever(
    before: list[Message], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "PATIENCE", 0.01)

    async def receive() -> Message:
        return before.pop() if before else await asyncio.Event().wait()  # type: ignore[return-value]

    with pytest.raises(BadRequest, match=r"stopped coming for 0\.01 seconds") as stalled:
        run(read_body(receive, {"content-length": "9"}, LIMIT))
    assert (stalled.value.status, stalled.value.code) == (408, "body_stalled")


def receiving(messages: list[Message]) -> Callable[[], Awaitable[Message]]:
    async def receive() -> Message:
        return messages.pop(0)

    return receive


def refusal(kind: type[GatewayError], *parts: bytes, **headers: Any) -> str:
    with pytest.raises(kind) as refused:
        read(*parts, **headers)
    return refused.value.message


@pytest.mark.parametrize(
    "parts", [(TEXT,), (TEXT[:5], TEXT[5:]), (b"", TEXT, b""), tuple(bytes([b]) for b in TEXT)]
)
def test_a_body_is_read_however_it_arrives(parts: tuple[bytes, ...]) -> None:
    assert read(*parts) == TEXT
    assert read(*parts, content_length=str(len(TEXT))) == TEXT


def test_a_body_may_just_fill_the_limit() -> None:
    assert len(read(b"x" * LIMIT)) == LIMIT
    assert len(read(b"x" * 6000, b"x" * 4000, content_length="10000")) == LIMIT


TOO_LARGE = "the request body is larger than 10000 bytes"


@pytest.mark.parametrize(
    ("parts", "headers"),
    [
        ((b"x" * 10_001,), {}),
        ((b"x" * 10_001,), {"content_length": "5"}),
        ((b"x" * 6000, b"x" * 6000), {}),
        ((b"x" * 6000, b"x" * 6000, b"x"), {"content_length": "9"}),
        ((b"",), {"content_length": "10001"}),
    ],
)
def test_a_body_beyond_it_is_refused_whatever_was_announced(
    parts: tuple[bytes, ...], headers: dict[str, Any]
) -> None:
    assert refusal(BodyTooLarge, *parts, **headers) == TOO_LARGE


def test_a_body_announced_as_too_large_is_not_even_begun() -> None:
    async def receive() -> Message:
        raise AssertionError

    with pytest.raises(BodyTooLarge):
        run(read_body(receive, {"content-length": "10001"}, LIMIT))


@pytest.mark.parametrize("length", ["", "-5", "1e9", "0x10", "\u00b2", "9" * 5000, "12 34"])
def test_an_announcement_that_is_no_length_is_not_our_failure(length: str) -> None:
    """The server has framed the body already; what the header says is only a first hint."""
    try:
        assert read(TEXT, content_length=length) == TEXT
    except GatewayError as error:
        assert error.status in (400, 413)  # noqa: PT017 - either will do, a crash will not


GONE: Message = {"type": "http.disconnect"}
BEGUN: Message = {"type": "http.request", "body": b"x", "more_body": True}


@pytest.mark.parametrize("messages", [[GONE], [BEGUN, GONE]])
def test_a_caller_who_goes_before_the_end_is_gone(messages: list[Message]) -> None:
    with pytest.raises(CallerGone):
        run(read_body(receiving([*messages]), {}, LIMIT))


@pytest.mark.parametrize("encoding", PACKERS)
@pytest.mark.parametrize("spelling", [str, str.upper, lambda name: f" {name} "])
def test_a_packed_body_is_unpacked(encoding: str, spelling: Callable[[str], str]) -> None:
    assert read(PACKERS[encoding](TEXT), content_encoding=spelling(encoding)) == TEXT


@PACKED
@pytest.mark.parametrize("size", [0, 1, LIMIT - 1, LIMIT])
def test_a_packed_body_may_just_fill_the_limit(encoding: str, size: int) -> None:
    noise = random.Random(1).randbytes(size)
    # The limit holds for what is received, too: noise does not shrink.
    assert read(PACKERS[encoding](noise), limit=LIMIT + 500, content_encoding=encoding) == noise
    blank = b" " * size
    assert read(PACKERS[encoding](blank), content_encoding=encoding) == blank


@PACKED
def test_a_packed_body_beyond_it_is_refused(encoding: str) -> None:
    packed = PACKERS[encoding](b" " * (LIMIT + 1))
    assert refusal(BodyTooLarge, packed, content_encoding=encoding) == TOO_LARGE


@PACKED
def test_a_bomb_is_refused_within_bounded_memory(encoding: str) -> None:
    bomb = PACKERS[encoding](b"\0" * 50_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(BodyTooLarge):
            read(bomb, limit=100_000, content_encoding=encoding)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2_000_000


def test_a_bomb_within_a_bomb_is_refused_alike() -> None:
    bomb = gzip.compress(gzip.compress(b"\0" * 50_000_000, mtime=0))
    assert refusal(BodyTooLarge, bomb, content_encoding="gzip, gzip") == TOO_LARGE


@PACKED
def test_a_body_that_is_cut_short_is_refused_wherever_it_is_cut(encoding: str) -> None:
    packed = PACKERS[encoding](TEXT)
    for at in range(len(packed)):
        message = refusal(BadRequest, packed[:at], content_encoding=encoding)
        assert message == f"the {encoding} body is cut short"


@PACKED
@pytest.mark.parametrize("garbage", [b"{}", TEXT, b"\0" * 100, b"\xff" * 100])
def test_a_body_that_is_not_what_it_says_is_refused(encoding: str, garbage: bytes) -> None:
    message = refusal(BadRequest, garbage, content_encoding=encoding)
    assert message in (f"the body is not valid {encoding}", f"the {encoding} body is cut short")


@PACKED
def test_a_body_with_a_broken_heart_is_refused(encoding: str) -> None:
    noise = random.Random(1).randbytes(500)
    packed = bytearray(PACKERS[encoding](noise))
    packed[len(packed) // 2] ^= 0xFF
    packed[len(packed) // 2 + 1] ^= 0xFF
    try:
        assert read(bytes(packed), content_encoding=encoding) != noise  # zstd has no checksum
    except BadRequest as refused:
        assert refused.message == f"the body is not valid {encoding}"  # noqa: PT017


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_nothing_of_a_body_packed_in_two_pieces_is_lost(encoding: str) -> None:
    """Both formats allow it: RFC 1952 section 2.2, RFC 8878 section 3.1."""
    packed = PACKERS[encoding](TEXT[:50]) + PACKERS[encoding](TEXT[50:])
    with suppress(BadRequest):  # refused is not lost
        assert read(packed, content_encoding=encoding) == TEXT


@PACKED
def test_bytes_after_the_end_are_not_passed_over(encoding: str) -> None:
    refusal(BadRequest, PACKERS[encoding](b"{}") + b"and more", content_encoding=encoding)


def test_bare_deflate_is_understood_or_refused() -> None:
    try:
        assert read(deflated(TEXT), content_encoding="deflate") == TEXT
    except BadRequest as refused:
        assert refused.message == "the body is not valid deflate"  # noqa: PT017


@pytest.mark.parametrize(
    ("encodings", "packed"),
    [
        ("gzip, zstd", zstd.compress(gzip.compress(TEXT, mtime=0))),
        ("deflate,deflate", zlib.compress(zlib.compress(TEXT))),
        ("identity, gzip, identity", gzip.compress(TEXT, mtime=0)),
        (" , gzip ,", gzip.compress(TEXT, mtime=0)),
    ],
)
def test_one_encoding_may_be_upon_another(encodings: str, packed: bytes) -> None:
    assert read(packed, content_encoding=encodings) == TEXT


@pytest.mark.parametrize(
    ("encoding", "message"),
    [
        ("br", "content-encoding 'br' is not one of gzip, deflate, zstd"),
        ("gzip;q=1", "content-encoding 'gzip;q=1' is not one of gzip, deflate, zstd"),
        ("gzip, br", "content-encoding 'br' is not one of gzip, deflate, zstd"),
        (
            "gzip, gzip, gzip",
            "content-encoding: at most two encodings, one upon the other",
        ),
    ],
)
def test_an_encoding_that_we_do_not_know_is_refused_by_name(encoding: str, message: str) -> None:
    assert refusal(UnsupportedEncoding, TEXT, content_encoding=encoding) == message


@pytest.mark.parametrize("text", [b"{}", b' \n{"a": [1, {"b": null}]}\t', b'{"a":1,"a":2}'])
def test_an_object_is_taken(text: bytes) -> None:
    body: Json = read_object(text)
    assert isinstance(body, dict)


EMPTY = "Invalid JSON payload: the body is empty; send a JSON object"
NO_OBJECT = "Invalid request: payload format must be a JSON object, such as chat or embeddings"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", EMPTY),
        (b" \r\n\t", EMPTY),
        (b"[]", NO_OBJECT),
        (b"[{}]", NO_OBJECT),
        (b"null", NO_OBJECT),
        (b"5", NO_OBJECT),
        (b'"x"', NO_OBJECT),
        (b"{", "Invalid JSON payload: "),
        (b"{'a': 1}", "Invalid JSON payload: "),
        (b'{"a": NaN}', "Invalid JSON payload: "),
        (b'{"a": Infinity}', "Invalid JSON payload: "),
        (b'{"a": 1e400}', "Invalid JSON payload: "),
        (b'{"a": "\xff"}', "Invalid JSON payload: "),
        (b'{"a": "\\ud800"}', "Invalid JSON payload: "),
        (b'{"a": "\xed\xa0\x80"}', "Invalid JSON payload: "),
        (b'{"a": 1,}', "Invalid JSON payload: "),
        (b"{} {}", "Invalid JSON payload: "),
        (b"\xef\xbb\xbf{}", "Invalid JSON payload: "),
        (b'{"a":' + b"[" * 10_000 + b"]" * 10_000 + b"}", "Invalid JSON payload: "),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "Invalid JSON payload: "),
    ],
)
def test_what_is_no_object_is_refused(text: bytes, message: str) -> None:
    with pytest.raises(BadRequest) as refused:
        read_object(text)
    assert refused.value.message.startswith(message)
    assert len(refused.value.message) < 300


def test_an_upgrade_that_nobody_asks_for_is_none() -> None:
    """RFC 9110, 7.8: only what ``Connection`` names; a proxy may have taken that word away."""
    body = [(b"content-length", b"9"), (b"upgrade", b"h2c")]
    refuse_upgrade(body)
    refuse_upgrade([*body, (b"connection", b"keep-alive")])
    for told in (b"Upgrade", b"HTTP2-Settings, upgrade"):
        with pytest.raises(BadRequest):
            refuse_upgrade([*body, (b"connection", b"close"), (b"connection", told)])

"""What comes of an answer: its body, its end, its faults."""

import asyncio
import gzip
import zlib
from functools import partial

import pytest

from gateway.adapters.encodings import PIECE
from gateway.adapters.http1.connection import BUFFER_LIMIT, HEAD_LIMIT, Connection
from gateway.adapters.http1.transport import Http1Transport, Http1Upstream
from gateway.errors import UpstreamBroke
from tests.adapters.wire import (
    CHUNKED,
    OK,
    Line,
    chunk,
    on_both_loops,
    provider,
    says,
    says_and_closes,
)

HEADERS = {"content-type": "application/json"}
to_loopback = partial(Http1Transport, refuses=lambda *_: None)


async def opened(transport: Http1Transport, url: str, patience: float = 5) -> Http1Upstream:
    return await transport.open(url, HEADERS, b"{}", patience=patience)


async def answer(raw: bytes, *, closes: bool = False) -> tuple[int, bytes]:
    """The status and the body that come of these bytes, said in one go."""
    transport = to_loopback()
    async with provider(says_and_closes(raw) if closes else says(raw)) as stage:
        try:
            upstream = await opened(transport, stage.url)
            return upstream.status, await upstream.read(5)
        finally:
            await transport.close()


async def count(upstream: Http1Upstream, sizes: list[int]) -> None:
    while piece := await upstream.next(5):
        sizes.append(len(piece))


def encoded(name: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\ncontent-encoding: {name}\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


def bare_deflate(body: bytes) -> bytes:
    squeeze = zlib.compressobj(wbits=-15)
    return squeeze.compress(body) + squeeze.flush()


@pytest.mark.parametrize(
    ("raw", "closes", "expected"),
    [
        (OK, False, (200, b"ok")),
        (CHUNKED + chunk(b"a") + chunk(b"bc") + b"0\r\nx-sum: 1\r\n\r\n", False, (200, b"abc")),
        (CHUNKED + b"1;note=x\r\na\r\n0\r\n\r\n", False, (200, b"a")),
        (b"HTTP/1.1 200 OK\r\n\r\nto the end", True, (200, b"to the end")),
        (b"HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\nx", True, (200, b"x")),
        (b"HTTP/1.1 204 No Content\r\n\r\n", False, (204, b"")),
        (b"HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n", False, (304, b"")),
        (b"HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n", False, (200, b"")),
        (
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nlink: x\r\n\r\n" + OK,
            False,
            (200, b"ok"),
        ),
        (encoded("gzip", gzip.compress(b"packed", mtime=0)), False, (200, b"packed")),
        (
            encoded("x-gzip", gzip.compress(b"two", mtime=0) + gzip.compress(b" parts", mtime=0)),
            False,
            (200, b"two parts"),
        ),
        (encoded("deflate", zlib.compress(b"packed")), False, (200, b"packed")),
        (encoded("deflate", bare_deflate(b"bare")), False, (200, b"bare")),
        (encoded("identity", b"as it is"), False, (200, b"as it is")),
        (encoded("gzip", b""), False, (200, b"")),
    ],
)
def test_reads_every_kind_of_body(raw: bytes, closes: bool, expected: tuple[int, bytes]) -> None:
    assert asyncio.run(answer(raw, closes=closes)) == expected


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"", "closed the connection without answering"),
        (b"HTTP/1.1 200 O", "closed the connection in the middle"),
        (
            b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf",
            "closed the connection in the middle",
        ),
        (CHUNKED + chunk(b"half"), "closed the connection in the middle"),
        (CHUNKED + chunk(b"half") + b"0\r\n", "closed the connection in the middle"),
        (CHUNKED + b"zz\r\n", "malformed HTTP: Invalid character in chunk size"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "malformed HTTP"),
        (b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "malformed HTTP"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx", "malformed HTTP"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\nx", "transfer-encoding 'gzip'"),
        (b"HTTP/1.1 101 Up\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n", "switch of protocols"),
        (b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * HEAD_LIMIT + b"\r\n", "header section"),
        (b"HTTP/1.1 200 OK\r\nx: " + b"y" * (HEAD_LIMIT + 1), "header section"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * HEAD_LIMIT + OK, "header section"),
        (CHUNKED + b"0\r\nx: " + b"y" * (9 * HEAD_LIMIT), "header section"),
        (encoded("br", b"?"), "content-encoding 'br' is not understood"),
        (encoded("gzip", b"not gzip"), "malformed compressed body"),
        (encoded("gzip", gzip.compress(b"x" * 99, mtime=0)[:-9]), "compressed body was cut short"),
        (encoded("deflate", b"x"), "compressed body was cut short"),
        (encoded("deflate", zlib.compress(b"x") + b"more"), "bytes follow the end"),
    ],
)
def test_says_what_is_wrong_with_an_answer(raw: bytes, problem: str) -> None:
    with pytest.raises(UpstreamBroke, match=problem) as raised:
        asyncio.run(answer(raw, closes=True))
    assert raised.value.message.startswith("127.0.0.1")


def test_a_body_split_at_every_byte_is_the_same_body() -> None:
    async def story() -> None:
        raw = gzip.compress(b"hello " * 40, mtime=0)
        pieces = b"".join(chunk(raw[i : i + 1]) for i in range(len(raw))) + chunk(b"")
        head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n"

        async def drips(line: Line) -> None:
            await line.request()
            for byte in head + pieces:
                line.say(bytes([byte]))
                await asyncio.sleep(0)

        transport = to_loopback()
        async with provider(drips) as stage:
            upstream = await opened(transport, stage.url)
            assert upstream.headers == {"transfer-encoding": "chunked"}
            assert await upstream.read(5) == b"hello " * 40
            await upstream.close()
            await transport.close()

    asyncio.run(story())


def test_repeated_headers_are_joined_and_names_are_lower_case() -> None:
    async def story() -> None:
        raw = b"HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a: \xe9\r\nEmpty:\r\ncontent-length: 0\r\n\r\n"
        transport = to_loopback()
        async with provider(says(raw)) as stage:
            upstream = await opened(transport, stage.url)
            assert upstream.headers == {"x-a": "1, é", "empty": "", "content-length": "0"}
            await upstream.close()
            await transport.close()

    asyncio.run(story())


@on_both_loops
async def test_what_came_before_the_cut_is_delivered_before_the_error() -> None:
    async def cut(line: Line) -> None:
        await line.request()
        line.say(CHUNKED + chunk(b"one"))
        line.hang_up()

    transport = to_loopback()
    async with provider(cut) as stage:
        upstream = await opened(transport, stage.url)
        assert await upstream.next(5) == b"one"
        for _ in range(2):
            with pytest.raises(UpstreamBroke, match="in the middle of its answer"):
                await upstream.next(5)
        await upstream.close()


@on_both_loops
async def test_a_reset_is_no_end_even_where_closing_is() -> None:
    async def reset(line: Line) -> None:
        await line.request()
        line.say(b"HTTP/1.1 200 OK\r\n\r\npart")
        await go.wait()
        line.writer.get_extra_info("socket").setsockopt(1, 13, b"\1\0\0\0\0\0\0\0")  # SO_LINGER 0
        line.reset()

    go = asyncio.Event()
    transport = to_loopback()
    async with provider(reset) as stage:
        upstream = await opened(transport, stage.url)
        assert await upstream.next(5) == b"part"
        go.set()
        with pytest.raises(UpstreamBroke, match="in the middle of its answer"):
            await upstream.next(5)
        await upstream.close()


@on_both_loops
async def test_a_body_that_nobody_takes_stays_with_the_provider() -> None:
    body = bytes(range(256)) * 16 * 1024  # 4 MiB
    head = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body)

    transport = to_loopback()
    async with provider(says(head + body)) as stage:
        upstream = await opened(transport, stage.url)
        connection = upstream._connection
        while not connection._paused:  # noqa: ASYNC110 - nothing else tells of it
            await asyncio.sleep(0)
        held = connection.buffered
        await asyncio.sleep(0.005)
        assert BUFFER_LIMIT < connection.buffered == held < 3 * BUFFER_LIMIT
        assert await upstream.read(5) == body
        await upstream.close()
        await transport.close()


@on_both_loops
async def test_a_cut_while_nobody_takes_the_body_comes_after_what_was_held() -> None:
    async def cut(line: Line) -> None:
        await line.request()
        line.say(b"HTTP/1.1 200 OK\r\ncontent-length: 9999999\r\n\r\n" + bytes(9_999_990))
        await line.writer.drain()
        line.hang_up()

    transport = to_loopback()
    async with provider(cut) as stage:
        upstream = await opened(transport, stage.url)
        sizes: list[int] = []
        with pytest.raises(UpstreamBroke, match="in the middle of its answer"):
            await count(upstream, sizes)
        assert sum(sizes) == 9_999_990
        await upstream.close()


def test_a_body_over_the_limit_is_refused_and_hung_up_on() -> None:
    async def story() -> None:
        transport = to_loopback(read_limit=1000)
        async with provider(says(encoded("gzip", gzip.compress(bytes(1001), mtime=0)))) as stage:
            upstream = await opened(transport, stage.url)
            with pytest.raises(UpstreamBroke, match="more than 1000 bytes"):
                await upstream.read(5)
            await transport.close()

    asyncio.run(story())


def test_a_little_that_unfolds_to_very_much_leaves_others_their_turn() -> None:
    async def story() -> None:
        transport, turns = to_loopback(), 0

        async def others() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0)
                turns += 1

        bomb = gzip.compress(bytes(50 * PIECE))
        async with provider(says(encoded("gzip", bomb))) as stage:
            upstream = await opened(transport, stage.url)
            assert await upstream.next(5)  # all of it has arrived
            other, sizes = asyncio.create_task(others()), list[int]()
            await count(upstream, sizes)
            other.cancel()
            assert turns >= len(sizes) - 2
            await upstream.close()
            await transport.close()

    asyncio.run(story())


def test_a_compressed_body_unfolds_a_bounded_piece_at_a_time() -> None:
    async def story() -> None:
        transport = to_loopback()
        bomb = gzip.compress(bytes(20 * PIECE + 1))
        async with provider(says(encoded("gzip", bomb))) as stage:
            upstream = await opened(transport, stage.url)
            sizes: list[int] = []
            await count(upstream, sizes)
            assert max(sizes) <= PIECE
            assert sum(sizes) == 20 * PIECE + 1
            await upstream.close()
            await transport.close()

    asyncio.run(story())


class Memory(asyncio.Transport):
    """A transport on which everything arrives in the pieces that the test chooses."""

    def is_closing(self) -> bool:
        return False

    def write(self, _data: object) -> None: ...


def test_a_header_section_is_bounded_even_when_it_comes_in_one_piece() -> None:
    async def story() -> None:
        connection = Connection("name.test")
        connection.connection_made(Memory())
        head = b"HTTP/1.1 200 OK\r\n" + b"x-name: value\r\n" * 5000 + b"\r\n"
        asyncio.get_running_loop().call_soon(connection.data_received, head)
        with pytest.raises(UpstreamBroke, match="header section of more than 65536 bytes"):
            await connection.ask(b"", b"", deadline=asyncio.get_running_loop().time() + 5)

    asyncio.run(story())

"""One HTTP/1.1 connection: sends a request, parses the answer as it comes, holds it until taken."""

import asyncio
from typing import cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from gateway.errors import UpstreamBroke, UpstreamError, UpstreamTimedOut

# Bytes that bring neither body nor end: status line, headers, interim answers, trailers.
HEAD_LIMIT = 64 * 1024
TOO_LONG = f"a header section of more than {HEAD_LIMIT} bytes"
# Reading stops above this much untaken body; the kernel's window then slows the provider down.
BUFFER_LIMIT = 256 * 1024
# Up to here one copy is cheaper than a second write.
ONE_WRITE = 64 * 1024
# A connection closed before we wrote shows it within a round trip.
STALE_WITHIN = 0.5
BODILESS = frozenset({204, 304})


class Connection(asyncio.Protocol):
    """Serves one request at a time: ``ask``, then ``take`` and ``wait`` until ``ended``.

    Where the body is still to come: ``begin``, then ``send`` and ``drain`` for each piece of it,
    and ``wait`` until ``answered``.

    The attributes are the state of the current answer. ``failure`` stands once the rest of it
    cannot come any more; what arrived before is still there to be taken.
    """

    __slots__ = (
        "_asked",
        "_barren",
        "_bodiless",
        "_body",
        "_drained",
        "_head_only",
        "_keep",
        "_loop",
        "_named",
        "_parser",
        "_paused",
        "_transport",
        "_until_close",
        "_waiter",
        "answered",
        "buffered",
        "ended",
        "failure",
        "headers",
        "heard",
        "host",
        "reused",
        "status",
    )

    def __init__(self, host: str) -> None:
        self.host = host
        self.reused = False
        self._loop = asyncio.get_running_loop()
        self._parser = HttpResponseParser(self)
        self._waiter: asyncio.Future[bool] | None = None
        self._drained: asyncio.Future[None] | None = None  # while what we wrote is stuck
        self._bodiless = self._head_only = False
        self._keep = True
        self._asked = 0.0
        self._reset()
        self.ended = True  # nothing is asked yet

    def _reset(self, *, head_only: bool = False) -> None:
        if self._bodiless:  # the parser does not know, and still waits for a body
            self._parser = HttpResponseParser(self)
        self._bodiless, self._head_only = False, head_only
        self.status = 0
        self.headers: dict[str, str] = {}
        self.heard = self.answered = self.ended = False
        self.failure: UpstreamError | None = None
        self.buffered = 0
        self._body: list[bytes] = []
        self._barren = self._named = 0
        self._until_close = self._paused = False

    @property
    def fit(self) -> bool:
        """May carry another request."""
        return (
            self.ended
            and self._keep
            and not self._transport.is_closing()
            # An answer that came before we had finished asking: the rest would garble the next one.
            and not self._transport.get_write_buffer_size()
        )

    @property
    def stale(self) -> bool:
        """Closed while it lay in the pool: the request may go out again elsewhere.

        A provider that closes it later may have begun to work, and would be paid twice.
        """
        soon = self._loop.time() - self._asked < STALE_WITHIN
        return self.reused and self.failure is not None and not self.heard and soon

    async def ask(
        self, head: bytes, body: bytes, deadline: float, *, head_only: bool = False
    ) -> None:
        """Returns when the status and the headers are in; the body follows, unless ``head_only``:
        to HEAD there is none."""
        whole = len(body) <= ONE_WRITE
        self.begin(head + body if whole else head, head_only=head_only)
        if not whole:
            self.send(body)
        while not self.answered:
            if self.failure:
                raise self.failure
            if not await self.wait(deadline - self._loop.time()):
                raise UpstreamTimedOut(f"{self.host} did not answer in time")

    def begin(self, head: bytes, *, head_only: bool) -> None:
        self._reset(head_only=head_only)
        self._asked = self._loop.time()
        if self._transport.is_closing():
            self._hung_up(None)
        else:
            self._transport.write(head)

    def send(self, data: bytes) -> None:
        """More of the request; what a closed connection cannot take is known by its ``failure``."""
        if not self._transport.is_closing():
            self._transport.write(data)

    async def drain(self) -> None:
        """Until the provider takes more, or nothing more can be sent."""
        if self._drained is not None:
            await self._drained

    def take(self) -> bytes:
        """All that is buffered."""
        body = self._body
        data = body[0] if len(body) == 1 else b"".join(body)
        body.clear()
        self.buffered = 0
        if self._paused:
            self._paused = False
            if not self._transport.is_closing():
                self._transport.resume_reading()
        return data

    async def wait(self, seconds: float) -> bool:
        """False after so many seconds without a byte, an end or a failure."""
        waiter = self._waiter = self._loop.create_future()
        timer = self._loop.call_later(seconds, expire, waiter)
        try:
            heard: bool = await waiter
        finally:
            timer.cancel()
            self._waiter = None
        return heard

    def drop(self) -> None:
        """Close at once, whatever is under way."""
        self._transport.abort()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def pause_writing(self) -> None:
        self._drained = self._loop.create_future()

    def resume_writing(self) -> None:
        drained, self._drained = self._drained, None
        if drained is not None and not drained.done():
            drained.set_result(None)

    def data_received(self, data: bytes) -> None:
        if self.ended or self.failure:
            self.drop()  # nobody asked: many a server says 408 before it closes an idle connection
            return
        self.heard = True
        self._barren += len(data)
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            self._keep = False
            self._fail(f"{self.host} answered with malformed HTTP: {error.__context__ or error}")
        if self._barren > HEAD_LIMIT:
            self._fail(f"{self.host} answered with malformed HTTP: {TOO_LONG}")
        if self.buffered > BUFFER_LIMIT and not (self._paused or self._transport.is_closing()):
            self._paused = True
            self._transport.pause_reading()
        self.wake()

    def eof_received(self) -> None:
        self._hung_up(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self.resume_writing()
        self._hung_up(exc)

    # What the parser calls.

    def on_message_begin(self) -> None:
        if self.ended:
            raise ValueError("an answer that nobody asked for")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._named += len(name) + len(value) + 4  # the colon, the blank, the line's end
        if self._named > HEAD_LIMIT:
            raise ValueError(TOO_LONG)
        if self.answered:
            return  # a trailer: nothing we know of is said there
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        known = self.headers.get(key)
        self.headers[key] = text if known is None else f"{known}, {text}"

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status == 101:
            raise ValueError("a switch of protocols that nobody asked for")
        if status < 200:
            return
        framing = self.headers.get("transfer-encoding")
        if framing is not None and framing.lower() != "chunked":
            raise ValueError(f"transfer-encoding {framing!r}")
        self.status = status
        self.answered = True
        self._bodiless = self._head_only or status in BODILESS
        announced = framing is not None or self.headers.get("content-length", "0") != "0"
        # Whoever sends a body all the same sends it into the next answer.
        self._keep = self._parser.should_keep_alive() and not (self._bodiless and announced)
        self.ended = self._bodiless
        self._until_close = framing is None and "content-length" not in self.headers
        self._barren = 0

    def on_body(self, body: bytes) -> None:
        if self._bodiless:
            raise ValueError("a body where there can be none")
        self._body.append(body)
        self.buffered += len(body)
        self._barren = 0

    def on_message_complete(self) -> None:
        if self.answered:
            self.ended = True
        else:
            self.headers.clear()  # an interim answer (1xx): the real one follows

    # How an answer ends.

    def _hung_up(self, reason: Exception | None) -> None:
        if self.ended:
            return
        if not self.heard:
            self._fail(f"{self.host} closed the connection without answering")
        elif self.answered and self._until_close and reason is None:
            self.ended = True
        else:
            self._fail(f"{self.host} closed the connection in the middle of its answer")
        self.wake()

    def _fail(self, message: str) -> None:
        if not (self.ended or self.failure):
            self.failure = UpstreamBroke(message)

    def wake(self) -> None:
        """Whoever waits looks again."""
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(True)


def expire(waiter: asyncio.Future[bool]) -> None:
    if not waiter.done():
        waiter.set_result(False)

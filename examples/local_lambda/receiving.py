"""How one post of the runtime is taken in: what it says, and how long anybody listens."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping

from examples.local_lambda import rules
from examples.local_lambda.answers import ACCEPTED, INVALID_MODE, TIMED_OUT, TOO_LARGE, Verdict
from examples.local_lambda.connection import Connection, Gone, Malformed
from examples.local_lambda.posted import Began, Body, End, Ending, Invocation


class Stuck(Exception):
    """AWS' server tears the connection down, and answers nothing but 403 from then on."""


class Late(Exception):
    """The deadline passed while the post was under way."""


class Receiving:
    """One post about one invocation. Breaches go to `tell`."""

    def __init__(
        self, line: Connection, invocation: Invocation, tell: Callable[[str], None]
    ) -> None:
        self._line, self._invocation, self._tell = line, invocation, tell
        self._began = time.monotonic()
        self._read_bytes = 0
        self._dropped = False

    async def response(self, headers: Mapping[str, str]) -> Verdict:
        self._tell_all(rules.check_invocation_id(headers, self._invocation.invocation_id))
        mode = headers.get(rules.RESPONSE_MODE)
        if mode not in (None, "streaming"):
            self._tell(f"asks for the response mode {mode!r}")
            self._end("failed", "Runtime.InvalidResponseModeHeader")
            return INVALID_MODE
        try:
            return await (self._streamed(headers) if mode else self._buffered(headers))
        except Late:
            return TIMED_OUT
        except (Gone, Malformed) as error:
            self._broken_off(error)
            raise

    async def error(self, headers: Mapping[str, str]) -> Verdict:
        self._tell_all(rules.check_invocation_id(headers, self._invocation.invocation_id))
        kind = headers.get(rules.ERROR_TYPE)
        self._invocation.add(Began("error", kind))
        try:
            body = b"".join([data async for data in self._pieces()])
        except Late:
            return TIMED_OUT
        except (Gone, Malformed) as error:
            self._broken_off(error)
            raise
        self._tell_all(rules.check_error(headers, body))
        self._invocation.add(Body(body))
        self._end("failed", kind, rules.json_or_none(body))
        return ACCEPTED

    async def _streamed(self, headers: Mapping[str, str]) -> Verdict:
        self._tell_all(rules.check_streaming(headers))
        self._invocation.add(Began("streaming"))
        reader, sent = rules.PreludeReader(), 0
        async for data in self._pieces():
            known = reader.prelude
            body = reader.feed(data)
            if reader.prelude and not known:
                self._invocation.add(reader.prelude)
            if body:
                sent += len(body)
                self._invocation.add(Body(body))
            if sent > self._invocation.terms.most_streamed:
                self._tell(f"streams more than {self._invocation.terms.most_streamed} bytes")
                self._end("too large", "Function.ResponseSizeTooLarge")
                return TOO_LARGE
        self._tell_all(reader.faults)
        if not reader.prelude and not reader.lost:
            self._tell("ends a stream before its prelude")
        elif not sent:
            self._tell("streams a body of no bytes, which may hang on a function URL")
        return self._end_of_stream()

    def _end_of_stream(self) -> Verdict:
        trailers = self._line.trailers
        if self._line.trailer_bytes > rules.LONGEST_TRAILERS:
            self._tell(f"sends {self._line.trailer_bytes} bytes of trailers, more than 4 KiB")
            self._end("cut")
            raise Stuck
        self._tell_all(rules.check_trailers(trailers))
        if trailers:
            kind = {name.lower(): value for name, value in trailers}.get(rules.ERROR_TYPE)
            self._end("failed", kind, rules.error_in(trailers))
        else:
            self._end("whole")
        return ACCEPTED

    async def _buffered(self, headers: Mapping[str, str]) -> Verdict:
        self._invocation.add(Began("buffered"))
        body = bytearray()
        async for data in self._pieces():
            body += data
            if len(body) > rules.LARGEST_BUFFERED:
                self._tell(f"posts a buffered answer of more than {rules.LARGEST_BUFFERED} bytes")
                self._end("too large", "Function.ResponseSizeTooLarge")
                return TOO_LARGE
        self._tell_all(rules.check_buffered(headers, bytes(body)))
        self._invocation.add(Body(bytes(body)))
        self._end("whole")
        return ACCEPTED

    async def _pieces(self) -> AsyncIterator[bytes]:
        """What arrives, as long as it is listened to on this invocation's terms."""
        terms, invocation = self._invocation.terms, self._invocation
        async for data in self._line.body():
            if invocation.ended == "timed out":
                raise Late
            self._read_bytes += len(data)
            yield data
            if terms.drop_after is not None and self._read_bytes >= terms.drop_after:
                self._dropped = True
                self._line.abort()
                raise Gone("torn down, as the terms say")
            if terms.hold and self._read_bytes >= terms.hold.after:
                await self._until_the_deadline(terms.hold.until)
            await self._throttled()
        if invocation.ended == "timed out":
            raise Late

    async def _until_the_deadline(self, event: asyncio.Event) -> None:
        left = self._invocation.deadline_ms / 1000 - time.time()
        try:
            await asyncio.wait_for(event.wait(), max(left, 0))
        except TimeoutError:
            raise Late from None

    async def _throttled(self) -> None:
        throttle = self._invocation.terms.throttle
        if throttle and self._read_bytes > throttle.burst:
            due = (self._read_bytes - throttle.burst) / throttle.per_second
            await asyncio.sleep(max(0.0, self._began + due - time.monotonic()))

    def _broken_off(self, error: Exception) -> None:
        self._end("cut")
        if not self._dropped:
            self._tell(f"breaks off in the middle of a post: {error}")
            raise Stuck from error

    def _end(self, how: Ending, error_type: str | None = None, error: object = None) -> None:
        self._invocation.add(End(how, error_type, error))

    def _tell_all(self, faults: Iterable[str]) -> None:
        for fault in faults:
            self._tell(fault)

"""How a call crosses to the provider's dialect and its answer comes back. No I/O."""

from typing import Protocol

from gateway.dialects.base import Dialect, Watch
from gateway.errors import UpstreamBroke, UpstreamError
from gateway.exchange.exchange import Call
from gateway.usage import Usage
from gateway.wire.json import loads
from gateway.wire.patch import patch, without
from gateway.wire.sse import SseSplitter, data_of, event_around, name_of


class Bridge(Protocol):
    """One for each attempt.

    A stream is fed as it arrives: ``begun`` once it has held content, ``ended`` once it has held
    its terminal event, ``failure`` once the provider has said in it that it failed; ``admitted``
    where its terminal event says so to the caller.
    """

    usage: Usage | None  # None while the provider has not said

    @property
    def begun(self) -> bool: ...
    @property
    def ended(self) -> bool: ...
    @property
    def failure(self) -> UpstreamError | None: ...
    @property
    def admitted(self) -> UpstreamError | None: ...

    def request(self, model: str, *, stream_usage: bool) -> bytes: ...
    def reply(self, body: bytes) -> bytes:
        """A whole answer for the caller. Raises UpstreamBroke when it is none."""
        ...

    def feed(self, chunk: bytes) -> bytes:
        """What the caller should see of this part of a stream. Raises UpstreamBroke."""
        ...

    def finish(self) -> bytes:
        """The same at the good end of the body: its last event may lack the blank line."""
        ...


class Relay:
    """Both sides speak alike: hand the bytes on, and read only what must be known."""

    def __init__(self, call: Call) -> None:
        self._call, self._dialect = call, call.dialect
        self._watch = self._dialect.watch(call.body) if self._dialect.watch else None
        self._splitter = SseSplitter()
        self._broken: UpstreamError | None = None
        self._over = False  # ended or failed: nothing more is looked at
        self.usage: Usage | None = None

    def request(self, model: str, *, stream_usage: bool) -> bytes:
        text, body = self._call.text, self._call.body
        if stream_usage:
            return patch(text, body, {"model": model, **self._dialect.amend(body)})
        if "stream_options" in body:  # this provider refuses the field, and tells the usage unasked
            text = without(text, "stream_options")
        return patch(text, body, {"model": model})

    def reply(self, body: bytes) -> bytes:
        try:
            parsed = loads(body)
        except ValueError as error:
            raise UpstreamBroke("the provider's answer is not JSON") from error
        if not isinstance(parsed, dict):
            raise UpstreamBroke("the provider's answer is not a JSON object")
        self._dialect.check_reply(parsed)
        self.usage = self._dialect.read_usage(parsed)
        return body

    @property
    def begun(self) -> bool:
        return self._watch is not None and self._watch.begun

    @property
    def ended(self) -> bool:
        return self._watch is not None and self._watch.ended

    @property
    def failure(self) -> UpstreamError | None:
        return self._broken or (self._watch.failure if self._watch else None)

    @property
    def admitted(self) -> UpstreamError | None:
        return self._watch.admitted if self._watch else None

    def feed(self, chunk: bytes) -> bytes:
        watch = self._watch
        if watch is None or self._over:
            return b""
        try:
            whole = self._splitter.feed(chunk)
        except ValueError as error:
            self._broken = UpstreamBroke(f"the provider's stream is malformed: {error}")
            self._over = True
            return b""
        at = watch.telling(whole, 0)
        return whole if at < 0 else self._sifted(watch, whole, at)

    def _sifted(self, watch: Watch, whole: bytes, at: int) -> bytes:
        """What the caller should see, up to a failure or the end."""
        shown: list[bytes] = []
        start = 0
        while 0 <= at < len(whole):
            begin, end = event_around(whole, at, start)
            shown.append(whole[start:begin])
            if self._look(watch, whole[begin:end]):
                shown.append(whole[begin:end])
            start = end
            if watch.ended or self.failure:
                self._over = True
                break
            at = watch.telling(whole, start)
        else:
            shown.append(whole[start:])
        self.usage = watch.usage
        return b"".join(shown)

    def _look(self, watch: Watch, event: bytes) -> bool:
        data = data_of(event)
        try:
            return not data or watch.look(data, name_of(event))
        except UpstreamError as error:
            self._broken = error
            return False

    def finish(self) -> bytes:
        watch, event = self._watch, self._splitter.waiting + b"\n\n"
        if watch is None or self._over or not data_of(event):
            return b""
        shown = self._look(watch, event)
        self.usage = watch.usage
        return event if shown and watch.ended else b""


def bridge_for(call: Call, provider: Dialect) -> Bridge | None:
    """None when nothing leads from the caller's dialect to the provider's."""
    return Relay(call) if call.dialect is provider else None

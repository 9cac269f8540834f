"""How a call crosses to the provider's dialect and its answer comes back. No I/O."""

from typing import Protocol

from gateway.dialects.base import Dialect
from gateway.errors import GatewayError, UpstreamBroke, UpstreamError
from gateway.exchange.exchange import Call
from gateway.usage import Usage
from gateway.wire.json import Json, loads
from gateway.wire.patch import patch
from gateway.wire.sse import SseSplitter, data_of, events


class Bridge(Protocol):
    """One for each attempt.

    A stream is fed as it arrives: ``begun`` once it has held content, ``ended`` once it has held
    its terminal event, ``failure`` once the provider has said in it that it failed.
    """

    usage: Usage
    dropped: list[str]

    @property
    def begun(self) -> bool: ...
    @property
    def ended(self) -> bool: ...
    @property
    def failure(self) -> UpstreamError | None: ...

    def request(self, model: str, *, stream_usage: bool) -> bytes: ...
    def reply(self, body: bytes) -> bytes:
        """A whole answer for the caller. Raises UpstreamBroke when it is none."""
        ...

    def feed(self, chunk: bytes) -> bytes:
        """What the caller should see of this part of a stream. Raises UpstreamBroke."""
        ...

    def fail(self, error: GatewayError) -> bytes:
        """An error event, to end a stream that has begun."""
        ...


class Relay:
    """Both sides speak alike: hand the bytes on, and read only what must be known."""

    def __init__(self, call: Call) -> None:
        self._call, self._dialect = call, call.dialect
        self._watch = self._dialect.watch(call.body) if self._dialect.watch else None
        self._splitter = SseSplitter()
        self._broken: UpstreamError | None = None
        self.usage = Usage()
        self.dropped: list[str] = []

    def request(self, model: str, *, stream_usage: bool) -> bytes:
        changes: Json = {"model": model}
        if stream_usage:
            changes |= self._dialect.amend(self._call.body)
        return patch(self._call.text, self._call.body, changes)

    def reply(self, body: bytes) -> bytes:
        try:
            parsed = loads(body)
        except ValueError as error:
            raise UpstreamBroke("the provider's answer is not JSON") from error
        if not isinstance(parsed, dict):
            raise UpstreamBroke("the provider's answer is not a JSON object")
        self._dialect.check_reply(parsed)
        self.usage = self._dialect.read_usage(parsed) or self.usage
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

    def feed(self, chunk: bytes) -> bytes:
        watch = self._watch
        if watch is None or watch.ended or self.failure:
            return b""
        try:
            whole = self._splitter.feed(chunk)
        except ValueError as error:
            self._broken = UpstreamBroke(f"the provider's stream is malformed: {error}")
            return b""
        if not watch.may_tell(whole):
            return whole
        return b"".join(self._looked_at(whole))

    def _looked_at(self, whole: bytes) -> list[bytes]:
        """The events that the caller should see, up to a failure or the end."""
        watch = self._watch
        shown: list[bytes] = []
        for event in events(whole):
            data = data_of(event)
            try:
                if watch is None or not data or watch.look(data):
                    shown.append(event)
            except UpstreamError as error:
                self._broken = error
            if self.failure or self.ended:
                break
        if watch is not None:
            self.usage = watch.usage
        return shown

    def fail(self, error: GatewayError) -> bytes:
        return self._dialect.write_stream_error(error)


def bridge(call: Call, provider: Dialect) -> Bridge | None:
    """None when nothing leads from the caller's dialect to the provider's."""
    return Relay(call) if call.dialect is provider else None

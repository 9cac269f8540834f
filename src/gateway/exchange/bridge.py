"""How a call crosses to the provider's dialect and its answer comes back. No I/O."""

from typing import Protocol

from gateway.dialects.base import Dialect, Watch
from gateway.dialects.forms import ChatForm
from gateway.dialects.unsealing import may_be_sealed
from gateway.errors import BadRequest, UpstreamBroke, UpstreamError
from gateway.exchange.exchange import Call
from gateway.exchange.translation import last_event, translation_for, whole_object
from gateway.providers.quirks import Quirks, fit
from gateway.usage import Usage
from gateway.wire.json import Unwritable, dumps
from gateway.wire.patch import patch, without
from gateway.wire.sse import SseSplitter, data_of, event_around, name_of


class Bridge(Protocol):
    """One for each attempt.

    A stream is fed as it arrives: ``begun`` once it has held content, ``ended`` once it has held
    its terminal event, ``failure`` once the provider has said in it that it failed; ``admitted``
    where its terminal event says so to the caller. ``heard``: how often there was something
    whole in it, whether or not the caller sees it. ``dropped``: by name, what of the question the
    provider was not told, and what of its answer the caller is not.
    """

    heard: int

    @property
    def usage(self) -> Usage | None:
        """None while the provider has not said."""
        ...

    @property
    def dropped(self) -> set[str]: ...
    @property
    def begun(self) -> bool: ...
    @property
    def ended(self) -> bool: ...
    @property
    def failure(self) -> UpstreamError | None: ...
    @property
    def admitted(self) -> UpstreamError | None: ...

    def request(self, model: str, quirks: Quirks) -> bytes: ...
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
        self.heard = 0
        self._usage: Usage | None = None  # of a whole answer
        self.dropped: set[str] = set()

    def request(self, model: str, quirks: Quirks) -> bytes:
        text, body, dialect = self._call.text, self._call.body, self._dialect
        if may_be_sealed(text):
            try:
                body, lost = dialect.unseal(body, model)
                text, self.dropped = dumps(body), self.dropped | lost
            except (RecursionError, Unwritable) as error:
                raise BadRequest(None, "the body nests too deep", code="nested_too_deep") from error
        changes = {**dialect.address(body, model), **dialect.amend(body)}
        fitted = fit({**body, **changes}, quirks)
        for name in fitted.without:
            changes.pop(name, None)
            if name in body:
                text = without(text, name)
        self.dropped |= fitted.dropped
        return patch(text, body, {**changes, **fitted.changes})

    def reply(self, body: bytes) -> bytes:
        parsed = whole_object(body)
        self._dialect.check_reply(parsed)
        self._usage = self._dialect.read_usage(parsed)
        return body

    @property
    def usage(self) -> Usage | None:
        """Asked only when it is needed: a watch may read it late, from what passed last."""
        return self._usage or (self._watch.usage if self._watch else None)

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
        if whole:
            self.heard += 1
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
        return b"".join(shown)

    def _look(self, watch: Watch, event: bytes) -> bool:
        data = data_of(event)
        try:
            return not data or watch.look(data, name_of(event))
        except UpstreamError as error:
            self._broken = error
            return False

    def finish(self) -> bytes:
        watch, event = self._watch, last_event(self._splitter.waiting)
        if watch is None or self._over:
            return b""
        shown = bool(event) and self._look(watch, event)
        if not self._broken:
            watch.finish()
        return event if shown and watch.ended else b""


def bridge_for(call: Call, provider: Dialect, form: ChatForm | None = None) -> Bridge | None:
    """None when nothing leads from the caller's dialect to the provider's.

    Raises BadRequest for a call that cannot be translated.
    """
    return Relay(call) if call.dialect is provider else translation_for(call, provider, form)

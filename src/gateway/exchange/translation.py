"""Bridges between dialects that differ: read in the one, written in the other. No I/O."""

from typing import Protocol

from gateway.chat.minimum import complete
from gateway.chat.names import Names, fit_names, restore, restore_in
from gateway.chat.reply import Ended, ReplyEvent, Started
from gateway.dialects.base import Dialect
from gateway.dialects.forms import Asked, ChatForm, CountForm, EmbeddingsForm, Identity, Written
from gateway.errors import BadRequest, UpstreamBroke, UpstreamError
from gateway.exchange.exchange import Call
from gateway.providers.quirks import Quirks, fit
from gateway.usage import Usage
from gateway.wire.halves import Halves
from gateway.wire.json import Json, Unwritable, dumps, loads
from gateway.wire.sse import SseSplitter, data_of, events


class Way(Protocol):
    """How a question crosses, and how its whole answer comes back."""

    def ask(self, model: str) -> Written: ...
    def answer(self, body: Json) -> Written: ...


class Translation:
    """A question that has one whole answer."""

    begun = ended = False
    heard = 0
    failure: UpstreamError | None = None
    admitted: UpstreamError | None = None

    def __init__(self, way: Way, provider: Dialect) -> None:
        self._way, self._provider = way, provider
        self._dropped: set[str] = set()
        self._usage: Usage | None = None

    @property
    def usage(self) -> Usage | None:
        return self._usage

    @property
    def dropped(self) -> set[str]:
        return self._dropped

    def request(self, model: str, quirks: Quirks) -> bytes:
        """Raises BadRequest for what can be read but not be said."""
        try:
            return self._written(model, quirks)
        except (RecursionError, Unwritable) as error:
            raise _too_deep() from error

    def _written(self, model: str, quirks: Quirks) -> bytes:
        written = self._way.ask(model)
        fitted = fit(written.body, quirks)
        body = {**written.body, **fitted.changes}
        for name in fitted.without:
            body.pop(name, None)
        self._dropped |= written.dropped | fitted.dropped
        return dumps(body)

    def reply(self, body: bytes) -> bytes:
        parsed = whole_object(body)
        self._provider.check_reply(parsed)
        self._usage = self._provider.read_usage(parsed)
        try:
            written = self._way.answer(parsed)
            text = dumps(written.body)
        except (RecursionError, Unwritable) as error:
            raise UpstreamBroke("the provider's answer nests too deep") from error
        self._dropped |= written.dropped
        return text

    def feed(self, chunk: bytes) -> bytes:
        del chunk  # it has no stream
        return b""

    def finish(self) -> bytes:
        return b""


class ChatTranslation(Translation):
    """A chat, whole or streamed."""

    def __init__(self, way: "ChatWay", provider: Dialect) -> None:
        super().__init__(way, provider)
        self._chat = way
        self._model = ""
        self._reader = way.target.reader(way.identity)
        self._writer = way.form.writer(way.asked)
        self._splitter = SseSplitter()
        self.begun = self.ended = False
        self.failure = None

    @property
    def usage(self) -> Usage | None:
        return self._usage or self._reader.usage

    @property
    def dropped(self) -> set[str]:
        return self._dropped | self._reader.dropped | self._writer.dropped

    def request(self, model: str, quirks: Quirks) -> bytes:
        self._model = model
        return super().request(model, quirks)

    def feed(self, chunk: bytes) -> bytes:
        if self.ended or self.failure:
            return b""
        try:
            whole = self._splitter.feed(chunk)
        except ValueError as error:
            self.failure = UpstreamBroke(f"the provider's stream is malformed: {error}")
            return b""
        if whole:
            self.heard += 1
        return self._read(whole)

    def _read(self, whole: bytes) -> bytes:
        """Up to a failure: what came before it is the caller's."""
        written: list[bytes] = []
        try:
            for event in events(whole):
                if data := data_of(event):
                    self._write(self._reader.feed(data), written)
        except UpstreamError as error:
            self.failure = error
        except (RecursionError, Unwritable):
            self.failure = UpstreamBroke("the provider's stream nests too deep")
        return b"".join(written)

    def _write(self, told: list[ReplyEvent], written: list[bytes]) -> None:
        for event in told:
            if type(event) is Started:
                event.model = event.model or self._model
            elif self._chat.names:
                restore_in(event, self._chat.names)
            written.append(self._writer.feed(event))
            if not self.begun:
                self.begun = _says_something(event)
            if type(event) is Ended:
                self.ended = True

    def finish(self) -> bytes:
        if self.ended or self.failure:
            return b""
        written = [self._read(last_event(self._splitter.waiting))]
        try:
            if not self.failure:
                self._write(self._reader.finish(), written)
        except UpstreamError as error:
            self.failure = error
        except (RecursionError, Unwritable):
            self.failure = UpstreamBroke("the provider's stream nests too deep")
        return b"".join(written)


def _says_something(event: ReplyEvent) -> bool:
    """A block that is opened before it says anything is no content yet."""
    return type(event) is not Started and bool(getattr(event, "text", True))


class ChatWay:
    def __init__(self, call: Call, form: ChatForm, target: ChatForm, dialect: str) -> None:
        self.form, self.target, self._dialect = form, target, dialect
        request = form.read_request(call.body)
        request.stream = call.stream
        self.asked = Asked(call.body, request)
        self.identity = Identity(call.request_id, call.arrived)
        self.names: Names = {}

    def ask(self, model: str) -> Written:
        request = self.asked.request
        request.model = model
        lost = complete(request, self._dialect)
        self.names = fit_names(request, self.target.tool_name)
        written = _with_unread(self.target.write_request(request), request.unread)
        return Written(written.body, written.dropped | lost)

    def answer(self, body: Json) -> Written:
        reply = self.target.read_reply(body, self.identity)
        reply.model = reply.model or self.asked.request.model  # not everyone names it
        restore(reply, self.names)
        written = self.form.write_reply(reply, self.asked)
        return Written(written.body, written.dropped | reply.dropped)


class EmbeddingsWay:
    def __init__(self, call: Call, form: EmbeddingsForm, target: EmbeddingsForm) -> None:
        self._form, self._target = form, target
        self._request = form.read_request(call.body)

    def ask(self, model: str) -> Written:
        self._request.model = model
        return _with_unread(self._target.write_request(self._request), self._request.unread)

    def answer(self, body: Json) -> Written:
        reply = self._target.read_reply(body)
        reply.model = reply.model or self._request.model
        return self._form.write_reply(reply, self._request)


class CountWay:
    def __init__(self, call: Call, form: CountForm, target: CountForm, dialect: str) -> None:
        self._form, self._target, self._dialect = form, target, dialect
        self._request = form.read_request(call.body)

    def ask(self, model: str) -> Written:
        request = self._request
        request.model = model
        lost = complete(request, self._dialect)
        fit_names(request, self._target.tool_name)
        written = _with_unread(self._target.write_request(request), request.unread)
        return Written(written.body, written.dropped | lost)

    def answer(self, body: Json) -> Written:
        return Written(self._form.write_reply(self._target.read_reply(body)))


def translation_for(
    call: Call, provider: Dialect, form: ChatForm | None = None
) -> Translation | None:
    """None when what is asked in the caller's dialect cannot be said in the provider's.

    ``form``: how chats are to be said in it, in place of the usual one. Raises BadRequest for what
    cannot even be read.
    """
    try:
        return _translation(call, provider, form or provider.chat)
    except RecursionError as error:
        raise _too_deep() from error


def _translation(call: Call, provider: Dialect, form: ChatForm | None) -> Translation | None:
    caller = call.dialect
    if caller.chat and form:
        return ChatTranslation(ChatWay(call, caller.chat, form, provider.name), provider)
    if caller.embeddings and provider.embeddings:
        return Translation(EmbeddingsWay(call, caller.embeddings, provider.embeddings), provider)
    if caller.count and provider.count:
        return Translation(CountWay(call, caller.count, provider.count, provider.name), provider)
    return None


def _too_deep() -> BadRequest:
    return BadRequest(None, "the body nests too deep to be translated", code="nested_too_deep")


def last_event(waiting: bytes) -> bytes:
    """What stands behind the last blank line of a body that has ended; ``b""`` where it was cut."""
    event = waiting + b"\n\n"
    data = data_of(event).strip()
    try:
        return event if data == b"[DONE]" or (data and loads(data)) else b""
    except ValueError:
        return b""


def whole_object(body: bytes) -> Json:
    """A provider's whole answer. Raises UpstreamBroke when it is no JSON object."""
    try:
        parsed = loads(body)
    except ValueError as error:
        parsed = Halves().loads(body)  # None where that was not what is wrong
        if parsed is None:
            raise UpstreamBroke("the provider's answer is not JSON") from error
    if not isinstance(parsed, dict):
        raise UpstreamBroke("the provider's answer is not a JSON object")
    return parsed


def _with_unread(written: Written, unread: Json) -> Written:
    return Written(written.body, written.dropped | unread.keys()) if unread else written

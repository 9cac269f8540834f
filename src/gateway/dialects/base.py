"""What a wire format must be able to do."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from gateway.dialects.forms import ChatForm, CountForm, EmbeddingsForm
from gateway.dialects.unsealing import unsealed
from gateway.errors import BadRequest, GatewayError, UpstreamError
from gateway.usage import Usage
from gateway.wire.json import Json

Kinds = type | tuple[type, ...]


class Watch(Protocol):
    """Looks over a stream that is relayed as it is: has it begun, has it ended, what did it use?

    One for each stream. It reads an event only where the event can matter.
    """

    usage: Usage | None  # None while the provider has not said
    begun: bool  # content has been seen: from here on the answer is committed
    ended: bool  # the terminal event has been seen
    failure: UpstreamError | None  # the provider said in the stream that it failed
    admitted: UpstreamError | None  # the same, in a terminal event that the caller reads itself

    def telling(self, whole: bytes, start: int) -> int:
        """Where, from ``start`` on, the first event stands that must be looked at.

        Any index into that event; -1 when there is none. Cheap, and wrong only by naming too many.
        """
        ...

    def look(self, data: bytes, name: str = "") -> bool:
        """Take in one event's data and name; say whether the caller should see the event.

        Raises UpstreamBroke when it is not what this dialect sends.
        """
        ...

    def finish(self) -> None:
        """The body came to its clean end: where no event says so, the stream has ended now."""
        ...


class StreamErrorWriter(Protocol):
    def __call__(self, error: GatewayError, sent: bytes = b"") -> bytes:
        """The events that end a stream with this error. ``sent``: whole events that its caller has
        been sent, the first and the last among them."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Dialect:
    """A wire format: what the gateway must know to relay a call in it, and to translate one.

    ``check`` refuses a body that no provider of this dialect could serve (BadRequest, naming the
    field); ``check_closely`` also holds it to the documented types and ranges.
    ``amend`` names the top-level members to change before a call goes out, so that its usage will
    be reported; ``watch`` is told the request, to know what the caller asked to see.
    ``read_usage`` takes a whole reply; None when it does not say.
    ``check_reply`` raises UpstreamBroke for a 200 that is no reply.
    ``read_error`` finds what an error body says, None when it says nothing that can be read;
    ``is_error`` tells whether it has this dialect's own shape: then callers may have it as it is.
    ``write_error`` is also told our name for the request, which the errors of some dialects hold;
    ``request_id_header``: where else their callers look for it.
    ``address`` names the top-level members to change so that a body names this model.
    ``unseal`` takes out of a body that goes on to this model what is sealed in our wrapping, and
    says what was lost by it.
    ``read_wait`` finds how many seconds an error body asks to wait, where a header should say it.
    ``chat``, ``embeddings``, ``count``: what is said in it, as far as it can be translated.
    """

    name: str
    check: Callable[[Json], None]
    check_closely: Callable[[Json], None]
    amend: Callable[[Json], Json]
    watch: Callable[[Json], Watch] | None  # None: this dialect has no streams
    read_usage: Callable[[Json], Usage | None]
    check_reply: Callable[[Json], None]
    read_error: Callable[[object], str | None]
    is_error: Callable[[Json], bool]
    write_error: Callable[[GatewayError, str | None], Json]
    write_stream_error: StreamErrorWriter
    heartbeat: bytes = b": heartbeat\n\n"
    request_id_header: str | None = None
    address: Callable[[Json, str], Json] = lambda _, model: {"model": model}
    unseal: Callable[[Json, str], tuple[Json, frozenset[str]]] = lambda body, _: unsealed(body)
    read_wait: Callable[[object], str | None] = lambda _: None
    chat: ChatForm | None = None
    embeddings: EmbeddingsForm | None = None
    count: CountForm | None = None


def read_error(body: object) -> str | None:
    """What an error body says, in the shape that most APIs share (``{"error": {"message"}}``) or
    another in use: error as text, FastAPI's ``detail`` (a text, or a list of what is wrong where),
    Mistral's bare ``message`` (which may hold such a ``detail``), a list of errors."""
    return _said(body, DEEPEST)


DEEPEST = 4  # an error in a list in a detail in a message
MOST_TOLD = 5  # of a list of faults


def _said(value: object, depth: int) -> str | None:
    if isinstance(value, str) or not depth:
        return value if isinstance(value, str) and value else None
    if isinstance(value, list):
        said = [text for one in value[:MOST_TOLD] if (text := _said(one, depth - 1))]
        return "; ".join(said) or None
    if not isinstance(value, dict):
        return None
    names = ("error", "message", "detail", "errors", "msg")
    texts = (_said(value.get(name), depth - 1) for name in names)
    text = next((text for text in texts if text), None)
    place = value.get("loc")
    if text and isinstance(place, list) and place:
        return f"{'.'.join(str(one) for one in place if one != 'body')}: {text}".removeprefix(": ")
    return text


def first_of(*places: int) -> int:
    """The least of what ``bytes.find`` gave, -1 when it found nothing."""
    first = -1
    for place in places:
        if place >= 0 and (first < 0 or place < first):
            first = place
    return first


def count(counts: object, name: str) -> int:
    """A number of tokens out of an object that should hold it; 0 for anything that is none."""
    value = counts.get(name) if isinstance(counts, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


class Fields:
    """An object of a body, read field by field; ``rest`` is what nobody has read.

    Every refusal is a BadRequest that names the field by its whole path.
    """

    __slots__ = ("_place", "rest")

    def __init__(self, value: object, place: str = "") -> None:
        if not isinstance(value, dict):
            raise BadRequest(place or None, f"must be an object, not {json_type(value)}")
        self.rest: Json = dict(value)
        self._place = place

    def path(self, name: str) -> str:
        return f"{self._place}.{name}" if self._place else name

    def leave(self, unread: Json) -> None:
        """Note down what nobody has read; nulls say nothing."""
        for name, value in self.rest.items():
            if value is not None:
                unread[_INDEX.sub("[]", self.path(name))] = value

    def need(self, name: str, kind: Kinds) -> Any:
        """Pop a field that must be there and of this kind."""
        if name not in self.rest:
            raise BadRequest(self.path(name), "is required")
        value = self.rest.pop(name)
        if not isinstance(value, kind) or (isinstance(value, bool) and not _takes_bool(kind)):
            raise BadRequest(self.path(name), f"must be {_named(kind)}, not {json_type(value)}")
        return value

    def may(self, name: str, kind: Kinds) -> Any:
        """The same for a field that may be absent or null: then None."""
        if self.rest.get(name) is None:
            self.rest.pop(name, None)
            return None
        return self.need(name, kind)

    def each(self, name: str) -> list[tuple[Any, str]]:
        """Pop a list that may be absent: its items, each with its path."""
        path = self.path(name)
        return [(item, f"{path}[{nth}]") for nth, item in enumerate(self.may(name, list) or ())]


_INDEX = re.compile(r"\[\d+\]")


def json_type(value: object) -> str:
    return _NAMES.get(type(value), type(value).__name__)


def _takes_bool(kind: Kinds) -> bool:
    return bool in kind if isinstance(kind, tuple) else kind is bool


def _named(kind: Kinds) -> str:
    kinds = kind if isinstance(kind, tuple) else (kind,)
    names = [_NAMES[k] for k in kinds if not (k is int and float in kinds)]
    return " or ".join(names)


_NAMES: Mapping[type, str] = {
    str: "a string",
    int: "an integer",
    float: "a number",
    bool: "a boolean",
    list: "an array",
    dict: "an object",
    type(None): "null",
}

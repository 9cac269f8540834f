"""A relayed Responses stream, looked over without being read whole.

https://platform.openai.com/docs/api-reference/responses-streaming
"""

from gateway.dialects.base import first_of, read_error
from gateway.dialects.openai_errors import failure_in
from gateway.dialects.openai_responses.usage import read_usage
from gateway.errors import UpstreamBroke, UpstreamError
from gateway.usage import Usage
from gateway.wire.halves import Halves
from gateway.wire.json import Json, loads

UNTYPED = ""  # the kind of an event that has none
# What comes before the model says anything.
LIFECYCLE = frozenset(
    {
        "response.created",
        "response.queued",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.reasoning_summary_part.added",
        "keepalive",
    }
)
TERMINAL = frozenset({"response.completed", "response.incomplete", "response.failed"})
TELLING = (b'"error"', *(f'"{kind}"'.encode() for kind in sorted(TERMINAL)))
# What every event of the API holds but its errors; an error may have the shape of another API's.
EVENT, TYPE = b"data:", b'"response.'
# What most events are, which tell nothing. No text within one can hold it: its quotes would be
# escaped.
WORDS = b'"response.output_text.delta"'


class ResponsesWatch:
    __slots__ = ("admitted", "begun", "ended", "failure", "usage")

    def __init__(self, request: Json) -> None:
        del request  # whatever it asks for, the stream is the same
        self.usage: Usage | None = None
        self.begun = self.ended = False
        self.failure: UpstreamError | None = None
        self.admitted: UpstreamError | None = None

    def telling(self, whole: bytes, start: int) -> int:
        if not self.begun:
            return start
        count = whole.count(EVENT, start)
        if whole.count(WORDS, start) == count:
            return -1
        if whole.count(TYPE, start) != count:
            return start
        return first_of(*(whole.find(kind, start) for kind in TELLING))

    def look(self, data: bytes, name: str = "") -> bool:
        event = read_event(data)
        kind, response = kind_of(event), event.get("response")
        if kind == UNTYPED and name != "error":  # elsewhere the data says it again
            return False
        kind = kind or name
        if not isinstance(response, dict):
            response = {}
        self.usage = read_usage(response) or self.usage
        if kind == "error":
            self.failure = failure_in(event.get("error") or event)
            return False
        if kind == "response.failed":
            self.admitted = failure_in(response.get("error"))
            if not self.begun:
                self.failure = self.admitted
                return False
        self.ended = kind in TERMINAL
        self.begun = self.begun or kind not in LIFECYCLE
        return True

    def finish(self) -> None:
        """Its last event says that it is the last."""


def read_event(data: bytes) -> Json:
    """Raises UpstreamBroke for what is no JSON object."""
    try:
        event = loads(data)
    except ValueError as error:
        if data == b"[DONE]":  # not OpenAI's, but some imitators end so
            return {"type": "response.in_progress"}
        event = Halves().loads(data)
        if event is None:
            raise UpstreamBroke("the provider sent an event that is not JSON") from error
    if not isinstance(event, dict):
        raise UpstreamBroke("the provider sent an event that is not a JSON object")
    return event


def kind_of(event: Json) -> str:
    """UNTYPED for an event that is none of this API's, such as a heartbeat of whatever stands
    before the provider: nobody is told of it, since it may be anything. Raises UpstreamBroke for an
    error in the shape of another API's (https://github.com/zed-industries/zed/issues/63825)."""
    kind = event.get("type")
    if isinstance(kind, str):
        return kind
    if event.get("error") or read_error(event):
        raise failure_in(event.get("error") or event)
    return UNTYPED

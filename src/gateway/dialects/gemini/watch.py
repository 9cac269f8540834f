"""A relayed stream of generateContent replies, looked over without being read whole.

https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent
"""

from gateway.dialects.base import first_of
from gateway.dialects.gemini.errors import failure_in
from gateway.dialects.gemini.stops import UNSPECIFIED
from gateway.dialects.gemini.usage import counts_of, usage_of
from gateway.errors import UpstreamBroke, UpstreamError
from gateway.usage import Usage
from gateway.wire.halves import Halves
from gateway.wire.json import Json, loads
from gateway.wire.sse import data_of, event_around


class GeminiWatch:
    """No event of this API says that it is the last: one with a finishReason, or with a
    blockReason, and then the clean end of the body do.

    Every chunk counts the tokens of all so far. To read them all would cost more than the rest of
    the relay, so what is read is the chunk that is looked at anyway, among them the last; and
    when somebody asks before that, the last chunk that passed (``usage``).
    """

    __slots__ = ("_counts", "_passed", "_stopped", "admitted", "begun", "ended", "failure")

    def __init__(self, request: Json) -> None:
        del request  # whatever it asks for, the stream is the same
        self._counts: Json = {}
        self._passed = b""  # the last run of events that was let pass unread
        self._stopped = False
        self.begun = self.ended = False
        self.failure: UpstreamError | None = None
        self.admitted: UpstreamError | None = None  # this dialect has no such event

    @property
    def usage(self) -> Usage | None:
        if self._passed:
            self._counts |= _last_counts(self._passed)
            self._passed = b""
        return usage_of(self._counts)

    @usage.setter
    def usage(self, _: Usage | None) -> None:
        raise AttributeError("a watch counts for itself")

    def telling(self, whole: bytes, start: int) -> int:
        if not self.begun or self._stopped:
            return start
        # Keys only: within a string their quotes would be escaped.
        at = first_of(
            whole.find(b'"finishReason"', start),
            whole.find(b'"error"', start),
            whole.find(b'"blockReason"', start),
        )
        if at < 0 and start < len(whole):
            self._passed = whole
        return at

    def look(self, data: bytes, name: str = "") -> bool:
        del name  # this dialect's events have none
        chunk = read_chunk(data)
        if error := chunk.get("error"):
            self.failure = failure_in(error)
            return False
        self._passed = b""
        self._counts |= counts_of(chunk)
        candidates = chunk.get("candidates")
        for candidate in candidates if isinstance(candidates, list) else ():
            self._candidate(candidate)
        if blocked(chunk):
            self._stopped = self.begun = True
        return True

    def _candidate(self, candidate: object) -> None:
        if not isinstance(candidate, dict):
            return
        if candidate.get("finishReason") not in (None, "", UNSPECIFIED):
            self._stopped = self.begun = True
        content = candidate.get("content")
        if isinstance(content, dict) and content.get("parts"):
            self.begun = True

    def finish(self) -> None:
        self.ended = self._stopped


def blocked(chunk: Json) -> bool:
    """The prompt was refused: then there is no candidate, and no finishReason will come."""
    feedback = chunk.get("promptFeedback")
    return isinstance(feedback, dict) and bool(feedback.get("blockReason"))


def read_chunk(data: bytes, halves: Halves | None = None) -> Json:
    """Raises UpstreamBroke for what is no object. An error may stand in an array."""
    try:
        chunk = loads(data)
    except ValueError as error:
        chunk = (halves or Halves()).loads(data)
        if chunk is None:
            raise UpstreamBroke("the provider sent an event that is not JSON") from error
    if isinstance(chunk, dict):
        return chunk
    if isinstance(chunk, list) and len(chunk) == 1 and isinstance(chunk[0], dict):
        return chunk[0]
    raise UpstreamBroke("the provider sent an event that is not a JSON object")


def _last_counts(run: bytes) -> Json:
    """What the last event that counts does count; nothing where it cannot be read."""
    at = run.rfind(b'"usageMetadata"')
    if at < 0:
        return {}
    begin, end = event_around(run, at)
    try:
        return counts_of(read_chunk(data_of(run[begin:end])))
    except UpstreamError:
        return {}

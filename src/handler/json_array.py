"""A stream as a JSON array: what Gemini's callers get who do not ask for server-sent events.

https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent, without ``alt=sse``
"""

from gateway.exchange.answer import Answer, Stream
from gateway.wire.sse import SseSplitter, data_of, events

SILENCE = b"\n"  # between the elements of an array, space means nothing


class ArrayStream:
    """Each event's data as an element. The array is closed at the end, also after an error, which
    is its last element: a reader of JSON needs the bracket to see it."""

    def __init__(self, stream: Stream) -> None:
        self._stream, self._splitter = stream, SseSplitter()
        self.patience = stream.patience
        self._begun = self._ended = False

    async def next(self) -> bytes:
        if self._ended:
            return b""
        part = await self._stream.next()
        if part == b"":
            self._ended = True
            return b"]" if self._begun else b"[]"
        return b"".join(map(self._element, events(self._splitter.feed(part)))) or SILENCE

    def _element(self, event: bytes) -> bytes:
        data = data_of(event)
        if not data:
            return b""
        before, self._begun = (b",\n" if self._begun else b"["), True
        return before + data

    async def close(self) -> None:
        await self._stream.close()


def as_array(answer: Answer) -> Answer:
    if isinstance(answer.body, bytes):
        return answer
    headers = {**answer.headers, "content-type": "application/json; charset=utf-8"}
    return Answer(answer.status, headers, ArrayStream(answer.body))

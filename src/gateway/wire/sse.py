"""Server-sent events, as bytes in and bytes out. No I/O.

Framing: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
"""

import re
from collections.abc import Iterator

# The end of an event is an empty line; each of its two line ends may be \n, \r\n or \r.
_BLANK_LINE = re.compile(rb"(?:\r\n|\n|\r(?!\n))(?:\r\n|\n|\r)")
_LINE_END = re.compile(rb"\r\n|\n|\r")


class SseSplitter:
    """Feed it chunks as they arrive; it gives back whole events, byte for byte.

    What has arrived of an unfinished event waits, at most ``limit`` bytes of it.
    """

    def __init__(self, limit: int = 32 * 1024 * 1024) -> None:
        self._waiting = bytearray()
        self._limit = limit

    def feed(self, chunk: bytes) -> bytes:
        """Every event that is now complete, as it came; ``b""`` when there is none.

        Raises ValueError when an event grows beyond the limit.
        """
        waiting = self._waiting
        if not waiting and chunk.endswith((b"\n\n", b"\r\n\r\n")):
            return chunk
        seen = max(len(waiting) - 3, 0)  # an empty line may straddle the chunks
        waiting += chunk
        end = self._last_end(seen)
        if end < 0:
            if len(waiting) > self._limit:
                raise ValueError(f"an event is larger than {self._limit} bytes")
            return b""
        whole = bytes(waiting[:end])
        del waiting[:end]
        return whole

    @property
    def waiting(self) -> bytes:
        """What has arrived of an event that is not complete."""
        return bytes(self._waiting)

    def _last_end(self, start: int) -> int:
        if blank := _blank_line_of(self._waiting, start):
            found = self._waiting.rfind(blank, start)
            return found + len(blank) if found >= 0 else -1
        end = -1
        for match in _BLANK_LINE.finditer(self._waiting, start):
            # Behind \n\r at the very end the line end's other half may be yet to come.
            if match.end() == len(self._waiting) and self._waiting.endswith(b"\n\r"):
                break
            end = match.end()
        return end


def events(whole: bytes) -> Iterator[bytes]:
    """Each event of a run of whole events, with its ending."""
    start = 0
    if blank := _blank_line_of(whole):
        size = len(blank)
        while (end := whole.find(blank, start)) >= 0:
            yield whole[start : end + size]
            start = end + size
    else:
        for match in _BLANK_LINE.finditer(whole):
            yield whole[start : match.end()]
            start = match.end()
    if start < len(whole):
        yield whole[start:]


def _blank_line_of(text: bytes | bytearray, start: int = 0) -> bytes | None:
    """The one way in which lines end from ``start`` on, twice; None where they end in several."""
    carriages = text.count(b"\r", start)
    if not carriages:
        return b"\n\n"
    ends = text.count(b"\r\n", start)
    return b"\r\n\r\n" if ends == carriages == text.count(b"\n", start) else None


def event_around(whole: bytes, at: int, start: int = 0) -> tuple[int, int]:
    """Where the event begins and ends that ``at`` is within, in a run of whole events.

    ``start``: where some event begins, at or before ``at``.
    """
    if b"\r" not in whole:
        before = whole.rfind(b"\n\n", start, at)
        end = whole.find(b"\n\n", at)
        return (before + 2 if before >= 0 else start), (end + 2 if end >= 0 else len(whole))
    for match in _BLANK_LINE.finditer(whole, start):
        if match.end() > at:
            return start, match.end()
        start = match.end()
    return start, len(whole)


def data_of(event: bytes) -> bytes:
    """The event's data lines, joined; ``b""`` for a comment or an event without data."""
    # The shapes that nearly every event has: one line of data, after its name or alone.
    if b"\r" not in event:
        start = event.find(b"\n") + 1 if event.startswith(b"event:") else 0
        if event.startswith(b"data: ", start) and event.find(b"\n", start) == len(event) - 2:
            return event[start + 6 : -2]
    elif event.startswith(b"data: ") and _one_line(event):
        return event[6:-4]
    lines = _LINE_END.split(event.removeprefix(b"\xef\xbb\xbf"))
    return b"\n".join(line[5:].removeprefix(b" ") for line in lines if line[:5] == b"data:")


def _one_line(event: bytes) -> bool:
    return event.find(b"\r\n\r\n") == len(event) - 4 and event.count(b"\n") == 2 == event.count(
        b"\r"
    )


def name_of(event: bytes) -> str:
    """What an event is called, the last word on it; empty for one without a name."""
    if event.startswith(b"data:") and b"\nevent:" not in event and b"\r" not in event:
        return ""
    name = b""
    for line in _LINE_END.split(event.removeprefix(b"\xef\xbb\xbf")):
        if line[:6] == b"event:":
            name = line[6:].removeprefix(b" ")
    return name.decode("latin-1")


class SseReader:
    """Feed it chunks as they arrive; it yields the data of each finished event."""

    def __init__(self) -> None:
        self._splitter = SseSplitter()

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        for event in events(self._splitter.feed(chunk)):
            if data := data_of(event):
                yield data


def write_event(data: bytes, name: str | None = None) -> bytes:
    if name is None:
        return b"data: " + data + b"\n\n"
    return b"event: " + name.encode() + b"\ndata: " + data + b"\n\n"

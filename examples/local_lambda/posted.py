"""What a runtime posts for one invocation, piece by piece and as a whole."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from examples.local_lambda.connection import Dribble

Mode = Literal["streaming", "buffered", "error"]
# whole; an error told (by /error, or in trailers); torn; no answer in time; over a limit
Ending = Literal["whole", "failed", "cut", "timed out", "too large"]

MIB = 1024 * 1024
LARGEST_STREAMED = 200 * MIB


@dataclass(frozen=True, slots=True)
class Began:
    """The head of the runtime's post has come."""

    mode: Mode
    error_type: str | None = None
    at: float = field(default_factory=time.monotonic)


@dataclass(frozen=True, slots=True)
class Prelude:
    """What comes before the body of a streamed answer."""

    status: int
    headers: Mapping[str, str]
    multi_value_headers: Mapping[str, Sequence[str]]
    cookies: Sequence[str]
    at: float = field(default_factory=time.monotonic)


@dataclass(frozen=True, slots=True)
class Body:
    data: bytes
    at: float = field(default_factory=time.monotonic)


@dataclass(frozen=True, slots=True)
class End:
    """Nothing comes after it. `error` is what the trailers or the error's body said, decoded."""

    how: Ending
    error_type: str | None = None
    error: Any = None
    at: float = field(default_factory=time.monotonic)


Piece = Began | Prelude | Body | End


@dataclass(frozen=True, slots=True)
class Posted:
    """All of it. `body` is what a caller is meant to get: without the prelude, or out of the
    buffered answer's JSON; `raw` is what came over the wire as the body. `chunks` has the time of
    arrival (`time.monotonic`) with each piece. `status` is None where none was told."""

    mode: Mode | None
    how: Ending
    status: int | None
    headers: Mapping[str, str]
    multi_value_headers: Mapping[str, Sequence[str]]
    cookies: Sequence[str]
    body: bytes
    raw: bytes
    error_type: str | None
    error: Any
    chunks: Sequence[tuple[float, bytes]]
    invoked_at: float
    began_at: float | None
    prelude_at: float | None
    ended_at: float

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Hold:
    """Stop reading the runtime's post after so many bytes of its body, until told."""

    after: int
    until: asyncio.Event


@dataclass(frozen=True, slots=True)
class Throttle:
    """AWS lets the first 6 MB of a stream pass, and then 2 MB a second."""

    burst: int = 6 * MIB
    per_second: int = 2 * MIB


@dataclass(frozen=True, slots=True)
class Terms:
    """How one invocation is handed out, and how its answer is taken.

    ``chunked``: how the event is sent; None as Lambda does it, in chunks when it is over 2 KB.
    ``headers``: more headers for the event. ``invocation_id``: whether one is given to echo.
    ``hang_up``: close the connection that got the event, with notice (a header) or without.
    ``drop_after``: tear the connection of the answer down after so many bytes of its body.
    ``at_once``: refuse the invocation when no poll waits, as Lambda does in multi-concurrency.
    """

    chunked: bool | None = None
    dribble: Dribble | None = None
    headers: Sequence[tuple[str, str]] = ()
    invocation_id: bool = True
    hang_up: Literal["told", "untold"] | None = None
    drop_after: int | None = None
    hold: Hold | None = None
    throttle: Throttle | None = None
    most_streamed: int = LARGEST_STREAMED
    at_once: bool = False


USUAL = Terms()


class Bell:
    """Wakes everybody who waits, each time that it rings."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def ring(self) -> None:
        self._event.set()
        self._event = asyncio.Event()

    async def wait(self) -> None:
        await self._event.wait()


class Invocation:
    """One event on its way. Iterate over it, as often as you like, for the pieces of its answer as
    they arrive; it always ends, at the latest at its deadline."""

    def __init__(
        self, id: str, invocation_id: str | None, event: bytes, terms: Terms, seconds: float
    ) -> None:
        self.id, self.invocation_id = id, invocation_id
        self.event, self.terms = event, terms
        self.deadline_ms = int((time.time() + seconds) * 1000)
        self.invoked_at = time.monotonic()
        self.handed_at: float | None = None
        self._pieces: list[Piece] = []
        self._grown = Bell()

    @property
    def running(self) -> bool:
        """Given to the runtime, which has not answered yet."""
        return self.handed_at is not None and not self.ended

    @property
    def began(self) -> bool:
        return bool(self._pieces)

    @property
    def ended(self) -> Ending | None:
        last = self._pieces[-1] if self._pieces else None
        return last.how if isinstance(last, End) else None

    def add(self, piece: Piece) -> None:
        """For the Runtime API. What comes after the end is dropped."""
        if not self.ended:
            self._pieces.append(piece)
            self._grown.ring()

    async def __aiter__(self) -> AsyncIterator[Piece]:
        index = 0
        while True:
            while index < len(self._pieces):
                piece = self._pieces[index]
                index += 1
                yield piece
                if isinstance(piece, End):
                    return
            await self._grown.wait()

    async def finished(self) -> Posted:
        """Wait for the end, and put it together."""
        async for _ in self:
            pass
        return self._whole()

    def _whole(self) -> Posted:
        began = next((piece for piece in self._pieces if isinstance(piece, Began)), None)
        prelude = next((piece for piece in self._pieces if isinstance(piece, Prelude)), None)
        chunks = [(piece.at, piece.data) for piece in self._pieces if isinstance(piece, Body)]
        (end,) = (piece for piece in self._pieces if isinstance(piece, End))
        raw = b"".join(data for _, data in chunks)
        told, body = prelude, raw
        if began and began.mode == "buffered":
            told, body = read_proxy_answer(raw) or (None, raw)
        return Posted(
            mode=began.mode if began else None,
            how=end.how,
            status=told.status if told else None,
            headers=told.headers if told else {},
            multi_value_headers=told.multi_value_headers if told else {},
            cookies=told.cookies if told else (),
            body=body,
            raw=raw,
            error_type=end.error_type,
            error=end.error,
            chunks=chunks,
            invoked_at=self.invoked_at,
            began_at=began.at if began else None,
            prelude_at=prelude.at if prelude else None,
            ended_at=end.at,
        )


def read_proxy_answer(raw: bytes) -> tuple[Prelude, bytes] | None:
    """A buffered answer to an HTTP event, taken apart; None when it is no such answer."""
    try:
        told = json.loads(raw)
        body = told.get("body") or ""
        return Prelude(
            status=int(told["statusCode"]),
            headers=dict(told.get("headers") or {}),
            multi_value_headers=dict(told.get("multiValueHeaders") or {}),
            cookies=tuple(told.get("cookies") or ()),
        ), (
            base64.b64decode(body, validate=True)
            if told.get("isBase64Encoded")
            else str(body).encode()
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return None

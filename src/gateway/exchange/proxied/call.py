"""A raw call: what was asked for, and what is known of it while it is under way."""

import asyncio
from collections.abc import AsyncIterable, Mapping
from dataclasses import dataclass, replace

from gateway.admission.admission import Caller
from gateway.dialects import OPENAI_CHAT
from gateway.errors import BadRequest
from gateway.exchange.exchange import Exchange
from gateway.metering.records import Record
from gateway.ports import Upstream
from gateway.routing.endpoint import Target

# As far as a raw call is any: its errors are OpenAI's, its body nobody reads.
PROXY = replace(OPENAI_CHAT, name="proxy", watch=None)


@dataclass(frozen=True, slots=True)
class RawCall:
    """``behind``: the path behind ``/gateway/proxy/``, as it was written; ``query``: the same of
    what follows the question mark. ``headers``: lower-case names. ``body``: whole, or as it comes;
    only a whole one can be sent twice. ``deadline``: as a Call's."""

    request_id: str
    caller: Caller
    method: str
    behind: str
    query: str
    headers: Mapping[str, str]
    body: bytes | AsyncIterable[bytes]
    deadline: float | None = None


@dataclass(slots=True)
class Proxied(Exchange):
    """``path``: of the URL, below its root; ``own``: where that root is with the gateway.
    ``answered``: the provider's status; ``flowing``: whether it answers in events."""

    path: str = ""
    own: str = ""
    answered: int | None = None
    flowing: bool = False

    def record(self, now: float, at: float) -> Record:
        record = replace(Exchange.record(self, now, at), stream=self.flowing)
        if self.error is None and self.answered is not None:
            return replace(record, status=self.answered)
        return record


class Coming:
    """The caller's body as it comes. ``begun``: it can be sent to nobody else any more."""

    def __init__(self, pieces: AsyncIterable[bytes], patience: float) -> None:
        self._pieces, self._patience = aiter(pieces), patience
        self.begun = False

    def __aiter__(self) -> "Coming":
        return self

    async def __anext__(self) -> bytes:
        self.begun = True
        try:
            async with asyncio.timeout(self._patience):
                return await anext(self._pieces)
        except TimeoutError:
            raise stalled(self._patience) from None


def stalled(seconds: float) -> BadRequest:
    problem = f"the request's body stopped coming for {seconds:g} seconds"
    error = BadRequest(None, problem, code="body_stalled")
    error.status, error.kind = 408, "timeout"
    return error


@dataclass(frozen=True, slots=True)
class Place:
    """Where a raw call is sent. ``key``: the provider's."""

    target: Target
    url: str
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Reached:
    """A provider that has answered: its status and headers are in."""

    upstream: Upstream
    place: Place

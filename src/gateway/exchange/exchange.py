"""What the gateway knows of one call while it is under way."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from gateway.admission.admission import Caller
from gateway.dialects import Dialect
from gateway.errors import GatewayError
from gateway.metering.prices import cost
from gateway.metering.records import Outcome, Record
from gateway.routing.endpoint import Endpoint
from gateway.routing.plan import Attempt
from gateway.usage import Usage
from gateway.wire.json import Json

HOPS = "x-gateway-hops"


@dataclass(frozen=True, slots=True)
class Call:
    """What the caller asked for, still in the caller's dialect.

    ``text``: the body as it came; ``body``: what it means. ``headers``: the caller's, lower-case.
    ``deadline``: a reading of the gateway's clock by which all must be said; None: there is none.
    ``arrived``: seconds since 1970. ``streamed``: whether a stream is asked for; None where the
    body says it. ``unified``: it came by MLflow's own API, and expects its manners.
    """

    request_id: str
    caller: Caller
    dialect: Dialect
    endpoint: str
    text: bytes
    body: Json
    headers: Mapping[str, str] = field(default_factory=dict)
    deadline: float | None = None
    arrived: int = 0
    streamed: bool | None = None
    unified: bool = False

    @property
    def hops(self) -> int:
        """How many gateways the call has come through."""
        said = self.headers.get(HOPS, "")
        return int(said) if said.isascii() and said.isdigit() and len(said) < 5 else 0

    def within(self, due: float) -> float:
        """``due``, or the call's own deadline where that comes first."""
        return due if self.deadline is None else min(due, self.deadline)

    def over(self, now: float) -> bool:
        """Whether its deadline has come."""
        return self.deadline is not None and now >= self.deadline

    @property
    def stream(self) -> bool:
        if self.streamed is not None:
            return self.streamed
        return self.dialect.watch is not None and self.body.get("stream") is True


MOST_TOLD, LONGEST_NAME = 40, 80


def told(dropped: Iterable[str]) -> tuple[str, ...]:
    """The names of what was lost, fit for a header, a log and a store: a caller's own may be of any
    number, length and making."""
    names = {
        "".join(c if c.isprintable() and c.isascii() else "?" for c in n[:LONGEST_NAME])
        for n in dropped
    }
    listed = sorted(name.replace(",", ".") for name in names)
    more = (f"and {len(listed) - MOST_TOLD} more",) if len(listed) > MOST_TOLD else ()
    return (*listed[:MOST_TOLD], *more)


@dataclass(slots=True)
class Exchange:
    """``started``, ``first_content``: readings of the gateway's clock, in seconds."""

    call: Call
    endpoint: Endpoint
    started: float
    tried: list[Attempt] = field(default_factory=list)
    failed: list[tuple[Attempt, GatewayError]] = field(default_factory=list)
    serving: Attempt | None = None
    usage: Usage | None = None  # None: the provider did not say
    first_content: float | None = None
    dropped: frozenset[str] = frozenset()  # what was lost between dialects, by name
    error: BaseException | None = None
    settled: bool = False

    @property
    def latest(self) -> Attempt | None:
        """The one that serves, is under way, or failed last."""
        return self.tried[-1] if self.tried else None

    @property
    def attempts(self) -> int:
        return len(self.tried)

    def record(self, now: float, at: float) -> Record:
        """``now``: a reading of the gateway's clock; ``at``: seconds since 1970."""
        target = self.latest.target if self.latest else None
        return Record(
            request_id=self.call.request_id,
            caller=self.call.caller.name,
            endpoint=self.endpoint.name,
            dialect=self.call.dialect.name,
            stream=self.call.stream,
            outcome=self._outcome(),
            status=self._status(),
            provider=target.provider if target else None,
            model=target.model if target else None,
            attempts=self.attempts,
            usage=self.usage,
            cost=cost(self.usage, target.price) if target and self.usage else None,
            duration=now - self.started,
            first_content=self.first_content and self.first_content - self.started,
            error=None if self.error is None else type(self.error).__name__,
            at=int(at),
            dropped=told(self.dropped),
        )

    def _outcome(self) -> Outcome:
        if self.error is None:
            return "answered"
        return "failed" if isinstance(self.error, Exception) else "hung_up"

    def _status(self) -> int:
        match self.error:
            case None:
                return 200
            case GatewayError(status=status):
                return status
            case Exception():
                return 500
        return 499  # as nginx logs a caller who hung up

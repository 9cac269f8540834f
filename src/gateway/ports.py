"""What the gateway needs from the world. Adapters provide it; tests fake it."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from gateway.metering.records import Record
from gateway.routing.endpoint import Endpoint


class Upstream(Protocol):
    """A provider's open answer. Header names are lower-case.

    Whatever is raised is an UpstreamError: UpstreamBroke when the body is cut or malformed,
    UpstreamTimedOut when it falls silent.
    """

    status: int
    headers: Mapping[str, str]

    async def read(self, patience: float) -> bytes:
        """The rest of the body, decoded. ``patience``: seconds of silence to bear between bytes.

        When it fails or is cancelled, the upstream is closed.
        """
        ...

    async def next(self, patience: float) -> bytes | None:
        """What has arrived since the last call, decoded, without waiting for more.

        ``b""`` at the clean end of the body; ``None`` when nothing came for ``patience`` seconds
        (call again: nothing is lost). May be cancelled between bytes without loss.
        """
        ...

    async def close(self) -> None:
        """Give the connection back when the body was read to its end, else drop it. Idempotent."""
        ...


class Transport(Protocol):
    """Sends one POST and returns as soon as the status line and headers are in."""

    async def open(
        self, url: str, headers: Mapping[str, str], body: bytes, *, patience: float
    ) -> Upstream:
        """``patience``: seconds until the headers are in, connecting included.

        Raises UpstreamUnreachable when no connection can be made or a header could not be sent as
        it is, UpstreamTimedOut when no answer comes, UpstreamBroke when what comes is no HTTP.
        """
        ...

    async def close(self) -> None: ...


class EndpointStore(Protocol):
    async def find(self, name: str) -> Endpoint:
        """Raises EndpointNotFound; Unavailable when the store cannot be read."""
        ...

    async def list(self) -> Sequence[Endpoint]:
        """Every endpoint, sorted by name."""
        ...


class WritableEndpoints(EndpointStore, Protocol):
    async def put(self, endpoint: Endpoint) -> None:
        """Create or replace."""
        ...

    async def delete(self, name: str) -> None:
        """Raises EndpointNotFound."""
        ...


class Vault(Protocol):
    async def secret(self, reference: str) -> str:
        """The secret's value. Raises Unavailable, naming the reference and never the value."""
        ...


class Ledger(Protocol):
    """Where records of exchanges go."""

    async def write(self, record: Record) -> None: ...

"""What the gateway needs from the world. Adapters provide it; tests fake it."""

from collections.abc import AsyncIterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from gateway.metering.records import Record
from gateway.routing.endpoint import Endpoint
from gateway.wire.json import Json


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
    """Sends one request and returns as soon as the status line and headers are in.

    Answers to HEAD, 204 and 304 have no body, whatever their headers say.
    """

    async def open(
        self,
        url: str,
        headers: Mapping[str, str],
        body: bytes | AsyncIterable[bytes],
        *,
        patience: float,
        method: str = "POST",
    ) -> Upstream:
        """``patience``: seconds until the headers are in, connecting included. ``method``: upper
        case.

        A body that comes piece by piece is sent as it comes, at the pace at which the provider
        takes it: as long as ``headers`` say (content-length), else chunked. ``patience`` is then
        how long the provider may take no more of it, or leave the end of it unanswered. The answer
        may begin before the body is sent, which then goes on; what the body raises is raised, by
        this or by the upstream. No piece is asked for before there is a connection.

        Raises UpstreamUnreachable when no connection can be made or a header could not be sent as
        it is, UpstreamTimedOut when no answer comes, UpstreamBroke when what comes is no HTTP,
        BadRequest when a body is longer or shorter than the headers say.
        """
        ...

    async def close(self) -> None: ...


class EndpointStore(Protocol):
    """The endpoints that calls see."""

    async def find(self, name: str) -> Endpoint:
        """Raises EndpointNotFound; Unavailable when the store cannot be read."""
        ...

    async def list(self) -> Sequence[Endpoint]:
        """Every endpoint, sorted by name."""
        ...


Kind = Literal["endpoint", "key", "grant", "secret", "settings"]
SETTINGS = "gateway"  # the name of the one item of kind "settings"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that is configured, as stores keep it. ``version`` counts its writings from 1."""

    kind: Kind
    name: str
    body: Json
    version: int


@dataclass(frozen=True, slots=True)
class Change:
    """One thing to write: another ``body``, or None to delete it.

    ``expected``: the version that it has now; 0 where there must be none of this name.
    """

    kind: Kind
    name: str
    body: Json | None
    expected: int


@dataclass(frozen=True, slots=True)
class Page:
    """``next``: what to give as ``after`` for the next page; None on the last."""

    items: Sequence[Item]
    next: str | None


class ItemStore(Protocol):
    """Configuration, as versioned JSON items. Raises Unavailable when it cannot be used.

    ``most_changes``: how many changes one write may hold.
    """

    most_changes: int

    async def get(self, kind: Kind, name: str) -> Item | None:
        """As it is now: what was written before is seen."""
        ...

    async def page(self, kind: Kind, *, after: str | None = None, limit: int = 100) -> Page:
        """Sorted by name, those behind ``after``. What was just written may be missing."""
        ...

    async def write(self, changes: Sequence[Change]) -> None:
        """All of them or none. Raises ChangedMeanwhile when a version is not the expected one."""
        ...


Variables = Literal["none", "usual", "any"]  # of the process, as targets' secrets


class Vault(Protocol):
    """Providers' keys. ``origin``: where the key is about to be sent (``https://api.x.ai``)."""

    async def secret(self, reference: str, origin: str) -> str:
        """The secret's value.

        Raises Unavailable, naming the reference and never the value: also when the secret was
        entered for another origin.
        """
        ...

    async def renewed(self, reference: str, origin: str, refused: str) -> str | None:
        """The value, read anew because a provider refused this one; None when it is the same."""
        ...


class WritableVault(Vault, Protocol):
    async def put(self, name: str, value: str, origin: str) -> None:
        """Create or replace. From then on it goes to this origin and to no other."""
        ...

    async def delete(self, name: str) -> None:
        """Nothing happens when there is none."""
        ...


class Ledger(Protocol):
    """Where records of exchanges go."""

    async def write(self, record: Record) -> None: ...


class RecordStore(Protocol):
    """Records that are kept. Raises Unavailable when it cannot be used."""

    async def add(self, records: Sequence[Record]) -> None:
        """Each once, however often it is added: a record is known by its request."""
        ...

    async def find(self, request_id: str) -> Record | None: ...

    async def touch(self, key: str, at: int) -> None:
        """This gateway key was used at this hour (seconds since 1970, a multiple of 3600)."""
        ...

    async def last_used(self, keys: Sequence[str]) -> Mapping[str, int]:
        """The hours of those that were ever used."""
        ...


class Signer(Protocol):
    """Signs for a target that has no secret, with credentials of the gateway's own."""

    async def sign(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> Mapping[str, str]:
        """All headers to send, those given among them.

        They are good for just this request, and for some minutes. Raises Unavailable: there are no
        credentials, or the URL is none that may be signed for.
        """
        ...

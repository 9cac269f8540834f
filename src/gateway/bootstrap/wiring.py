"""What every gateway is made of, whichever adapters it stands on."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from random import Random
from types import MappingProxyType

from gateway.adapters.allowing import Allowances, AllowingTransport
from gateway.adapters.cached import Lifetimes
from gateway.adapters.echo import SCHEME as ECHO_SCHEME
from gateway.adapters.echo import EchoTransport
from gateway.adapters.http1.pool import PoolLimits
from gateway.adapters.http1.transport import Http1Transport
from gateway.adapters.log_ledger import LogLedger
from gateway.adapters.schemes import SchemeTransport
from gateway.admission.admission import Admission
from gateway.exchange.attempt import Outbound
from gateway.exchange.background import Background
from gateway.exchange.gateway import SETTLING, Gateway
from gateway.ports import (
    EndpointStore,
    ItemStore,
    Ledger,
    RecordStore,
    Signer,
    Transport,
    Variables,
    Vault,
    WritableVault,
)
from gateway.providers.egress import EgressGuard
from gateway.settings import Settings

NOBODY: Mapping[str, Signer] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wired:
    """A gateway and what it was made of.

    ``endpoints`` is what calls see; ``items``, ``vault`` and ``records`` what can be configured
    and looked up. ``background``: what is still being kept; ``hurry`` has it kept now. ``allowed``:
    private places that the process was told to allow; ``variables``: which of its variables a
    target's secret may be.
    """

    gateway: Gateway
    admission: Admission
    endpoints: EndpointStore
    items: ItemStore
    vault: WritableVault
    records: RecordStore
    transport: Transport
    settings: Settings
    background: Background
    allowed: tuple[str, ...] = ()
    variables: Variables = "none"
    closing: tuple[Callable[[], Awaitable[None]], ...] = ()
    hurry: Callable[[], None] = lambda: None

    async def settled(self) -> None:
        """Once every call that has ended is written down and kept."""
        await self.gateway.close()
        self.hurry()
        await self.background.finish(SETTLING)

    async def close(self) -> None:
        await self.settled()
        await self.transport.close()
        for close in self.closing:
            await close()


def gateway_of(
    *,
    admission: Admission,
    endpoints: EndpointStore,
    transport: Transport,
    vault: Vault,
    ledger: Ledger,
    signers: Mapping[str, Signer] = NOBODY,
) -> Gateway:
    return Gateway(
        admission=admission,
        endpoints=endpoints,
        outbound=Outbound(transport, vault, time.monotonic, signers),
        ledger=ledger,
        random=Random(),
    )


def wire(
    *,
    settings: Settings,
    admission: Admission,
    endpoints: EndpointStore,
    items: ItemStore,
    vault: WritableVault,
    records: RecordStore,
    transport: Transport,
    ledger: Ledger,
    background: Background,
    signers: Mapping[str, Signer],
    allowed: tuple[str, ...] = (),
    variables: Variables = "none",
    closing: tuple[Callable[[], Awaitable[None]], ...] = (),
    hurry: Callable[[], None],
) -> Wired:
    return Wired(
        gateway=gateway_of(
            admission=admission,
            endpoints=endpoints,
            transport=transport,
            vault=vault,
            ledger=ledger,
            signers=signers,
        ),
        admission=admission,
        endpoints=endpoints,
        items=items,
        vault=vault,
        records=records,
        transport=transport,
        settings=settings,
        background=background,
        allowed=allowed,
        variables=variables,
        closing=closing,
        hurry=hurry,
    )


def log_ledger(settings: Settings) -> Ledger:
    if not settings.logs_json:
        return LogLedger()
    from gateway.adapters.powertools import JsonLedger  # only who asks for JSON waits for it

    return JsonLedger()


def lifetimes(seconds: float) -> Lifetimes:
    """For configuration that every process shall have seen after so many seconds."""
    return Lifetimes(fresh=seconds / 3, stale=seconds, absent=min(5.0, seconds / 3), size=4096)


def guarded_transport(
    settings: Settings,
    items: ItemStore,
    *,
    allowed: tuple[str, ...] = (),
    forbidden: frozenset[tuple[str, int]] = frozenset(),
    remembered: Lifetimes,
    background: Background | None = None,
) -> Transport:
    """Every way out of the gateway, behind one guard."""
    allowances = Allowances(
        allowed, items, clock=time.monotonic, lifetimes=remembered, background=background
    )
    guard = EgressGuard(forbidden, allowances.current)
    out = AllowingTransport(_http(settings, guard.refuses), allowances)
    return SchemeTransport({"https": out, "http": out, ECHO_SCHEME: EchoTransport()})


def _http(settings: Settings, refuses: Callable[[str, int, str], str | None]) -> Transport:
    if settings.proxy is not None:
        # httpx takes longer to import than all the rest, and few need a proxy.
        from gateway.adapters.httpx_transport import HttpxTransport

        return HttpxTransport(
            connect_timeout=settings.connect_timeout,
            read_limit=settings.max_reply_bytes,
            proxy=settings.proxy,
            refuses=refuses,
        )
    return Http1Transport(
        connect_timeout=settings.connect_timeout,
        read_limit=settings.max_reply_bytes,
        limits=PoolLimits(connections=settings.max_connections),
        refuses=refuses,
    )

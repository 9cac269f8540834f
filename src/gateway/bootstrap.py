"""Wires adapters into a Gateway. The one place that knows them all."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from random import Random

from gateway.adapters.cached import CachedEndpoints
from gateway.adapters.echo import SCHEME as ECHO_SCHEME
from gateway.adapters.echo import EchoTransport
from gateway.adapters.environment import EnvironmentEndpoints
from gateway.adapters.http1.pool import PoolLimits
from gateway.adapters.http1.transport import Http1Transport
from gateway.adapters.layered import LayeredEndpoints
from gateway.adapters.local_vault import LocalVault
from gateway.adapters.log_ledger import LogLedger
from gateway.adapters.memory import MemoryEndpoints
from gateway.adapters.schemes import SchemeTransport
from gateway.adapters.sqlite import SqliteEndpoints
from gateway.admission.admission import OpenAdmission
from gateway.exchange.attempt import Outbound
from gateway.exchange.gateway import Admission, Gateway
from gateway.ports import EndpointStore, Ledger, Transport, Vault, WritableEndpoints
from gateway.providers.addresses import refused_address
from gateway.routing.endpoint import Endpoint
from gateway.settings import Settings


@dataclass(frozen=True, slots=True)
class Wired:
    """A gateway and what it was made of.

    ``endpoints`` is what calls see; ``store`` the part of it that can be written.
    """

    gateway: Gateway
    endpoints: EndpointStore
    store: WritableEndpoints
    vault: Vault
    transport: Transport
    settings: Settings


def local(
    settings: Settings,
    *,
    environment: Mapping[str, str],
    configured: Iterable[Endpoint] = (),
    ledger: Ledger | None = None,
) -> Wired:
    """One process on one machine: SQLite, secrets in the environment or a file, the echo built in.

    ``configured``: endpoints from a file; they go before those of the store.
    """
    store = SqliteEndpoints(settings.store_file)
    layers = LayeredEndpoints(MemoryEndpoints(configured), store, EnvironmentEndpoints(environment))
    return wire(
        settings,
        # A second is short enough for a person who has just changed something.
        endpoints=CachedEndpoints(layers, clock=time.monotonic, fresh=1, stale=1),
        store=store,
        vault=LocalVault(environment, settings.secrets_file),
        transport=transport(settings),
        ledger=ledger or LogLedger(),
        admission=OpenAdmission(),
    )


def wire(
    settings: Settings,
    *,
    endpoints: EndpointStore,
    store: WritableEndpoints,
    vault: Vault,
    transport: Transport,
    ledger: Ledger,
    admission: Admission,
) -> Wired:
    gateway = Gateway(
        admission=admission,
        endpoints=endpoints,
        outbound=Outbound(transport, vault, time.monotonic),
        ledger=ledger,
        random=Random(),
    )
    return Wired(gateway, endpoints, store, vault, transport, settings)


def transport(settings: Settings) -> SchemeTransport:
    http = Http1Transport(
        connect_timeout=settings.connect_timeout,
        read_limit=settings.max_reply_bytes,
        limits=PoolLimits(connections=settings.max_connections),
        refuses=refused_address,
    )
    return SchemeTransport({"https": http, "http": http, ECHO_SCHEME: EchoTransport()})

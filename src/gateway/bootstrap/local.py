"""One process on one machine: SQLite, secrets in the environment or a file, the echo built in."""

import time
from collections.abc import Iterable, Iterator, Mapping

from gateway.adapters.aws.clients import Clients
from gateway.adapters.aws.signing import signers
from gateway.adapters.cached import CachedEndpoints, Lifetimes
from gateway.adapters.environment import EnvironmentEndpoints, found_providers
from gateway.adapters.layered import LayeredEndpoints
from gateway.adapters.ledgers import Keeping, Ledgers
from gateway.adapters.local_vault import LocalVault
from gateway.adapters.memory import MemoryEndpoints
from gateway.adapters.sqlite import SqliteItems, SqliteRecords
from gateway.adapters.stored import CachedGrants, StoredEndpoints
from gateway.admission.admission import Admission, KeyAdmission, OpenAdmission
from gateway.bootstrap.wiring import Wired, guarded_transport, log_ledger, wire
from gateway.exchange.background import Background
from gateway.ports import ItemStore, Ledger, Variables
from gateway.providers.egress import private_url
from gateway.routing.endpoint import Endpoint
from gateway.settings import Settings

# A second is short enough for a person who has just changed something.
REMEMBERED = Lifetimes(fresh=0.5, stale=1, absent=0.5)


def local(
    settings: Settings,
    *,
    environment: Mapping[str, str],
    configured: Iterable[Endpoint] = (),
    ledger: Ledger | None = None,
    variables: Variables = "usual",
) -> Wired:
    """``configured``: endpoints from a file; they go before those of the store.

    ``variables``: which variables may be a secret of an endpoint that is written now.
    """
    configured = tuple(configured)
    items, records = SqliteItems(settings.store_file), SqliteRecords(settings.store_file)
    vault = LocalVault(environment, settings.secrets_file)
    background, clients = Background(), Clients()
    keeping = Keeping(records, background)
    layers = LayeredEndpoints(
        MemoryEndpoints(configured), StoredEndpoints(items), EnvironmentEndpoints(environment)
    )
    endpoints = CachedEndpoints(layers, clock=time.monotonic, lifetimes=REMEMBERED)
    admission = _admission(settings, items, keeping)
    allowed = (*settings.allow_private, *_told_to_allow(environment, configured))
    transport = guarded_transport(settings, items, allowed=allowed, remembered=REMEMBERED)
    return wire(
        ledger=ledger or Ledgers(log_ledger(settings), keeping),
        admission=admission,
        endpoints=endpoints,
        items=items,
        vault=vault,
        records=records,
        transport=transport,
        settings=settings,
        background=background,
        signers=signers(clients),
        hurry=keeping.hurry,
        closing=(keeping.close, clients.close),
        allowed=allowed,
        variables=variables,
    )


def _admission(settings: Settings, items: ItemStore, keeping: Keeping) -> Admission:
    if not settings.require_keys:
        return OpenAdmission()
    grants = CachedGrants(items, clock=time.monotonic, lifetimes=REMEMBERED)
    return KeyAdmission(grants, clock=time.time, seen=keeping.seen)


def _told_to_allow(environment: Mapping[str, str], configured: Iterable[Endpoint]) -> Iterator[str]:
    """Whoever starts the gateway allows what the environment and the file name, and the catalog's
    own servers on this machine; what is in the store needs an entry in the settings."""
    urls = [found.base_url or found.provider.base_url for found in found_providers(environment)]
    for endpoint in configured:
        urls += [one.base_url for one in endpoint.targets + endpoint.fallbacks if one.base_url]
    yield from filter(None, map(private_url, urls))

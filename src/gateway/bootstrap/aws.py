"""On AWS: configuration and records in DynamoDB, keys in Secrets Manager, the log as JSON."""

import os
import time
from collections.abc import Mapping
from ipaddress import ip_address

from gateway.adapters.aws.clients import Clients
from gateway.adapters.aws.items import DynamoItems
from gateway.adapters.aws.protection import is_protected
from gateway.adapters.aws.records import DynamoRecords
from gateway.adapters.aws.signing import signers
from gateway.adapters.aws.vault import SecretsManagerVault
from gateway.adapters.cached import CachedEndpoints
from gateway.adapters.ledgers import Keeping, Ledgers
from gateway.adapters.stored import CachedGrants, StoredEndpoints
from gateway.admission.admission import Admission, KeyAdmission, OpenAdmission
from gateway.bootstrap.wiring import Wired, guarded_transport, lifetimes, log_ledger, wire
from gateway.exchange.background import Background
from gateway.ports import Ledger, Transport
from gateway.settings import Settings

# Below the prefix of all our secrets: whoever may read providers' keys need not read the admin's.
PROVIDERS = "providers/"
ADMIN_KEY = "admin-key"
HERE = "this gateway"  # where the admin key goes


def aws(
    settings: Settings,
    *,
    environment: Mapping[str, str] = os.environ,
    ledger: Ledger | None = None,
    clients: Clients | None = None,
) -> Wired:
    """Every caller shows a gateway key, or is vouched for by IAM. ``clients`` that are made already
    need not be made again."""
    return _wired(settings, environment, ledger, None, clients)


def aws_control(settings: Settings, *, ledger: Ledger | None = None) -> Wired:
    """Within the process of somebody whose own AWS credentials say what is allowed."""
    return _wired(settings, os.environ, ledger, OpenAdmission(), None)


def _wired(
    settings: Settings,
    environment: Mapping[str, str],
    ledger: Ledger | None,
    admission: Admission | None,
    clients: Clients | None,
) -> Wired:
    clients, background = clients or Clients(), Background()
    items = DynamoItems(clients, settings.config_table)
    records = DynamoRecords(
        clients, settings.ledger_table, days=settings.record_days, clock=time.time
    )
    vault = SecretsManagerVault(
        clients, settings.secret_prefix + PROVIDERS, clock=time.monotonic, background=background
    )
    keeping, remembered = Keeping(records, background), lifetimes(settings.config_ttl)
    grants = CachedGrants(items, clock=time.monotonic, lifetimes=remembered, background=background)
    endpoints = CachedEndpoints(
        StoredEndpoints(items), clock=time.monotonic, lifetimes=remembered, background=background
    )
    return wire(
        ledger=ledger or Ledgers(log_ledger(settings), keeping),
        admission=admission or KeyAdmission(grants, clock=time.time, seen=keeping.seen),
        endpoints=endpoints,
        items=items,
        vault=vault,
        records=records,
        transport=_transport(settings, items, environment, background),
        settings=settings,
        background=background,
        signers=signers(clients),
        hurry=keeping.hurry,
        allowed=settings.allow_private,
        variables="none",
        closing=(keeping.close, clients.close),
    )


def _transport(
    settings: Settings,
    items: DynamoItems,
    environment: Mapping[str, str],
    background: Background,
) -> Transport:
    return guarded_transport(
        settings,
        items,
        allowed=settings.allow_private,
        forbidden=_platform(environment),
        remembered=lifetimes(settings.config_ttl),
        background=background,
    )


def _platform(environment: Mapping[str, str]) -> frozenset[tuple[str, int]]:
    """Where Lambda hands out calls and takes answers: nobody else may ask there."""
    address, _, port = environment.get("AWS_LAMBDA_RUNTIME_API", "").rpartition(":")
    if not port.isdecimal():
        return frozenset()
    try:
        return frozenset({(str(ip_address(address)), int(port))})
    except ValueError:  # a name: then it is on this machine
        return frozenset({("127.0.0.1", int(port))})


class AdminKeySafe:
    """The first admin key, in a secret of its own."""

    def __init__(self, settings: Settings) -> None:
        self._clients = Clients()
        self._vault = SecretsManagerVault(
            self._clients, settings.secret_prefix, clock=time.monotonic
        )

    async def put(self, key: str) -> None:
        await self._vault.put(ADMIN_KEY, key, HERE)

    async def delete(self) -> None:
        """There may be none. Raises Unavailable."""
        await self._vault.delete(ADMIN_KEY)

    async def read(self) -> str:
        """Raises Unavailable: there is none yet, or AWS does not let this one read it."""
        return await self._vault.secret(f"vault:{ADMIN_KEY}", HERE)

    async def close(self) -> None:
        await self._clients.close()


async def protected_tables(settings: Settings) -> list[str]:
    """Those that refuse to be deleted, as AWS has it now. Raises Unavailable."""
    clients, tables = Clients(), (settings.config_table, settings.ledger_table)
    try:
        return [table for table in tables if await is_protected(clients, table)]
    finally:
        await clients.close()


async def read_admin_key(settings: Settings) -> str:
    """The first admin key, as it was made. Raises Unavailable."""
    safe = AdminKeySafe(settings)
    try:
        return await safe.read()
    finally:
        await safe.close()

"""What it costs a warm call to be let in: key, permission and configuration, all remembered.

python -m benchmarks.doors [--calls 20000] [--rounds 5] [--cold]

CPU of the same call through the same app, in process and answered by the echo: once open and with
its endpoints at hand, once behind gateway keys and caches as on AWS. With --cold, what a first call
asks of DynamoDB and Secrets Manager is counted, against the emulator of `make run-aws` (or whatever
AWS_ENDPOINT_URL leads to).
"""

import argparse
import asyncio
import gc
import os
import statistics
import time
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any, TypeVar

from gateway.adapters.aws.clients import Clients
from gateway.adapters.aws.items import DynamoItems
from gateway.adapters.aws.provision import create_tables
from gateway.adapters.aws.use import Use
from gateway.adapters.aws.vault import SecretsManagerVault
from gateway.adapters.cached import CachedEndpoints
from gateway.adapters.echo import EchoTransport
from gateway.adapters.local_vault import LocalVault
from gateway.adapters.memory import MemoryEndpoints, MemoryItems, MemoryRecords
from gateway.adapters.schemes import SchemeTransport
from gateway.adapters.stored import CachedGrants, StoredEndpoints
from gateway.admission.admission import Admission, KeyAdmission, OpenAdmission, Presented
from gateway.admission.keys import Credential, GatewayKey, grants, hash_of, new_key, write_grant
from gateway.bootstrap.wiring import Wired, gateway_of, lifetimes
from gateway.exchange.background import Background
from gateway.metering.records import Record
from gateway.ports import Change, EndpointStore, ItemStore, WritableVault
from gateway.routing.endpoint import Endpoint, Target
from gateway.routing.items import write_endpoint
from gateway.settings import Settings
from gateway.wire.json import dumps
from handler.app import create_app, query_routes

KEY = new_key(bytes(range(32)))
OPEN = Endpoint("e", (Target("echo", "echo-instant"),))
SECRET = Endpoint("e", (Target("echo", "echo-instant", "vault:bench"),))
BODY = dumps({"model": "e", "messages": [{"role": "user", "content": "hi"}]})
HEADERS = [
    (b"host", b"127.0.0.1"),
    (b"content-type", b"application/json"),
    (b"content-length", str(len(BODY)).encode()),
    (b"authorization", f"Bearer {KEY}".encode()),
]
WARM_UP = 500
App = Callable[[Any, Any, Any], Awaitable[None]]
Answer = TypeVar("Answer")


class NoLedger:
    async def write(self, record: Record) -> None:
        pass


def app_of(
    admission: Admission, endpoints: EndpointStore, items: ItemStore, vault: WritableVault
) -> App:
    transport = SchemeTransport({"echo": EchoTransport()})
    gateway = gateway_of(
        admission=admission,
        endpoints=endpoints,
        transport=transport,
        vault=vault,
        ledger=NoLedger(),
    )
    wired = Wired(
        gateway=gateway,
        admission=admission,
        endpoints=endpoints,
        items=items,
        vault=vault,
        records=MemoryRecords(),
        transport=transport,
        settings=Settings(home=Path("unused")),
        background=Background(),
    )
    return create_app(wired, query_routes(wired))


def guarded(items: ItemStore, vault: WritableVault) -> tuple[App, Admission, EndpointStore]:
    """As bootstrap.aws wires it."""
    remembered = lifetimes(30)
    grants_found = CachedGrants(items, clock=time.monotonic, lifetimes=remembered)
    admission = KeyAdmission(grants_found, clock=time.time, seen=lambda *_: None)
    store = StoredEndpoints(items)
    endpoints = CachedEndpoints(store, clock=time.monotonic, lifetimes=remembered)
    return app_of(admission, endpoints, items, vault), admission, endpoints


async def filled(items: ItemStore, endpoint: Endpoint) -> None:
    key = GatewayKey("bench", endpoints=("e",), credentials=(Credential(hash_of(KEY), "", 0),))
    changes = [Change("endpoint", "e", write_endpoint(endpoint), 0)]
    changes += [Change("grant", name, write_grant(one), 0) for name, one in grants(key).items()]
    await items.write(changes)


async def call(app: App) -> None:
    said: list[MutableMapping[str, Any]] = []
    asked = asyncio.Event()

    async def receive() -> MutableMapping[str, Any]:
        if asked.is_set():
            await asyncio.Event().wait()
        asked.set()
        return {"type": "http.request", "body": BODY, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        said.append(message)

    path = "/gateway/openai/v1/chat/completions"
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": HEADERS,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
    }
    await app(scope, receive, send)
    if said[0]["status"] != 200:
        raise AssertionError(said)


async def microseconds(work: Callable[[], Awaitable[object]], times: int) -> float:
    """CPU, of one."""
    for _ in range(WARM_UP):
        await work()
    started = time.process_time()
    for _ in range(times):
        await work()
    return (time.process_time() - started) / times * 1e6


async def warm(calls: int, rounds: int) -> None:
    items, vault = MemoryItems(), LocalVault({}, Path("unused"))
    await filled(items, OPEN)
    open_app = app_of(OpenAdmission(), MemoryEndpoints([OPEN]), items, vault)
    guarded_app, admission, endpoints = guarded(items, vault)

    async def admitted() -> None:
        caller = await admission.identify(Presented(KEY))
        admission.admit(caller, "e")
        await endpoints.find("e")

    figures: dict[str, list[float]] = {"open": [], "behind keys": [], "let in": []}
    for _ in range(rounds):
        figures["open"].append(await microseconds(lambda: call(open_app), calls))
        figures["behind keys"].append(await microseconds(lambda: call(guarded_app), calls))
        figures["let in"].append(await microseconds(admitted, calls))
    middle = {name: statistics.median(told) for name, told in figures.items()}
    print(f"a call, open                       {middle['open']:7.1f} µs of CPU")
    print(f"a call, behind keys and caches     {middle['behind keys']:7.1f} µs of CPU")
    print(f"  of which identify, admit, find   {middle['let in']:7.1f} µs of CPU")
    print(f"ratio                              {middle['behind keys'] / middle['open']:7.2f}")


class Counted(Clients):
    """Counts what is asked of AWS."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: Counter[str] = Counter()

    async def dynamodb(self, use: Use, work: Callable[[Any], Answer]) -> Answer:
        self.asked[use.action] += 1
        return await super().dynamodb(use, work)

    async def secrets(self, use: Use, work: Callable[[Any], Answer]) -> Answer:
        self.asked[use.action] += 1
        return await super().secrets(use, work)


async def cold() -> None:
    clients, table = Counted(), f"bench-{os.getpid()}"
    use = Use("dynamodb:CreateTable", "the tables")
    await clients.dynamodb(use, lambda client: create_tables(client, table, f"{table}-ledger"))
    items = DynamoItems(clients, table)
    vault = SecretsManagerVault(clients, f"{table}/", clock=time.monotonic)
    await filled(items, SECRET)
    await vault.put("bench", "sk-bench-0123456789", "echo://built-in")
    app, _, _ = guarded(items, vault)
    for name in ("first", "second", "third"):
        clients.asked.clear()
        started = time.perf_counter()
        await call(app)
        took = (time.perf_counter() - started) * 1e3
        told = ", ".join(f"{count} {action}" for action, count in clients.asked.items())
        print(f"{name:8} call, clients made before: {took:6.1f} ms, asked {told or 'nothing'}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cold", action="store_true")
    chosen = parser.parse_args()
    gc.disable()
    asyncio.run(cold() if chosen.cold else warm(chosen.calls, chosen.rounds))


if __name__ == "__main__":
    main()

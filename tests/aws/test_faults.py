"""What the stores do when AWS is slow, throttles, hangs up or is gone."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from gateway.adapters.aws import sdk
from gateway.adapters.aws.clients import Clients
from gateway.adapters.aws.items import DynamoItems
from gateway.adapters.aws.records import DynamoRecords
from gateway.adapters.aws.vault import SecretsManagerVault
from gateway.adapters.cached import CachedEndpoints, Lifetimes
from gateway.adapters.stored import CachedGrants, StoredEndpoints
from gateway.admission.keys import Grant, write_grant
from gateway.errors import ChangedMeanwhile, EndpointNotFound, Unavailable
from gateway.ports import Change, Item
from gateway.routing.endpoint import Endpoint, Target
from gateway.routing.items import write_endpoint
from tests.aws.emulators import Aws, Faults
from tests.fakes import Clock, run

HERE = "https://api.openai.com"
CHAT = Endpoint("chat", (Target("openai", "gpt"),))
ANN = Grant("ann")


def put(name: str = "e", *, nth: int = 1, expected: int = 0) -> Change:
    return Change("endpoint", name, {"nth": nth}, expected)


@pytest.fixture
def items(faulty: Aws) -> DynamoItems:
    return DynamoItems(faulty.clients, faulty.config)


@pytest.fixture
def hasty(faulty: Aws, monkeypatch: pytest.MonkeyPatch) -> Aws:
    """As patient as in production."""
    monkeypatch.setattr(sdk, "PATIENCE", 1.0)
    return replace(faulty, clients=Clients(deadline=3))


def failing(operation: str, code: str, **rule: Any) -> dict[str, Any]:
    return {"service": "*", "operation": operation, "error": {"code": code}, **rule}


def lost(operation: str) -> dict[str, Any]:
    """AWS does it, and the answer is lost, once."""
    return {"service": "*", "operation": operation, "times": 1, "response": {"abort_bytes": 1}}


THROTTLED = [
    "ProvisionedThroughputExceededException",
    "ThrottlingException",
    "RequestLimitExceeded",
]


@pytest.mark.parametrize("code", THROTTLED)
def test_what_is_throttled_once_is_tried_again(
    items: DynamoItems, faults: Faults, code: str
) -> None:
    run(items.write([put()]))
    faults.are(failing("GetItem", code, times=1), failing("PutItem", code, times=1))
    assert run(items.get("endpoint", "e")) == Item("endpoint", "e", {"nth": 1}, 1)
    run(items.write([put(nth=2, expected=1)]))
    assert run(items.get("endpoint", "e")) == Item("endpoint", "e", {"nth": 2}, 2)


@pytest.mark.parametrize("code", THROTTLED)
def test_what_stays_throttled_is_unavailable(
    items: DynamoItems, faulty: Aws, faults: Faults, code: str
) -> None:
    operations = ("GetItem", "Query", "PutItem", "TransactWriteItems")
    faults.are(*(failing(operation, code) for operation in operations))
    for work in (
        items.get("endpoint", "e"),
        items.page("endpoint"),
        items.write([put()]),
        items.write([put("a"), put("b")]),
    ):
        with pytest.raises(Unavailable, match="was throttled by AWS") as throttled:
            run(work)
        assert throttled.value.code == "aws_throttled"
        assert f"on table '{faulty.config}'" in throttled.value.message


def test_a_reset_connection_is_tried_again_and_then_unavailable(
    items: DynamoItems, faults: Faults
) -> None:
    run(items.write([put()]))
    faults.are({"service": "*", "operation": "GetItem", "reset": True, "times": 1})
    assert run(items.get("endpoint", "e")) is not None
    faults.are({"service": "*", "operation": "GetItem", "reset": True})
    with pytest.raises(Unavailable, match="cannot be reached, or hung up") as reset:
        run(items.get("endpoint", "e"))
    assert reset.value.code == "aws_unreachable"


def test_a_broken_aws_is_unavailable(items: DynamoItems, faults: Faults) -> None:
    faults.are(failing("GetItem", "InternalServerError"))
    with pytest.raises(Unavailable, match="failed at AWS") as broken:
        run(items.get("endpoint", "e"))
    assert broken.value.code == "aws_failed"


async def ticks_while(work: Awaitable[object]) -> int:
    """How often the event loop came round meanwhile; it fails when it takes far too long."""
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.01)
            ticks += 1

    ticking = asyncio.create_task(tick())
    async with asyncio.timeout(9):
        await work
    ticking.cancel()
    return ticks


async def timed_out(work: Awaitable[object]) -> None:
    with pytest.raises(Unavailable, match="timed out") as slow:
        await work
    assert slow.value.code == "aws_timed_out"


def test_a_slow_aws_is_given_up_and_the_loop_goes_on(hasty: Aws, faults: Faults) -> None:
    items = DynamoItems(hasty.clients, hasty.config)
    vault = SecretsManagerVault(hasty.clients, hasty.prefix, clock=Clock())
    faults.are({"service": "*", "latency": 10_000})

    async def work() -> int:
        waiting = [timed_out(items.get("endpoint", "e")), timed_out(items.write([put()]))]
        return await ticks_while(asyncio.gather(*waiting, timed_out(vault.secret("openai", HERE))))

    assert run(work()) > 50


def test_more_slow_calls_than_threads_are_given_up_in_time_too(hasty: Aws, faults: Faults) -> None:
    items = DynamoItems(hasty.clients, hasty.config)
    faults.are({"service": "*", "latency": 10_000})

    async def work() -> int:
        waiting = [timed_out(items.get("endpoint", f"e{nth}")) for nth in range(64)]
        return await ticks_while(asyncio.gather(*waiting))

    assert run(work()) > 50


CONFLICT = {
    "code": "TransactionCanceledException",
    "fields": {"CancellationReasons": [{"Code": "None"}, {"Code": "TransactionConflict"}]},
}


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ({"operation": "TransactWriteItems", "error": CONFLICT}, [put("a"), put("b")]),
        (failing("TransactWriteItems", "TransactionInProgressException"), [put("a"), put("b")]),
        (failing("PutItem", "TransactionConflictException"), [put("a")]),
    ],
)
def test_a_conflicting_write_is_tried_again_and_then_unavailable(
    items: DynamoItems, faults: Faults, rule: dict[str, Any], changes: list[Change]
) -> None:
    faults.are({"service": "*", **rule, "times": 2})
    run(items.write(changes))
    assert len(run(items.page("endpoint")).items) == len(changes)
    again = [put(change.name, nth=2, expected=1) for change in changes]
    faults.are({"service": "*", **rule})
    with pytest.raises(Unavailable) as busy:
        run(items.write(again))
    # The SDK has pauses of its own for the second of these, and may use up the time.
    own = "TransactionInProgressException" in str(rule)
    assert busy.value.code in (("aws_busy", "aws_timed_out") if own else ("aws_busy",))
    assert [item.version for item in run(items.page("endpoint")).items] == [1] * len(changes)


def test_a_transaction_without_capacity_is_unavailable(items: DynamoItems, faults: Faults) -> None:
    reasons = [{"Code": "ThrottlingError"}, {"Code": "None"}]
    error = {**CONFLICT, "fields": {"CancellationReasons": reasons}}
    faults.are({"service": "*", "operation": "TransactWriteItems", "error": error})
    with pytest.raises(Unavailable, match="was throttled by AWS"):
        run(items.write([put("a"), put("b")]))


def test_a_write_whose_answer_was_lost_is_done(items: DynamoItems, faults: Faults) -> None:
    faults.are(lost("PutItem"))
    run(items.write([put()]))
    faults.are(lost("PutItem"))
    run(items.write([put(nth=2, expected=1)]))
    assert run(items.get("endpoint", "e")) == Item("endpoint", "e", {"nth": 2}, 2)
    faults.are(lost("DeleteItem"))
    run(items.write([Change("endpoint", "e", None, 2)]))
    assert run(items.get("endpoint", "e")) is None


def test_a_transaction_whose_answer_was_lost_is_done(items: DynamoItems, faults: Faults) -> None:
    faults.are(lost("TransactWriteItems"))
    run(items.write([put("a"), put("b")]))
    faults.are(lost("TransactWriteItems"))
    run(items.write([Change("endpoint", "a", None, 1), put("b", nth=2, expected=1)]))
    assert list(run(items.page("endpoint")).items) == [Item("endpoint", "b", {"nth": 2}, 2)]


def test_the_same_write_of_someone_else_is_not_taken_for_ones_own(
    items: DynamoItems, faults: Faults
) -> None:
    """Two add one to the same number: only one may be told that it is done."""
    run(items.write([put()]))
    run(items.write([put(nth=2, expected=1)]))
    faults.are(failing("PutItem", "InternalServerError", times=1))
    with pytest.raises(ChangedMeanwhile):
        run(items.write([put(nth=2, expected=1)]))


def test_records_that_are_throttled_are_written_or_told(faulty: Aws, faults: Faults) -> None:
    records = DynamoRecords(faulty.clients, faulty.ledger, clock=Clock())
    code = "ProvisionedThroughputExceededException"
    faults.are(failing("UpdateItem", code, times=1), failing("BatchGetItem", code, times=1))
    run(records.touch("ann", 3600))
    assert run(records.last_used(["ann"])) == {"ann": 3600}
    faults.are(failing("UpdateItem", code), failing("BatchGetItem", code))
    works: list[Awaitable[object]] = [records.touch("ann", 7200), records.last_used(["ann"])]
    for work in works:
        with pytest.raises(Unavailable, match="was throttled"):
            run(work)  # type: ignore[arg-type]


def test_a_role_that_may_not_is_told_what_it_needs(faulty: Aws, faults: Faults) -> None:
    items = DynamoItems(faulty.clients, faulty.config)
    vault = SecretsManagerVault(faulty.clients, faulty.prefix, clock=Clock())
    error = {"code": "AccessDeniedException", "message": "User: arn:aws:sts::1:x is not allowed"}
    faults.are({"service": "*", "error": error})
    with pytest.raises(Unavailable) as denied:
        run(items.get("endpoint", "e"))
    assert denied.value.message == (
        f"dynamodb:GetItem on table '{faulty.config}' is not allowed: "
        "give the role this action on this resource"
    )
    with pytest.raises(Unavailable, match="secretsmanager:GetSecretValue on secret") as denied:
        run(vault.secret("openai", HERE))
    assert f"'{faulty.prefix}openai' is not allowed" in denied.value.message
    assert denied.value.code == "aws_access_denied"


def test_a_key_that_may_not_be_used_is_told_apart(faulty: Aws, faults: Faults) -> None:
    vault = SecretsManagerVault(faulty.clients, faulty.prefix, clock=Clock())
    error = {"code": "AccessDeniedException", "message": "Access to KMS is not allowed"}
    faults.are({"service": "*", "error": error})
    with pytest.raises(Unavailable, match="kms:Decrypt"):
        run(vault.secret("openai", HERE))


def test_warm_calls_go_on_while_the_store_is_down(items: DynamoItems, faults: Faults) -> None:
    clock, lifetimes = Clock(), Lifetimes()
    endpoints = CachedEndpoints(StoredEndpoints(items), clock=clock, lifetimes=lifetimes)
    grants = CachedGrants(items, clock=clock, lifetimes=lifetimes)

    async def warm() -> tuple[Endpoint, Grant | None]:
        return await endpoints.find("chat"), await grants.find("hash")

    async def work() -> None:
        await items.write(
            [
                Change("endpoint", "chat", write_endpoint(CHAT), 0),
                Change("grant", "hash", write_grant(ANN), 0),
            ]
        )
        assert await warm() == (CHAT, ANN)
        with pytest.raises(EndpointNotFound):
            await endpoints.find("other")
        faults.are({"service": "*", "reset": True})
        for seconds in (lifetimes.fresh + 1, lifetimes.stale + 1, lifetimes.outage / 2):
            clock.now += seconds
            assert await warm() == (CHAT, ANN)
        for cold in (endpoints.find, grants.find):
            await unavailable(cold, "cold")
        clock.now += lifetimes.outage
        await unavailable(endpoints.find, "chat")
        faults.are()
        assert await warm() == (CHAT, ANN)

    run(work())


async def unavailable(find: Callable[[str], Awaitable[object]], name: str) -> None:
    with pytest.raises(Unavailable, match="cannot be reached"):
        await find(name)

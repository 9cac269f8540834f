"""Configuration in a DynamoDB table (``tables.CONFIG_TABLE``).

An item: ``id`` (``endpoint#chat``), ``kind``, ``name``, ``version``, ``body`` (JSON), and
``writing``, which tells whose writing it was: when an answer is lost the SDK asks again, and then
the condition fails because of what it has itself written.
"""

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from gateway.adapters.aws.clients import Clients, pauses
from gateway.adapters.aws.tables import BY_KIND, can_be_key
from gateway.adapters.aws.use import THROTTLED, Refused, Use
from gateway.adapters.memory import changed_meanwhile
from gateway.errors import BadRequest, Unavailable, shortened
from gateway.ports import Change, Item, Kind, Page
from gateway.wire.json import dumps, loads

MOST_CHANGES = 100
LARGEST_WRITE = 4 * 1024 * 1024  # bytes
LARGEST_ITEM = 400 * 1024  # bytes, the names of attributes included
LONGEST_NAME = 1024  # bytes: the index sorts by it
OVERHEAD = 256  # bytes, at most, of an item besides its body and twice its name

ONE_FAILED = "ConditionalCheckFailedException"
ONE_CONFLICTS = "TransactionConflictException"
IN_PROGRESS = "TransactionInProgressException"
CANCELED = "TransactionCanceledException"
# Why one change canceled a transaction.
CONDITION_FAILED = "ConditionalCheckFailed"
CONFLICT = "TransactionConflict"
OVER_CAPACITY = frozenset({"ThrottlingError", "ProvisionedThroughputExceeded"})

NEW = "attribute_not_exists(#id)"
UNCHANGED = "#version = :expected"
OF_KIND = "#kind = :kind"
BEHIND = "#kind = :kind AND #name > :after"

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Writing:
    """``token``: AWS and the items know this writing by it."""

    changes: Sequence[Change]
    token: str


class DynamoItems:
    most_changes = MOST_CHANGES

    def __init__(self, clients: Clients, table: str) -> None:
        self._clients, self._table = clients, table

    async def get(self, kind: Kind, name: str) -> Item | None:
        if not can_be_key(name, LONGEST_NAME):
            return None
        row = await self._row(kind, name)
        return None if row is None else self._item(kind, row)

    async def page(self, kind: Kind, *, after: str | None = None, limit: int = 100) -> Page:
        names = {"#kind": "kind"}
        values: Row = {":kind": {"S": kind}}
        if after:
            _check_name("after", after)
            names["#name"], values[":after"] = "name", {"S": after}
        found = await self._clients.dynamodb(
            self._use("dynamodb:Query"),
            lambda client: client.query(
                TableName=self._table,
                IndexName=BY_KIND,
                KeyConditionExpression=BEHIND if after else OF_KIND,
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=values,
                Limit=limit + 1,
            ),
        )
        items = [self._item(kind, row) for row in found["Items"][:limit]]
        # AWS ends a page at 1 MB too.
        more = len(found["Items"]) > limit or "LastEvaluatedKey" in found
        return Page(items, items[-1].name if more and items else None)

    async def write(self, changes: Sequence[Change]) -> None:
        if not changes:
            return
        _check(changes)
        use = self._use("dynamodb:PutItem or dynamodb:DeleteItem")
        writing = Writing(changes, str(uuid.uuid4()))
        async with self._clients.deadline(use):
            for pause in pauses():
                await asyncio.sleep(pause)
                if await self._try(use, writing):
                    return
        raise use.fault("aws_busy", "failed: others keep writing the same items; try again")

    async def _try(self, use: Use, writing: Writing) -> bool:
        """False when others are writing the same items just now: the SDK leaves that to us."""
        try:
            if len(writing.changes) == 1:
                await self._write_one(writing)
            else:
                await self._write_all(use, writing)
        except Refused as error:
            failed = _failed_condition(use, error, writing.changes)
            if failed is None:
                return False
            if not error.retried or not await self._is_done(writing):
                raise changed_meanwhile(failed) from None
        return True

    async def _write_one(self, writing: Writing) -> None:
        (change,) = writing.changes
        asked = self._condition(change)
        if change.body is None:
            use = self._use("dynamodb:DeleteItem", ONE_FAILED, ONE_CONFLICTS)
            key = _key(change.kind, change.name)
            await self._clients.dynamodb(use, lambda client: client.delete_item(Key=key, **asked))
        else:
            use = self._use("dynamodb:PutItem", ONE_FAILED, ONE_CONFLICTS)
            row = _row(change, writing.token)
            await self._clients.dynamodb(use, lambda client: client.put_item(Item=row, **asked))

    async def _write_all(self, use: Use, writing: Writing) -> None:
        steps = [self._step(change, writing.token) for change in writing.changes]
        await self._clients.dynamodb(
            Use(use.action, use.resource, frozenset({CANCELED, IN_PROGRESS})),
            lambda client: client.transact_write_items(
                TransactItems=steps, ClientRequestToken=writing.token
            ),
        )

    def _step(self, change: Change, token: str) -> Any:
        asked = self._condition(change)
        if change.body is None:
            return {"Delete": {"Key": _key(change.kind, change.name), **asked}}
        return {"Put": {"Item": _row(change, token), **asked}}

    def _condition(self, change: Change) -> dict[str, Any]:
        if change.expected == 0:
            names, values, condition = {"#id": "id"}, {}, NEW
        else:
            names, condition = {"#version": "version"}, UNCHANGED
            values = {"ExpressionAttributeValues": {":expected": {"N": str(change.expected)}}}
        return {
            "TableName": self._table,
            "ConditionExpression": condition,
            "ExpressionAttributeNames": names,
            **values,
        }

    async def _is_done(self, writing: Writing) -> bool:
        """Whether it was this very writing that made its conditions fail: all of it is there then,
        so one change tells. Rather one that writes: an item may be gone for any reason."""
        change = next((one for one in writing.changes if one.body is not None), writing.changes[0])
        row = await self._row(change.kind, change.name)
        if change.body is None or row is None:
            return change.body is None and row is None
        return row.get("writing") == {"S": writing.token}

    async def _row(self, kind: Kind, name: str) -> Row | None:
        found = await self._clients.dynamodb(
            self._use("dynamodb:GetItem"),
            lambda client: client.get_item(
                TableName=self._table, Key=_key(kind, name), ConsistentRead=True
            ),
        )
        return found.get("Item")

    def _item(self, kind: Kind, row: Row) -> Item:
        try:
            name, version = row["name"]["S"], int(row["version"]["N"])
            body = loads(row["body"]["S"])
        except (KeyError, TypeError, ValueError):
            body = None
        if not isinstance(body, dict):
            told = row.get("id", {}).get("S", kind)
            raise Unavailable(f"table {self._table!r} holds an unreadable item, {told!r}")
        return Item(kind, name, body, version)

    def _use(self, action: str, *expected: str) -> Use:
        return Use(action, f"table {self._table!r}", frozenset(expected))


def _failed_condition(use: Use, error: Refused, changes: Sequence[Change]) -> Change | None:
    """The change whose condition failed; None when other writings were in the way."""
    code = error.code
    if code in (ONE_CONFLICTS, IN_PROGRESS):
        return None
    if code == ONE_FAILED:
        return changes[0]
    # One reason for each change, in their order.
    reasons = [str(one.get("Code")) for one in error.response.get("CancellationReasons", ())]
    if CONDITION_FAILED in reasons:
        return changes[reasons.index(CONDITION_FAILED)]
    if CONFLICT in reasons:
        return None
    if OVER_CAPACITY.intersection(reasons):
        raise use.fault(*THROTTLED) from None
    why = ", ".join(sorted({reason for reason in reasons if reason != "None"}))
    raise use.fault("aws_refused", f"was refused ({why or code})") from None


def _key(kind: Kind, name: str) -> Any:
    return {"id": {"S": f"{kind}#{name}"}}


def _row(change: Change, token: str) -> Any:
    return {
        **_key(change.kind, change.name),
        "kind": {"S": change.kind},
        "name": {"S": change.name},
        "version": {"N": str(change.expected + 1)},
        "body": {"S": dumps(change.body).decode()},
        "writing": {"S": token},
    }


def _check_name(field: str, name: str) -> None:
    if not can_be_key(name, LONGEST_NAME):
        raise BadRequest(field, f"must be 1 to {LONGEST_NAME} bytes of UTF-8")


def _check(changes: Sequence[Change]) -> None:
    """What AWS would refuse, with words that help."""
    if len(changes) > MOST_CHANGES:
        _refuse(
            f"a write to DynamoDB holds at most {MOST_CHANGES} changes, this one {len(changes)}: "
            "write them in parts, first those that others refer to"
        )
    total = 0
    for change in changes:
        _check_name("name", change.name)
        size = len(dumps(change.body)) + 2 * len(change.name.encode()) + OVERHEAD
        if size > LARGEST_ITEM:
            _refuse(f"{change.kind} {shortened(change.name)!r} is larger than 400 KB")
        total += size
    if total > LARGEST_WRITE:
        _refuse("a write to DynamoDB holds at most 4 MB: write the changes in parts")
    if len({(change.kind, change.name) for change in changes}) < len(changes):
        _refuse("one write changes the same item twice")


def _refuse(problem: str) -> NoReturn:
    raise BadRequest(None, problem)

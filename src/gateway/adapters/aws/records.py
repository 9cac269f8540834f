"""Records and keys' last use in a DynamoDB table (``tables.LEDGER_TABLE``).

``record#<request_id>`` holds ``body`` (JSON) and ``expires``, after which AWS removes it;
``used#<key>`` holds ``at``.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from gateway.adapters.aws.clients import Clients, pauses
from gateway.adapters.aws.tables import EXPIRES, can_be_key
from gateway.adapters.aws.use import THROTTLED, Refused, Use
from gateway.errors import BadRequest, Unavailable
from gateway.metering.items import read_record, write_record
from gateway.metering.records import Record
from gateway.wire.json import dumps, loads

MOST_PUT, MOST_GOT = 25, 100  # in one batch
LONGEST_KEY = 2048  # bytes
DAY = 86_400

NOT_USED_SINCE = "attribute_not_exists(#at) OR #at < :at"


class DynamoRecords:
    """``days``: how long records are kept. ``clock`` reads seconds since 1970."""

    def __init__(
        self, clients: Clients, table: str, *, days: int = 400, clock: Callable[[], float]
    ) -> None:
        self._clients, self._table = clients, table
        self._days, self._clock = days, clock

    async def add(self, records: Sequence[Record]) -> None:
        expires = str(int(self._clock()) + self._days * DAY)
        # By their ids: AWS refuses a batch that holds one twice.
        rows = {record.request_id: _row(record, expires) for record in records}
        puts = [{"PutRequest": {"Item": row}} for row in rows.values()]
        for start in range(0, len(puts), MOST_PUT):
            await self._put(puts[start : start + MOST_PUT])

    async def find(self, request_id: str) -> Record | None:
        key = f"record#{request_id}"
        if not can_be_key(key, LONGEST_KEY):
            return None
        found = await self._clients.dynamodb(
            self._use("dynamodb:GetItem"),
            lambda client: client.get_item(
                TableName=self._table, Key={"id": {"S": key}}, ConsistentRead=True
            ),
        )
        return self._record(key, found["Item"]) if "Item" in found else None

    async def touch(self, key: str, at: int) -> None:
        with suppress(Refused):  # it was used later than that
            await self._clients.dynamodb(
                self._use("dynamodb:UpdateItem", "ConditionalCheckFailedException"),
                lambda client: client.update_item(
                    TableName=self._table,
                    Key={"id": {"S": f"used#{key}"}},
                    UpdateExpression="SET #at = :at",
                    ConditionExpression=NOT_USED_SINCE,
                    ExpressionAttributeNames={"#at": "at"},
                    ExpressionAttributeValues={":at": {"N": str(at)}},
                ),
            )

    async def last_used(self, keys: Sequence[str]) -> Mapping[str, int]:
        wanted = [f"used#{key}" for key in dict.fromkeys(keys)]
        wanted = [key for key in wanted if can_be_key(key, LONGEST_KEY)]
        used: dict[str, int] = {}
        for start in range(0, len(wanted), MOST_GOT):
            rows = await self._got([{"id": {"S": key}} for key in wanted[start : start + MOST_GOT]])
            used |= {row["id"]["S"].removeprefix("used#"): int(row["at"]["N"]) for row in rows}
        return used

    async def _put(self, puts: Sequence[Any]) -> None:
        use = self._use("dynamodb:BatchWriteItem")
        async with self._clients.deadline(use):
            for pause in pauses():
                await asyncio.sleep(pause)
                puts = await self._put_some(use, puts)
                if not puts:
                    return
        raise use.fault(*THROTTLED)

    async def _put_some(self, use: Use, puts: Sequence[Any]) -> Sequence[Any]:
        """Those that AWS had no capacity for."""
        told = await self._clients.dynamodb(
            use, lambda client: client.batch_write_item(RequestItems={self._table: puts})
        )
        return told.get("UnprocessedItems", {}).get(self._table, ())

    async def _got(self, keys: Sequence[Any]) -> Sequence[Any]:
        use = self._use("dynamodb:BatchGetItem")
        rows: list[Any] = []
        async with self._clients.deadline(use):
            for pause in pauses():
                await asyncio.sleep(pause)
                found, keys = await self._get_some(use, keys)
                rows += found
                if not keys:
                    return rows
        raise use.fault(*THROTTLED)

    async def _get_some(self, use: Use, keys: Sequence[Any]) -> tuple[Sequence[Any], Sequence[Any]]:
        """What was found, and the keys that AWS had no capacity for."""
        told = await self._clients.dynamodb(
            use, lambda client: client.batch_get_item(RequestItems={self._table: {"Keys": keys}})
        )
        left = told.get("UnprocessedKeys", {}).get(self._table)
        return told.get("Responses", {}).get(self._table, ()), left["Keys"] if left else ()

    def _record(self, key: str, row: Mapping[str, Any]) -> Record:
        try:
            return read_record(loads(row["body"]["S"]))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Unavailable(f"table {self._table!r} holds an unreadable {key!r}") from error

    def _use(self, action: str, *expected: str) -> Use:
        return Use(action, f"table {self._table!r}", frozenset(expected))


def _row(record: Record, expires: str) -> Any:
    key = f"record#{record.request_id}"
    if not can_be_key(key, LONGEST_KEY):
        raise BadRequest("request_id", f"must be UTF-8 of less than {LONGEST_KEY} bytes")
    return {
        "id": {"S": key},
        "body": {"S": dumps(write_record(record)).decode()},
        EXPIRES: {"N": expires},
    }

"""What the stores in DynamoDB do besides what every store does."""

import ast
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from gateway.adapters.aws.clients import Clients
from gateway.adapters.aws.items import DynamoItems
from gateway.adapters.aws.provision import create_tables
from gateway.adapters.aws.records import DAY, DynamoRecords
from gateway.adapters.aws.use import Use
from gateway.errors import BadRequest, Unavailable
from gateway.metering.records import Record
from gateway.ports import Change, Item
from tests.aws.emulators import Aws, with_tables
from tests.fakes import run

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

Answer = TypeVar("Answer")
SOURCE = Path(__file__).parent.parent.parent / "src"
LONG = "x" * 1025


def put(name: str, text: str = "") -> Change:
    return Change("endpoint", name, {"text": text}, 0)


def record(request_id: str) -> Record:
    return Record(
        request_id, "ann", "chat", "openai.chat", stream=False, outcome="answered", status=200,
        provider=None, model=None, attempts=1, usage=None, cost=None, duration=1.0,
        first_content=None, error=None,
    )  # fmt: skip


@pytest.fixture
def tables(aws: Aws) -> Aws:
    return with_tables(aws)


@pytest.fixture
def items(tables: Aws) -> DynamoItems:
    return DynamoItems(tables.clients, tables.config)


@pytest.mark.parametrize(
    "name", ["", LONG, "\u00e9" * 513, "\udcff"], ids=["empty", "long", "wide", "half"]
)
def test_a_name_that_dynamodb_cannot_hold_is_refused(items: DynamoItems, name: str) -> None:
    assert run(items.get("endpoint", name)) is None
    for changes in ([put(name)], [put("a"), put(name)]):
        with pytest.raises(BadRequest, match="name: must be 1 to 1024 bytes of UTF-8"):
            run(items.write(changes))
    if name:
        with pytest.raises(BadRequest, match="after: must be"):
            run(items.page("endpoint", after=name))
    assert run(items.page("endpoint")).items == []


def test_more_than_a_transaction_holds_is_refused_before_anything_is_asked(
    items: DynamoItems,
) -> None:
    for changes, problem in (
        (
            [put(f"e{nth}") for nth in range(101)],
            "at most 100 changes, this one 101: write them in",
        ),
        ([put("chat", "x" * 410_000)], "endpoint 'chat' is larger than 400 KB"),
        ([put(f"e{nth}", "x" * 390_000) for nth in range(11)], "at most 4 MB"),
        ([put("a"), put("b"), put("a")], "changes the same item twice"),
    ):
        with pytest.raises(BadRequest, match=problem):
            run(items.write(changes))
    assert run(items.page("endpoint")).items == []


def test_an_item_of_almost_400_kb_is_kept(items: DynamoItems) -> None:
    change = put("x" * 1024, "\u00e9" * 203_000)
    run(items.write([change]))
    assert change.body is not None
    assert run(items.get("endpoint", change.name)) == Item("endpoint", change.name, change.body, 1)


def test_pages_of_more_than_a_megabyte_lose_nothing(items: DynamoItems) -> None:
    for nth in range(7):
        run(items.write([put(f"e{nth}", "x" * 300_000)]))
    found: list[str] = []
    page = run(items.page("endpoint"))
    found += [item.name for item in page.items]
    while page.next is not None:
        page = run(items.page("endpoint", after=page.next))
        found += [item.name for item in page.items]
    assert found == [f"e{nth}" for nth in range(7)]


KEY = {"id": {"S": "endpoint#e"}, "kind": {"S": "endpoint"}, "name": {"S": "e"}}


@pytest.mark.parametrize(
    "rest",
    [
        {},
        {"version": {"N": "1"}},
        {"body": {"S": "{}"}},
        {"version": {"S": "1"}, "body": {"S": "{}"}},
        {"version": {"N": "1.5"}, "body": {"S": "{}"}},
        *({"version": {"N": "1"}, "body": {"S": body}} for body in ("", "{", "[]", "null", "5")),
    ],
)
def test_an_item_that_cannot_be_read_is_the_stores_fault(
    items: DynamoItems, tables: Aws, rest: dict[str, Any]
) -> None:
    run(items.write([put("other")]))
    tables.raw.dynamodb.put_item(TableName=tables.config, Item={**KEY, **rest})
    for work in (items.get("endpoint", "e"), items.page("endpoint")):
        with pytest.raises(Unavailable) as unreadable:
            run(work)
        assert unreadable.value.message == (
            f"table '{tables.config}' holds an unreadable item, 'endpoint#e'"
        )
    assert run(items.get("endpoint", "other")) is not None


def test_an_item_of_another_program_is_read(items: DynamoItems, tables: Aws) -> None:
    rest = {"version": {"N": "7"}, "body": {"S": '{"x":1}'}, "more": {"BOOL": True}}
    row: Any = {**KEY, **rest}
    tables.raw.dynamodb.put_item(TableName=tables.config, Item=row)
    assert run(items.get("endpoint", "e")) == Item("endpoint", "e", {"x": 1}, 7)
    run(items.write([Change("endpoint", "e", {"x": 2}, 7)]))
    assert run(items.get("endpoint", "e")) == Item("endpoint", "e", {"x": 2}, 8)


def test_a_table_that_is_not_there_is_named(aws: Aws) -> None:
    items = DynamoItems(aws.clients, aws.config)
    for work in (items.get("endpoint", "e"), items.page("endpoint"), items.write([put("e")])):
        with pytest.raises(
            Unavailable, match=f"on table '{aws.config}' failed: there is none"
        ) as missing:
            run(work)
        assert missing.value.code == "aws_missing"


def test_a_record_expires_after_its_days(tables: Aws) -> None:
    now = 1_700_000_000
    records = DynamoRecords(tables.clients, tables.ledger, days=30, clock=lambda: now + 0.5)
    run(records.add([record("req1")]))
    kept = tables.raw.dynamodb.get_item(TableName=tables.ledger, Key={"id": {"S": "record#req1"}})
    assert kept["Item"]["expires"] == {"N": str(now + 30 * DAY)}


def test_a_record_that_cannot_be_read_is_the_stores_fault(tables: Aws) -> None:
    records = DynamoRecords(tables.clients, tables.ledger, clock=lambda: 0)
    for body in ("", "{", "[]", "{}", '{"usage": 5}'):
        row: Any = {"id": {"S": "record#req1"}, "body": {"S": body}}
        tables.raw.dynamodb.put_item(TableName=tables.ledger, Item=row)
        with pytest.raises(Unavailable, match="unreadable 'record#req1'"):
            run(records.find("req1"))


@pytest.mark.parametrize("request_id", ["x" * 2042, "\udcff"])
def test_a_record_that_cannot_be_kept_is_refused(tables: Aws, request_id: str) -> None:
    records = DynamoRecords(tables.clients, tables.ledger, clock=lambda: 0)
    with pytest.raises(BadRequest, match="request_id"):
        run(records.add([record(request_id)]))


class FullTable:
    """Of each batch it does one, and ``tries`` times."""

    def __init__(self, tries: int) -> None:
        self.tries, self.done = tries, list[str]()

    def batch_write_item(self, RequestItems: Any) -> Any:  # noqa: N803 - as the SDK has it
        ((table, (first, *rest)),) = RequestItems.items()
        if not self.tries:
            return {"UnprocessedItems": RequestItems}
        self.tries -= 1
        self.done.append(first["PutRequest"]["Item"]["id"]["S"])
        return {"UnprocessedItems": {table: rest} if rest else {}}

    def batch_get_item(self, RequestItems: Any) -> Any:  # noqa: N803 - as the SDK has it
        ((table, asked),) = RequestItems.items()
        first, *rest = asked["Keys"]
        if not self.tries:
            return {"Responses": {}, "UnprocessedKeys": RequestItems}
        self.tries -= 1
        found = {table: [{**first, "at": {"N": "3600"}}]}
        return {"Responses": found, "UnprocessedKeys": {table: {"Keys": rest}} if rest else {}}


class ClientsOf(Clients):
    def __init__(self, client: Any) -> None:
        super().__init__()
        self._client = client

    async def dynamodb(self, use: Use, work: "Callable[[DynamoDBClient], Answer]") -> Answer:
        del use
        return work(self._client)

    @asynccontextmanager
    async def deadline(self, use: Use) -> AsyncIterator[None]:
        del use
        yield


def test_what_a_batch_left_is_asked_again() -> None:
    full = FullTable(tries=6)
    records = DynamoRecords(ClientsOf(full), "ledger", clock=lambda: 0)
    run(records.add([record(nth) for nth in "abc"]))
    assert full.done == ["record#a", "record#b", "record#c"]
    assert run(records.last_used(["a", "b", "c"])) == {"a": 3600, "b": 3600, "c": 3600}


def test_what_a_batch_keeps_leaving_is_told() -> None:
    records = DynamoRecords(ClientsOf(FullTable(tries=2)), "ledger", clock=lambda: 0)
    with pytest.raises(
        Unavailable, match="dynamodb:BatchWriteItem on table 'ledger' was throttled"
    ):
        run(records.add([record(nth) for nth in "abc"]))
    with pytest.raises(Unavailable, match="dynamodb:BatchGetItem on table 'ledger' was throttled"):
        run(records.last_used(["a", "b"]))


def test_tables_are_made_once_and_records_expire(tables: Aws) -> None:
    create_tables(tables.raw.dynamodb, tables.config, tables.ledger)
    told = tables.raw.dynamodb.describe_time_to_live(TableName=tables.ledger)
    assert told["TimeToLiveDescription"].get("AttributeName") == "expires"
    table = tables.raw.dynamodb.describe_table(TableName=tables.config)["Table"]
    assert table["TableStatus"] == "ACTIVE"
    assert [index["IndexName"] for index in table["GlobalSecondaryIndexes"]] == ["by_kind"]


def strings() -> Iterator[str]:
    for path in (SOURCE / "gateway" / "adapters" / "aws").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def test_no_condition_calculates() -> None:
    """DynamoDB refuses it, and ministack does not: nothing else would tell."""
    expressions = [text for text in strings() if re.search(r"#\w+\)? ?([=<>]|$|OR|AND)", text)]
    assert "attribute_not_exists(#id)" in expressions
    assert "#version = :expected" in expressions
    assert "attribute_not_exists(#at) OR #at < :at" in expressions
    assert [text for text in expressions if re.search(r"[+-]", text)] == []


def test_every_condition_is_a_constant() -> None:
    built = []
    for path in (SOURCE / "gateway" / "adapters" / "aws").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.keyword) and node.arg == "ConditionExpression":
                built.append(node.value)
            if isinstance(node, ast.Dict):
                pairs = zip(node.keys, node.values, strict=True)
                built += [value for key, value in pairs if is_condition(key)]
    assert len(built) == 2
    assert [ast.unparse(value) for value in built if not isinstance(value, ast.Name)] == []


def is_condition(key: ast.expr | None) -> bool:
    return isinstance(key, ast.Constant) and key.value == "ConditionExpression"

"""What every store of items, and every store of records, does alike."""

import asyncio
from pathlib import Path
from random import Random

import pytest

from gateway.adapters.aws.items import DynamoItems
from gateway.adapters.aws.records import DynamoRecords
from gateway.adapters.memory import MemoryItems, MemoryRecords
from gateway.adapters.sqlite import SqliteItems, SqliteRecords
from gateway.errors import ChangedMeanwhile
from gateway.metering.records import Record
from gateway.ports import Change, Item, ItemStore, Kind, RecordStore
from gateway.usage import Usage
from gateway.wire.json import Json
from tests.aws.emulators import Aws, servers_of, with_tables
from tests.fakes import run

WHOLE: Json = {
    "name": "chat",
    "targets": [{"provider": "openai", "weight": 0.5, "price": None}, {}],
    "text": '\u00e9 \U0001f600 " \\ \x00 \n',
    "numbers": [0, -1, 2**53, 1.5, 1e-9, True, None],
    "of another program": {"deep": [[[]]]},
}
RECORD = Record(
    request_id="req1",
    caller="ann",
    endpoint="chat",
    dialect="openai.chat",
    stream=True,
    outcome="answered",
    status=200,
    provider="openai",
    model="gpt",
    attempts=2,
    usage=Usage(10, 20, 5, 0),
    cost=0.125,
    duration=1.5,
    first_content=0.25,
    error=None,
)
ON_AWS = ("ministack", "roto")
STORES = ["memory", "sqlite", *(pytest.param(name, marks=pytest.mark.aws) for name in ON_AWS)]


@pytest.fixture(params=STORES)
def aws(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Aws | None:
    """None for the stores that need none."""
    if request.param not in ON_AWS:
        return None
    return with_tables(servers_of(request.config).aws(request.param, monkeypatch))


@pytest.fixture
def items(request: pytest.FixtureRequest, aws: Aws | None, tmp_path: Path) -> ItemStore:
    if aws is not None:
        return DynamoItems(aws.clients, aws.config)
    if "sqlite" in request.node.name:
        return SqliteItems(tmp_path / "new" / "gateway.db")
    return MemoryItems()


@pytest.fixture
def records(request: pytest.FixtureRequest, aws: Aws | None, tmp_path: Path) -> RecordStore:
    if aws is not None:
        return DynamoRecords(aws.clients, aws.ledger, clock=lambda: 1_700_000_000.0)
    if "sqlite" in request.node.name:
        return SqliteRecords(tmp_path / "new" / "gateway.db")
    return MemoryRecords()


def put(name: str, body: Json | None = None, *, expected: int = 0) -> Change:
    return Change("endpoint", name, {} if body is None else body, expected)


def deletion(name: str, *, expected: int) -> Change:
    return Change("endpoint", name, None, expected)


async def names(items: ItemStore, kind: Kind = "endpoint", *, limit: int = 100) -> list[str]:
    found: list[str] = []
    after = None
    while True:
        page = await items.page(kind, after=after, limit=limit)
        assert len(page.items) <= limit
        found += [item.name for item in page.items]
        if page.next is None:
            return found
        after = page.next


def test_a_new_store_is_empty(items: ItemStore) -> None:
    assert run(items.get("endpoint", "e")) is None
    assert run(names(items)) == []


def test_what_is_put_is_found_whole(items: ItemStore) -> None:
    run(items.write([put("chat", WHOLE)]))
    assert run(items.get("endpoint", "chat")) == Item("endpoint", "chat", WHOLE, 1)
    assert list(run(items.page("endpoint")).items) == [Item("endpoint", "chat", WHOLE, 1)]


def test_each_writing_makes_another_version(items: ItemStore) -> None:
    for version in range(3):
        run(items.write([put("e", {"nth": version}, expected=version)]))
    assert run(items.get("endpoint", "e")) == Item("endpoint", "e", {"nth": 2}, 3)


@pytest.mark.parametrize("expected", [0, 1, 3, 10])
def test_what_expects_another_version_is_not_written(items: ItemStore, expected: int) -> None:
    run(items.write([put("e", {"nth": 1})]))
    run(items.write([put("e", {"nth": 2}, expected=1)]))
    for change in (put("e", {"nth": 9}, expected=expected), deletion("e", expected=expected)):
        with pytest.raises(ChangedMeanwhile, match="endpoint 'e'") as changed:
            run(items.write([change]))
        assert changed.value.code == ("changed_meanwhile" if expected else "exists")
    assert run(items.get("endpoint", "e")) == Item("endpoint", "e", {"nth": 2}, 2)


def test_what_is_not_there_can_be_neither_replaced_nor_deleted(items: ItemStore) -> None:
    for change in (put("e", expected=1), deletion("e", expected=1)):
        with pytest.raises(ChangedMeanwhile, match="changed meanwhile"):
            run(items.write([change]))
    assert run(names(items)) == []


def test_what_is_deleted_is_gone_and_begins_anew(items: ItemStore) -> None:
    run(items.write([put("a"), put("b")]))
    run(items.write([deletion("a", expected=1)]))
    assert run(items.get("endpoint", "a")) is None
    assert run(names(items)) == ["b"]
    run(items.write([put("a", {"again": True})]))
    assert run(items.get("endpoint", "a")) == Item("endpoint", "a", {"again": True}, 1)


def test_to_delete_what_must_not_be_there_only_asks_that_it_is_not(items: ItemStore) -> None:
    run(items.write([deletion("a", expected=0), put("b")]))
    assert run(names(items)) == ["b"]
    with pytest.raises(ChangedMeanwhile, match="'b' exists already"):
        run(items.write([put("c"), deletion("b", expected=0)]))
    assert run(names(items)) == ["b"]


def test_nothing_to_write_is_nothing(items: ItemStore) -> None:
    run(items.write([]))
    assert run(names(items)) == []


def test_several_kinds_are_written_at_once(items: ItemStore) -> None:
    run(items.write([put("a"), put("b")]))
    changes: list[Change] = [
        put("a", {"new": True}, expected=1),
        deletion("b", expected=1),
        put("c"),
        Change("grant", "a", {"key": "ann"}, 0),
    ]
    run(items.write(changes))
    assert run(names(items)) == ["a", "c"]
    assert run(items.get("endpoint", "a")) == Item("endpoint", "a", {"new": True}, 2)
    assert run(items.get("grant", "a")) == Item("grant", "a", {"key": "ann"}, 1)


@pytest.mark.parametrize(
    "bad", [put("a"), put("a", expected=2), put("x", expected=1), deletion("x", expected=1)]
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_with_one_bad_change_nothing_is_written(items: ItemStore, bad: Change, place: int) -> None:
    run(items.write([put("a"), put("b")]))
    changes = [put("new"), deletion("b", expected=1)]
    changes.insert(place, bad)
    with pytest.raises(ChangedMeanwhile, match=f"endpoint '{bad.name}'"):
        run(items.write(changes))
    assert run(names(items)) == ["a", "b"]
    assert run(items.get("endpoint", "a")) == Item("endpoint", "a", {}, 1)


def test_as_many_changes_as_it_promises_are_written_at_once(items: ItemStore) -> None:
    many = min(items.most_changes, 500)
    run(items.write([put(f"e{nth:03}", {"nth": nth}) for nth in range(many)]))
    assert run(names(items)) == [f"e{nth:03}" for nth in range(many)]


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 8, 100])
def test_every_item_is_on_one_page_sorted_by_name(items: ItemStore, limit: int) -> None:
    sorted_names = ["10", "9", "B", "a", "b", "c-1", "c.1"]
    run(items.write([put(name) for name in ("b", "a", "B", "c.1", "c-1", "10", "9")]))
    assert run(names(items, limit=limit)) == sorted_names
    pages = -(-len(sorted_names) // limit)
    assert run(last_page(items, limit)) == pages


async def last_page(items: ItemStore, limit: int) -> int:
    nth, after = 1, None
    while (page := await items.page("endpoint", after=after, limit=limit)).next is not None:
        nth, after = nth + 1, page.next
    return nth


@pytest.mark.parametrize(("after", "rest"), [("", "ace"), ("a", "ce"), ("b", "ce"), ("e", "")])
def test_a_page_begins_behind_any_name(items: ItemStore, after: str, rest: str) -> None:
    run(items.write([put(name) for name in "ace"]))
    page = run(items.page("endpoint", after=after))
    assert [item.name for item in page.items] == list(rest)
    assert page.next is None


def test_names_are_sorted_by_their_code_points(items: ItemStore) -> None:
    ascending = ["Z", "a", "\u00e9", "\uffee", "\U0001f600"]
    run(items.write([put(name) for name in reversed(ascending)]))
    assert run(names(items)) == ascending
    assert run(names(items, limit=2)) == ascending


NAMES = [
    "A",
    "' OR 1=1 --",
    'a"b',
    "a%",
    "a\x00b",
    "a#b",
    "\u00e9",
    "e\u0301",
    "\U0001f600",
    " ",
    "a/../b",
    "x" * 1024,
]


@pytest.mark.parametrize("name", NAMES, ids=lambda name: ascii(name)[:16])
def test_a_name_is_itself_and_nothing_else(items: ItemStore, name: str) -> None:
    run(items.write([put("a")]))
    assert run(items.get("endpoint", name)) is None
    run(items.write([put(name, {"name": name})]))
    assert run(items.get("endpoint", name)) == Item("endpoint", name, {"name": name}, 1)
    assert run(names(items)) == sorted(["a", name])
    run(items.write([deletion(name, expected=1)]))
    assert run(names(items)) == ["a"]


def test_a_name_that_is_no_text_is_not_found(items: ItemStore) -> None:
    """Half of a surrogate pair: what a command line gives for a byte that is no UTF-8."""
    run(items.write([put("a")]))
    assert run(items.get("endpoint", "\udcff")) is None


@pytest.mark.parametrize("length", [1025, 100_000])
def test_a_name_of_any_length_may_be_asked_for(items: ItemStore, length: int) -> None:
    run(items.write([put("x")]))
    assert run(items.get("endpoint", "x" * length)) is None


def test_kinds_do_not_mix(items: ItemStore) -> None:
    kinds: tuple[Kind, ...] = ("endpoint", "key", "grant", "secret", "settings")
    run(items.write([Change(kind, "same", {"kind": kind}, 0) for kind in kinds]))
    run(items.write([Change("key", "more", {}, 0), Change("key", "endpoint#same", {}, 0)]))
    for kind in kinds:
        assert run(items.get(kind, "same")) == Item(kind, "same", {"kind": kind}, 1)
    assert run(names(items, "key")) == ["endpoint#same", "more", "same"]
    assert run(names(items, "grant")) == ["same"]
    assert run(items.get("grant", "more")) is None


def test_what_is_handed_out_is_nobody_elses(items: ItemStore) -> None:
    body: Json = {"list": [1]}
    run(items.write([put("e", body)]))
    body["list"].append(2)
    found = run(items.get("endpoint", "e"))
    assert found is not None
    assert found.body == {"list": [1]}
    found.body["list"].append(3)
    assert run(items.get("endpoint", "e")) == Item("endpoint", "e", {"list": [1]}, 1)


def test_of_many_writings_at_once_none_is_lost(items: ItemStore) -> None:
    async def add_one(random: Random) -> None:
        while True:
            found = await items.get("endpoint", "counter")
            assert found is not None
            change = put("counter", {"count": found.body["count"] + 1}, expected=found.version)
            try:
                return await items.write([change])
            except ChangedMeanwhile:
                await asyncio.sleep(random.uniform(0, 0.1))

    async def storm() -> Item | None:
        await items.write([put("counter", {"count": 0})])
        await asyncio.gather(*(add_one(Random(nth)) for nth in range(64)))
        return await items.get("endpoint", "counter")

    assert run(storm()) == Item("endpoint", "counter", {"count": 64}, 65)


def test_of_many_who_make_the_same_item_one_does(items: ItemStore) -> None:
    async def make(nth: int) -> bool:
        try:
            await items.write([put("e", {"by": nth}), put(f"made-{nth}")])
        except ChangedMeanwhile:
            return False
        return True

    async def race() -> tuple[int, list[str]]:
        made = await asyncio.gather(*(make(nth) for nth in range(32)))
        return made.count(True), await names(items)

    won, left = run(race())
    assert won == 1
    assert len(left) == 2


def test_a_record_is_found_whole(records: RecordStore) -> None:
    assert run(records.find("req1")) is None
    run(records.add([RECORD]))
    assert run(records.find("req1")) == RECORD
    assert run(records.find("req2")) is None


def record(request_id: str) -> Record:
    fields = {name: getattr(RECORD, name) for name in Record.__slots__}
    return Record(**{**fields, "request_id": request_id, "usage": None, "cost": None})


def test_records_are_added_once_however_often(records: RecordStore) -> None:
    many = [record(f"req{nth}") for nth in range(60)]
    run(records.add([]))
    run(records.add([*many, *many[:5]]))
    run(records.add(many))
    assert [run(records.find(one.request_id)) for one in many] == many


@pytest.mark.parametrize(
    "name", ["", *NAMES, "\udcff", "x" * 100_000], ids=lambda name: ascii(name)[:16]
)
def test_any_request_may_be_asked_for(records: RecordStore, name: str) -> None:
    run(records.add([record("a")]))
    assert run(records.find(name)) is None


def test_the_latest_use_of_a_key_is_kept(records: RecordStore) -> None:
    async def use() -> None:
        for at in (7200, 3600, 10_800, 10_800, 0):
            await records.touch("ann", at)
        await records.touch("bob", 3600)

    run(use())
    assert run(records.last_used(["ann", "bob", "carol", "ann", "req1"])) == {
        "ann": 10_800,
        "bob": 3600,
    }
    assert run(records.last_used([])) == {}


def test_the_uses_of_many_keys_are_told_at_once(records: RecordStore) -> None:
    many = {f"key{nth}": 3600 * nth for nth in range(1, 121)}

    async def use() -> None:
        await asyncio.gather(*(records.touch(key, at) for key, at in many.items()))

    run(use())
    assert run(records.last_used(list(many))) == many


def test_of_many_uses_at_once_the_latest_is_kept(records: RecordStore) -> None:
    async def storm() -> None:
        hours = list(range(3600, 3600 * 33, 3600))
        Random(1).shuffle(hours)
        await asyncio.gather(*(records.touch("ann", at) for at in hours))

    run(storm())
    assert run(records.last_used(["ann"])) == {"ann": 3600 * 32}


def test_a_key_and_a_request_of_one_name_do_not_mix(records: RecordStore) -> None:
    run(records.add([record("same")]))
    run(records.touch("same", 3600))
    assert run(records.find("same")) == record("same")
    assert run(records.last_used(["same"])) == {"same": 3600}

"""What one file on a disk does besides what every store does."""

import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.adapters.sqlite import SqliteItems, SqliteRecords
from gateway.errors import Unavailable
from gateway.ports import Change, Item
from tests.fakes import run

E = Change("endpoint", "e", {"owner": "ann"}, 0)


def test_two_programs_on_one_file_see_each_others_writing(tmp_path: Path) -> None:
    one, other = SqliteItems(tmp_path / "db"), SqliteItems(tmp_path / "db")
    run(one.write([E]))
    assert run(other.get("endpoint", "e")) == Item("endpoint", "e", {"owner": "ann"}, 1)
    run(other.write([Change("endpoint", "e", None, 1)]))
    assert list(run(one.page("endpoint")).items) == []


def test_reading_makes_no_file(tmp_path: Path) -> None:
    items, records = SqliteItems(tmp_path / "new" / "db"), SqliteRecords(tmp_path / "new" / "db")
    assert list(run(items.page("endpoint")).items) == []
    assert run(records.find("req1")) is None
    assert run(records.last_used(["ann"])) == {}
    assert list(tmp_path.iterdir()) == []


def test_its_folder_is_its_owners_alone(tmp_path: Path) -> None:
    run(SqliteItems(tmp_path / "new" / "db").write([E]))
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


def test_it_holds_items_records_and_uses_side_by_side(tmp_path: Path) -> None:
    run(SqliteItems(tmp_path / "db").write([E]))
    run(SqliteRecords(tmp_path / "db").touch("ann", 3600))
    assert run(SqliteItems(tmp_path / "db").get("endpoint", "e")) is not None
    assert run(SqliteRecords(tmp_path / "db").last_used(["ann"])) == {"ann": 3600}


def garbage(file: Path) -> None:
    file.write_bytes(b"this is no database, but long enough to be taken for one" * 100)


def folder(file: Path) -> None:
    file.mkdir()


def another_table(file: Path) -> None:
    execute(file, "CREATE TABLE items (x INTEGER)")


def execute(file: Path, statement: str, *values: str) -> None:
    with sqlite3.connect(file) as db:
        db.execute(statement, values)
    db.close()


@pytest.mark.parametrize("spoil", [garbage, folder, another_table])
def test_a_file_that_is_no_store_is_unavailable_and_named(
    tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    file = tmp_path / "db"
    spoil(file)
    items = SqliteItems(file)
    for work in (items.get("endpoint", "e"), items.page("endpoint"), items.write([E])):
        with pytest.raises(Unavailable, match="cannot be used") as down:
            run(work)
        assert str(file) in down.value.message


def test_a_file_below_a_file_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable):
        run(SqliteItems(tmp_path / "file" / "db").write([E]))


@pytest.mark.parametrize("body", ["", "{", "null", "[]", "5", '"{}"'])
def test_an_item_that_cannot_be_read_is_the_stores_fault(tmp_path: Path, body: str) -> None:
    items = SqliteItems(tmp_path / "db")
    run(items.write([E, Change("endpoint", "other", {}, 0)]))
    execute(tmp_path / "db", "UPDATE items SET body = ? WHERE name = 'e'", body)
    for work in (items.get("endpoint", "e"), items.page("endpoint")):
        with pytest.raises(Unavailable, match="unreadable endpoint, 'e'"):
            run(work)
    assert run(items.get("endpoint", "other")) == Item("endpoint", "other", {}, 1)


def of_the_first_program(file: Path) -> None:
    execute(
        file,
        "CREATE TABLE endpoints"
        " (name TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID",
    )
    execute(
        file,
        """INSERT INTO endpoints VALUES ('a', 1, '{"name":"a"}'), ('b', 7, '{"name":"b"}')""",
    )


def test_the_first_programs_endpoints_are_taken_over(tmp_path: Path) -> None:
    of_the_first_program(tmp_path / "db")
    items = SqliteItems(tmp_path / "db")
    assert list(run(items.page("endpoint")).items) == [
        Item("endpoint", "a", {"name": "a"}, 1),
        Item("endpoint", "b", {"name": "b"}, 1),
    ]
    run(items.write([Change("endpoint", "a", None, 1)]))
    assert run(items.get("endpoint", "a")) is None
    assert run(SqliteItems(tmp_path / "db").get("endpoint", "a")) is None


def test_what_is_taken_over_replaces_nothing(tmp_path: Path) -> None:
    run(SqliteItems(tmp_path / "db").write([Change("endpoint", "a", {"newer": True}, 0)]))
    of_the_first_program(tmp_path / "db")
    assert list(run(SqliteItems(tmp_path / "db").page("endpoint")).items) == [
        Item("endpoint", "a", {"newer": True}, 1),
        Item("endpoint", "b", {"name": "b"}, 1),
    ]

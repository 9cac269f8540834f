"""The embedded stores: one SQLite file, used by several processes at once.

Table ``items``: ``kind`` and ``name`` (key), ``version``, ``body`` (JSON). Table ``records``, the
latest 100,000: ``request_id`` (key), ``body`` (JSON). Table ``used``: ``key``, ``at``. No
migrations: a newer program reads older items. Table ``endpoints`` is of the first program, which
had no versions; what is in it is taken over.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from gateway.adapters.memory import changed_meanwhile
from gateway.errors import Unavailable
from gateway.metering.items import read_record, write_record
from gateway.metering.records import Record
from gateway.ports import Change, Item, Kind, Page
from gateway.wire.json import dumps, loads

Result = TypeVar("Result")
MOST_RECORDS = 100_000

SCHEMA = """
CREATE TABLE IF NOT EXISTS items (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (kind, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS records (request_id TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS used (key TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
"""
FIRST_PROGRAM = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'endpoints'"
TAKE_OVER = (
    "INSERT OR IGNORE INTO items SELECT 'endpoint', name, 1, body FROM endpoints",
    "DROP TABLE endpoints",
)
GET = "SELECT name, version, body FROM items WHERE kind = ? AND name = ?"
PAGE = "SELECT name, version, body FROM items WHERE kind = ? AND name > ? ORDER BY name LIMIT ?"
FIRST_PAGE = "SELECT name, version, body FROM items WHERE kind = ? ORDER BY name LIMIT ?"
INSERT = "INSERT OR IGNORE INTO items VALUES (:kind, :name, 1, :body)"
UPDATE = (
    "UPDATE items SET version = version + 1, body = :body"
    " WHERE kind = :kind AND name = :name AND version = :expected"
)
DELETE = "DELETE FROM items WHERE kind = :kind AND name = :name AND version = :expected"
# Rows are numbered as they come: the oldest beyond the limit go.
FORGET = "DELETE FROM records WHERE rowid <= (SELECT max(rowid) FROM records) - ?"
TOUCH = "INSERT INTO used VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET at = max(at, excluded.at)"


class SqliteFile:
    """Each use opens the file in a thread: the event loop never waits for the disk."""

    def __init__(self, path: Path) -> None:
        self.path = path

    async def read(self, query: str, *values: str | int) -> Sequence[tuple[str | int, ...]]:
        """Reading makes no file: where there is none, there is nothing to read."""
        if not self.path.exists():
            return []
        try:
            return await self.use(lambda db: db.execute(query, values).fetchall())
        except UnicodeEncodeError:  # half a surrogate pair: nothing has such a name
            return []

    async def use(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        return await asyncio.to_thread(self._work, work)

    def _work(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with closing(sqlite3.connect(self.path, timeout=5)) as db, db:
                _prepare(db)
                return work(db)
        except (sqlite3.Error, OSError) as error:
            raise Unavailable(f"the store {self.path} cannot be used: {error}") from error


def _prepare(db: sqlite3.Connection) -> None:
    for statement in filter(str.strip, SCHEMA.split(";")):
        db.execute(statement)
    if db.execute(FIRST_PROGRAM).fetchone():
        for statement in TAKE_OVER:
            db.execute(statement)


class SqliteItems:
    most_changes = 10_000

    def __init__(self, path: Path) -> None:
        self._file = SqliteFile(path)

    async def get(self, kind: Kind, name: str) -> Item | None:
        rows = await self._file.read(GET, kind, name)
        return self._item(kind, *rows[0]) if rows else None

    async def page(self, kind: Kind, *, after: str | None = None, limit: int = 100) -> Page:
        if after is None:
            rows = await self._file.read(FIRST_PAGE, kind, limit + 1)
        else:
            rows = await self._file.read(PAGE, kind, after, limit + 1)
        items = [self._item(kind, *row) for row in rows[:limit]]
        return Page(items, items[-1].name if len(rows) > limit else None)

    async def write(self, changes: Sequence[Change]) -> None:
        await self._file.use(lambda db: _write(db, changes))

    def _item(self, kind: Kind, name: str | int, version: str | int, body: str | int) -> Item:
        try:
            read = loads(str(body))
        except ValueError as error:
            raise Unavailable(f"{self._file.path} holds an unreadable {kind}, {name!r}") from error
        if not isinstance(read, dict):
            raise Unavailable(f"{self._file.path} holds an unreadable {kind}, {name!r}")
        return Item(kind, str(name), read, int(version))


def _write(db: sqlite3.Connection, changes: Sequence[Change]) -> None:
    """Whatever is raised here rolls all of it back."""
    for change in changes:
        if not _is_written(db, change):
            raise changed_meanwhile(change)


def _is_written(db: sqlite3.Connection, change: Change) -> bool:
    if change.body is None and change.expected == 0:
        return not db.execute(GET, (change.kind, change.name)).fetchall()
    writing = UPDATE if change.expected else INSERT
    row = {
        "kind": change.kind,
        "name": change.name,
        "expected": change.expected,
        "body": None if change.body is None else dumps(change.body).decode(),
    }
    return db.execute(DELETE if change.body is None else writing, row).rowcount == 1


class SqliteRecords:
    def __init__(self, path: Path) -> None:
        self._file = SqliteFile(path)

    async def add(self, records: Sequence[Record]) -> None:
        rows = [(record.request_id, dumps(write_record(record)).decode()) for record in records]

        def add(db: sqlite3.Connection) -> None:
            db.executemany("INSERT OR IGNORE INTO records VALUES (?, ?)", rows)
            db.execute(FORGET, (MOST_RECORDS,))

        await self._file.use(add)

    async def find(self, request_id: str) -> Record | None:
        rows = await self._file.read("SELECT body FROM records WHERE request_id = ?", request_id)
        try:
            return read_record(loads(str(rows[0][0]))) if rows else None
        except (ValueError, TypeError, AttributeError) as error:
            problem = f"{self._file.path} holds an unreadable record, {request_id!r}"
            raise Unavailable(problem) from error

    async def touch(self, key: str, at: int) -> None:
        await self._file.use(lambda db: db.execute(TOUCH, (key, at)))

    async def last_used(self, keys: Sequence[str]) -> Mapping[str, int]:
        wanted = set(keys)
        rows = await self._file.read("SELECT key, at FROM used")
        return {str(key): int(at) for key, at in rows if key in wanted}

"""The embedded store: one SQLite file, readable by several processes at once.

Table ``endpoints``: ``name`` (key), ``version`` of the item's shape, ``body`` (JSON as
routing.items writes it). No migrations: a newer program reads older items.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from gateway.errors import EndpointNotFound, Unavailable
from gateway.routing.endpoint import Endpoint
from gateway.routing.items import VERSION, read_endpoint, write_endpoint
from gateway.wire.json import dumps, loads

Result = TypeVar("Result")

SCHEMA = """
CREATE TABLE IF NOT EXISTS endpoints (
    name TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    body TEXT NOT NULL
) WITHOUT ROWID
"""


BY_NAME = "SELECT body FROM endpoints WHERE name = ?"


class SqliteEndpoints:
    """Each call opens the file in a thread: the event loop never waits for the disk."""

    def __init__(self, file: Path) -> None:
        self._file = file

    async def find(self, name: str) -> Endpoint:
        try:
            rows = await self._select(BY_NAME, name)
        except UnicodeEncodeError as error:  # half a surrogate pair: nothing has such a name
            raise EndpointNotFound(name) from error
        if not rows:
            raise EndpointNotFound(name)
        return self._read(*rows[0])

    async def list(self) -> Sequence[Endpoint]:
        rows = await self._select("SELECT body FROM endpoints ORDER BY name")
        return [self._read(*row) for row in rows]

    async def _select(self, query: str, *values: str) -> Sequence[tuple[str]]:
        """Reading makes no file: where there is none, there is nothing to read."""
        if not self._file.exists():
            return []
        return await self._run(lambda db: db.execute(query, values).fetchall())

    def _read(self, body: str) -> Endpoint:
        try:
            return read_endpoint(loads(body))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Unavailable(f"the store {self._file} holds an unreadable endpoint") from error

    async def put(self, endpoint: Endpoint) -> None:
        row = (endpoint.name, VERSION, dumps(write_endpoint(endpoint)).decode())
        await self._run(lambda db: db.execute("REPLACE INTO endpoints VALUES (?, ?, ?)", row))

    async def delete(self, name: str) -> None:
        deleted = await self._run(
            lambda db: db.execute("DELETE FROM endpoints WHERE name = ?", (name,)).rowcount
        )
        if not deleted:
            raise EndpointNotFound(name)

    async def _run(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        return await asyncio.to_thread(self._work, work)

    def _work(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with closing(sqlite3.connect(self._file, timeout=5)) as db, db:
                db.execute(SCHEMA)
                return work(db)
        except (sqlite3.Error, OSError) as error:
            raise Unavailable(f"the store {self._file} cannot be used: {error}") from error

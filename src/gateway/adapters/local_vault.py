"""Secrets on one machine: in the environment, or in a file that only its owner can read."""

import asyncio
import os
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path

from gateway.errors import Unavailable
from gateway.wire.json import Json, dumps, loads

PREFIXES = ("env:", "file:")


class LocalVault:
    """References: ``env:NAME``, a variable; ``file:NAME``, an entry of the secrets file."""

    def __init__(self, environment: Mapping[str, str], file: Path) -> None:
        self._environment, self._file = environment, file
        self._entries: Json = {}
        self._seen: tuple[int, ...] = ()  # which file it was that the entries were read from
        self._writing = threading.Lock()

    async def secret(self, reference: str) -> str:
        kind, _, name = reference.partition(":")
        if kind == "env":
            value = self._environment.get(name)
        elif kind == "file":
            value = (await asyncio.to_thread(self._current)).get(name)
        else:
            raise Unavailable("a secret's reference must begin with env: or file:")
        if not value or not isinstance(value, str):
            raise Unavailable(f"secret {reference!r} is not set", code="secret_missing")
        if not value.isascii() or not value.isprintable():
            raise Unavailable(f"secret {reference!r} holds characters that no key has")
        return value

    async def put(self, name: str, value: str) -> str:
        """Write an entry of the secrets file; return its reference."""
        await asyncio.to_thread(self._put, name, value)
        return f"file:{name}"

    def _current(self) -> Json:
        try:
            state = self._file.stat()
            # Each writing makes another file: the time alone may not have moved on.
            seen = (state.st_ino, state.st_mtime_ns, state.st_size)
            if seen != self._seen:
                self._entries, self._seen = self._read(), seen
        except FileNotFoundError:
            self._entries, self._seen = {}, ()
        except (OSError, ValueError) as error:
            raise Unavailable(f"the secrets file {self._file} cannot be read") from error
        return self._entries

    def _read(self) -> Json:
        entries = loads(self._file.read_bytes())
        if not isinstance(entries, dict):
            raise ValueError("not an object")  # noqa: TRY004 - of the file, not of an argument
        return entries

    def _put(self, name: str, value: str) -> None:
        with self._writing:
            entries = {**self._current(), name: value}
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # mkstemp makes the file readable by its owner alone before anything is in it.
            handle, draft = tempfile.mkstemp(dir=self._file.parent, prefix=".secrets-")
            with os.fdopen(handle, "wb") as file:
                file.write(dumps(entries))
            Path(draft).replace(self._file)

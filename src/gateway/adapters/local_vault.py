"""Secrets on one machine: in the environment, or in a file that only its owner can read."""

import asyncio
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from gateway.errors import Unavailable

PREFIXES = ("env:", "file:")


class LocalVault:
    """References: ``env:NAME``, a variable; ``file:NAME``, an entry of the secrets file."""

    def __init__(self, environment: Mapping[str, str], file: Path) -> None:
        self._environment, self._file = environment, file
        self._entries: dict[str, str] = {}
        self._read_at: int | None = None  # the file's modification time, in nanoseconds

    async def secret(self, reference: str) -> str:
        kind, _, name = reference.partition(":")
        if kind == "env":
            value = self._environment.get(name)
        elif kind == "file":
            value = (await asyncio.to_thread(self._current)).get(name)
        else:
            raise Unavailable(f"secret {reference!r} must begin with env: or file:")
        if not value:
            raise Unavailable(f"secret {reference!r} is not set", code="secret_missing")
        if not value.isascii() or not value.isprintable():
            raise Unavailable(f"secret {reference!r} holds characters that no key has")
        return value

    async def put(self, name: str, value: str) -> str:
        """Write an entry of the secrets file; return its reference."""
        await asyncio.to_thread(self._put, name, value)
        return f"file:{name}"

    def _current(self) -> dict[str, str]:
        try:
            changed = self._file.stat().st_mtime_ns
            if changed != self._read_at:
                self._entries = json.loads(self._file.read_text())
                self._read_at = changed
        except FileNotFoundError:
            self._entries = {}
        except (OSError, ValueError) as error:
            raise Unavailable(f"the secrets file {self._file} cannot be read") from error
        return self._entries

    def _put(self, name: str, value: str) -> None:
        entries = {**self._current(), name: value}
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # mkstemp makes the file readable by its owner alone before anything is in it.
        handle, draft = tempfile.mkstemp(dir=self._file.parent, prefix=".secrets-")
        with os.fdopen(handle, "w") as file:
            json.dump(entries, file)
        Path(draft).replace(self._file)

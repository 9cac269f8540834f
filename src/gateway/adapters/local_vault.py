"""Secrets on one machine: in the environment, or in a file that only its owner can read."""

import asyncio
import os
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from gateway.errors import Unavailable
from gateway.wire.json import Json, dumps, loads

try:
    import fcntl
except ImportError:  # Windows: one process at a time is on its user
    fcntl = None  # type: ignore[assignment]


class LocalVault:
    """References: ``env:NAME``, a variable; ``vault:NAME`` or ``file:NAME``, an entry of the file.

    An entry holds ``value`` and the ``origin`` it was entered for; one that is a text alone is of
    the first program, and goes wherever its target says. So does a variable: whoever starts the
    gateway sets both.
    """

    def __init__(self, environment: Mapping[str, str], file: Path) -> None:
        self._environment, self._file = environment, file
        self._entries: Json = {}
        self._seen: tuple[int, ...] = ()  # which file it was that the entries were read from
        self._writing = threading.Lock()

    async def secret(self, reference: str, origin: str) -> str:
        kind, _, name = reference.partition(":")
        if kind == "env":
            value: object = self._environment.get(name)
        elif kind in ("vault", "file"):
            value = bound_to(origin, reference, (await asyncio.to_thread(self._current)).get(name))
        else:
            raise Unavailable("a secret's reference begins with vault:, env: or file:")
        return usable(reference, value)

    async def renewed(self, reference: str, origin: str, refused: str) -> str | None:
        """Another process may have written the file; what it holds is always read anew."""
        try:
            value = await self.secret(reference, origin)
        except Unavailable:
            return None
        return value if value != refused else None

    async def put(self, name: str, value: str, origin: str) -> None:
        await asyncio.to_thread(self._put, name, {"value": value, "origin": origin})

    async def delete(self, name: str) -> None:
        await asyncio.to_thread(self._put, name, None)

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

    def _put(self, name: str, entry: Json | None) -> None:
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with self._writing, _alone(self._file.with_suffix(".lock")):
                entries = {**self._current(), name: entry}
                if entry is None:
                    del entries[name]
                self._replace(dumps(entries))
        except OSError as error:
            problem = f"the secrets file {self._file} cannot be written: {error.strerror}"
            raise Unavailable(problem) from error

    def _replace(self, text: bytes) -> None:
        # mkstemp makes the file readable by its owner alone before anything is in it.
        handle, draft = tempfile.mkstemp(dir=self._file.parent, prefix=".secrets-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(text)
                file.flush()
                os.fsync(handle)
            Path(draft).replace(self._file)
        except OSError:
            Path(draft).unlink(missing_ok=True)
            raise


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Other processes write the same file: the command line, while a gateway runs."""
    with lock.open("w") as file:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def bound_to(origin: str, reference: str, entry: object) -> object:
    """The value of an entry ``{"value", "origin"}``, if it was entered for this origin."""
    if not isinstance(entry, dict):
        return entry
    if entry.get("origin") != origin:
        raise Unavailable(
            f"secret {reference!r} was entered for {entry.get('origin')} and goes nowhere else: "
            f"enter it again for {origin}",
            code="secret_bound_elsewhere",
        )
    return entry.get("value")


def usable(reference: str, value: object) -> str:
    if not value or not isinstance(value, str):
        raise Unavailable(f"secret {reference!r} is not set", code="secret_missing")
    if not value.isascii() or not value.isprintable():
        raise Unavailable(f"secret {reference!r} holds characters that no key has")
    return value

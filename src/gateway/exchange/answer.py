"""What goes back to the caller."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


class Stream(Protocol):
    """A body that is sent as it is produced.

    ``patience``: seconds that a caller may take to make room for more.
    """

    patience: float

    async def next(self) -> bytes:
        """The next bytes for the caller; ``b""`` at the end. Raises nothing of a provider's, but
        for a raw call's: then the answer must be left unfinished."""
        ...

    async def close(self) -> None:
        """Must be called, however the answer ends. Idempotent."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """``headers``: lower-case names, values fit for the wire."""

    status: int
    headers: Mapping[str, str]
    body: bytes | Stream

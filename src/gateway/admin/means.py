"""What the use cases of configuration work with, and what they all do alike."""

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

from gateway.errors import ChangedMeanwhile, Conflict, NotFound
from gateway.ports import (
    Change,
    EndpointStore,
    Item,
    ItemStore,
    Kind,
    RecordStore,
    Variables,
    WritableVault,
)

TRIES = 100
LONGEST_PAUSE = 0.05  # seconds
COST = 2**14  # of a fingerprint: tens of milliseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """``endpoints``: those that calls see. ``allowed``: private places that the process allows.

    ``clock`` reads seconds since 1970; ``entropy`` gives 32 random bytes. ``variables``: which
    variables of the process may be a target's secret: none on AWS; those that usually hold the
    provider's key; any, for whoever starts the process.
    """

    items: ItemStore
    vault: WritableVault
    records: RecordStore
    endpoints: EndpointStore
    clock: Callable[[], float]
    entropy: Callable[[], bytes]
    allowed: tuple[str, ...] = ()
    variables: Variables = "none"

    @property
    def now(self) -> int:
        return int(self.clock())


async def every(items: ItemStore, kind: Kind) -> AsyncIterator[Item]:
    """All of a kind, by name."""
    after = None
    while True:
        page = await items.page(kind, after=after)
        for item in page.items:
            yield item
        if page.next is None:
            return
        after = page.next


async def found(items: ItemStore, kind: Kind, name: str, version: int | None = None) -> Item:
    """Raises NotFound; ChangedMeanwhile when it is not of the version that was asked for."""
    item = await items.get(kind, name)
    if item is None:
        raise NotFound(f"there is no {kind} {name!r}", field="name", code=f"{kind}_not_found")
    if version is not None and item.version != version:
        raise ChangedMeanwhile(
            f"{kind} {name!r} is at version {item.version}, not {version}: read it again",
            code="changed_meanwhile",
        )
    return item


async def amend(
    items: ItemStore,
    prepare: Callable[[], Awaitable[Sequence[Change]]],
    *,
    version: int | None = None,
) -> None:
    """Read, decide and write, again while others write in between.

    ``version``: of what was decided on, if the caller named one; then there is no second try.
    """
    for nth in range(TRIES):
        changes = await prepare()
        try:
            if changes:
                await items.write(changes)
        except ChangedMeanwhile:
            if version is not None:
                raise
            await asyncio.sleep(random.uniform(0, min(LONGEST_PAUSE, 0.002 * 2**nth)))
        else:
            return
    raise Conflict("too many write this at the same time: try again", code="changed_meanwhile")


async def undoing(items: ItemStore, changes: Sequence[Change]) -> list[Change]:
    """What undoes these changes, once they are written."""
    undo = []
    for change in changes:
        before = await items.get(change.kind, change.name)
        now = 0 if change.body is None else change.expected + 1
        undo.append(Change(change.kind, change.name, before.body if before else None, now))
    return undo


def masked(secret: str) -> str:
    """Its last four characters, where they tell little of the whole."""
    return f"…{secret[-4:]}" if len(secret) >= 16 else "…"


def fingerprint(value: str, salt: bytes) -> str:
    """Tells whether a secret is the same, and, since it is slow and salted, nothing more."""
    told = hashlib.scrypt(value.encode(), salt=salt, n=COST, r=8, p=1, dklen=16)
    return f"{salt.hex()}:{told.hex()}"


def is_fingerprint_of(value: str, told: str) -> bool:
    salt, _, _ = told.partition(":")
    return fingerprint(value, bytes.fromhex(salt)) == told

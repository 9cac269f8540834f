"""When a gateway is taken down: its secrets are not of its stack, so it takes them along."""

from typing import Protocol

from gateway.admin.means import Means, every


class DeletableSafe(Protocol):
    """Holds the first admin key."""

    async def delete(self) -> None:
        """There may be none. Raises Unavailable."""
        ...


async def remove_secrets(means: Means, safe: DeletableSafe) -> int:
    """All that were entered, and the first admin key's; returns how many were entered.

    What knows of them stays as it is: it goes with its table. Raises Unavailable; what was deleted
    until then is deleted, and asking again goes on with the rest.
    """
    count = 0
    async for item in every(means.items, "secret"):
        await means.vault.delete(item.name)
        count += 1
    await safe.delete()
    return count

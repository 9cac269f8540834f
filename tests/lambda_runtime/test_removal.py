"""A gateway that is taken down takes its secrets along."""

import pytest

from gateway.admin.means import Means
from gateway.admin.removal import remove_secrets
from gateway.errors import Unavailable
from gateway.ports import Change
from tests.admin.world import KeptVault, World
from tests.fakes import run


class Safe:
    def __init__(self) -> None:
        self.key: str | None = "sgk_1"

    async def delete(self) -> None:
        self.key = None


class BreakingVault(KeptVault):
    """It deletes so many, and then no more."""

    left = 3

    async def delete(self, name: str) -> None:
        if not self.left:
            raise Unavailable("not now")
        self.left -= 1
        await super().delete(name)


def kept(count: int, vault: KeptVault) -> Means:
    """A gateway with so many secrets, and things that are none."""
    means = World(vault=vault).means
    names = [f"secret-{nth:03}" for nth in range(count)]
    changes = [Change("secret", name, {"name": name}, 0) for name in names]
    run(means.items.write([*changes, Change("endpoint", "chat", {}, 0)]))
    vault.entries = dict.fromkeys(names, ("sk-1", "https://x"))
    return means


def test_all_that_were_entered_are_deleted_and_the_admin_key() -> None:
    """Also where they are more than one page."""
    vault, safe = KeptVault(), Safe()
    assert run(remove_secrets(kept(250, vault), safe)) == 250
    assert (vault.entries, safe.key) == ({}, None)


def test_where_there_are_none_nothing_happens() -> None:
    safe = Safe()
    safe.key = None
    assert run(remove_secrets(kept(0, KeptVault()), safe)) == 0


def test_what_broke_off_goes_on_when_it_is_asked_again() -> None:
    vault, safe = BreakingVault(), Safe()
    means = kept(5, vault)
    with pytest.raises(Unavailable):
        run(remove_secrets(means, safe))
    assert (len(vault.entries), safe.key) == (2, "sgk_1")
    vault.left = 10
    run(remove_secrets(means, safe))
    assert (vault.entries, safe.key) == ({}, None)

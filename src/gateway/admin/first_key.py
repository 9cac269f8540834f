"""The first admin key: made once, by whichever process comes first, and kept where only those may
read it whom AWS lets."""

from typing import Protocol

from gateway.admin.keys import Keys
from gateway.admin.means import Means, every
from gateway.admin.specs import KeySpec
from gateway.errors import ChangedMeanwhile
from gateway.ports import Change

NAME = "admin"
MARK = "first_key"  # an item of kind "settings": who is at it, and whether it is done
LONGEST = 60  # seconds that one process may take; another goes on after that


class Safe(Protocol):
    """Holds the key."""

    async def put(self, key: str) -> None:
        """In place of what there was. Raises Unavailable."""
        ...


async def make_first_key(means: Means, safe: Safe) -> bool:
    """Whether all is done: it was made now, or there is an admin key, or was. False while another
    process is at it, or died at it a moment ago: ask again later.

    The key is put into the safe before it is good for anything: a process that dies in between
    leaves a key that opens nothing, and another that comes later begins anew.
    """
    mark = await means.items.get("settings", MARK)
    if mark is not None and mark.body.get("done"):
        return True
    if mark is not None and means.now < mark.body["at"] + LONGEST:
        return False
    version = mark.version if mark else 0
    try:
        await means.items.write([Change("settings", MARK, {"at": means.now}, version)])
    except ChangedMeanwhile:
        return False
    done = Change("settings", MARK, {"at": means.now, "done": True}, version + 1)
    if [item async for item in every(means.items, "key") if item.body.get("role") == "admin"]:
        await means.items.write([done])
        return True
    changes, key = await Keys(means).creation(NAME, KeySpec(role="admin", owner="first deploy"))
    await safe.put(key or "")
    try:
        await means.items.write([*changes, done])
    except ChangedMeanwhile:
        await _mend(means, safe)
    return True


async def _mend(means: Means, safe: Safe) -> None:
    """This process was so slow that another took over: the key in the safe may be ours, which opens
    nothing. What is put there now is good already."""
    made = await Keys(means).rotate(NAME, 0, version=None)
    await safe.put(made.secret or "")

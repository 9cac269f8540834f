"""Configuration as code: a manifest compared with what there is, and made true in one writing."""

from collections.abc import Mapping
from typing import Any

from gateway.admin import endpoints, keys
from gateway.admin.means import Means, undoing
from gateway.admin.planning import Plan, Planning, read_state
from gateway.admin.secrets import Secrets
from gateway.admin.settings import settings_in
from gateway.admin.specs import ManifestSpec, checked
from gateway.errors import ChangedMeanwhile, GatewayError
from gateway.ports import SETTINGS, Item
from gateway.wire.json import Json


class Manifests:
    """All raise Invalid that names fields, Conflict, or Unavailable."""

    def __init__(self, means: Means) -> None:
        self._means = means

    async def plan(self, manifest: Any, *, prune: bool) -> Plan:
        """``prune``: delete what is there and not in the manifest, of the kinds it speaks of."""
        state = await read_state(self._means)
        return await Planning(self._means, checked(ManifestSpec, manifest), state).plan(prune=prune)

    async def apply(self, manifest: Any, *, prune: bool, seen: str | None = None) -> Plan:
        """All of it or, where anything is wrong, nothing. Again makes no difference, but that it
        finishes what was left ``unfinished``.

        ``seen``: of the plan that somebody agreed to; ChangedMeanwhile when it would be another.
        """
        plan = await self.plan(manifest, prune=prune)
        if seen is not None and seen != plan.seen:
            raise ChangedMeanwhile(
                "the configuration was changed since that plan was made: plan again",
                code="changed_meanwhile",
            )
        last = [one for one in plan.changes if one.kind == "secret" and one.body is None]
        changes = [one for one in plan.changes if one not in last]
        undo = await undoing(self._means.items, changes) if plan.entered else []
        if changes:
            await self._means.items.write(changes)
        if plan.entered and not await Secrets(self._means).enter(plan.entered, undo):
            plan.unfinished.append("secrets were entered by somebody else at the same time")
        try:
            for name in plan.removed:
                await self._means.vault.delete(name)
            if last:  # until the vault has let go of them they are listed, and pruned again
                await self._means.items.write(last)
        except GatewayError as error:
            plan.unfinished.append(error.message)
        return plan

    async def export(self) -> Json:
        """What there is, as a manifest. Secrets without their values, keys without theirs."""
        state = await read_state(self._means)
        manifest: Json = {
            "endpoints": _each(state["endpoint"], lambda item: endpoints.specification(item.body)),
            "keys": _each(state["key"], lambda item: keys.specification(item.body)),
            "secrets": _each(state["secret"], lambda item: {"base_url": item.body["origin"]}),
        }
        if stored := state["settings"].get(SETTINGS):
            manifest["settings"] = settings_in(stored)
        return {kind: told for kind, told in manifest.items() if told}


def _each(items: Mapping[str, Item], told: Any) -> Json:
    return {name: told(item) for name, item in items.items()}

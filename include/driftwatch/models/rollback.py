"""Rollback: a former champion becomes the champion again."""

from __future__ import annotations

from driftwatch.artifacts.models import ChampionPointer
from driftwatch.artifacts.store import MonitorStore
from driftwatch.errors import NeedsAttention
from driftwatch.models import registry
from driftwatch.models.as_trained import refuse_other


def rollback(
    store: MonitorStore,
    to_version: str | None,
    promoted_by: str,
) -> ChampionPointer:
    """Makes `to_version` the champion again and returns the pointer. The default is the champion before this one.

    Its model and its reference were kept, so it gives the earlier predictions byte for byte. The same `promoted_by`, such as a run id,
    rolls back only once: a repeated task must not undo the rollback. A version whose classes are not those of the monitor file is
    refused.
    """
    current = registry.champion(store)
    if current and current.promoted_by == promoted_by:
        return current
    target = rollback_target(store, current, to_version)
    return registry.promote(store, target, promoted_by, expected=current.version if current else None)


def rollback_target(
    store: MonitorStore,
    current: ChampionPointer | None,
    to_version: str | None,
) -> str:
    """The version to go back to. The default is the champion before `current`.

    Raises NeedsAttention if there is none, or if the version was never champion: it has passed no gate and has no drift reference.
    """
    former = current.champions if current else ()
    target = to_version or (current.previous if current else None)
    if target is None:
        raise NeedsAttention(f"{store.keys.monitor}: there is no earlier champion to go back to")
    card = registry.card(store, target)  # refuses an unknown version
    if target not in former:
        raise NeedsAttention(
            f"{store.keys.monitor}: {target} was never champion, so there is no way back to it; these were: "
            f"{', '.join(dict.fromkeys(former)) or 'none'}"
        )
    refuse_other(card, store.config, "the earlier champion")
    return target

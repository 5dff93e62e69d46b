"""The way back: a former champion serves again."""

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
    """Makes `to_version` the champion again, by default the one before, and returns the pointer.

    Its model and reference were kept, so earlier predictions come back byte for byte. The same `promoted_by`, such as a run id,
    rolls back once only, so that a repeated task does not roll forward again. A version with other classes than
    the monitor file's is refused.
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
    """The version to go back to, by default the champion before `current`.

    Raises NeedsAttention where there is none, and for a version that was never champion: no gate let it through, and it has no
    drift reference.
    """
    former = current.champions if current else ()
    target = to_version or (current.previous if current else None)
    if target is None:
        raise NeedsAttention(f"{store.keys.monitor}: there is no earlier champion to go back to")
    card = registry.card(store, target)  # refuses one that is unknown
    if target not in former:
        raise NeedsAttention(
            f"{store.keys.monitor}: {target} was never champion, so there is no way back to it; these were: "
            f"{', '.join(dict.fromkeys(former)) or 'none'}"
        )
    refuse_other(card, store.config, "the earlier champion")
    return target

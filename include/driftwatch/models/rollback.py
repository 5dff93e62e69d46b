"""The way back: a former champion serves again."""

from __future__ import annotations

from typing import Any

from driftwatch.artifacts.keys import MonitorLayout
from driftwatch.config import MonitorConfig
from driftwatch.errors import NeedsAttention
from driftwatch.models import registry
from driftwatch.models.as_trained import refuse_other
from driftwatch.storage import Storage


def rollback(
    storage: Storage,
    layout: MonitorLayout,
    to_version: str | None,
    promoted_by: str,
    config: MonitorConfig | None = None,
) -> dict[str, Any]:
    """Makes `to_version` the champion again, by default the one before, and returns the pointer.

    Its model and reference were kept, so earlier predictions come back byte for byte. The same `promoted_by`, such as a run id,
    rolls back once only, so that a repeated task does not roll forward again. With `config` a version with other classes than the
    monitor file's is refused.
    """
    current = registry.champion(storage, layout)
    if current and current.get("promoted_by") == promoted_by:
        return current
    target = rollback_target(storage, layout, current, to_version, config)
    return registry.promote(storage, layout, target, promoted_by, expected=current["version"] if current else None)


def rollback_target(
    storage: Storage,
    layout: MonitorLayout,
    current: dict[str, Any] | None,
    to_version: str | None,
    config: MonitorConfig | None = None,
) -> str:
    """The version to go back to, by default the champion before `current`.

    Raises NeedsAttention where there is none, and for a version that was never champion: no gate let it through, and it has no
    drift reference.
    """
    former = registry.champions(current)
    target = to_version or (current.get("previous") if current else None)
    if target is None:
        raise NeedsAttention(f"{layout.monitor}: there is no earlier champion to go back to")
    card = registry.card(storage, layout, target)  # refuses one that is unknown
    if target not in former:
        raise NeedsAttention(
            f"{layout.monitor}: {target} was never champion, so there is no way back to it; these were: "
            f"{', '.join(dict.fromkeys(former)) or 'none'}"
        )
    if config is not None:
        refuse_other(card, config, "the earlier champion")
    return target

"""Removes what is over."""

from __future__ import annotations

import logging
from datetime import date

from driftwatch.artifacts.store import MonitorStore
from driftwatch.retention.plan import KINDS, KeepPlan, keep_plan

log = logging.getLogger(__name__)


def remove(store: MonitorStore, plan: KeepPlan) -> None:
    """Removes what the plan says is over. After a kill a new plan has what is left; to remove what is gone changes nothing."""
    store.storage.delete_all([removal.key for removal in plan.over])


def keep_daily(store: MonitorStore, today: date) -> KeepPlan:
    """What a daily task does: logs what is over by `storage.keep` on `today`, UTC, and removes it where `storage.keep.remove` says so."""
    plan = keep_plan(store, today)
    for kind in KINDS:
        if found := plan.of(kind):
            size, days = sum(removal.bytes for removal in found), len({removal.day for removal in found})
            log.info("%s: %s of %s days are over, %s files, %s bytes", store.keys.monitor, kind, days, len(found), size)
    for still in plan.still:
        log.info("%s: %s of %s stay: %s", store.keys.monitor, still.kind, still.day, still.why)
    if store.config.storage.keep.remove:
        remove(store, plan)
        log.info("%s: removed %s files, %s bytes", store.keys.monitor, len(plan.over), plan.bytes)
    elif plan.over:
        log.info("%s: nothing was removed, as storage.keep.remove is false", store.keys.monitor)
    return plan

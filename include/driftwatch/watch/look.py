"""Looks at one monitor: at its days, its champion, its spend, its pools, its storage and its reference."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from driftwatch.artifacts.annotation import AnnotationPlan, AnnotationProgress
from driftwatch.artifacts.ingest import Ingest
from driftwatch.drift.states import accepted_states
from driftwatch.errors import DriftwatchError
from driftwatch.labels.money import cost_of_plan, spent_in_month
from driftwatch.models import registry
from driftwatch.watch.findings import (
    ChampionMissing,
    Finding,
    LateDays,
    PoolUnanswered,
    ReferenceOld,
    SpendNearLimit,
    StorageNotWritable,
)
from driftwatch.watch.late import late_days

if TYPE_CHECKING:
    from driftwatch.artifacts.store import MonitorStore

logger = logging.getLogger(__name__)
# Pools are open for at most a week, and those of late images begin later.
_DAYS_OF_POOLS = 21


@dataclass(frozen=True)
class Looked:
    """What one look at a monitor found. `kinds`: what was looked at; of the others nothing is known. `problems`: why some could not be looked
    at."""

    findings: tuple[Finding, ...]
    kinds: frozenset[str]
    problems: tuple[str, ...] = ()


def look(store: MonitorStore, at: datetime, watched: date, only: Collection[type[Finding]] | None = None) -> Looked:
    """What is not as it should be at the moment `at`. `watched`: as in `late_days`. `only`: the kinds that are looked for; all by default.

    A kind that cannot be looked at, because of a damaged file or a storage that is away, stops no other.
    """
    looks: dict[type[Finding], Callable[[], Finding | None]] = {
        LateDays: lambda: late_days(store, at, watched),
        ChampionMissing: lambda: champion_missing(store, at),
        SpendNearLimit: lambda: spend_near_limit(store, at),
        PoolUnanswered: lambda: pool_unanswered(store, at),
        ReferenceOld: lambda: reference_old(store, at),
    }
    findings, kinds, problems = [], set(), []
    for kind, ask in looks.items():
        if only is not None and kind not in only:
            continue
        try:
            found = ask()
        except (DriftwatchError, OSError) as error:
            problems.append(f"{store.config.name}: {kind.kind} cannot be looked at: {error}")
            continue
        kinds.add(kind.kind)
        findings += [found] if found else []
    return Looked(tuple(findings), frozenset(kinds), tuple(problems))


def storage_not_writable(store: MonitorStore, at: datetime) -> StorageNotWritable | None:
    """Writes a small file to the monitor's folder, and takes it away again. None where that works."""
    key = store.keys.watch_probe
    try:
        store.storage.write_bytes(key, f"{at.isoformat()}\n".encode())
        store.storage.delete(key)
    except (DriftwatchError, OSError) as error:
        return StorageNotWritable(since=at, place=store.storage.url(store.keys.monitor), reason=str(error))
    return None


def champion_missing(store: MonitorStore, at: datetime) -> ChampionMissing | None:
    """A monitor without a champion, or whose champion's file is gone. None where it is there."""
    try:
        card = registry.card(store, registry.champion_version(store))
    except registry.UnknownVersion as error:
        return ChampionMissing(since=at, reason=str(error))
    key = registry.model_key(store, card)
    if store.storage.exists(key):
        return None
    return ChampionMissing(
        since=at, reason=f"{store.storage.url(key)}, the file of the champion {card.version}, is gone"
    )


def spend_near_limit(store: MonitorStore, at: datetime) -> SpendNearLimit | None:
    """Whether the calendar month's labels take `watch.spend_share` of `labels.max_cost_per_month`."""
    labels, share = store.config.labels, store.config.watch.spend_share
    if labels.people is None:
        return None
    today = store.day(at.date())
    plan = today.find(AnnotationPlan)
    spent = spent_in_month(today) + (cost_of_plan(today, plan) if plan else 0.0)
    if spent < share * labels.max_cost_per_month:
        return None
    return SpendNearLimit(since=at, month=f"{at:%Y-%m}", spent=round(spent, 2), limit=labels.max_cost_per_month)


def pool_unanswered(store: MonitorStore, at: datetime) -> PoolUnanswered | None:
    """The oldest open pool in which nobody has answered `watch.pool_hours` after it was opened."""
    labels = store.config.labels
    if labels.people is None:
        return None
    for day in [day for day in store.days() if day >= at.date() - timedelta(days=_DAYS_OF_POOLS)]:
        plan = store.day(day).find(AnnotationPlan)
        if plan is None or plan.newest.state != "opened" or plan.newest.expires <= at:
            continue
        opened = plan.newest.expires - timedelta(hours=labels.expire_hours)
        waited = (at - opened).total_seconds() / 3600
        progress = store.day(day).find(AnnotationProgress)
        if waited >= store.config.watch.pool_hours and not (progress and progress.answers):
            return PoolUnanswered(since=opened, day=day, pool=str(plan.newest.pool_id), ends=plan.newest.expires)
    return None


def reference_old(store: MonitorStore, at: datetime) -> ReferenceOld | None:
    """Whether days are compared with the same reference for more than `watch.reference_days`: the champion judged a day as long ago as that,
    and no later day was accepted as usual."""
    limit = store.config.watch.reference_days
    oldest = at.date() - timedelta(days=limit)
    before = [day for day in store.days() if day <= oldest]
    champion = registry.champion(store)
    if not limit or not before or champion is None:
        return None
    ingest = store.day(before[-1]).find(Ingest)
    if ingest is None or ingest.model_version != champion.version:
        return None
    if any(state.counts and state.days[-1] > oldest for state in accepted_states(store)):
        return None
    return ReferenceOld(since=at, version=champion.version, used_on=before[-1])

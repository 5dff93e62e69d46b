"""The numbers of a monitor as they are now: of the newest day that has each artifact."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Protocol, TypeVar

from driftwatch.artifacts.accuracy import Performance
from driftwatch.artifacts.annotation import AnnotationPlan
from driftwatch.artifacts.base import Artifact, DayArtifact
from driftwatch.artifacts.drift import ContentDrift, DayDrift
from driftwatch.artifacts.failure import Failure
from driftwatch.artifacts.ingest import Ingest
from driftwatch.artifacts.store import MonitorStore
from driftwatch.labels.money import cost_of_plan
from driftwatch.metrics.names import Sample
from driftwatch.metrics.of_artifacts import of_content, of_drift, of_ingest, of_performance

A = TypeVar("A", bound=Artifact)
D = TypeVar("D", bound=DayArtifact)
# Days before the newest one that are looked at for an artifact. Labels of a table may take that long.
LOOK_BACK = 30


class Find(Protocol):
    """Reads an artifact, or gives None where there is none: `MonitorStore.find`, or a cache over it."""

    def __call__(self, key: str, kind: type[A]) -> A | None: ...


def samples_now(store: MonitorStore, find: Find, now: datetime) -> list[Sample]:
    """`now` (aware): the age of an open pool is counted up to then. Raises DamagedArtifact, and what the storage raises."""
    days = store.days()[: -LOOK_BACK - 1 : -1]
    read = _Days(store, find, days)
    found = [*read.newest(Ingest, of_ingest), *read.newest(DayDrift, of_drift), *read.newest(ContentDrift, of_content)]
    found += read.newest(Performance, of_performance)
    if days:
        found.append(Sample("day_failed", float(read.of(days[0], Failure) is not None)))
    return [*found, *_labels(store, read, now)]


class _Days:
    """`days`: the newest ones, newest first."""

    def __init__(self, store: MonitorStore, find: Find, days: Sequence[date]) -> None:
        self.store, self.find, self.days = store, find, days

    def of(self, day: date, kind: type[D]) -> D | None:
        return self.find(self.store.day(day).key(kind), kind)

    def newest(self, kind: type[D], samples: Callable[[D], Iterator[Sample]]) -> Iterator[Sample]:
        """The samples of the newest artifact of this kind; none where no day has one."""
        for day in self.days:
            found = self.of(day, kind)
            if found is not None:
                yield from samples(found)
                return


def _labels(store: MonitorStore, read: _Days, now: datetime) -> Iterator[Sample]:
    labels = store.config.labels
    if not labels.people:
        return
    yield Sample("label_budget_usd", labels.max_cost_per_day, ("day",))
    yield Sample("label_budget_usd", labels.max_cost_per_month, ("month",))
    plans = {day: plan for day in read.days if (plan := read.of(day, AnnotationPlan)) is not None}
    if not plans:
        return
    newest = max(plans)
    spent = {
        day: cost_of_plan(store.day(day), plan)
        for day, plan in plans.items()
        if (day.year, day.month) == (newest.year, newest.month)
    }
    yield Sample("label_spend_usd", spent[newest], ("day",))
    yield Sample("label_spend_usd", sum(spent.values()), ("month",))
    lasts = timedelta(hours=labels.expire_hours)
    begun = [part.expires - lasts for plan in plans.values() for part in plan.parts if part.state == "opened"]
    if begun:
        yield Sample("label_queue_age_seconds", max(0.0, (now - min(begun)).total_seconds()))

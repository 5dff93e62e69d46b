"""The days before a day, from their stored performance.json, and the days whose verdict changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from driftwatch.accuracy.evidence import Evidence
from driftwatch.artifacts.accuracy import Performance, Revision
from driftwatch.artifacts.base import find_sound_each
from driftwatch.artifacts.rules import CountedDay
from driftwatch.artifacts.store import MonitorStore

# The rules over all days of a model look back so far; of one that serves longer the oldest days are left out.
MOST_DAYS = 400


@dataclass(frozen=True)
class ScoredDay:
    """What the labels of a day say, before there is a verdict.

    `model_version`: the registered one; `classes`: those that people and model chose among; `evidence`: of the serving version's
    answers. `serving_version`: production's own version of these, None where the registered model itself answered; `by_version`: the
    evidence of each version, where several answered. `from_table`: whether the labels are those of a table, and not people's.
    """

    day: date
    model_version: str
    classes: tuple[str, ...]
    evidence: Evidence
    serving_version: str | None = field(default=None, kw_only=True)
    by_version: Mapping[str, Evidence] = field(default_factory=dict, kw_only=True)
    from_table: bool = field(default=False, kw_only=True)

    @property
    def serving(self) -> str:
        """The version that the evidence is about."""
        return self.serving_version or self.model_version

    def same_model(self, other: ScoredDay) -> bool:
        """Whether the same model served on both days, and their labels come from the same, so that they say the same of it."""
        ours, theirs = ((day.model_version, day.serving, day.from_table) for day in (self, other))
        return ours == theirs


@dataclass(frozen=True)
class PastDay(ScoredDay):
    """A day with its verdict. `fired`: whether floor or drop fired; `usual`: the least agreement of a model as good as on its holdout, None
    without the rule `trend`; `counted`: what the day says to below_floor and worse, None where it says nothing."""

    fired: bool
    usual: float | None
    counted: CountedDay | None = field(default=None, kw_only=True)


def performances(store: MonitorStore, first: date, last: date) -> list[Performance]:
    """The performance.json of the days from `first` to `last`, in order; days without one are left out."""
    keys = [store.keys.day(day).performance for day in store.days() if first <= day <= last]
    return [found for _, found in find_sound_each(store.storage, keys, Performance)]


def days_before(store: MonitorStore, day: date) -> list[PastDay]:
    """Those of the MOST_DAYS days before `day` whose performance.json holds evidence, in order."""
    earlier = performances(store, day - timedelta(days=MOST_DAYS), day - timedelta(days=1))
    return [
        PastDay(**vars(scored), fired=found.fired, usual=found.usual, counted=found.counted)
        for found in earlier
        if (scored := scored_day(found)) is not None
    ]


def scored_day(found: Performance) -> ScoredDay | None:
    """What a performance.json keeps of the day's labels; None where they say nothing of other images, and where an early Driftwatch kept no
    evidence, or not all of it."""
    if found.evidence is None or found.evidence.votes.control_squares is None:
        return None
    evidence = Evidence.of(found.evidence)
    return ScoredDay(
        found.day,
        found.model_version,
        found.confusion_matrix.labels,
        evidence,
        serving_version=found.serving_version,
        by_version={
            row.version: Evidence.of_answers(row.evidence, evidence.votes) for row in found.versions if row.evidence
        },
        from_table=found.truth is not None,
    )


def revisions(before: Performance | None, now: Performance) -> tuple[Revision, ...]:
    """The earlier results of a day, oldest first, for its new performance.json: `before`'s own, and `before` where it differs.

    Nothing is added where the day is scored again with the same labels and the same outcome.
    """
    if before is None:
        return ()
    kept = before.revisions
    last, new = (_outcome(found, len(kept) + 1) for found in (before, now))
    return kept if last == new else (*kept, last)


def _outcome(found: Performance, revision: int) -> Revision:
    return Revision(
        revision=revision,
        verdict=found.verdict,
        accuracy=found.accuracy.value,
        labels=found.labels,
        model_version=found.serving_version or found.model_version,
    )


def verdict_changed(found: Performance) -> bool:
    """Whether the day had another verdict at some time."""
    return any(earlier.verdict != found.verdict for earlier in found.revisions)

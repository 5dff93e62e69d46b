"""Days whose verdict would be another one now, since the labels of a day before them changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from driftwatch.accuracy.day_verdict import judge_day
from driftwatch.accuracy.history import MOST_DAYS, PastDay, ScoredDay, days_before, performances, scored_day
from driftwatch.accuracy.sequential_rules import expected
from driftwatch.artifacts.accuracy import Performance
from driftwatch.artifacts.models import ModelCard
from driftwatch.artifacts.parts import AccuracyVerdict
from driftwatch.artifacts.store import MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.models.as_trained import as_trained
from driftwatch.models.serving import serving_first


@dataclass(frozen=True)
class Outdated:
    """A day with its stored `verdict`, and the one that it would get `now`."""

    day: date
    verdict: AccuracyVerdict
    now: AccuracyVerdict


def outdated_after(store: MonitorStore, day: date) -> list[Outdated]:
    """`outdated` of the days later than `day`."""
    following = day + timedelta(days=1)
    later = performances(store, following, date.max)
    return outdated(store, later, days_before(store, following)) if later else []


def outdated(store: MonitorStore, days: Sequence[Performance], before: Sequence[PastDay] = ()) -> list[Outdated]:
    """Those of `days` whose stored verdict is not the one that they would get if they were run again now. `days` and those `before`
    them are in order.

    A verdict rests on earlier days where days are pooled, by `persistence`, and by `below_floor`, `worse` and `trend`; when one of those is scored again, or the
    monitor file changes, nothing changes the later ones by itself. Each is judged on the days before it as they would be judged.
    """
    judged, found = list(before), []
    for stored in days:
        scored = scored_day(stored)
        if scored is None:
            continue
        scored = _as_served_now(stored, scored, store.config)
        card = store.read(store.keys.model_card(stored.model_version), ModelCard)
        holdout = card.metrics.holdout
        earliest = stored.day - timedelta(days=MOST_DAYS)
        known = [past for past in judged if past.day >= earliest]
        now = judge_day(
            scored,
            known,
            as_trained(store, stored.model_version),
            holdout.accuracy,
            usual=expected(card, holdout.accuracy),
        )
        if now.verdict.verdict != (stored.own_verdict or stored.verdict):
            found.append(Outdated(stored.day, stored.verdict, now.verdict.verdict))
        judged.append(PastDay(**vars(scored), fired=now.verdict.fired, usual=now.usual, counted=now.counted))
    return found


def _as_served_now(stored: Performance, scored: ScoredDay, config: MonitorConfig) -> ScoredDay:
    """The day by the version that `model.serving_version` makes the serving one now."""
    serving = serving_first({row.version: row.answered for row in stored.versions}, config).serving
    if serving is None or serving == scored.serving:
        return scored
    return replace(scored, evidence=scored.by_version[serving], serving_version=serving)

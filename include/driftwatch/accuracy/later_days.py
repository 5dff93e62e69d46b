"""Days whose verdict is another one since the labels of a day before them changed."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from driftwatch.accuracy.evaluate import judge_day
from driftwatch.accuracy.evidence import Evidence
from driftwatch.accuracy.history import MOST_DAYS, days_before, performances
from driftwatch.artifacts.store import MonitorStore
from driftwatch.models.as_trained import as_trained

if TYPE_CHECKING:
    from collections.abc import Sequence


def outdated_after(store: MonitorStore, day: date) -> list[dict[str, str]]:
    """`outdated` of the days later than `day`."""
    following = day + timedelta(days=1)
    later = performances(store, following, date.max)
    return outdated(store, later, days_before(store, following)) if later else []


def outdated(
    store: MonitorStore,
    days: Sequence[dict[str, Any]],
    before: Sequence[dict[str, Any]] = (),
) -> list[dict[str, str]]:
    """Those of `days` whose stored verdict is not the one that they would get if they were run again now: `day`, its `verdict`, and
    `now`, the one that it would get. `days` and those `before` them: their performance.json, in order.

    A verdict rests on earlier days where days are pooled, by `persistence` and by `trend`; when one of those is scored again, or the
    monitor file changes, nothing changes the later ones by itself. Each is judged on the days before it as they would be judged.
    """
    judged, found = list(before), []
    for stored in days:
        if "evidence" not in stored:
            continue
        day, version = date.fromisoformat(stored["day"]), stored["model_version"]
        holdout = store.storage.read_json(store.keys.model_card(version))["metrics"]["holdout"]
        earliest = (day - timedelta(days=MOST_DAYS)).isoformat()
        known = [past for past in judged if past["day"] >= earliest]
        of_day = as_trained(store, version)
        now = judge_day(day, version, Evidence.of(stored["evidence"]), known, of_day, holdout)
        if now["verdict"] != stored["verdict"]:
            found.append({"day": stored["day"], "verdict": stored["verdict"], "now": now["verdict"]})
        judged.append({**stored, **now})
    return found

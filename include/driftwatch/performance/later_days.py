"""Days whose verdict is another one since the labels of a day before them changed."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from driftwatch.performance.evaluate import judge_day
from driftwatch.performance.evidence import Evidence
from driftwatch.performance.history import MOST_DAYS, performances

if TYPE_CHECKING:
    from driftwatch.config import MonitorConfig
    from driftwatch.layout import MonitorLayout
    from driftwatch.storage import Storage


def outdated(
    storage: Storage, layout: MonitorLayout, config: MonitorConfig, after: date = date.min
) -> list[dict[str, str]]:
    """The days later than `after` whose stored verdict is not the one that they would get if they were run again now: `day`, its
    `verdict`, and `now`, the one that it would get.

    A verdict rests on earlier days where days are pooled, by `persistence` and by `trend`; when one of those is scored again, or the
    monitor file changes, nothing changes the later ones by itself. Each is judged on the days before it as they would be judged.
    """
    first = after - timedelta(days=MOST_DAYS) if after > date.min else date.min
    days: list[dict[str, Any]] = []
    found = []
    for stored in performances(storage, layout, first, date.max):
        if "evidence" not in stored:
            continue
        day = date.fromisoformat(stored["day"])
        if day > after:
            version, evidence = stored["model_version"], Evidence.of(stored["evidence"])
            holdout = storage.read_json(layout.model_card(version))["metrics"]["holdout"]
            earliest = (day - timedelta(days=MOST_DAYS)).isoformat()
            before = [past for past in days if past["day"] >= earliest]
            judged = judge_day(day, version, evidence, before, config, holdout)
            if judged["verdict"] != stored["verdict"]:
                found.append({"day": stored["day"], "verdict": stored["verdict"], "now": judged["verdict"]})
            stored = {**stored, **judged}
        days.append(stored)
    return found

"""The alert policy over ten simulated years: false alerts a year, and the days until a drop is seen.

True accuracy .95, holdout 600 images drawn anew for each year's model, floor .90, three votes an image by people who err
alike on 6 % of the votes. Beside it the naive point rule: an alert when the share right, of labels that are never wrong, is below the floor.
"""

from __future__ import annotations

from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import binom

from bench.judgement.performance_days import Crowd, Images, labelled_day, synthetic
from bench.judgement.performance_photos import Answers
from driftwatch.accuracy.day_verdict import judge_day
from driftwatch.accuracy.history import PastDay, ScoredDay
from driftwatch.accuracy.sequential_rules import Counted, evidence
from driftwatch.artifacts.parts import Share
from driftwatch.artifacts.rules import PolicyRules
from driftwatch.config.performance import PerformanceConfig
from driftwatch.models.metrics import share

YEARS, DAYS, IMAGES, HOLDOUT = 10, 365, 500, 600
LABELS, USUAL, FLOOR = (30, 100, 200), 0.95, 0.9
RUNS, BEFORE, LONGEST = 12, 15, 40
PEOPLE = Crowd("people err alike", 0.06, alike=0.15)
START = date(2026, 1, 1)
NEW = "below_floor or worse"
RULES = (NEW, "floor", "drop", "trend", "floor or drop", "floor or drop, 2 of 3 days")


def false_alerts(answers: Answers) -> pd.DataFrame:
    """Days with an alert a year while nothing is wrong, by rule and labels a day; for trend, alarms, each followed by a new model."""
    pool = synthetic(USUAL, np.random.default_rng(5))
    rows = []
    for labels in LABELS:
        counts = dict.fromkeys(RULES, 0)
        for year in range(YEARS):
            days = _year(pool, pool, labels, DAYS, DAYS, [9, labels, year])
            for rule, fired in _fired(days).items():
                alarms = np.flatnonzero(fired)
                counts[rule] += min(len(alarms), 1) if rule == "trend" else len(alarms)
        rows += [{"labels a day": labels, "rule": rule, "false alerts a year": n / YEARS} for rule, n in counts.items()]
        naive = float(binom.cdf(np.ceil(FLOOR * labels) - 1, labels, USUAL))
        rows.append({"labels a day": labels, "rule": "naive point rule", "false alerts a year": round(365 * naive, 2)})
    return pd.DataFrame(rows)


def detection(answers: Answers) -> pd.DataFrame:
    """Days from a sudden drop to the first alert, the day of the drop being 1: median and the share of runs seen within LONGEST days."""
    pool = synthetic(USUAL, np.random.default_rng(5))
    rows = []
    for labels in LABELS:
        for drop in (0.05, 0.10, 0.20):
            worse = synthetic(USUAL - drop, np.random.default_rng(6))
            seen: dict[str, list[float]] = {rule: [] for rule in RULES}
            for run in range(RUNS):
                days = _year(pool, worse, labels, BEFORE + LONGEST, BEFORE, [10, labels, round(100 * drop), run])
                for rule, fired in _fired(days).items():
                    after = np.flatnonzero(fired[BEFORE:])
                    seen[rule].append(after[0] + 1 if len(after) else np.inf)
            for rule, waits in seen.items():
                known = [wait for wait in waits if np.isfinite(wait)]
                median = float(np.median(waits))
                rows.append(
                    {
                        "labels a day": labels,
                        "drop": drop,
                        "rule": rule,
                        "median days": median if np.isfinite(median) else f"over {LONGEST}",
                        "seen": len(known) / RUNS,
                    }
                )
            point = float(binom.cdf(np.ceil(FLOOR * labels) - 1, labels, USUAL - drop))
            rows.append(
                {"labels a day": labels, "drop": drop, "rule": "naive point rule", "median days": max(1, int(np.ceil(np.log(0.5) / np.log1p(-min(point, 1 - 1e-12))))), "seen": 1.0}
            )  # fmt: skip
    return pd.DataFrame(rows)


class Judged(NamedTuple):
    """A series of days: what the old rules say of each, and what each counts for in the new ones, beside the holdout."""

    rules: list[PolicyRules]
    counted: list[Counted]
    held: Share


def _year(usual: Images, later: Images, labels: int, days: int, change: int, seed: list[int]) -> Judged:
    """`days` days, from `change` on drawn from `later`."""
    rng = np.random.default_rng(seed)
    drawn = usual.draw(HOLDOUT, rng)
    held = share(int((drawn.truth == drawn.predicted).sum()), HOLDOUT, 0.95)
    settings = PerformanceConfig(policy=("floor", "drop", "trend"), floor=FLOOR)
    config: Any = SimpleNamespace(
        performance=settings, labels=SimpleNamespace(on_tie="abstain", consensus="majority"), classes=("cat", "dog")
    )
    control = 3 * -(-labels // 9)
    before: list[PastDay] = []
    found, counted = [], []
    for number in range(days):
        day = START + timedelta(days=number)
        pool = later if number >= change else usual
        said = labelled_day(pool.draw(IMAGES, rng), PEOPLE, labels, control, rng)
        today = ScoredDay(day, "v1", config.classes, said)
        judged = judge_day(today, before, config, held)
        before.append(PastDay(**vars(today), fired=judged.verdict.fired, usual=judged.usual))
        found.append(judged.verdict.rules)
        assert judged.counted is not None
        counted.append(Counted(day, judged.counted))
    return Judged(found, counted, held)


def _fired(days: Judged) -> dict[str, np.ndarray]:
    one = {
        rule: np.array([found is not None and found.fires for found in (getattr(day, rule) for day in days.rules)])
        for rule in ("floor", "drop", "trend")
    }
    either = one["floor"] | one["drop"]
    twice = np.array([either[i] and either[max(0, i - 2) : i + 1].sum() >= 2 for i in range(len(either))])
    return {NEW: _new(days), **one, "floor or drop": either, "floor or drop, 2 of 3 days": twice}


def _new(days: Judged) -> np.ndarray:
    """Whether one of the two default rules fires, on each day. They are asked once for all days, as each day's evidence is what it was."""
    settings = PerformanceConfig(floor=FLOOR)
    found = evidence(days.counted, settings, days.held)
    return np.any([path.evidence[0] >= 1 for path in found.values()], axis=0)

"""Accuracy looked at every day: false alerts in a thousand simulated years, and how soon a fall is seen, beside others.

`python -m bench.judgement.performance_year` writes docs/benchmarks/judgement/performance_year_*.csv; `... alerts` one of them. Labels are
drawn, and not pictures. Seeds are fixed.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from bench.judgement import performance_year_rivals as rivals
from bench.judgement.performance_photos import ROOT
from bench.judgement.performance_year_days import SCENARIOS, Scenario
from driftwatch.accuracy.sequential import Looks
from driftwatch.accuracy.sequential_rules import kindly, steady, worth_images

OUT = ROOT / "docs" / "benchmarks" / "judgement"
YEARS, DAYS, USUAL, FLOOR, HOLDOUT = 1000, 365, 0.95, 0.9, 600
BEFORE = 60
LABELS, FALLS = (30, 100, 200), (0.02, 0.05, 0.10, 0.20)
# How long a fall is followed, by its size.
AFTER = {0.02: 300, 0.05: 150, 0.10: 60, 0.20: 30}
Statistic = Callable[[np.ndarray, int, np.ndarray, int], np.ndarray]
RIVALS: dict[str, Statistic] = {
    "worse": rivals.worse,
    "drop": rivals.drop,
    "trend": rivals.trend,
    "glide-py": rivals.glide,
    "NannyML": rivals.nannyml,
}
# Where each raises an alarm as it is delivered. glide-py has none: the threshold is the user's, here the holdout's accuracy.
DELIVERED = {"worse": 1.0, "drop": 2.0, "trend": 1.0, "glide-py": 0.0, "NannyML": 3.0}


def alerts() -> pd.DataFrame:
    """Years with a false alert, and days with one, by the two default rules together."""
    return pd.DataFrame([_alerts(scenario, place) for place, scenario in enumerate(SCENARIOS)])


def _alerts(scenario: Scenario, place: int) -> dict[str, object]:
    rng = np.random.default_rng([31, place])
    held = rng.binomial(scenario.images, scenario.accuracy, YEARS) / scenario.images
    raw, shared = scenario.days(YEARS, DAYS, rng)
    worse, below = np.zeros((YEARS, DAYS), dtype=bool), np.zeros((YEARS, DAYS), dtype=bool)
    # What is known of label errors grows with the days: at each of these ends, all days so far are looked at anew.
    for end in (DAYS,) if not shared.any() else (14, 60, DAYS):
        looks, unknown = steady(Looks(*(field[:, :end] for field in raw)), shared[:, :end], 7)
        images = worth_images(held, scenario.images, unknown)
        worse[:, :end] |= rivals.found(looks, held, images).evidence >= 1
        if scenario.above is not None:
            floor = np.full(YEARS, scenario.accuracy - scenario.above)
            kind = kindly(looks, 1.96 * unknown)
            below[:, :end] |= rivals.found(kind, floor, np.full(YEARS, 1e9)).evidence >= 1
    either = worse | below
    print(f"{place + 1} of {len(SCENARIOS)}: {scenario.labels} labels, {scenario.name}", flush=True)
    return {
        "labels a day": scenario.labels,
        "holdout": scenario.images,
        "accuracy": scenario.accuracy,
        "above the floor": scenario.above,
        "labels are": scenario.name,
        "stated": rivals.RATE,
        "years with a false alert": round(float(either.any(axis=1).mean()), 4),
        "of worse": round(float(worse.any(axis=1).mean()), 4),
        "of below_floor": round(float(below.any(axis=1).mean()), 4),
        "days of alert a year": round(float(either.sum(axis=1).mean()), 3),
    }


def delays() -> pd.DataFrame:
    """Days from a fall to the first alarm, the day of the fall being 1, after BEFORE usual days, with a holdout of HOLDOUT images. Everybody has
    the same holdout. `delivered`: with its own threshold; `equal`: with that which raises as many false alerts a year as `worse`."""
    rows = []
    for labels in LABELS:
        thresholds = _thresholds(labels)
        for fall in FALLS:
            rng = np.random.default_rng([33, labels, round(100 * fall)])
            held, shares = _years(labels, [USUAL] * BEFORE + [USUAL - fall] * AFTER[fall], rng)
            for name, statistic in RIVALS.items():
                value = statistic(shares, labels, held, HOLDOUT)
                row: dict[str, object] = {"labels a day": labels, "fall": fall, "rule": name}
                for kind, limit in (("equal", thresholds[name][0]), ("delivered", DELIVERED[name])):
                    row |= {f"{kind} {key}": said for key, said in _delay(value >= limit, AFTER[fall]).items()}
                rows.append(row | {"false alerts a year as delivered": thresholds[name][1]})
    return pd.DataFrame(rows)


def starts() -> pd.DataFrame:
    """The same of `worse` alone, for a fall of 5 points with 100 labels a day, after few and many usual days, by holdout."""
    rows = []
    for images in (100, 300, 600, 1000):
        for before in (0, 5, 15, 60, 200):
            rng = np.random.default_rng([34, images, before])
            held, shares = _years(100, [USUAL] * before + [USUAL - 0.05] * 150, rng, images)
            value = rivals.worse(shares, 100, held, images)
            said = _delay(value >= 1, 150)
            rows.append({"holdout": images, "usual days before": before, **said})
    return pd.DataFrame(rows)


def _years(
    labels: int, accuracy: list[float], rng: np.random.Generator, images: int = HOLDOUT
) -> tuple[np.ndarray, np.ndarray]:
    held = rng.binomial(images, USUAL, YEARS) / images
    return held, rng.binomial(labels, np.array(accuracy), (YEARS, len(accuracy))) / labels


def _thresholds(labels: int) -> dict[str, tuple[float, float]]:
    """Of each rule: where it raises as many false alerts as `worse` does as delivered, and the years with one as it is delivered itself."""
    held, shares = _years(labels, [USUAL] * DAYS, np.random.default_rng([32, labels]))
    most = {name: statistic(shares, labels, held, HOLDOUT).max(axis=1) for name, statistic in RIVALS.items()}
    share = max(float((most["worse"] >= 1).mean()), 1 / YEARS)
    found = {name: float(np.quantile(value, 1 - share, method="higher")) for name, value in most.items()}
    return {name: (found[name], round(float((value >= DELIVERED[name]).mean()), 4)) for name, value in most.items()} | {
        "worse": (1.0, share)
    }


def _delay(alarms: np.ndarray, after: int) -> dict[str, object]:
    """Of the series without an alarm before the fall: median and ninth tenth of days to the first one, and the share that is seen."""
    calm = ~alarms[:, : alarms.shape[1] - after].any(axis=1)
    if calm.mean() < 0.05:
        return {"median": "", "90 %": "", "seen": ""}
    late = alarms[calm, -after:]
    days = np.where(late.any(axis=1), late.argmax(axis=1) + 1.0, np.inf)
    median, most = np.quantile(days, [0.5, 0.9], method="higher")
    text = [f"over {after}" if np.isinf(value) else int(value) for value in (median, most)]
    return {"median": text[0], "90 %": text[1], "seen": round(float(np.isfinite(days).mean()), 3)}


TABLES = {"alerts": alerts, "delays": delays, "starts": starts}


def main(names: list[str]) -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    rivals.glide_agrees()
    for name in names or list(TABLES):
        began = time.perf_counter()
        table = TABLES[name]()
        table.to_csv(OUT / f"performance_year_{name}.csv", index=False)
        print(f"{name}: {time.perf_counter() - began:.0f} s\n{table.to_string()}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])

"""How often a day is amber though nothing changed, and on how many days after a fall: driftwatch.view.standing on drawn labels.

`python -m bench.judgement.standing` writes docs/benchmarks/judgement/standing.md; a minute of one core. What counts is a share of labels that
agree, so the number of classes plays no part: with a hundred of them it is the levels of accuracy that differ.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np

from driftwatch.artifacts.accuracy import Performance
from driftwatch.artifacts.parts import WeightedShare
from driftwatch.models.metrics import wilson
from driftwatch.view.standing import USUAL_DAYS, standings

OUT = Path(__file__).parents[2] / "docs" / "benchmarks" / "judgement"
FIRST, DAYS, AFTER = date(2026, 1, 1), 4000, 5
LABELS, LEVELS, FALLS = (30, 100, 300), (0.6, 0.8, 0.9, 0.97), (0.05, 0.1, 0.2)


def measured(right: np.ndarray, labels: int) -> dict[date, Performance]:
    """Days with the verdict ok and so many right labels, far above a floor."""
    found = {}
    for place, n in enumerate(right):
        value = float(n) / labels
        low, high = wilson(value, labels, 0.95)
        accuracy = WeightedShare(value=value, low=low, high=high, n=labels, effective_n=float(labels))
        found[FIRST + timedelta(days=place)] = Performance.model_construct(
            verdict="ok", accuracy=accuracy, judged=None, labels=labels, floor=0.0
        )
    return found


def false_ambers(labels: int, level: float, rng: np.random.Generator) -> float:
    """The share of days that are amber where nothing changed."""
    found = standings(measured(rng.binomial(labels, level, DAYS), labels))
    return sum(not one.plain for one in found.values()) / DAYS


def seen(labels: int, level: float, fall: float, rng: np.random.Generator) -> float:
    """The share of the AFTER days after a fall that are amber."""
    weeks, before = 200, USUAL_DAYS
    amber = 0
    for _ in range(weeks):
        chances = np.r_[np.full(before, level), np.full(AFTER, level - fall)]
        found = [*standings(measured(rng.binomial(labels, chances), labels)).values()]
        amber += sum(not one.plain for one in found[before:])
    return amber / (weeks * AFTER)


def main() -> None:
    rng = np.random.default_rng(5)
    lines = [
        "# Amber: a day that is ok, and yet lower than usual", "",
        "Made by `python -m bench.judgement.standing`. A day is amber where its accuracy lies at least 5 points, and more than chance explains, below the usual ones of the 13 days before.",
        f"*Nothing changed*: of {DAYS:,} days, how many are amber. The other columns: of the first {AFTER} days after a fall of so many points, how many are amber, in 200 weeks.",
        "It is a colour: nobody is alerted, and nothing is retrained.", "",
        "| Labels a day | Accuracy | Nothing changed | " + " | ".join(f"−{100 * fall:.0f}" for fall in FALLS) + " |",
        "|" + "---:|" * (3 + len(FALLS)),
    ]  # fmt: skip
    for labels in LABELS:
        for level in LEVELS:
            told = [f"{100 * seen(labels, level, fall, rng):.0f} %" for fall in FALLS]
            false = f"{100 * false_ambers(labels, level, rng):.1f} %"
            lines.append(f"| {labels} | {100 * level:.0f} % | {false} | {' | '.join(told)} |")
            print(lines[-1], flush=True)
    (OUT / "standing.md").write_text("\n".join([*lines, ""]), encoding="utf-8")


if __name__ == "__main__":
    main()

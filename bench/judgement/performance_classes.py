"""Labels of 2, 10 and 100 classes by simulated people: how many are wrong, and the accuracy without their errors.

People confuse classes evenly, each class mostly with one other, or two classes (cat and lynx) alone. Each row is DAYS days of a model whose
agreement and accuracy are known. `python -m bench.judgement.performance_classes` writes docs/benchmarks/judgement/performance_classes.csv and
performance_classes_detection.csv; about four minutes of one core.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from bench.judgement.performance_photos import ROOT
from driftwatch.accuracy.day_verdict import judge_day
from driftwatch.accuracy.evidence import Evidence, Scores, Votes, disagreement, spread_of
from driftwatch.accuracy.history import PastDay, ScoredDay
from driftwatch.accuracy.label_errors import corrected
from driftwatch.artifacts.parts import Share, WeightedShare
from driftwatch.config.performance import PerformanceConfig
from driftwatch.models.metrics import share

DAYS, NOMINAL, LABELS, CONTROL = 60, 0.95, 150, 150
RUNS, BEFORE, LONGEST = 8, 5, 20
MANY = 200_000
EVEN, FAVOURITE, TWINS = "even", "one favourite a class", "cat and lynx alone"


@dataclass(frozen=True)
class People:
    """`wrong`: the chance of a wrong vote; `alike`: the correlation of errors on an image; `confusion`: to which classes wrong votes go."""

    classes: int
    confusion: str
    wrong: float = 0.15
    alike: float = 0.0
    with_model: bool = False

    def chance(self) -> np.ndarray:
        """The chance of a wrong vote by class, `wrong` on average where classes are alike."""
        found = np.full(self.classes, self.wrong)
        if self.confusion == TWINS:
            found[:], found[:2] = 0.01, 0.4
        return found

    def towards(self) -> np.ndarray:
        """The shares of the wrong classes, [truth, class]."""
        n = self.classes
        found = np.full((n, n), 1 / (n - 1))
        if self.confusion == FAVOURITE:
            found = np.full((n, n), 0.1 / max(n - 2, 1))
            found[np.arange(n), np.arange(n) ^ 1] = 0.9 if n > 2 else 1.0
        elif self.confusion == TWINS:
            found[[0, 1]] = 0.0
            found[0, 1] = found[1, 0] = 1.0
        np.fill_diagonal(found, 0)
        return found

    def votes(
        self, truth: np.ndarray, overlap: int, rng: np.random.Generator, easy: np.ndarray | None = None
    ) -> np.ndarray:
        """Answers [n, overlap]; `easy` in 0..1 orders the images of people who err where the model does."""
        mean = self.chance()[truth]
        if self.alike:
            grow = (1 - self.alike) / self.alike
            chance = rng.beta(mean * grow, (1 - mean) * grow)
            if easy is not None:
                chance[np.argsort(easy)] = np.sort(chance)[::-1]
        else:
            chance = mean
        wrong = rng.random((len(truth), overlap)) < chance[:, None]
        steps = np.cumsum(self.towards(), axis=1)[truth]
        other = (rng.random((len(truth), overlap))[:, :, None] * (1 - 1e-12) >= steps[:, None, :]).sum(axis=2)
        return np.where(wrong, other, truth[:, None])


def merged(answers: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """The class with most votes, -1 where several have, and the votes [images, classes]."""
    counts = np.zeros((len(answers), classes))
    np.add.at(counts, (np.arange(len(answers))[:, None], answers), 1)
    most = counts.max(axis=1, keepdims=True)
    return np.where((counts == most).sum(axis=1) == 1, counts.argmax(axis=1), -1), counts


def label_error(people: People, overlap: int) -> float:
    """The true share of labels that are wrong."""
    rng = np.random.default_rng(0)
    wrong = n = 0
    for _ in range(20):
        truth = rng.integers(0, people.classes, MANY // 20)
        label, _ = merged(people.votes(truth, overlap, rng), people.classes)
        wrong, n = wrong + int(((label != truth) & (label >= 0)).sum()), n + int((label >= 0).sum())
    return wrong / n


def labelled(
    people: People,
    accuracy: float,
    overlap: int,
    rng: np.random.Generator,
    labels: int = LABELS,
    control: int = CONTROL,
    chosen: str = "any",
) -> Evidence:
    """A day's evidence. Control images, two answers each, come of each class in turn; `chosen`: of any, or only those that three people
    had agreed on (`unanimous`)."""  # fmt: skip
    k = people.classes
    truth = rng.integers(0, k, labels)
    right = rng.random(labels) < accuracy
    predicted = np.where(right, truth, (truth + rng.integers(1, k, labels)) % k)
    easy = right + rng.random(labels) * 0.5 if people.with_model else None
    label, counts = merged(people.votes(truth, overlap, rng, easy), k)
    confusion = np.zeros((k, k), dtype="int64")
    np.add.at(confusion, (label[label >= 0], predicted[label >= 0]), 1)
    known = np.resize(rng.permutation(k), control // 2 * (20 if chosen == "unanimous" else 1))
    answers = people.votes(known, 5 if chosen == "unanimous" else 2, rng)
    if chosen == "unanimous":
        kept = np.flatnonzero((answers[:, :3] == answers[:, :1]).all(axis=1))[: control // 2]
        known, answers = answers[kept, 0], answers[kept, 3:]
    miss = answers != known[:, None]
    bad = np.bincount(np.repeat(known, 2), miss.ravel(), k)
    rows = pd.DataFrame(
        {
            "image_id": np.repeat(np.arange(len(known)), 2)[miss.ravel()],
            "known_label": np.repeat(known, 2)[miss.ravel()],
            "answer": answers[miss],
        }
    )
    shown = counts[counts.sum(axis=1) >= 2]
    apart = disagreement(shown)
    votes = Votes(
        np.bincount(known, minlength=k) * 2 - bad, bad, 4.0 * len(known), 0, 0, 0, 0,
        len(apart), apart.sum(), (apart**2).sum(), {overlap: int((label >= 0).sum())},
        spread_of(shown, rows, range(k)),
    )  # fmt: skip
    return Evidence(confusion, Scores(), votes)


def _agreement(evidence: Evidence) -> WeightedShare:
    found = share(evidence.right, evidence.labels, NOMINAL)
    return WeightedShare(**found.model_dump(exclude_unset=True), effective_n=float(evidence.labels))


def coverage(
    people: People, overlap: int, accuracy: float = 0.875, days: int = DAYS, chosen: str = "any"
) -> dict[str, object]:
    """How often the intervals of label error and of accuracy hold the truth, and how far off they are on average."""
    true = label_error(people, overlap)
    errors, found = np.zeros((days, 3)), np.zeros((days, 3))
    for day in range(days):
        evidence = labelled(people, accuracy, overlap, np.random.default_rng([21, day]), chosen=chosen)
        result = corrected(evidence, evidence.votes, _agreement(evidence), NOMINAL)
        for rows, of in ((errors, result.label_error), (found, result.accuracy)):
            rows[day] = of.numbers or (np.nan,) * 3
    return {
        "classes": people.classes, "confusion": people.confusion, "wrong votes": people.wrong, "alike": people.alike,
        "with model": people.with_model, "votes": overlap, "control": chosen, "labels wrong": round(true, 4),
        "said, median": round(float(np.nanmedian(errors[:, 0])), 4),
        "covered": _covered(errors, true), "error's width": _width(errors),
        "accuracy covered": _covered(found, accuracy), "bias": round(float(np.nanmean(found[:, 0]) - accuracy), 4),
        "width": _width(found), "undefined": round(float(np.isnan(found[:, 0]).mean()), 4),
    }  # fmt: skip


def _covered(found: np.ndarray, truth: float) -> float:
    known = found[~np.isnan(found[:, 0])]
    return round(float(((known[:, 1] <= truth + 1e-4) & (truth - 1e-4 <= known[:, 2])).mean()), 3)


def _width(found: np.ndarray) -> float:
    return round(float(np.nanmean(found[:, 2] - found[:, 1])), 4)


ALIKE = {"wrong": 0.1, "alike": 0.2}
SETTINGS = [
    *((People(2, EVEN), overlap, "any") for overlap in (3, 5)),
    *((People(k, EVEN), overlap, "any") for k in (10, 100) for overlap in (1, 2, 3, 5)),
    *((People(k, FAVOURITE), overlap, "any") for k in (10, 100) for overlap in (3, 5)),
    *((People(k, TWINS), 3, "any") for k in (10, 100)),
    *((People(k, EVEN, **ALIKE), 3, "any") for k in (2, 10, 100)),
    *((People(k, FAVOURITE, **ALIKE), 3, "any") for k in (10, 100)),
    *((People(k, EVEN, **ALIKE), 3, "unanimous") for k in (2, 10)),
    *((People(k, EVEN, **ALIKE, with_model=True), 3, "any") for k in (2, 10)),
]


def of_classes() -> pd.DataFrame:
    """One row for each crowd, number of votes and choice of control images."""
    return pd.DataFrame([coverage(people, overlap, chosen=chosen) for people, overlap, chosen in SETTINGS])


def detection() -> pd.DataFrame:
    """Days until a model of 95 % that becomes one of 85 % has its first alert (floor .90, drop), of which the first day is 1."""
    rows = []
    for people in [People(k, how, 0.1, 0.2) for k in (2, 10, 100) for how in (EVEN, FAVOURITE) if k > 2 or how == EVEN]:
        waits, false = [], 0
        for run in range(RUNS):
            rng = np.random.default_rng([22, run])
            fired = _alerts(people, rng, share(int(rng.binomial(600, 0.95)), 600, NOMINAL))
            false += sum(fired[:BEFORE])
            after = [number for number, alert in enumerate(fired[BEFORE:], start=1) if alert]
            waits.append(after[0] if after else np.inf)
        rows.append(
            {"classes": people.classes, "confusion": people.confusion, "median days": float(np.median(waits)),
             "within 3 days": round(float(np.mean(np.array(waits) <= 3)), 3), "false alerts": false, "usual days": RUNS * BEFORE}
        )  # fmt: skip
    return pd.DataFrame(rows)


def _alerts(people: People, rng: np.random.Generator, held: Share) -> list[bool]:
    settings = PerformanceConfig(policy=("floor", "drop"), floor=0.9)
    config: Any = SimpleNamespace(
        performance=settings,
        labels=SimpleNamespace(on_tie="abstain", consensus="majority"),
        classes=tuple(map(str, range(people.classes))),
    )
    days: list[PastDay] = []
    alerts: list[bool] = []
    for number in range(BEFORE + LONGEST):
        day = date(2026, 1, 1) + timedelta(days=number)
        evidence = labelled(people, 0.95 if number < BEFORE else 0.85, 3, rng, control=50)
        today = ScoredDay(day, "v1", config.classes, evidence)
        judged = judge_day(today, days, config, held)
        days.append(PastDay(**vars(today), fired=judged.verdict.fired, usual=judged.usual))
        alerts.append(judged.verdict.verdict == "alert")
        if number >= BEFORE and alerts[-1]:
            break
    return alerts


def main() -> None:
    for name, make in (("performance_classes", of_classes), ("performance_classes_detection", detection)):
        began = time.perf_counter()
        found = make()
        found.to_csv(ROOT / "docs" / "benchmarks" / "judgement" / f"{name}.csv", index=False)
        print(f"{name}: {time.perf_counter() - began:.0f} s\n{found.to_string()}", flush=True)


if __name__ == "__main__":
    main()

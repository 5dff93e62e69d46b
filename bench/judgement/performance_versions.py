"""Two model versions in one day: how often the intervals of each accuracy and of their difference hold the truth.

Each row is DRAWS days, fewer where people label: there a day takes a second. A canary answers 5 % or 50 % of the images, chosen at random; LABELS images of the day are labelled, whichever version
answered them. A canary of 5 % has too few labels in a day and is judged over days together. `measured`: the labels are right, and the scores
sharpen the estimate. `corrected`: three people label each image, who err, and the accuracy is the one without their errors.
`python -m bench.judgement.performance_versions` writes docs/benchmarks/judgement/performance_versions.csv; some minutes of one core.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from bench.judgement.performance_classes import EVEN, People, merged
from bench.judgement.performance_photos import ROOT
from driftwatch.accuracy.day_verdict import judged_accuracy, measured
from driftwatch.accuracy.evidence import Evidence, Scores, Votes, disagreement, spread_of
from driftwatch.accuracy.history import PastDay, ScoredDay
from driftwatch.accuracy.versions import version_rows
from driftwatch.artifacts.parts import Interval
from driftwatch.config.performance import PerformanceConfig
from driftwatch.models.serving import AnsweredBy

DRAWS = {"measured": 1000, "corrected": 200}
IMAGES, LABELS, CONTROL, DAYS = 2000, 300, 60, 3
SERVING, CANARY = "serving", "canary"
CROWD = {"wrong": 0.1, "alike": 0.2}


@dataclass(frozen=True)
class Setting:
    classes: int
    share: float
    accuracy: float
    canary: float
    judge: str

    @property
    def config(self) -> Any:
        return SimpleNamespace(
            performance=PerformanceConfig(judge=self.judge),
            labels=SimpleNamespace(on_tie="abstain", consensus="majority"),
            classes=tuple(map(str, range(self.classes))),
        )


def day_of(setting: Setting, number: int, rng: np.random.Generator) -> ScoredDay:
    """A day's evidence by version; the first LABELS images are the sample."""
    k = setting.classes
    truth, canary = rng.integers(0, k, IMAGES), rng.random(IMAGES) < setting.share
    right = rng.random(IMAGES) < np.where(canary, setting.canary, setting.accuracy)
    said = np.where(right, truth, (truth + rng.integers(1, k, IMAGES)) % k)
    score = np.where(right, rng.beta(9, 1.5, IMAGES), rng.beta(4, 2.5, IMAGES))
    label, votes = truth[:LABELS], _nobody(k)
    if setting.judge == "corrected":
        label, votes = _people(truth[:LABELS], k, rng)
    by_version = {
        name: _evidence(label, said, score, of, votes, k) for name, of in ((SERVING, ~canary), (CANARY, canary))
    }
    day = date(2026, 1, 1) + timedelta(days=number)
    return ScoredDay(day, "v1", setting.config.classes, by_version[SERVING], serving_version=SERVING, by_version=by_version)  # fmt: skip


def _evidence(label: np.ndarray, said: np.ndarray, score: np.ndarray, of: np.ndarray, votes: Votes, k: int) -> Evidence:
    known = np.flatnonzero(of[:LABELS] & (label >= 0))
    confusion = np.zeros((k, k), dtype="int64")
    np.add.at(confusion, (label[known], said[known]), 1)
    agrees, own, rest = (label[known] == said[known]).astype(float), score[known], score[LABELS:][of[LABELS:]]
    sums = Scores(
        len(own), agrees.sum(), own.sum(), (own**2).sum(), (own * agrees).sum(), len(rest), rest.sum(), (rest**2).sum()
    )
    return Evidence(confusion, sums, votes)


def _nobody(k: int) -> Votes:
    """Right labels: without control tasks nothing is corrected."""
    return Votes(np.zeros(k), np.zeros(k), 0, 0, 0, 0, 0, 0, 0, 0, {1: LABELS})


def _people(truth: np.ndarray, k: int, rng: np.random.Generator) -> tuple[np.ndarray, Votes]:
    """The labels that three people's votes give, -1 for a tie, and what the votes and control tasks say."""
    people = People(k, EVEN, **CROWD)
    label, counts = merged(people.votes(truth, 3, rng), k)
    known = np.resize(rng.permutation(k), CONTROL // 2)
    answers = people.votes(known, 2, rng)
    missed = answers != known[:, None]
    bad = np.bincount(np.repeat(known, 2), missed.ravel(), k)
    rows = pd.DataFrame(
        {
            "image_id": np.repeat(np.arange(len(known)), 2)[missed.ravel()],
            "known_label": np.repeat(known, 2)[missed.ravel()],
            "answer": answers[missed],
        }
    )
    apart = disagreement(counts)
    votes = Votes(
        np.bincount(known, minlength=k) * 2 - bad, bad, 4.0 * len(known), 0, 0, 0, 0,
        len(apart), apart.sum(), (apart**2).sum(), {3: int((label >= 0).sum())}, spread_of(counts, rows, range(k)),
    )  # fmt: skip
    return label, votes


def of_setting(setting: Setting) -> dict[str, object]:
    """One row of the table."""
    truths = {SERVING: setting.accuracy, CANARY: setting.canary, "difference": setting.canary - setting.accuracy}
    inside: dict[str, list[bool]] = {name: [] for name in truths}
    widths: dict[str, list[float]] = {name: [] for name in truths}
    findings, days, config, draws = [], [], setting.config, DRAWS[setting.judge]
    answered = AnsweredBy({SERVING: 1, CANARY: 1})
    for draw in range(draws):
        rng = np.random.default_rng([51, setting.classes, round(100 * setting.share), draw])
        *before, today = (day_of(setting, number, rng) for number in range(DAYS))
        past = [PastDay(**vars(day), fired=False, usual=None) for day in before]
        verdict = judged_accuracy(measured(today.evidence, today.evidence.votes, config), config.performance, 1)
        _, row = version_rows(today, past, config, answered, verdict)
        assert row.difference is not None
        findings.append(row.difference.finding)
        found: dict[str, Interval | None] = {SERVING: verdict, CANARY: row.judged, "difference": row.difference}
        for name, interval in found.items():
            if interval is not None and interval.numbers is not None:
                _, low, high = interval.numbers
                inside[name].append(low - 1e-9 <= truths[name] <= high + 1e-9)
                widths[name].append(high - low)
        if row.judged is not None:
            days.append(row.judged.days)
    return {
        "classes": setting.classes, "canary's share": setting.share, "judged": setting.judge, "draws": draws,
        "accuracy": setting.accuracy, "canary's": setting.canary, "days together": round(float(np.mean(days)), 2),
        **{f"{name} covered": round(float(np.mean(inside[name])), 3) for name in truths},
        **{f"{name} width": round(float(np.mean(widths[name])), 3) for name in truths},
        **{name.replace("_", " "): round(findings.count(name) / draws, 3) for name in ("worse", "better", "not_enough_evidence")},
    }  # fmt: skip


SETTINGS = [
    Setting(k, share, 0.92, canary, judge)
    for judge, k in (("measured", 2), ("measured", 100), ("corrected", 2))
    for share in (0.05, 0.5)
    for canary in (0.92, 0.85)
]


def main() -> None:
    began = time.perf_counter()
    found = pd.DataFrame([of_setting(setting) for setting in SETTINGS])
    found.to_csv(ROOT / "docs" / "benchmarks" / "judgement" / "performance_versions.csv", index=False)
    print(f"{time.perf_counter() - began:.0f} s\n{found.to_string()}", flush=True)


if __name__ == "__main__":
    main()

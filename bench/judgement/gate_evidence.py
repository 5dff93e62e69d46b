"""How often the gate promotes, by the challenger's true gain and the number of evaluation labels: before, and with each kind of evidence.

`python -m bench.judgement.gate_evidence` writes docs/benchmarks/judgement/gate_evidence.csv; about two minutes of one core.

Nothing is trained. Each image has a margin by which each model prefers the true class to a rival. The margins are normal and correlated,
so that the models have the accuracies wanted, and one of them alone is right on DIFFERING of the images (or on the gain and a little more).
The challenger is as sure as it is right. The rules for the recent days and
for clean images decide; the rule for each class is in gate.py.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import bdtrc, expit, ndtri
from scipy.stats import multivariate_normal

from bench.judgement.performance_photos import ROOT
from driftwatch.config.retraining import RetrainingConfig
from driftwatch.models.looks import confidence_of_look
from driftwatch.models.paired import bounds
from driftwatch.models.powered import TRAINING_SPREAD, Answers, sharpened

OUT = ROOT / "docs" / "benchmarks" / "judgement" / "gate_evidence.csv"
SETTINGS = RetrainingConfig()
GAINS = (-0.05, 0.0, 0.02, 0.05, 0.08, 0.11, 0.17)
LABELS = (50, 100, 150, 300)
CHAMPION, DIFFERING = 0.65, 0.2
CLEAN, CLEAN_DIFFERING = 0.85, 0.06
EVERY = 1000
# Clean evaluation images: those of a holdout and one usual day, and with the usual days of some weeks.
HOLDOUT, WITH_USUAL_DAYS = 250, 1000
LABELS_A_DAY = 40
# Of ten labels four are for evaluation. With cross-fitting the other six judge too.
FOLD_LABELS = 1.5


@dataclass(frozen=True)
class Pair:
    """Two models: their accuracies, and the share of images that exactly one of them has right."""

    champion: float
    challenger: float
    differing: float

    def margins(self, n: int, rng: np.random.Generator, luck: float = 0.0) -> np.ndarray:
        """[2, n]: positive where the model is right. `luck`: how much better another challenger of the same recipe is."""
        own = rng.standard_normal((2, n))
        own[1] = self._correlation * own[0] + np.sqrt(1 - self._correlation**2) * own[1]
        return ndtri([self.champion, self.challenger + luck])[:, None] + own

    @property
    def _correlation(self) -> float:
        return _correlation(self.champion, self.challenger, self.differing)


@cache
def _correlation(champion: float, challenger: float, differing: float) -> float:
    middle, both = ndtri([champion, challenger]), (champion + challenger - differing) / 2
    return float(
        brentq(lambda r: multivariate_normal.cdf(middle, cov=[[1, r], [r, 1]]) - both, -0.9, 0.9999, xtol=1e-4)
    )


class Images(NamedTuple):
    """Of n images: whether each is won (1) or lost (-1), both models' answers, and whether each model is right: [2, n]."""

    gained: np.ndarray
    answers: Answers
    right: np.ndarray

    def first(self, n: int) -> Images:
        answers = self.answers
        return _images(self.gained[:n], self.right[:, :n], answers.differ[:n], answers.expected[:n])


def _images(gained: np.ndarray, right: np.ndarray, differ: np.ndarray, expected: np.ndarray) -> Images:
    return Images(gained, Answers(differ, expected, np.ones(len(gained))), right)


def draw(pair: Pair, n: int, classes: int, rng: np.random.Generator, luck: float = 0.0) -> Images:
    margins = pair.margins(n, rng, luck)
    right = margins > 0
    lead = (
        2 * expit(2 * ndtri(pair.challenger) * margins[1]) - 1
    )  # the challenger's score of the true class less that of the rival
    # Of many classes, a model that errs may name another one than the other model does.
    other = ~right[0] & ~right[1] & (rng.random(n) < (0.3 if classes > 2 else 0))
    differ = (right[0] != right[1]) | other
    expected = np.where(right[0] != right[1], np.where(right[1], lead, -lead), 0.0)
    return _images(right[1].astype(int) - right[0].astype(int), right, differ, expected)


def both(first: Images, second: Images) -> Images:
    gained, differ, expected = (
        np.concatenate(pair)
        for pair in (
            (first.gained, second.gained),
            (first.answers.differ, second.answers.differ),
            (first.answers.expected, second.answers.expected),
        )
    )
    return _images(gained, np.concatenate([first.right, second.right], axis=1), differ, expected)


def by_labels_alone(found: Images, level: float) -> tuple[float, float]:
    """The lower bound and the p-value of the labelled images, as the gate before had them."""
    old, new = found.right
    table = np.array([(old & new).sum(), (new & ~old).sum(), (old & ~new).sum(), (~old & ~new).sum()])
    p_value = bdtrc(table[1] - 1, table[1] + table[2], 0.5) if table[1] else 1.0
    return float(bounds(table, level)[0]), float(p_value)


def better(found: Images, every: Images | None, level: float, of_folds: int = 0) -> bool:
    sharper = sharpened(found.gained, found.answers, every.answers, level, of_folds) if every else None
    low, p_value = (sharper.low, sharper.p_value) if sharper else by_labels_alone(found, level)
    return low > 0 and p_value <= 1 - level


def not_worse(found: Images, level: float) -> bool:
    return by_labels_alone(found, level)[0] > -SETTINGS.max_clean_drop


class Run(NamedTuple):
    """What each gate does in one run: promote or not. `before`: the gate before, by a holdout and the labels alone. `sharpened`: with images
    without a label, and usual days. `cross_fit`: with the labels of folds too. `one_of_several`: the first look of the gate that waits, as is
    the default. `waiting`: any of its looks; `labels_when_promoted`: how many it had then."""

    before: bool
    recent_before: bool
    sharpened: bool
    recent_sharpened: bool
    cross_fit: bool
    one_of_several: bool
    waiting: bool
    labels_when_promoted: float


def run(pair: Pair, clean: Pair, n: int, classes: int, rng: np.random.Generator) -> Run:
    level, most = SETTINGS.gate_confidence, SETTINGS.pending_days + 1
    every = draw(pair, EVERY, classes, rng)
    labelled, usual = every.first(n), draw(clean, WITH_USUAL_DAYS, classes, rng)
    before, sharper = better(labelled, None, level), better(labelled, every, level)
    of_folds = draw(pair, round(n * FOLD_LABELS), classes, rng, rng.normal(0, TRAINING_SPREAD))
    folded = better(both(labelled, of_folds), every, level, len(of_folds.gained))
    first, passed, has = False, False, n
    for look in range(most):
        confidence = _confidence(n, look, most)
        if look:
            day = draw(pair, EVERY, classes, rng)
            labelled, every, has = both(labelled, day.first(LABELS_A_DAY)), both(every, day), has + LABELS_A_DAY
        passed = better(labelled, every, confidence) and not_worse(usual, _clean_confidence(look, most))
        first = first or (passed and not look)
        if passed or labelled.gained.sum() <= 0:
            break
    return Run(
        before and not_worse(usual.first(HOLDOUT), level),
        before,
        sharper and not_worse(usual, level),
        sharper,
        folded and not_worse(usual, level),
        first,
        passed,
        has if passed else np.nan,
    )


@cache
def _confidence(n: int, look: int, most: int) -> float:
    return confidence_of_look([n + LABELS_A_DAY * number for number in range(look + 1)], most, SETTINGS.gate_confidence)


@cache
def _clean_confidence(look: int, most: int) -> float:
    return confidence_of_look([WITH_USUAL_DAYS] * (look + 1), most, SETTINGS.gate_confidence)


def cell(gain: float, n: int, classes: int, runs: int) -> dict[str, object]:
    pair = Pair(CHAMPION, CHAMPION + gain, max(DIFFERING, abs(gain) + 0.08))
    rng = np.random.default_rng([41, classes, n, round(1000 * (gain + 1))])
    table = pd.DataFrame([run(pair, Pair(CLEAN, CLEAN, CLEAN_DIFFERING), n, classes, rng) for _ in range(runs)])
    return {"classes": classes, "gain": gain, "labels": n, "runs": runs, **table.astype(float).mean().round(3)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=600)
    runs, began, rows = parser.parse_args().runs, time.perf_counter(), []
    for classes, sizes in ((2, LABELS), (100, (150,))):
        for n in sizes:
            for gain in GAINS:
                rows.append(cell(gain, n, classes, runs))
            print(f"{time.perf_counter() - began:.0f} s\n{pd.DataFrame(rows[-len(GAINS) :]).to_string()}", flush=True)
    pd.DataFrame(rows).to_csv(OUT, index=False)


if __name__ == "__main__":
    main()

"""Does a stratified sample save labels, and do its intervals hold? Simulated days of 2, 10 and 100 classes of uneven shares.

The model's scores are those of a calibrated classifier of overlapping classes; those of an overconfident one are its square,
and misleading ones say nothing of which answers are wrong. Days are drawn from
a large pool, whose accuracy and recalls are the truth. All labels are right. `python -m bench.judgement.sampling` writes
docs/benchmarks/judgement/sampling.csv and sampling_mixtures.csv, which `... sampling mixtures` makes alone; some six minutes of one core.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from unittest.mock import patch

import numpy as np
import pandas as pd

from bench.judgement.performance_photos import ROOT
from driftwatch.accuracy.scores import Scores
from driftwatch.accuracy.strata import StratumEvidence, with_masses
from driftwatch.accuracy.stratified import WeightedLabels, stratified_agreement
from driftwatch.labels import strata
from driftwatch.labels.passing_strata import stratify_passing
from driftwatch.labels.strata import Strata, stratify
from driftwatch.models.metrics import wilson

DAYS, NOMINAL, POOL = 2000, 0.95, 200_000
# Random samples of so many times the labels, on fewer days, tell how many labels an interval as wide would need.
TIMES, FEWER = (1.0, 1.25, 1.5, 2.0, 3.0), 300
RANDOM, LARGE = "random", "scores, as of a large day"
# The parts of an image's size: the same for all, by the accuracy, by the recalls.
MIXTURES = {
    "as it is": (0.2, 0.4, 0.4),
    "all the same": (1.0, 0.0, 0.0),
    "hardly the same": (0.02, 0.49, 0.49),
    "accuracy alone": (0.2, 0.8, 0.0),
    "recalls alone": (0.2, 0.0, 0.8),
}
MIXTURE_DAYS = 500
OUT = ROOT / "docs" / "benchmarks" / "judgement"


@dataclass(frozen=True)
class World:
    """Images that days are drawn from: true and predicted class, and the scores [images, classes]."""

    truth: np.ndarray
    answer: np.ndarray
    scores: np.ndarray

    @property
    def classes(self) -> int:
        return self.scores.shape[1]

    @property
    def accuracy(self) -> float:
        return float((self.truth == self.answer).mean())

    @property
    def recall(self) -> np.ndarray:
        return np.array([(self.answer[self.truth == place] == place).mean() for place in range(self.classes)])


def world(classes: int, apart: float) -> World:
    """Classes of the shares 9 : 1 where there are two, else 1, 1/2, 1/3 and so on, whose images lie `apart` standard deviations from
    all others, and a model that knows both."""
    rng = np.random.default_rng(classes)
    shares = np.array([0.9, 0.1]) if classes == 2 else 1 / np.arange(1, classes + 1)
    shares = shares / shares.sum()
    truth = rng.choice(classes, POOL, p=shares)
    seen = rng.standard_normal((POOL, classes), dtype="float32")
    seen[np.arange(POOL), truth] += apart
    logs = apart * seen + np.log(shares).astype("float32")
    scores = np.exp(logs - logs.max(axis=1, keepdims=True))
    scores /= scores.sum(axis=1, keepdims=True)
    return World(truth, scores.argmax(axis=1), scores)


@dataclass(frozen=True)
class Setting:
    """Days of `images` images, of which `labels` are labelled. `how`: RANDOM, or which scores the strata rest on; LARGE: strata as of a day whose answers pass
    by."""

    name: str
    world: World
    images: int
    labels: int
    how: str = RANDOM

    def day(self, rng: np.random.Generator) -> tuple[StratumEvidence, ...]:
        rows = rng.integers(0, POOL, self.images)
        truth, answer = self.world.truth[rows], self.world.answer[rows]
        scores = None if self.how == "no scores" else self.world.scores[rows].astype(float)
        if scores is not None and self.how == "overconfident scores":
            scores = scores**2 / (scores**2).sum(axis=1, keepdims=True)
        if scores is not None and self.how == "misleading scores":  # those of other images with the same answer
            for place in range(self.world.classes):
                of_answer = np.flatnonzero(answer == place)
                scores[of_answer] = scores[rng.permutation(of_answer)]
        own = None if scores is None else scores[np.arange(self.images), answer]
        drawn = self._strata(answer, scores)
        found = []
        for place, name in enumerate(drawn.names):
            order = rng.permutation(np.flatnonzero(drawn.of_image == place))
            asked, rest = order[: drawn.asked[place]], order[drawn.asked[place] :]
            pairs = np.stack([truth[asked], answer[asked]], axis=1)
            cells, counts = np.unique(pairs, axis=0, return_counts=True)
            table = np.concatenate([cells, counts[:, None]], axis=1).reshape(-1, 3)
            found.append(StratumEvidence(name, len(order), table, _scores(own, truth == answer, asked, rest)))
        return with_masses(found)

    def _strata(self, answer: np.ndarray, scores: np.ndarray | None) -> Strata:
        if self.how == RANDOM:
            one = np.array([self.images])
            return Strata(("all",), np.zeros(self.images, dtype="int64"), one, np.array([self.labels]))
        if self.how == LARGE:
            strata = stratify_passing(
                lambda: iter([(answer, scores)]), [str(place) for place in range(self.world.classes)], self.labels
            )
            return Strata(strata.names, strata.of(answer, scores), strata.images, strata.asked)
        return stratify(answer, scores, [str(place) for place in range(self.world.classes)], self.labels)


def _scores(own: np.ndarray | None, right: np.ndarray, asked: np.ndarray, rest: np.ndarray) -> Scores:
    if own is None:
        return Scores()
    f, y, g = own[asked], right[asked].astype(float), own[rest]
    return Scores(len(f), y.sum(), f.sum(), (f**2).sum(), (f * y).sum(), len(g), g.sum(), (g**2).sum())


def simulated(setting: Setting, days: int) -> np.ndarray:
    """Value, low and high of the accuracy and of each class's recall, [days, 1 + classes, 3]; NaN without a label of the class."""
    found = np.full((days, 1 + setting.world.classes, 3), np.nan)
    for day in range(days):
        sample = setting.day(np.random.default_rng([setting.labels, day]))
        accuracy = stratified_agreement(sample, NOMINAL, "prediction_powered")
        found[day, 0] = accuracy.value, accuracy.low, accuracy.high
        found[day, 1:] = _plain_recalls(sample[0], setting) if setting.how == RANDOM else _recalls(sample, setting)
    return found


def _recalls(sample: tuple[StratumEvidence, ...], setting: Setting) -> np.ndarray:
    labels = WeightedLabels.of(sample)
    shares = [labels.of_class(place, "", NOMINAL).recall for place in range(setting.world.classes)]
    return np.array([[share.value, share.low, share.high] for share in shares], dtype=float)


def _plain_recalls(sample: StratumEvidence, setting: Setting) -> np.ndarray:
    """As a plain random sample has them: Wilson's interval of the counts."""
    label, answer, n = sample.cells.T
    of_class = np.bincount(label, n, setting.world.classes)
    hits = np.bincount(label, n * (label == answer), setting.world.classes)
    found = np.full((setting.world.classes, 3), np.nan)
    for place in np.flatnonzero(of_class):
        value = hits[place] / of_class[place]
        found[place] = value, *wilson(value, of_class[place], NOMINAL)
    return found


def rows_of(setting: Setting, found: np.ndarray, saved: dict[int, float]) -> list[dict[str, object]]:
    """One row for the accuracy and each class. A day without a label of the class has the width 1, and counts as `undefined`."""
    truth = np.concatenate([[setting.world.accuracy], setting.world.recall])
    inside = (found[:, :, 1] <= truth + 1e-12) & (truth - 1e-12 <= found[:, :, 2])
    known = ~np.isnan(found[:, :, 0])
    widths = np.where(known, found[:, :, 2] - found[:, :, 1], 1.0)
    rows = []
    for place, true in enumerate(truth):
        defined = known[:, place]
        rows.append(
            {
                "setting": setting.name,
                "sampling": setting.how,
                "labels": setting.labels,
                "of images": setting.images,
                "interval": "accuracy" if place == 0 else f"recall of class {place}",
                "truth": round(float(true), 4),
                "worst": place > 0 and place - 1 == int(setting.world.recall.argmin()),
                "covered": round(float(inside[defined, place].mean()), 4) if defined.any() else None,
                "bias": round(float(found[defined, place, 0].mean() - true), 4) if defined.any() else None,
                "width": round(float(widths[:, place].mean()), 4),
                "undefined": round(float(1 - defined.mean()), 4),
                "labels saved": saved.get(place),
            }
        )
    return rows


def mean_widths(found: np.ndarray) -> np.ndarray:
    return np.nan_to_num(found[:, :, 2] - found[:, :, 1], nan=1.0).mean(axis=0)


def saved_at(widths: np.ndarray, random: dict[float, np.ndarray]) -> dict[int, float]:
    """The share of labels saved at equal width of each interval: 1 less the labels over those that a random sample would need."""
    found = {}
    for place, width in enumerate(widths):
        curve = np.array([random[times][place] for times in TIMES])
        if (
            width > curve[0]
        ):  # none is saved: by how many more a random sample would have been as bad, as if widths went by their root
            found[place] = round(float(1 - (width / curve[0]) ** 2), 3)
            continue
        needed = np.interp(-width, -curve, TIMES)  # wider at fewer labels
        found[place] = round(float(1 - 1 / needed), 3)
    return found


def table(names: list[str]) -> pd.DataFrame:
    rows: list[dict[str, object]] = []
    for classes, apart, images, labels in ((2, 2.2, 2000, 100), (10, 2.6, 2000, 300), (100, 3.6, 10_000, 1000)):
        name = f"{classes} classes"
        if names and name.split()[0] not in names:
            continue
        of = world(classes, apart)
        random = {
            times: simulated(Setting(name, of, images, round(times * labels)), DAYS if times == 1 else FEWER)
            for times in TIMES
        }
        widths = {times: mean_widths(found) for times, found in random.items()}
        rows += rows_of(Setting(name, of, images, labels), random[1.0], {})
        for how in ("scores", LARGE, "overconfident scores", "misleading scores", "no scores")[
            : 2 if classes == 100 else 5
        ]:
            began = time.perf_counter()
            setting = Setting(name, of, images, labels, how)
            found = simulated(setting, DAYS)
            rows += rows_of(setting, found, saved_at(mean_widths(found), widths))
            print(f"{name}, {how}: {time.perf_counter() - began:.0f} s", flush=True)
    return pd.DataFrame(rows)


def mixtures() -> pd.DataFrame:
    """What other mixtures of an image's size would give (`driftwatch.labels.strata`), with 10 classes."""
    of, rows = world(10, 2.6), []
    for name, (same, accuracy, recall) in MIXTURES.items():
        for how in ("scores", "overconfident scores"):
            with patch.multiple(strata, _SAME=same, _OF_ACCURACY=accuracy, _OF_RECALL=recall):
                found = simulated(Setting(name, of, 2000, 300, how), MIXTURE_DAYS)
            widths, worst = mean_widths(found), 1 + int(of.recall.argmin())
            inside = (found[:, :, 1] <= [of.accuracy, *of.recall]) & ([of.accuracy, *of.recall] <= found[:, :, 2])
            numbers = {
                "accuracy width": widths[0],
                "worst recall width": widths[worst],
                "least covered": inside.mean(axis=0).min(),
            }
            rows.append(
                {"mixture": name, "scores": how, **{key: round(float(value), 4) for key, value in numbers.items()}}
            )
    return pd.DataFrame(rows)


def main(names: list[str]) -> None:
    if names in ([], ["mixtures"]):
        found = mixtures()
        found.to_csv(OUT / "sampling_mixtures.csv", index=False)
        print(found.to_string(), flush=True)
        if names:
            return
    found = table(names)
    found.to_csv(OUT / "sampling.csv", index=False)
    print(found[(found["interval"] == "accuracy") | found["worst"]].to_string())
    by = found[found["interval"] != "accuracy"].groupby(["setting", "sampling"], sort=False)
    print(by.agg({"covered": ["mean", "min", "max"], "width": ["mean", "max"], "labels saved": ["mean", "min", "max"]}))


if __name__ == "__main__":
    main(sys.argv[1:])

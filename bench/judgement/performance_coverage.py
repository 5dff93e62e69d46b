"""Does each interval that says 95 % hold the truth on 95 % of 2,000 simulated days?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from bench.judgement.performance_days import Crowd, Images, RealCrowd, labelled_day, photos, synthetic
from bench.judgement.performance_photos import Answers
from driftwatch.accuracy.label_errors import corrected
from driftwatch.accuracy.prediction_powered import agreement
from driftwatch.accuracy.without_labels import estimate
from driftwatch.artifacts.accuracy import Metrics
from driftwatch.artifacts.parts import Interval, Share
from driftwatch.models.metrics import measure, share

DAYS, NOMINAL, IMAGES = 2000, 0.95, 500
CLASSES = ("cat", "dog")
CROWDS = (
    Crowd("people err independently", 0.06),
    Crowd("people err alike", 0.06, alike=0.15),
    Crowd("people err alike, skills differ", 0.06, alike=0.15, skill=0.7),
    Crowd("weak people, err alike", 0.15, alike=0.3),
)
# Where the correction's assumption fails.
TOGETHER = Crowd("people and model err on the same images", 0.06, alike=0.15, with_model=True)


def of_shares(answers: Answers) -> pd.DataFrame:
    """One row for each interval, setting and number of labels: covered, bias and mean width over DAYS days."""
    rows = []
    for pool, about in _pools(answers):
        for n in (30, 100, 200):
            rows += _shares(pool, about, n)
        for n in (50, 100, 200):
            rows.append(_row("accuracy, prediction-powered", about, n, pool.accuracy, _sharp(pool, n)))
        for images in (100, 300, 1000):
            found = _by_scores(pool, images)
            rows.append(_row("accuracy by scores, no labels", f"{about}; holdout of 300", images, pool.accuracy, found))
    return pd.DataFrame(rows)


def of_correction(answers: Answers, n: int = 150, control: int = 150) -> pd.DataFrame:
    """The same of the accuracy corrected for wrong labels, and of the agreement with the labels where it is taken for the accuracy."""
    crowds: list[tuple[Images, str, Crowd | RealCrowd]] = [
        (pool, f"{about}; {crowd.name}", crowd) for pool, about in _pools(answers) for crowd in (*CROWDS, TOGETHER)
    ]
    real = photos(answers.truth, answers.scores["clean"])
    for name in ("d_possent", "duck_bluebirds"):
        people = RealCrowd(name)
        crowds.append((real, f"photos; real answers, {name} ({people.label_error(3):.0%} of labels wrong)", people))
    rows = []
    for pool, about, crowd in crowds:
        said = f"{about}; {control} control answers"
        rows.append(_row("accuracy, corrected", said, n, pool.accuracy, _corrected(pool, crowd, n, control)))
        rows.append(_row("agreement taken for accuracy", about, n, pool.accuracy, _measured_under(pool, crowd, n)))
    return pd.DataFrame(rows)


def _pools(answers: Answers) -> list[tuple[Images, str]]:
    good = synthetic(0.95, np.random.default_rng(5))
    return [(photos(answers.truth, answers.scores["clean"]), "photos"), (good, "synthetic 95 %")]


def _row(interval: str, setting: str, n: int, truth: float, found: np.ndarray) -> dict[str, object]:
    """`found`: value, low and high, [days, 3]; days without a number are left out and counted."""
    known = found[~np.isnan(found[:, 0])]
    inside = (known[:, 1] <= truth + 1e-12) & (truth - 1e-12 <= known[:, 2])
    return {
        "interval": interval,
        "setting": setting,
        "n": n,
        "covered": round(float(inside.mean()), 4),
        "bias": round(float(known[:, 0].mean() - truth), 4),
        "width": round(float((known[:, 2] - known[:, 1]).mean()), 4),
        "undefined": round(1 - len(known) / len(found), 4),
    }


def _days(make: Callable[[np.random.Generator], Interval], seed: int) -> np.ndarray:
    found = []
    for day in range(DAYS):
        result = make(np.random.default_rng([seed, day]))
        found.append([result.value, result.low, result.high])
    return np.array(found, dtype=float)


def _shares(pool: Images, about: str, n: int) -> list[dict[str, object]]:
    """Accuracy, precision, recall and F1, the last also by a percentile bootstrap."""
    truth = measure([CLASSES[i] for i in pool.truth], [CLASSES[i] for i in pool.predicted], CLASSES)
    names = [("accuracy", None, None)] + [(key, name, key) for name in CLASSES for key in ("precision", "recall", "f1")]
    found: dict[tuple, list] = {(name, of): [] for name, of, _ in names}
    boot: dict[str, list] = {name: [] for name in CLASSES}
    for day in range(DAYS):
        rng = np.random.default_rng([1, n, day])
        drawn = pool.draw(n, rng)
        result = measure([CLASSES[i] for i in drawn.truth], [CLASSES[i] for i in drawn.predicted], CLASSES)
        cells = np.bincount(drawn.truth * 2 + drawn.predicted, minlength=4)
        again = rng.multinomial(n, cells / n, 500).reshape(-1, 2, 2)
        for name, of, key in names:
            shown = _of(result, of, key)
            found[name, of].append([shown.value, shown.low, shown.high])
        for place, name in enumerate(CLASSES):
            hits = again[:, place, place]
            spread = 2 * hits / np.maximum(again[:, place].sum(axis=1) + again[:, :, place].sum(axis=1), 1)
            boot[name].append([result.classes[name].f1.value, *np.quantile(spread, [0.025, 0.975])])
    rows = []
    for name, of, key in names:
        true = _of(truth, of, key).value
        label = name if of is None else f"{name} of {of}"
        rows.append(_row(label, about, n, true, np.array(found[name, of], dtype=float)))
    for name in CLASSES:
        rows.append(
            _row(
                f"f1 of {name}, bootstrap",
                about,
                n,
                truth.classes[name].f1.value,
                np.array(boot[name], dtype=float),
            )
        )
    return rows


def _of(found: Metrics, name: str | None, key: str | None) -> Share:
    """A share of a class, or the accuracy."""
    return found.accuracy if name is None or key is None else getattr(found.classes[name], key)


def _sharp(pool: Images, n: int) -> np.ndarray:
    def day(rng: np.random.Generator) -> Interval:
        return agreement(labelled_day(pool.draw(IMAGES, rng), None, n, 0, rng), NOMINAL, "prediction_powered")

    return _days(day, 2)


def _corrected(pool: Images, crowd: Crowd | RealCrowd, n: int, control: int) -> np.ndarray:
    def day(rng: np.random.Generator) -> Interval:
        evidence = labelled_day(pool.draw(IMAGES, rng), crowd, n, control, rng)
        return corrected(evidence, evidence.votes, agreement(evidence, NOMINAL, "prediction_powered"), NOMINAL).accuracy

    return _days(day, 3)


def _measured_under(pool: Images, crowd: Crowd | RealCrowd, n: int) -> np.ndarray:
    def day(rng: np.random.Generator) -> Interval:
        evidence = labelled_day(pool.draw(IMAGES, rng), crowd, n, 0, rng)
        return share(evidence.right, evidence.labels, NOMINAL)

    return _days(day, 4)


def _by_scores(pool: Images, images: int) -> np.ndarray:
    """Value, low and high less the accuracy of the day's own images, which the interval is for, plus the pool's."""

    def day(rng: np.random.Generator) -> Interval:
        held, today = pool.draw(300, rng), pool.draw(images, rng)
        holdout = share(int((held.truth == held.predicted).sum()), 300, NOMINAL)
        value, low, high = estimate(today.score, holdout, float(held.score.mean()), NOMINAL).numbers
        moved = pool.accuracy - today.accuracy
        return Interval(value=value + moved, low=low + moved, high=high + moved)

    return _days(day, 5)

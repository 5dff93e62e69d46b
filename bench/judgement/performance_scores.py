"""What the scores alone are worth: the estimate without labels under damage, and the labels that they save; and the plots."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from bench.judgement.performance_days import Crowd, Images, RealCrowd, labelled_day, photos
from bench.judgement.performance_photos import CLEAN, Answers
from driftwatch.accuracy.prediction_powered import agreement
from driftwatch.accuracy.without_labels import estimate, predictions_moved
from driftwatch.artifacts.accuracy import ConfusionMatrix
from driftwatch.models.metrics import share, wilson

DAYS, IMAGES, HOLDOUT, STRATA = 200, 300, 300, 5


def without_labels(answers: Answers) -> pd.DataFrame:
    """CBPE on each damage: the true accuracy, the mean estimate, days whose interval holds that day's accuracy, and days warned of."""
    clean = photos(answers.truth, answers.scores[CLEAN])
    rows = []
    for damage, scores in answers.scores.items():
        pool = photos(answers.truth, scores)
        told, inside, warned = [], [], []
        for day in range(DAYS):
            rng = np.random.default_rng([7, day])
            held, today = clean.draw(HOLDOUT, rng), pool.draw(IMAGES, rng)
            matrix = np.zeros((2, 2), dtype=int)
            np.add.at(matrix, (held.truth, held.predicted), 1)
            holdout = share(int(np.trace(matrix)), HOLDOUT, 0.95)
            found = estimate(today.score, holdout, float(held.score.mean()), 0.95)
            usual = ConfusionMatrix(labels=("0", "1"), rows=tuple(map(tuple, matrix.tolist())))
            moved = predictions_moved([str(p) for p in today.predicted], usual)
            told.append(found.value)
            inside.append(found.low <= today.accuracy <= found.high)
            warned.append(moved is not None and moved.moved)
        rows.append(
            {
                "damage": damage,
                "accuracy": round(pool.accuracy, 3),
                "estimate": round(float(np.mean(told)), 3),
                "error": round(float(np.mean(told)) - pool.accuracy, 3),
                "covered": np.mean(inside),
                "warned": np.mean(warned),
                "second class answered": round(float(pool.predicted.mean()), 3),
            }
        )
    return pd.DataFrame(rows)


def label_saving(answers: Answers, days: int = 1000) -> pd.DataFrame:
    """Labels saved at equal interval width, with the coverage of the agreement: by PPI++ and by score strata with Neyman's allocation."""
    pool = photos(answers.truth, answers.scores[CLEAN])
    crowds = (None, Crowd("people err alike", 0.06, alike=0.15), RealCrowd("d_possent"))
    rows = []
    for crowd in crowds:
        for n, images in ((50, 500), (100, 500), (200, 2000)):
            found: dict[str, list] = {"labels": [], "prediction_powered": []}
            if crowd is None:
                found["score strata"] = []
            for day in range(days):
                rng = np.random.default_rng([8, n, day])
                today = pool.draw(images, rng)
                evidence = labelled_day(today, crowd, n, 0, rng)
                for kind in ("labels", "prediction_powered"):
                    a = agreement(evidence, 0.95, kind)
                    found[kind].append([a.value, a.low, a.high])
                if crowd is None:
                    found["score strata"].append(_stratified(today, n, rng))
            truth = pool.accuracy if crowd is None else float(np.mean([v[0] for v in found["labels"]]))
            plain = _width(found["labels"])
            for kind, intervals in found.items():
                table = np.array(intervals)
                inside = (table[:, 1] <= truth) & (truth <= table[:, 2])
                rows.append(
                    {
                        "labels by": crowd.name if crowd else "right labels",
                        "estimator": kind,
                        "n": n,
                        "images": images,
                        "covered": round(float(inside.mean()), 4),
                        "width": round(_width(intervals), 4),
                        "labels saved": round(1 - (_width(intervals) / plain) ** 2, 3),
                        "variance saved": round(1 - table[:, 0].var() / np.array(found["labels"])[:, 0].var(), 3),
                    }
                )
    return pd.DataFrame(rows)


def _width(intervals: list) -> float:
    table = np.array(intervals)
    return float((table[:, 2] - table[:, 1]).mean())


def _stratified(today: Images, n: int, rng: np.random.Generator) -> list[float]:
    """The stratified estimate with right labels: STRATA strata of the score, more labels where the score is less sure."""
    stratum = np.digitize(today.score, np.quantile(today.score, np.linspace(0, 1, STRATA + 1)[1:-1]))
    share = np.array([(stratum == h).mean() for h in range(STRATA)])
    spread = np.array([np.sqrt((today.score * (1 - today.score))[stratum == h].mean()) for h in range(STRATA)])
    drawn = np.maximum(3, np.round(n * share * spread / (share * spread).sum())).astype(int)
    value = variance = 0.0
    for h in range(STRATA):
        places = rng.permutation(np.flatnonzero(stratum == h))[: drawn[h]]
        right = (today.truth == today.predicted)[places]
        p = (right.sum() + 0.5) / (len(places) + 1)
        value += share[h] * right.mean()
        variance += share[h] ** 2 * p * (1 - p) / (len(places) - 1)
    low, high = wilson(value, value * (1 - value) / variance, 0.95) if 0 < value < 1 else (value, value)
    return [value, low, high]


def plot(folder: Path) -> None:
    """SVG pictures of the tables that are there."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "driftwatch"
    import matplotlib.pyplot as plt

    scores = folder / "performance_without_labels.csv"
    if scores.exists():
        table = pd.read_csv(scores)
        figure, axes = plt.subplots(figsize=(6, 5))
        for warned, colour in ((False, "#3b6fd1"), (True, "#c0392b")):
            part = table[(table["warned"] > 0.5) == warned]
            label = "warned of on most days" if warned else "not warned of"
            axes.scatter(part["accuracy"], part["estimate"], c=colour, label=label)
        for row in table.nlargest(7, "error").itertuples():
            axes.annotate(
                row.damage, (row.accuracy, row.estimate), fontsize=8, xytext=(4, 4), textcoords="offset points"
            )
        axes.plot([0.5, 0.9], [0.5, 0.9], c="grey", lw=1)
        axes.set(
            xlabel="true accuracy",
            ylabel="estimate from scores",
            title="The estimate without labels, on damaged photos",
        )
        axes.legend(loc="lower right")
        figure.tight_layout()
        figure.savefig(folder / "performance_without_labels.svg", metadata={"Date": None})
        plt.close(figure)
    coverage = [pd.read_csv(path) for path in sorted(folder.glob("performance_coverage*.csv"))]
    if coverage:
        table = pd.concat(coverage, ignore_index=True)
        names = [f"{row.interval}; {row.setting}; n {row.n}" for row in table.itertuples()]
        figure, axes = plt.subplots(figsize=(10, 0.17 * len(table) + 1))
        axes.scatter(table["covered"], range(len(table)), s=12, c="#3b6fd1")
        axes.axvspan(0.94, 0.97, color="#cfe3cf")
        axes.set_yticks(range(len(table)), names, fontsize=5)
        axes.set(
            xlim=(min(0.85, table["covered"].min() - 0.01), 1), xlabel="covered, of 2,000 days", ylim=(len(table), -1)
        )
        figure.tight_layout()
        figure.savefig(folder / "performance_coverage.svg", metadata={"Date": None})
        plt.close(figure)

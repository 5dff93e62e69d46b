"""Simulated days: images with the model's real scores, and the answers of simulated or real people to a random sample of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bench.judgement.performance_photos import SHARED
from driftwatch.accuracy.evidence import Evidence, Scores, Votes


@dataclass(frozen=True)
class Images:
    """What days are drawn from, with replacement: the true class (0 or 1), the predicted one, and the score of that."""

    truth: np.ndarray
    predicted: np.ndarray
    score: np.ndarray

    @property
    def accuracy(self) -> float:
        return float((self.truth == self.predicted).mean())

    def draw(self, n: int, rng: np.random.Generator) -> Images:
        chosen = rng.integers(0, len(self.truth), n)
        return Images(self.truth[chosen], self.predicted[chosen], self.score[chosen])


def photos(truth: np.ndarray, scores: np.ndarray) -> Images:
    return Images(truth, scores.argmax(axis=1), scores.max(axis=1))


def synthetic(accuracy: float, rng: np.random.Generator, n: int = 100_000) -> Images:
    """Two classes in equal shares, with calibrated scores whose mean is `accuracy`, spread as those of a good model."""
    score = 0.5 + 0.5 * rng.beta(4 * (2 * accuracy - 1), 8 * (1 - accuracy), n)
    truth = rng.integers(0, 2, n)
    return Images(truth, np.where(rng.random(n) < score, truth, 1 - truth), score)


@dataclass(frozen=True)
class Crowd:
    """People: `wrong` is the chance of a wrong vote, `alike` the correlation of errors on an image, `skill` the variation of annotators
    (standard deviation over mean of their own chances). `with_model`: whether the hard images are those that the model gets wrong, too."""

    name: str
    wrong: float
    alike: float = 0.0
    skill: float = 0.0
    with_model: bool = False
    workers: int = 15

    def votes(self, images: Images, overlap: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Whether each vote is wrong, [n, overlap], and whose it is, [n, overlap]."""
        n = len(images.truth)
        if self.alike:
            chance = rng.beta(
                self.wrong * (1 - self.alike) / self.alike, (1 - self.wrong) * (1 - self.alike) / self.alike, n
            )
        else:
            chance = np.full(n, self.wrong)
        if self.with_model:  # the hardest images go where the model is wrong, as far as there are such
            order = np.argsort((images.truth == images.predicted) + rng.random(n) * 0.5)
            chance[order] = np.sort(chance)[::-1]
        who = np.argsort(rng.random((n, self.workers)), axis=1)[:, :overlap]
        factor = rng.gamma(1 / self.skill**2, self.skill**2, self.workers) if self.skill else np.ones(self.workers)
        return rng.random((n, overlap)) < np.minimum(chance[:, None] * factor[who], 0.95), who


class RealCrowd:
    """Answers of real people (../shared/crowd), by task with its true class: an image gets answers to a random task of its class."""

    def __init__(self, name: str) -> None:
        answers = pd.read_csv(SHARED / "crowd" / name / "labels.csv")
        gold = pd.read_csv(SHARED / "crowd" / name / "gold.csv").set_index("task")["label"]
        answers = answers[answers["task"].isin(gold.index)]
        self.name = name
        codes = {worker: code for code, worker in enumerate(answers["worker"].unique())}
        self._tasks = [
            (gold[task], (rows["label"] != gold[task]).to_numpy(), rows["worker"].map(codes).to_numpy())
            for task, rows in answers.groupby("task")
        ]
        self._of_class = [[task for task in self._tasks if task[0] == truth] for truth in (0, 1)]

    def label_error(self, overlap: int) -> float:
        """The true error of the majority of `overlap` of the answers, classes weighing alike."""
        rng = np.random.default_rng(0)
        rates: dict[int, list[float]] = {0: [], 1: []}
        for truth, wrong, _ in self._tasks:
            drawn = rng.hypergeometric(wrong.sum(), len(wrong) - wrong.sum(), overlap, 400)
            rates[truth].append(float((2 * drawn > overlap).mean()))
        return float(np.mean([np.mean(rates[0]), np.mean(rates[1])]))

    def votes(self, images: Images, overlap: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        wrong = np.zeros((len(images.truth), overlap), dtype=bool)
        who = np.zeros((len(images.truth), overlap), dtype=int)
        for index, truth in enumerate(images.truth):
            _, bad, workers = self._of_class[truth][int(rng.integers(len(self._of_class[truth])))]
            chosen = rng.permutation(len(bad))[:overlap]
            wrong[index], who[index] = bad[chosen], workers[chosen]
        return wrong, who


def labelled_day(
    images: Images, crowd: Crowd | RealCrowd | None, n: int, control: int, rng: np.random.Generator, overlap: int = 3
) -> Evidence:
    """The evidence of a day of `images`, of which the first `n` are the random sample; without a crowd every label is right.

    `control` answers are given to control tasks of both classes, each image to two people.
    """
    sample = Images(images.truth[:n], images.predicted[:n], images.score[:n])
    right, missed = np.zeros(2, dtype="int64"), np.zeros(2, dtype="int64")
    annotators = squares = cross = wrongs = disagreement = disagreement_squares = 0.0
    labels = sample.truth
    if crowd is not None:
        wrong, _ = crowd.votes(sample, overlap, rng)
        bad = wrong.sum(axis=1)
        labels = np.where(2 * bad > overlap, 1 - sample.truth, sample.truth)
        apart = 2 * bad * (overlap - bad) / (overlap * (overlap - 1))
        disagreement, disagreement_squares = float(apart.sum()), float((apart**2).sum())
        known = images.draw(control // 2, rng)
        wrong, who = crowd.votes(known, 2, rng)
        for of_class in (0, 1):
            answers = wrong[known.truth == of_class]
            right[of_class], missed[of_class] = int((~answers).sum()), int(answers.sum())
        size = np.bincount(who.ravel()).astype(float)
        own = np.bincount(who.ravel(), weights=wrong.ravel(), minlength=len(size))
        annotators, squares, cross, wrongs = (
            float((size > 0).sum()),
            float((size**2).sum()),
            float((size * own).sum()),
            float((own**2).sum()),
        )
    confusion = np.zeros((2, 2), dtype="int64")
    np.add.at(confusion, (labels, sample.predicted), 1)
    agree = (labels == sample.predicted).astype(float)
    f, rest = sample.score, images.score[n:]
    scores = Scores(n, agree.sum(), f.sum(), (f**2).sum(), (f * agree).sum(), len(rest), rest.sum(), (rest**2).sum())
    votes = Votes(
        right,
        missed,
        4.0 * (control // 2),
        annotators,
        squares,
        cross,
        wrongs,
        n if crowd else 0,
        disagreement,
        disagreement_squares,
        {overlap: n},
    )
    return Evidence(confusion, scores, votes)

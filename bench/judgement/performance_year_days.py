"""Simulated years of a model that stays as good as it is, as what their days say: agreement, effective labels, and what wrong labels do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bench.judgement.performance_year_rivals import plain
from driftwatch.accuracy.evidence import Evidence, Votes
from driftwatch.accuracy.prediction_powered import agreement
from driftwatch.accuracy.scores import Scores
from driftwatch.accuracy.sequential import Looks

# Of a single vote; three votes make a label. Control answers a day are as many as a third of the labels.
WRONG = 0.1
WEEK = 7
# What days say, and the standard deviation of each by what is not known of label errors.
Days = tuple[Looks, np.ndarray]
DayMaker = Callable[["Scenario", int, int, np.random.Generator], Days]


@dataclass(frozen=True)
class Scenario:
    """Years that are alike. `images`: of the holdout; `above`: how far the accuracy is above the
    floor, None where that is asked nothing; `make`: how the days come about."""

    name: str
    labels: int
    images: int
    accuracy: float
    make: DayMaker
    above: float | None = None

    def days(self, years: int, days: int, rng: np.random.Generator) -> Days:
        return self.make(self, years, days, rng)


def right_labels(of: Scenario, years: int, days: int, rng: np.random.Generator) -> Days:
    shares = rng.binomial(of.labels, of.accuracy, (years, days)) / of.labels
    return plain(shares, of.labels), np.zeros_like(shares)


def of_two_classes(of: Scenario, years: int, days: int, rng: np.random.Generator) -> Days:
    return _of_people(of, years, days, rng, 1.0)


def of_a_hundred_classes(of: Scenario, years: int, days: int, rng: np.random.Generator) -> Days:
    return _of_people(of, years, days, rng, 0.0)


def _of_people(of: Scenario, years: int, days: int, rng: np.random.Generator, alike: float) -> Days:
    """Labels of three votes, corrected by the control answers of a week. `alike`: how often a wrong label names a wrong answer's class."""
    control = max(of.labels // 3, 10)
    error = _majority(np.array(WRONG))
    agreeing = of.accuracy * (1 - error) + (1 - of.accuracy) * error * alike
    answers = rng.binomial(control, WRONG, (years, days + WEEK - 1))
    week = np.lib.stride_tricks.sliding_window_view(answers, WEEK, axis=1).sum(axis=2)
    said = (week + 0.5) / (WEEK * control + 1)
    missed = _majority(said)
    matched = missed * alike
    agreement = rng.binomial(of.labels, agreeing, (years, days)) / of.labels
    vote = np.sqrt(said * (1 - said) / (WEEK * control))
    accuracy = np.clip((agreement - matched) / (1 - missed - matched), 0, 1)
    slope = np.abs(accuracy - alike * (1 - accuracy)) / (1 - missed - matched)
    shared = slope * 6 * said * (1 - said) * vote
    every = np.ones_like(agreement)
    return Looks(agreement, every * of.labels, missed, matched), shared


def _majority(vote: np.ndarray) -> np.ndarray:
    """The chance that two of three votes or more are wrong."""
    found: np.ndarray = 3 * vote**2 - 2 * vote**3
    return found


def with_scores(of: Scenario, years: int, days: int, rng: np.random.Generator) -> Days:
    """Right labels, sharpened by calibrated scores of 400 other images a day, by the product's own estimator."""
    votes = Votes(np.zeros(2), np.zeros(2), 0, 0, 0, 0, 0, 0, 0, 0, {})
    shares, labels = np.empty((years, days)), np.empty((years, days))
    for year in range(years):
        score = 0.5 + 0.5 * rng.beta(4 * (2 * of.accuracy - 1), 8 * (1 - of.accuracy), (days, of.labels + 400))
        own, rest = score[:, : of.labels], score[:, of.labels :]
        right = rng.random(own.shape) < own
        sums = np.stack(
            [right.sum(1), own.sum(1), (own**2).sum(1), (own * right).sum(1), rest.sum(1), (rest**2).sum(1)], axis=1
        )
        for day, (agree, total, squares, together, rest_sum, rest_squares) in enumerate(sums.tolist()):
            confusion = np.array([[int(agree), of.labels - int(agree)], [0, 0]])
            found = Scores(of.labels, agree, total, squares, together, 400, rest_sum, rest_squares)
            said = agreement(Evidence(confusion, found, votes), 0.95, "prediction_powered")
            shares[year, day], labels[year, day] = said.value, said.effective_n
    return plain(shares, 1)._replace(labels=labels), np.zeros_like(shares)


SCENARIOS = (
    *(Scenario("right", labels, 600, 0.95, right_labels, above=0.05) for labels in (30, 100, 200)),
    *(Scenario("of people, two classes", labels, 600, 0.95, of_two_classes) for labels in (30, 100, 200)),
    *(Scenario("of people, a hundred classes", labels, 600, 0.95, of_a_hundred_classes) for labels in (30, 100, 200)),
    Scenario("of people, two classes", 100, 600, 0.95, of_two_classes, above=0.02),
    *(Scenario("right", 100, images, 0.95, right_labels) for images in (100, 300, 1000)),
    Scenario("right", 5, 600, 0.95, right_labels),
    Scenario("right", 30, 100, 0.8, right_labels),
    Scenario("right", 200, 1000, 0.8, right_labels),
    Scenario("right", 30, 300, 0.99, right_labels),
    Scenario("right, with scores", 100, 600, 0.95, with_scores),
)

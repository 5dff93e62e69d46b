"""How often people answer wrongly, how alike they err on an image, and whether two wrong answers name the same class.

With p_i the chance of a wrong vote on image i, and k the chance that two wrong votes on an image name one class:

- control tasks tell E[p], class by class where the classes differ, else pooled (a beta-binomial hierarchy);
- how often two votes disagree tells E[p^2], as disagreement = 2 E[p] - (1 + k) E[p^2];
- how concentrated the confused pairs of classes are (cat and lynx), control images with two wrong answers, and images with three or
  more different answers tell k. Where k = 1 there are no images of the last kind.

With two classes k is 1. With many classes it may be as low as one over the number of wrong classes, and wrong majorities are then as
rare. Beta distributed chances and wrong classes by a symmetric Polya urn have these moments (see `driftwatch.accuracy.consensus_error`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import betaln, softmax
from scipy.stats import t

from driftwatch.accuracy.consensus_error import TINY, different_answers, numbers_wrong

if TYPE_CHECKING:
    from driftwatch.accuracy.evidence import Spread, Votes

# What is believed of a vote before the first control answer: as if .4 of 4 answers had been wrong.
_PRIOR_WRONG, _PRIOR_RIGHT = 0.4, 3.6
# How much classes differ, from much to hardly at all: how many answers the pooled chance is worth in each class.
_STRENGTHS = np.array([2.0, 6.0, 20.0, 60.0, 200.0])
# A class is as hard as its votes disagree; this many images of the usual disagreement are added to its own.
_USUAL_IMAGES = 10.0
# Concentration of the confused pairs, and what an image adds to it, before any evidence (beta distributions).
_PRIOR_PAIRS, _PRIOR_IMAGE = (0.08, 0.4), (0.05, 2.0)
# The share of draws that must say that votes disagree more than control tasks explain.
_HARDER = 0.975
_LEAST_CORRELATION = -0.2


@dataclass(frozen=True)
class People:
    """Draws: `wrong` [draws, classes], the chance of a wrong vote; `correlation` [draws], of errors on an image; `alike` [draws],
    the chance that two wrong votes on an image name one class."""

    wrong: np.ndarray
    correlation: np.ndarray
    alike: np.ndarray


def vote_errors(votes: Votes, draws: int, rng: np.random.Generator, shares: np.ndarray) -> People:
    """What the votes say of the people who gave them.

    `shares` [classes]: each class' share of the labels. Correlations may be a little below zero, as an estimate of zero may be. Where
    votes disagree more than the control tasks explain, the day's images are harder than the control tasks, and the chance is raised to
    what the disagreement shows.
    """
    alike = _alike(votes.spread, len(shares), draws, rng)
    wrong = _wrong(votes, float(np.median(alike)), draws, rng)
    if votes.pairs < 2:
        return People(wrong, np.zeros(draws), alike)
    mean = votes.disagreement / votes.pairs
    variance = max(votes.disagreement_squares / votes.pairs - mean**2, mean * (1 - mean) / votes.pairs, TINY)
    drawn = rng.normal(mean, np.sqrt(variance / votes.pairs), draws)
    disagree = np.clip(drawn, 0, 1 / (1 + alike) - TINY)
    independent = 2 * wrong @ shares - (1 + alike) * (wrong**2 @ shares)
    if (independent < disagree).mean() > _HARDER:
        least = (1 - np.sqrt(1 - (1 + alike) * disagree)) / (1 + alike)
        wrong = np.maximum(wrong, least[:, None])
        independent = 2 * wrong @ shares - (1 + alike) * (wrong**2 @ shares)
    scale = (1 + alike) * ((wrong * (1 - wrong)) @ shares)
    correlation = np.clip((independent - disagree) / np.maximum(scale, TINY), _LEAST_CORRELATION, 1 - TINY)
    return _by_different_answers(People(wrong, correlation, alike), votes.spread, rng, shares)


def _alike(spread: Spread | None, classes: int, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Draws of k by the confused pairs of classes: at least their concentration, and a little more, as images differ in which class they
    are taken for."""
    wrongs = classes - 1
    if wrongs == 1:
        return np.ones(draws)
    same = pairs = events = 0.0
    if spread is not None:
        by_class = spread.confused.sum(axis=1)
        events = float(by_class.sum())
        pairs = float((by_class * (by_class - 1.0)).sum())
        same = float((spread.confused * (spread.confused - 1.0)).sum())
    # On a scale from 0 (even) to 1 (a single class). `worth`: as many independent pairs as the statistic is worth.
    above = np.clip((same / pairs - 1 / wrongs) / (1 - 1 / wrongs), 0, 1) if pairs else 0.0
    worth = min(pairs, events) / 2
    of_pairs = rng.beta(_PRIOR_PAIRS[0] + above * worth, _PRIOR_PAIRS[1] + (1 - above) * worth, draws)
    of_image = rng.beta(*_PRIOR_IMAGE, draws)
    return 1 / wrongs + (1 - 1 / wrongs) * (of_pairs + (1 - of_pairs) * of_image)


def _wrong(votes: Votes, alike: float, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Draws of the chance of a wrong vote [draws, classes]. Classes are shrunk towards their mean as far as they are alike."""
    effect = _design_effect(votes, alike)
    bad, good = votes.control_wrong / effect, votes.control_right / effect
    answers = bad + good
    harder = _harder(votes)
    exposed = float(answers @ harder)
    usual = (bad.sum() + _PRIOR_WRONG) / (exposed + _PRIOR_WRONG + _PRIOR_RIGHT)
    expected = np.clip(usual * harder, TINY, 0.95)
    strength = _STRENGTHS[:, None]
    fit = betaln(strength * expected + bad, strength * (1 - expected) + good) - betaln(
        strength * expected, strength * (1 - expected)
    )
    drawn = rng.choice(_STRENGTHS, draws, p=softmax(fit.sum(axis=1)))
    # This share of the answers tells of the pooled chance; the rest is the difference between classes.
    told = drawn / (drawn + answers.mean())
    pooled = rng.beta(_PRIOR_WRONG + told * bad.sum(), _PRIOR_RIGHT + told * max(exposed - bad.sum(), 0.0))
    centre = np.clip(pooled[:, None] * harder, TINY, 0.95)
    return rng.beta(drawn[:, None] * centre + bad, drawn[:, None] * (1 - centre) + good)


def _harder(votes: Votes) -> np.ndarray:
    """By how much votes disagree more on images of each class than on all, 1 where nothing tells."""
    spread, classes = votes.spread, len(votes.control_right)
    if spread is None or spread.class_images.sum() == 0 or spread.class_apart.sum() == 0:
        return np.ones(classes)
    usual = spread.class_apart.sum() / spread.class_images.sum()
    return (spread.class_apart + _USUAL_IMAGES * usual) / (spread.class_images + _USUAL_IMAGES) / usual


def _design_effect(votes: Votes, alike: float) -> float:
    """By which factor control answers say less than as many independent ones, at least 1: annotators differ in skill, and people who
    answer the same control image err alike."""
    n = float(votes.control_right.sum() + votes.control_wrong.sum())
    wrong = float(votes.control_wrong.sum())
    if wrong in (0, n):
        return 1.0
    share = wrong / n
    apart = votes.disagreement / votes.pairs if votes.pairs else 0.0
    correlation = (2 * share - (1 + alike) * share**2 - apart) / ((1 + alike) * share * (1 - share))
    same_image = 1 + (votes.control_squares / n - 1) * min(max(correlation, 0.0), 1.0)
    if votes.annotators < 2:
        return same_image
    squares = votes.annotator_wrong - 2 * share * votes.annotator_cross + share**2 * votes.annotator_squares
    variance = squares * votes.annotators / (votes.annotators - 1) / n**2
    # Few annotators say little about how much they differ: Student's t in place of the normal.
    wider = (t.ppf(0.975, votes.annotators - 1) / t.ppf(0.975, np.inf)) ** 2
    return same_image * float(np.clip(wider * variance / (share * (1 - share) / n), 1, 10))


def _by_different_answers(
    people: People, spread: Spread | None, rng: np.random.Generator, shares: np.ndarray
) -> People:
    """The draws, drawn again by how well each explains the images with three or more different answers and the control images with
    two wrong ones (importance resampling). With two classes there are no such images, and nothing is learnt."""
    classes = people.wrong.shape[1]
    if spread is None or classes == 2:
        return people
    fit = spread.both_alike * np.log(people.alike)
    fit += (spread.both_wrong - spread.both_alike) * np.log(np.maximum(1 - people.alike, TINY))
    # Over all classes together: their differences are a part of the differences between images.
    mean = np.clip(people.wrong @ shares, TINY, 1 - TINY)
    square = (people.wrong**2 + people.correlation[:, None] * people.wrong * (1 - people.wrong)) @ shares
    correlation = np.clip((square / mean - mean) / (1 - mean), _LEAST_CORRELATION, 1 - TINY)
    for size, images in spread.apart.items():
        three = spread.three.get(size, 0)
        numbers = [chance[:, 0] for chance in numbers_wrong(mean[:, None], correlation, size)]
        disagreeing, different = different_answers(numbers, people.alike, size, classes - 1)
        share = np.clip(different / np.maximum(disagreeing, TINY), TINY, 1 - TINY)
        fit += three * np.log(share) + (images - three) * np.log(1 - share)
    again = rng.choice(len(fit), len(fit), p=softmax(fit))
    return People(people.wrong[again], people.correlation[again], people.alike[again])

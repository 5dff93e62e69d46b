"""How often the merged label is wrong, and the accuracy corrected for it.

Control tasks tell how often a single vote is wrong, w. How often two votes on an image disagree, d, tells how much people err on
the same images: with p_i the chance of a wrong vote on image i, E[p] = w and E[2 p (1 - p)] = d. A beta distribution with
these moments gives the error of a majority of any size. On real crowds (d_possent, duck_bluebirds) it says .236 and .320 for
three votes, where .235 and .315 are true, and independent votes would give .233 and .302.
"""

from __future__ import annotations

from math import comb
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import t

from driftwatch.performance.metrics import interval_of

if TYPE_CHECKING:
    from driftwatch.performance.evidence import Evidence, Votes

DRAWS = 4000
# What is believed of a vote before the first control answer: as if a tenth of two answers had been wrong.
_PRIOR_WRONG, _PRIOR_RIGHT = 0.2, 1.8
# A majority that is wrong this often, or one that is nearly so, says nothing about the model.
_MOST_ERROR = 0.45
# The share of draws that must say that votes disagree more than control tasks explain.
_HARDER = 0.975
_LEAST_CORRELATION = -0.2
_SEED = 20
# Correlations and class shares at which the formulas would divide by zero are kept this far away.
_TINY = 1e-6


def vote_errors(
    votes: Votes, draws: int, rng: np.random.Generator, shares: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Draws of the chance that a single vote is wrong, [draws, classes], and of the correlation of errors on an image, [draws].

    `shares` [classes]: of the labels. Draws may be a little below zero correlation, as estimates of none are. Where votes disagree
    more than the control tasks explain, the day's images are harder than those, and the chance is raised to what the
    disagreement shows.
    """
    effect = _design_effect(votes)
    wrong = rng.beta(
        _PRIOR_WRONG + votes.control_wrong / effect,
        _PRIOR_RIGHT + votes.control_right / effect,
        size=(draws, len(shares)),
    )
    if votes.pairs < 2:
        return wrong, np.zeros(draws)
    mean = votes.disagreement / votes.pairs
    variance = max(votes.disagreement_squares / votes.pairs - mean**2, mean * (1 - mean) / votes.pairs, _TINY)
    disagree = np.clip(rng.normal(mean, np.sqrt(variance / votes.pairs), draws), 0, 0.5 - _TINY)
    independent = 2 * (wrong * (1 - wrong)) @ shares
    if (independent < disagree).mean() > _HARDER:
        wrong = np.maximum(wrong, ((1 - np.sqrt(1 - 2 * disagree)) / 2)[:, None])
        independent = 2 * (wrong * (1 - wrong)) @ shares
    return wrong, np.clip(1 - disagree / np.maximum(independent, _TINY), _LEAST_CORRELATION, 1 - _TINY)


def _design_effect(votes: Votes) -> float:
    """By how much control answers are less telling than as many independent ones, at least 1: annotators differ in skill, and people
    who answer the same control image err alike."""
    n = float(votes.control_right.sum() + votes.control_wrong.sum())
    wrong = float(votes.control_wrong.sum())
    if wrong in (0, n):
        return 1.0
    share = wrong / n
    apart = votes.disagreement / votes.pairs if votes.pairs else 0.0
    alike = min(max(1 - apart / (2 * share * (1 - share)), 0.0), 1.0)
    same_image = 1 + (votes.control_squares / n - 1) * alike
    if votes.annotators < 2:
        return same_image
    squares = votes.annotator_wrong - 2 * share * votes.annotator_cross + share**2 * votes.annotator_squares
    variance = squares * votes.annotators / (votes.annotators - 1) / n**2
    # Few annotators say little about how much they differ: Student's t in place of the normal.
    wider = (t.ppf(0.975, votes.annotators - 1) / t.ppf(0.975, np.inf)) ** 2
    return same_image * float(np.clip(wider * variance / (share * (1 - share) / n), 1, 10))


def majority_error(wrong: np.ndarray, correlation: np.ndarray, size: int, ties: bool) -> np.ndarray:
    """The chance that the majority of `size` votes is wrong, beta-binomial, [draws, classes].

    `ties`: whether a tied vote has a label too, by lot; else it has none and does not count. Several wrong classes are taken for one, as
    people who err on an image mostly err alike.
    """
    odds = (correlation / (1 - correlation))[:, None]
    chance = []
    for k in range(size + 1):
        parts = np.full(wrong.shape, float(comb(size, k)))
        for i in range(k):
            parts = parts * np.maximum(wrong + i * odds, 0)
        for i in range(size - k):
            parts = parts * (1 - wrong + i * odds)
        for i in range(size):
            parts = parts / (1 + i * odds)
        chance.append(parts)
    bad = sum(chance[k] for k in range(size + 1) if 2 * k > size)
    tied = chance[size // 2] if size % 2 == 0 else np.zeros(wrong.shape)
    return bad + tied / 2 if ties else bad / np.maximum(1 - tied, _TINY)


def corrected(
    evidence: Evidence,
    votes: Votes,
    agreement: dict[str, Any],
    confidence: float,
    ties: bool = False,
    merged_by: str = "majority",
) -> dict[str, Any]:
    """Accuracy corrected for wrong labels, as a share with `effective_n`, and `label_error`, a share: how many labels are wrong.

    `agreement`: the model's agreement with the labels, a share with `effective_n`. `votes`: `evidence`'s, or those of more days.
    With e the chance that the label of an image that the model has right is wrong, and f that a wrong answer of the model has a label as
    wrong, agreement = a (1 - e) + (1 - a) f (Rogan and Gladen, 1978, with an error for each class). The interval holds the
    sampling error of the agreement, of the control tasks and of the disagreement, by DRAWS draws. It supposes that people
    and model do not err on the same images of a class more than by chance; where they do, the corrected value is too high.
    Null with a reason where there is nothing to correct by; also where labels are merged otherwise than by majority: their errors are
    fewer than a majority's, and a correction by those would flatter the model.
    """
    none = {"value": None, "low": None, "high": None, "n": agreement["n"], "effective_n": None}
    if agreement["value"] is None:
        return {**none, "reason": agreement["reason"], "label_error": None}
    if merged_by != "majority":
        reason = f"how often labels merged by {merged_by} are wrong is not estimated, only those of a majority vote"
        return {**none, "reason": reason, "label_error": None}
    if not (votes.control_right.sum() + votes.control_wrong.sum()):
        reason = "no control task was answered, so nothing tells how often labels are wrong"
        return {**none, "reason": reason, "label_error": None}
    rng = np.random.default_rng(_SEED)
    by_label = evidence.confusion.sum(axis=1)
    wrong, correlation = vote_errors(votes, DRAWS, rng, by_label / by_label.sum())
    total = sum(evidence.votes.sizes.values())
    errors = sum(
        majority_error(wrong, correlation, size, ties) * (n / total)
        for size, n in evidence.votes.sizes.items()
        if size > 0
    )
    right, missed = np.diag(evidence.confusion), by_label - np.diag(evidence.confusion)
    e = errors @ _shares(right)
    f = errors @ _shares(missed) / (len(right) - 1)
    error = interval_of(errors @ (by_label / by_label.sum()), confidence)
    if error["value"] > _MOST_ERROR:
        reason = f"about {100 * error['value']:.0f} % of the labels are wrong: they say nothing about the model"
        return {**none, "reason": reason, "label_error": error}
    n = agreement["effective_n"]
    agreed = rng.beta(agreement["value"] * n + 0.5, (1 - agreement["value"]) * n + 0.5, DRAWS)
    found = np.clip((agreed - f) / np.maximum(1 - e - f, 1 - 2 * _MOST_ERROR), 0, 1)
    share = interval_of(found, confidence)
    # As many labels as have Wilson's upper end there, the side on which a drop is judged: the correction is skewed, and most uncertain
    # upwards. At 1 it is none: such a day proves no drop.
    z, high, above = t.ppf((1 + confidence) / 2, np.inf), share["high"], share["high"] - share["value"]
    effective = min(float(z**2 * high * (1 - high) / max(above, _TINY) ** 2), n)
    return {**share, "n": agreement["n"], "effective_n": effective, "label_error": error}


def _shares(counts: np.ndarray) -> np.ndarray:
    return (counts + 0.5) / (counts + 0.5).sum()

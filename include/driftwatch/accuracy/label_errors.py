"""How often the merged label is wrong, and the accuracy corrected for it.

Votes and control tasks tell what single people do (`driftwatch.accuracy.wrong_votes`). What a majority of them does follows from that,
for any number of votes and classes (`driftwatch.accuracy.consensus_error`). For the majority of three votes of two real crowds
(d_possent, duck_bluebirds) it says that .236 and .320 of the labels are wrong; .235 and .315 are. Independent votes would give .233 and .302.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.stats import t

from driftwatch.accuracy.consensus_error import TINY, majority_error
from driftwatch.accuracy.evidence import pool
from driftwatch.accuracy.wrong_votes import vote_errors
from driftwatch.artifacts.parts import Interval, WeightedShare
from driftwatch.models.metrics import interval_of

if TYPE_CHECKING:
    from driftwatch.accuracy.evidence import Evidence, Votes

DRAWS = 4000
# Labels that are wrong more often than this, where the model is right and where it is wrong, say nothing about it.
_MOST_ERROR = 0.45
_SEED = 20


class Mistaken(NamedTuple):
    """What wrong labels do to the agreement: agreement = a (1 - missed) + (1 - a) matched, a being the accuracy.

    `missed`: the chance that the label of an image that the model has right is wrong; `matched`: that a wrong answer of the model has a
    label as wrong. `shared`: the standard deviation of the accuracy by what is not known of these two, which is the same for all days
    that are corrected by the same votes.
    """

    missed: float
    matched: float
    shared: float


class Corrected(NamedTuple):
    """The accuracy without the labels' own errors, the share of labels that are wrong, None where nothing tells it, and what these do; the
    last is None where the accuracy is undefined."""

    accuracy: WeightedShare
    label_error: Interval | None
    mistaken: Mistaken | None = None


def corrected(
    evidence: Evidence,
    votes: Votes,
    agreement: WeightedShare,
    confidence: float,
    ties: bool = False,
    merged_by: str = "majority",
) -> Corrected:
    """The accuracy corrected for wrong labels, and how many labels are wrong.

    `agreement`: the model's agreement with the labels. `votes`: those of `evidence`, or of more days. `ties`: whether a tied vote has
    a label too. `merged_by`: `labels.consensus`.
    With e the chance that the label of an image that the model has right is wrong, and f that a wrong answer of the model has a label as
    wrong, agreement = a (1 - e) + (1 - a) f (Rogan and Gladen, 1978, with an error for each class). The interval holds the
    sampling error of the agreement, of the control tasks and of the disagreement, by DRAWS draws. It supposes that people
    and model err on the same images of a class no more than by chance; where they do, the corrected value is too high.
    Undefined, with a reason, where there is nothing to correct by. That is so, too, where labels are not merged by majority: their
    errors are fewer than a majority's, and a correction by those would flatter the model.
    """
    reason = _why_not(votes, agreement, merged_by)
    if reason is not None:
        return _undefined(agreement, reason)
    rng = np.random.default_rng(_SEED)
    by_label = evidence.weighted.sum(axis=1)
    errors = _errors(evidence, votes, ties, rng)
    error = interval_of(errors @ (by_label / by_label.sum()), confidence)
    missed, matched = _mistaken(evidence, votes, errors)
    reason = _worthless(error, missed, matched)
    if reason is not None:
        return _undefined(agreement, reason, error)
    found = interval_of(_without_errors(agreement, missed, matched, rng), confidence)
    assert agreement.value is not None
    assert agreement.effective_n is not None
    effective = _effective(found, agreement.effective_n, confidence)
    shared = float(_accuracy(agreement.value, missed, matched).std())
    mistaken = Mistaken(float(missed.mean()), float(matched.mean()), shared)
    return Corrected(WeightedShare(**found.model_dump(), n=agreement.n, effective_n=effective), error, mistaken)


def corrected_difference(
    ours: tuple[Evidence, WeightedShare],
    theirs: tuple[Evidence, WeightedShare],
    votes: Votes,
    confidence: float,
    ties: bool = False,
) -> Interval:
    """The corrected accuracy of `ours` less that of `theirs`: evidence and agreement of two models that answered different images, which
    the same people labelled. Both are such that `corrected` is defined.

    Each draw has one way in which people err, for both models, so that what is not known of people widens the difference only by as much
    as it says of the difference. What is not known of the agreements is drawn for each by itself.
    """
    rng = np.random.default_rng(_SEED)
    errors = _errors(pool([ours[0], theirs[0]]), votes, ties, rng)
    one, other = (
        _without_errors(agreed, *_mistaken(evidence, votes, errors), rng) for evidence, agreed in (ours, theirs)
    )
    return interval_of(one - other, confidence)


def _why_not(votes: Votes, agreement: WeightedShare, merged_by: str) -> str | None:
    """Why the agreement cannot be corrected; None where it can."""
    if agreement.value is None:
        return agreement.reason
    if merged_by != "majority":
        return f"how often labels merged by {merged_by} are wrong is not estimated, only those of a majority vote"
    if not (votes.control_right.sum() + votes.control_wrong.sum()):
        return "no control task from the training images was answered, so nothing tells how often labels are wrong"
    return None


def _worthless(error: Interval, missed: np.ndarray, matched: np.ndarray) -> str | None:
    """Why the labels say nothing about the model; None where they do."""
    if error.value is not None and error.value > _MOST_ERROR:
        return f"about {100 * error.value:.0f} % of the labels are wrong: they say nothing about the model"
    if missed.mean() + matched.mean() > 2 * _MOST_ERROR:
        return "labels agree with wrong answers about as often as with right ones: they say nothing about the model"
    return None


def _undefined(agreement: WeightedShare, reason: str, error: Interval | None = None) -> Corrected:
    none = WeightedShare(value=None, low=None, high=None, n=agreement.n, effective_n=None, reason=reason)
    return Corrected(none, error)


def _errors(evidence: Evidence, votes: Votes, ties: bool, rng: np.random.Generator) -> np.ndarray:
    """Draws of the chance that a label is wrong, by its true class, [draws, classes]: the mean over the labels' numbers of votes."""
    by_label = evidence.weighted.sum(axis=1)
    people = vote_errors(votes, DRAWS, rng, by_label / by_label.sum())
    total = sum(evidence.votes.sizes.values())
    return sum(
        (
            majority_error(people.wrong, people.correlation, size, ties, people.alike) * (n / total)
            for size, n in evidence.votes.sizes.items()
            if size > 0
        ),
        start=np.zeros(people.wrong.shape),
    )


def _mistaken(evidence: Evidence, votes: Votes, errors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`missed` and `matched`, see Mistaken, of the labels' `errors` [draws, classes]: [draws] each."""
    # Where the model is right, it agrees with the labels that are right: `hits` is the share 1 - errors of these images.
    confusion = evidence.weighted
    hits = np.diag(confusion)
    right = _shares(hits / np.maximum(1 - errors, TINY))
    missed = confusion.sum(axis=1) - hits * (1 + errors)
    e = (errors * right).sum(axis=1)
    f = (errors * _shares(np.maximum(missed, 0))).sum(axis=1) * _same_mistakes(confusion, votes)
    return e, f


def _without_errors(
    agreement: WeightedShare, missed: np.ndarray, matched: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Draws of the agreement, which is defined, without the labels' errors: [draws]."""
    assert agreement.value is not None
    assert agreement.effective_n is not None
    n = agreement.effective_n
    agreed = rng.beta(agreement.value * n + 0.5, (1 - agreement.value) * n + 0.5, DRAWS)
    return np.clip(_accuracy(agreed, missed, matched), 0, 1)


def _accuracy(agreed: np.ndarray | float, missed: np.ndarray, matched: np.ndarray) -> np.ndarray:
    found: np.ndarray = (agreed - matched) / np.maximum(1 - missed - matched, 1 - 2 * _MOST_ERROR)
    return found


def _effective(found: Interval, most: float, confidence: float) -> float:
    """As many labels as have Wilson's upper end where `found` has it, at most `most`.

    The upper side is that on which a drop is judged: the correction is skewed, and most uncertain upwards. With an upper end of 1 it is
    none: such a day proves no drop.
    """
    assert found.numbers is not None
    value, _, high = found.numbers
    z = t.ppf((1 + confidence) / 2, np.inf)
    return min(float(z**2 * high * (1 - high) / max(high - value, TINY) ** 2), most)


def _shares(counts: np.ndarray) -> np.ndarray:
    likely = counts + 1 / counts.shape[1]
    return likely / likely.sum(axis=1, keepdims=True)


def _same_mistakes(confusion: np.ndarray, votes: Votes) -> float:
    """How often a wrong label names the class that a wrong model predicts: one over the wrong classes where neither people nor the
    model have a favourite, and 1 where both take cats for lynxes, or where there are two classes."""
    wrongs = len(confusion) - 1
    people = np.zeros(confusion.shape) if votes.spread is None else votes.spread.confused
    usual = (people + 1 / wrongs) / (people.sum(axis=1, keepdims=True) + 1)
    missed = confusion + 1 / wrongs
    apart = ~np.eye(len(confusion), dtype=bool)
    return float((usual * missed)[apart].sum() / missed[apart].sum())

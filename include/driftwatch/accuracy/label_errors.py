"""How often the merged label is wrong, and the accuracy corrected for it.

What people do is told by their votes and control tasks (driftwatch.accuracy.wrong_votes), and what a majority of them does follows from
that for any number of votes and classes (driftwatch.accuracy.consensus_error). On real crowds (d_possent, duck_bluebirds) it
says .236 and .320 for three votes, where .235 and .315 are true, and independent votes would give .233 and .302.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import t

from driftwatch.accuracy.consensus_error import TINY, majority_error
from driftwatch.accuracy.wrong_votes import vote_errors
from driftwatch.models.metrics import interval_of

if TYPE_CHECKING:
    from driftwatch.accuracy.evidence import Evidence, Votes

DRAWS = 4000
# A majority that is wrong this often, or one that is nearly so, says nothing about the model.
_MOST_ERROR = 0.45
_SEED = 20


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
        reason = "no control task from the training images was answered, so nothing tells how often labels are wrong"
        return {**none, "reason": reason, "label_error": None}
    rng = np.random.default_rng(_SEED)
    by_label = evidence.confusion.sum(axis=1)
    people = vote_errors(votes, DRAWS, rng, by_label / by_label.sum())
    total = sum(evidence.votes.sizes.values())
    errors = sum(
        majority_error(people.wrong, people.correlation, size, ties, people.alike) * (n / total)
        for size, n in evidence.votes.sizes.items()
        if size > 0
    )
    # Of an image that the model has right the class is the answer's, and the labels that are right are what is left of them.
    right = _shares(np.diag(evidence.confusion) / np.maximum(1 - errors, TINY))
    missed = by_label - np.diag(evidence.confusion) * (1 + errors)
    e = (errors * right).sum(axis=1)
    f = (errors * _shares(np.maximum(missed, 0))).sum(axis=1) * _same_mistakes(evidence.confusion, votes)
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
    effective = min(float(z**2 * high * (1 - high) / max(above, TINY) ** 2), n)
    return {**share, "n": agreement["n"], "effective_n": effective, "label_error": error}


def _shares(counts: np.ndarray) -> np.ndarray:
    likely = counts + 1 / counts.shape[1]
    return likely / likely.sum(axis=1, keepdims=True)


def _same_mistakes(confusion: np.ndarray, votes: Votes) -> float:
    """How often a wrong label names the class that the model wrongly answers: one over the wrong classes where neither has a
    favourite, 1 where both take cats for lynxes, and with two classes."""
    wrongs = len(confusion) - 1
    people = np.zeros(confusion.shape) if votes.spread is None else votes.spread.confused
    usual = (people + 1 / wrongs) / (people.sum(axis=1, keepdims=True) + 1)
    missed = confusion + 1 / wrongs
    apart = ~np.eye(len(confusion), dtype=bool)
    return float((usual * missed)[apart].sum() / missed[apart].sum())

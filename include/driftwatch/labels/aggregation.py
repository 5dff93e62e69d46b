"""How strongly a day's votes speak for each choice: by count, by each annotator's skill, or by Dawid-Skene.

Votes are given as three integer arrays of one length: task, annotator, choice, one vote for each task and annotator, sorted by
task and annotator. That order, not the order of rows in a file, fixes the order in which floating point numbers are added.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import softmax

# The prior belief about an annotator, `default_skill`, weighs as much as this many control answers.
PRIOR_ANSWERS = 2.0
# A guesser's vote still counts a little, so that an image which only guessers saw follows their majority.
_LEAST_WEIGHT = 0.01
_MOST_ROUNDS = 500
_CONVERGED = 1e-8


@dataclass(frozen=True)
class VoteArrays:
    """`task`, `annotator` and `choice` of each vote, and how many there can be of each."""

    task: np.ndarray
    annotator: np.ndarray
    choice: np.ndarray
    tasks: int
    annotators: int
    choices: int

    def tally(self, weight: np.ndarray | float = 1.0) -> np.ndarray:
        """Sum of the votes' weights, [tasks, choices]; `weight` is one for each vote, or the same for all."""
        sums = np.zeros((self.tasks, self.choices))
        np.add.at(sums, (self.task, self.choice), weight)
        return sums


def shares(sums: np.ndarray) -> np.ndarray:
    """Each row divided by its sum; rows of zeros stay."""
    total = sums.sum(axis=1, keepdims=True)
    return np.divide(sums, total, out=np.zeros_like(sums), where=total > 0)


def skill(right: np.ndarray, seen: np.ndarray, default_skill: float) -> np.ndarray:
    """The chance that an annotator is right, from `right` of `seen` control tasks; `default_skill` without any."""
    return (right + default_skill * PRIOR_ANSWERS) / (seen + PRIOR_ANSWERS)


def vote_weight(skill: np.ndarray, classes: int) -> np.ndarray:
    """What a vote weighs: the log-odds of being right against guessing among `classes`.

    These weights make the vote the likeliest choice where annotators err independently of each other and alike on every class. Source:
    S. Nitzan, J. Paroush, "Optimal Decision Rules in Uncertain Dichotomous Choice Situations" (1982). Weighted by the plain
    skill, two annotators always outvote one, and a third vote is never worth more than a tie-break.
    """
    return np.maximum(np.log(skill / (1 - skill) * (classes - 1)), _LEAST_WEIGHT)


def dawid_skene(votes: VoteArrays, control: np.ndarray, default_skill: float) -> np.ndarray:
    """The probability of each choice for each task, [tasks, choices], by EM over the annotators' confusion matrices.

    EM, expectation maximisation, goes to and fro between the tasks' probabilities and the annotators' confusion matrices until
    neither changes. A confusion matrix has how often an annotator gives each choice for each true class.
    `control`: answers to tasks of known truth, counts [annotators, truth, choice]; they take part with their truth fixed.
    Each row of each annotator's confusion matrix starts with PRIOR_ANSWERS answers, right at `default_skill` and wrong evenly. Each
    choice starts with one task. So the result stays near a plain vote where votes are few; there, maximum likelihood would find
    perfect annotators and certain labels in noise, or swap the classes. A task without a vote has zeros.

    Source: A. P. Dawid, A. M. Skene, "Maximum Likelihood Estimation of Observer Error-Rates Using the EM Algorithm", Applied
    Statistics 28 (1979), with Dirichlet priors (maximum a posteriori up to their mode).
    """
    prior = np.full((votes.choices, votes.choices), (1 - default_skill) / max(votes.choices - 1, 1))
    np.fill_diagonal(prior, default_skill)
    known = control + PRIOR_ANSWERS * prior
    belief = shares(votes.tally())
    answered = belief.any(axis=1)
    for _ in range(_MOST_ROUNDS):
        given = np.zeros((votes.annotators, votes.choices, votes.choices))
        np.add.at(given, (votes.annotator, votes.choice), belief[votes.task])
        confusion = given.transpose(0, 2, 1) + known
        log_rate = np.log(confusion / confusion.sum(axis=2, keepdims=True))
        frequency = belief.sum(axis=0) + 1
        log_belief = np.tile(np.log(frequency / frequency.sum()), (votes.tasks, 1))
        np.add.at(log_belief, votes.task, log_rate[votes.annotator, :, votes.choice])
        before, belief = belief, softmax(log_belief, axis=1)
        belief[~answered] = 0
        if np.abs(belief - before).max(initial=0) < _CONVERGED:
            break
    return belief

"""Makes one answer of many for each task: by Dawid and Skene's method, or by a vote weighted by a skill.

Source: A. P. Dawid, A. M. Skene, "Maximum Likelihood Estimation of Observer Error-Rates Using the EM Algorithm",
Applied Statistics 28 (1979).
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict

Vote = tuple[str, str, str]  # task, user, answer
_ROUNDS = 50
_SMOOTHING = 0.01


def dawid_skene(votes: list[Vote]) -> dict[str, tuple[str, float]]:
    """The most likely answer of each task and its probability. The workers' error rates are estimated from the votes themselves."""
    labels = sorted({answer for _, _, answer in votes})
    by_task: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for task, user, answer in votes:
        by_task[task].append((user, answer))
    belief = {}
    for task, answers in by_task.items():
        counts = Counter(answer for _, answer in answers)
        belief[task] = {label: counts[label] / len(answers) for label in labels}
    for _ in range(_ROUNDS):
        belief = _expect(by_task, labels, _error_rates(by_task, belief, labels), _priors(belief, labels))
    best = {task: max(labels, key=lambda label: belief[task][label]) for task in by_task}
    return {task: (label, belief[task][label]) for task, label in best.items()}


def _priors(belief: dict[str, dict[str, float]], labels: list[str]) -> dict[str, float]:
    return {label: sum(shares[label] for shares in belief.values()) / len(belief) for label in labels}


def _error_rates(
    by_task: dict[str, list[tuple[str, str]]], belief: dict[str, dict[str, float]], labels: list[str]
) -> dict[tuple[str, str, str], float]:
    """P(user says answer | truth), by (user, truth, answer). Pairs that were never seen keep a small probability."""
    sums: defaultdict[tuple[str, str, str], float] = defaultdict(float)
    totals: defaultdict[tuple[str, str], float] = defaultdict(float)
    for task, answers in by_task.items():
        for user, answer in answers:
            for truth in labels:
                sums[user, truth, answer] += belief[task][truth]
                totals[user, truth] += belief[task][truth]
    return {
        (user, truth, answer): (sums[user, truth, answer] + _SMOOTHING) / (total + _SMOOTHING * len(labels))
        for (user, truth), total in totals.items()
        for answer in labels
    }


def _expect(
    by_task: dict[str, list[tuple[str, str]]],
    labels: list[str],
    rates: dict[tuple[str, str, str], float],
    priors: dict[str, float],
) -> dict[str, dict[str, float]]:
    belief = {}
    for task, answers in by_task.items():
        logs = {
            truth: math.log(priors[truth] + 1e-12)
            + sum(math.log(rates[user, truth, answer]) for user, answer in answers)
            for truth in labels
        }
        highest = max(logs.values())
        shares = {truth: math.exp(value - highest) for truth, value in logs.items()}
        total = sum(shares.values())
        belief[task] = {truth: share / total for truth, share in shares.items()}
    return belief


def weighted_vote(votes: list[Vote], weights: dict[str, float]) -> dict[str, tuple[str, float]]:
    """The answer with the most weight for each task, and its share of all weight. Of equal answers the first by name wins.

    `weights`: by user. A user without a weight does not count.
    """
    by_task: defaultdict[str, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
    for task, user, answer in votes:
        by_task[task][answer] += weights.get(user, 0.0)
    result = {}
    for task, sums in by_task.items():
        total = sum(sums.values())
        label = min(sums, key=lambda answer: (-sums[answer], answer))
        result[task] = (label, sums[label] / total if total else 0.0)
    return result

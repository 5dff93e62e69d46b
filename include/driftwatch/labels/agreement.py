"""How far the people who answered agree with each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from driftwatch.config import MonitorConfig


def deciding(votes: pd.DataFrame, config: MonitorConfig) -> pd.DataFrame:
    """The votes that decide: all, or those for a class where `labels.unclear_votes` sets the unclear ones aside."""
    if config.labels.unclear_votes == "rival":
        return votes
    return votes[votes["answer"] != config.labels.unclear_answer]


def krippendorff_alpha(answers: pd.DataFrame) -> float | None:
    """Krippendorff's alpha for nominal answers (task, annotator, answer): 1 is full agreement, 0 what chance gives.

    None where it is undefined: no task with two answers, or a single answer throughout. Every answer given is a
    category, the unclear one too. Source: K. Krippendorff, Computing Krippendorff's Alpha-Reliability (2011).

    >>> answers = pd.DataFrame({"task": list("aabbcc"), "answer": ["cat", "cat", "dog", "dog", "cat", "dog"]})
    >>> round(krippendorff_alpha(answers), 3)
    0.444
    """
    counts = pd.crosstab(answers["task"], answers["answer"]).to_numpy(dtype=float)
    size = counts.sum(axis=1)
    counts, size = counts[size > 1], size[size > 1]
    total = size.sum()
    by_answer = counts.sum(axis=0)
    expected = (total**2 - (by_answer**2).sum()) / max(total - 1, 1)
    if expected == 0:
        return None
    observed = ((size**2 - (counts**2).sum(axis=1)) / (size - 1)).sum()
    return float(1 - observed / expected)

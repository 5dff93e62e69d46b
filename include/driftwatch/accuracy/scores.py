"""The model's scores of its own answers, as sums that can be added."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd


@dataclass(frozen=True)
class Scores:
    """Sums over the model's score of its own answer, f: of the labelled images, and of those of the day that were not sampled.

    `right` counts the images where prediction and label agree, and `right_sum` sums f over these.
    """

    n: float = 0
    right: float = 0
    sum: float = 0
    squares: float = 0
    right_sum: float = 0
    rest_n: float = 0
    rest_sum: float = 0
    rest_squares: float = 0


def scores_of(scored: pd.DataFrame, rest: pd.DataFrame, classes: Sequence[str]) -> Scores:
    """The sums of a day's images, or of a part of them; all 0 where an answer has no score.

    `scored`: label, prediction and score.<class> of the labelled images; `rest`: prediction and score.<class> of those not sampled.
    """
    own, others = own_score(scored, classes), own_score(rest, classes)
    if own is None or others is None:
        return Scores()
    right = (scored["label"] == scored["prediction"]).to_numpy(dtype=float)
    return Scores(
        n=len(own),
        right=rounded(right.sum()),
        sum=rounded(own.sum()),
        squares=rounded((own**2).sum()),
        right_sum=rounded((own * right).sum()),
        rest_n=len(others),
        rest_sum=rounded(others.sum()),
        rest_squares=rounded((others**2).sum()),
    )


def own_score(answers: pd.DataFrame, classes: Sequence[str]) -> np.ndarray | None:
    """The score of the class that the model answered, [n]. None where an answer has no score: those that have one need not be like the rest."""
    columns = [f"score.{name}" for name in classes]
    if not set(columns) <= set(answers.columns):
        return None
    table = answers[columns].to_numpy(dtype=float)
    place = answers["prediction"].map({name: index for index, name in enumerate(classes)}).to_numpy(dtype=int)
    found: np.ndarray = table[np.arange(len(table)), place]
    return None if np.isnan(found).any() else found


def rounded(value: float) -> float:
    """Without the last bits, in which the order of a sum shows."""
    return round(float(value), 9)

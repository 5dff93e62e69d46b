"""What a day's labels, votes and scores say, as counts and sums: those of several days are simply added."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from driftwatch.annotation.consensus import COUNTED
from driftwatch.performance.metrics import confusion_matrix

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class Scores:
    """Sums over the model's score of its own answer, f: of the labelled images, and of those of the day that were not sampled.

    `right` counts agreement with the label, and `right_sum` sums f where they agree.
    """

    n: float = 0
    right: float = 0
    sum: float = 0
    squares: float = 0
    right_sum: float = 0
    rest_n: float = 0
    rest_sum: float = 0
    rest_squares: float = 0


@dataclass(frozen=True)
class Votes:
    """How people answered.

    `control_right`, `control_wrong` [classes]: answers to control tasks, by their known class; answers that name no class count as
    neither. `control_squares`: over the control images, the sum of answers². `annotators`, `annotator_squares`, `annotator_cross`, `annotator_wrong`: over annotators, the number of them and the sums
    of answers², of answers x wrong and of wrong², which tell how much annotators differ. `pairs`, `disagreement`,
    `disagreement_squares`: images of the sample with two votes or more, and the sums of the share of their pairs of votes that
    disagree. `sizes`: labelled images by number of votes for a class.
    """

    control_right: np.ndarray
    control_wrong: np.ndarray
    control_squares: float
    annotators: float
    annotator_squares: float
    annotator_cross: float
    annotator_wrong: float
    pairs: float
    disagreement: float
    disagreement_squares: float
    sizes: dict[int, int]


@dataclass(frozen=True)
class Evidence:
    """`confusion` [label, prediction] of the labelled images of the random sample, with their scores and the votes."""

    confusion: np.ndarray
    scores: Scores
    votes: Votes

    @property
    def labels(self) -> int:
        return int(self.confusion.sum())

    @property
    def right(self) -> int:
        return int(np.trace(self.confusion))

    def as_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {"confusion": self.confusion.tolist(), "scores": _values(self.scores), "votes": _values(self.votes)}

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Evidence:
        votes = {**stored["votes"], "sizes": {int(size): n for size, n in stored["votes"]["sizes"].items()}}
        for name in ("control_right", "control_wrong"):
            votes[name] = np.asarray(votes[name], dtype="int64")
        return cls(np.asarray(stored["confusion"], dtype="int64"), Scores(**stored["scores"]), Votes(**votes))


def pool(days: Sequence[Evidence]) -> Evidence:
    """The evidence of all `days`, at least one, together."""
    return Evidence(
        sum((day.confusion for day in days[1:]), start=days[0].confusion),
        Scores(*(sum(getattr(day.scores, field.name) for day in days) for field in fields(Scores))),
        pool_votes([day.votes for day in days]),
    )


def pool_votes(days: Sequence[Votes]) -> Votes:
    sizes: dict[int, int] = {}
    for day in days:
        for size, n in day.sizes.items():
            sizes[size] = sizes.get(size, 0) + n
    summed = {
        field.name: sum((getattr(day, field.name) for day in days[1:]), start=getattr(days[0], field.name))
        for field in fields(Votes)
        if field.name != "sizes"
    }
    return Votes(**summed, sizes=sizes)


def evidence_of(
    scored: pd.DataFrame,
    rest: pd.DataFrame,
    labels: pd.DataFrame,
    votes: pd.DataFrame,
    assignments: pd.DataFrame,
    classes: Sequence[str],
) -> Evidence:
    """A day's evidence.

    `scored`: label, prediction and score.<class> of the labelled images of the sample; `rest`: prediction and score.<class> of the
    images that were not sampled; `labels`: labels.parquet; `votes`: the counted votes (task, annotator, answer);
    `assignments`: assignments.parquet, for control tasks.
    """
    right = (scored["label"] == scored["prediction"]).to_numpy(dtype=float)
    own, others = own_score(scored, classes), own_score(rest, classes)
    return Evidence(
        confusion_matrix(scored["label"].tolist(), scored["prediction"].tolist(), classes),
        Scores(
            n=len(own),
            right=_rounded(right.sum()),
            sum=_rounded(own.sum()),
            squares=_rounded((own**2).sum()),
            right_sum=_rounded((own * right).sum()),
            rest_n=len(others),
            rest_sum=_rounded(others.sum()),
            rest_squares=_rounded((others**2).sum()),
        ),
        _votes_of(labels, votes, assignments, classes),
    )


def own_score(answers: pd.DataFrame, classes: Sequence[str]) -> np.ndarray:
    """The score of the class that the model answered, [n]."""
    table = answers[[f"score.{name}" for name in classes]].to_numpy(dtype=float)
    place = answers["prediction"].map({name: index for index, name in enumerate(classes)}).to_numpy(dtype=int)
    return table[np.arange(len(table)), place]


def _votes_of(labels: pd.DataFrame, votes: pd.DataFrame, assignments: pd.DataFrame, classes: Sequence[str]) -> Votes:
    known = assignments[
        assignments["control"].astype(bool)
        & assignments["status"].isin(COUNTED)
        & assignments["answer"].isin(list(classes))
    ]
    wrong = known["answer"] != known["known_label"]
    by_class = [known["known_label"] == name for name in classes]
    by_annotator = wrong.astype(float).groupby(known["annotator_id"]).agg(["size", "sum"])
    size, missed = by_annotator["size"].to_numpy(dtype=float), by_annotator["sum"].to_numpy(dtype=float)
    cast = votes[votes["answer"].isin(list(classes))]
    counts = pd.crosstab(cast["task"], cast["answer"]).to_numpy(dtype=float)
    counts = counts[counts.sum(axis=1) >= 2] if counts.size else np.zeros((0, 1))
    n = counts.sum(axis=1)
    disagree = 1 - (counts * (counts - 1)).sum(axis=1) / (n * (n - 1))
    labelled = labels[labels["label"].notna()]
    sizes = (labelled["votes"] - labelled["votes.unclear"]).astype(int).value_counts().sort_index()
    return Votes(
        control_right=np.array([int((of_class & ~wrong).sum()) for of_class in by_class]),
        control_wrong=np.array([int((of_class & wrong).sum()) for of_class in by_class]),
        control_squares=_rounded((known.groupby("image_id").size() ** 2).sum()),
        annotators=len(by_annotator),
        annotator_squares=_rounded((size**2).sum()),
        annotator_cross=_rounded((size * missed).sum()),
        annotator_wrong=_rounded((missed**2).sum()),
        pairs=len(n),
        disagreement=_rounded(disagree.sum()),
        disagreement_squares=_rounded((disagree**2).sum()),
        sizes={int(size): int(found) for size, found in sizes.items()},
    )


def _rounded(value: float) -> float:
    """Without the last bits, in which the order of a sum shows."""
    return round(float(value), 9)


def _values(part: Scores | Votes) -> dict[str, Any]:
    """As JSON values, whose keys are text."""
    found = {field.name: getattr(part, field.name) for field in fields(part)}
    if "sizes" in found:
        found["sizes"] = {str(size): n for size, n in found["sizes"].items()}
    return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in found.items()}

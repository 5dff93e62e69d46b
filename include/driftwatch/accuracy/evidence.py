"""What a day's labels, votes and scores say, as counts and sums: those of several days are simply added."""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from driftwatch.labels.consensus import COUNTED
from driftwatch.models.metrics import confusion_matrix

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence, Set


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
class Spread:
    """Over which classes wrong votes spread, and which classes are hard.

    `confused` [classes, classes]: images of each class (known, or the one with most votes of two or more) that somebody gave another
    class, by that class. `both_wrong`, `both_alike`: control images with two wrong answers or more, and the sums of the share of their
    pairs that name one class. `apart`, `three`: images of the sample by their number of votes, those not all the same, and of these those
    with three different ones or more. `class_images`, `class_apart` [classes]: images of the sample with two votes or more by the
    classes of their votes, and the share of their pairs of votes that disagree.
    """

    confused: np.ndarray
    both_wrong: float
    both_alike: float
    apart: dict[int, int]
    three: dict[int, int]
    class_images: np.ndarray
    class_apart: np.ndarray


@dataclass(frozen=True)
class Votes:
    """How people answered.

    `control_right`, `control_wrong` [classes]: answers to control tasks, by their known class; answers that name no class count as
    neither. Control tasks whose truth is what all annotators of an earlier day agreed on are easy by that selection, and are left
    out. `control_squares`: over the control images, the sum of answers². `annotators`, `annotator_squares`, `annotator_cross`, `annotator_wrong`: over annotators, the number of them and the sums
    of answers², of answers x wrong and of wrong², which tell how much annotators differ. `pairs`, `disagreement`,
    `disagreement_squares`: images of the sample with two votes or more, and the sums of the share of their pairs of votes that
    disagree. `sizes`: labelled images by number of votes for a class. `spread`: None for a day judged by an earlier Driftwatch.
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
    spread: Spread | None = None


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
        votes = {**_values(self.votes), "spread": None if self.votes.spread is None else _values(self.votes.spread)}
        return {"confusion": self.confusion.tolist(), "scores": _values(self.scores), "votes": votes}

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Evidence:
        votes = _restored(stored["votes"], ("control_right", "control_wrong"))
        if votes.get("spread") is not None:
            votes["spread"] = Spread(**_restored(votes["spread"], ("confused", "class_images", "class_apart")))
        return cls(np.asarray(stored["confusion"], dtype="int64"), Scores(**stored["scores"]), Votes(**votes))


def pool(days: Sequence[Evidence]) -> Evidence:
    """The evidence of all `days`, at least one, together."""
    return Evidence(
        sum((day.confusion for day in days[1:]), start=days[0].confusion),
        Scores(*(sum(getattr(day.scores, field.name) for day in days) for field in fields(Scores))),
        pool_votes([day.votes for day in days]),
    )


def pool_votes(days: Sequence[Votes]) -> Votes:
    spreads = [day.spread for day in days if day.spread is not None]
    spread = Spread(**_summed(spreads)) if spreads else None
    return Votes(**{**_summed(days), "spread": spread})


def _summed(parts: Sequence[Any]) -> dict[str, Any]:
    """The fields of all `parts`, at least one, added up; those by number of votes at each number."""
    found: dict[str, Any] = {}
    for field in fields(parts[0]):
        values = [getattr(part, field.name) for part in parts]
        if isinstance(values[0], dict):
            found[field.name] = {n: sum(value.get(n, 0) for value in values) for n in sorted({*chain(*values)})}
        elif not isinstance(values[0], Spread | None):
            found[field.name] = sum(values[1:], start=values[0])
    return found


def evidence_of(
    scored: pd.DataFrame,
    rest: pd.DataFrame,
    labels: pd.DataFrame,
    votes: pd.DataFrame,
    assignments: pd.DataFrame,
    classes: Sequence[str],
    agreed: Set[str] = frozenset(),
) -> Evidence:
    """A day's evidence.

    `scored`: label, prediction and score.<class> of the labelled images of the sample; `rest`: prediction and score.<class> of the
    images that were not sampled; `labels`: labels.parquet; `votes`: the counted votes (task, annotator, answer);
    `assignments`: assignments.parquet, for control tasks; `agreed`: those whose truth is what annotators agreed on.
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
        _votes_of(labels, votes, assignments[~assignments["image_id"].isin(agreed)], classes),
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
    counts = tallied(cast["task"], cast["answer"], classes)
    counts = counts[counts.sum(axis=1) >= 2].to_numpy(dtype=float)
    disagree = disagreement(counts)
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
        pairs=len(disagree),
        disagreement=_rounded(disagree.sum()),
        disagreement_squares=_rounded((disagree**2).sum()),
        sizes={int(size): int(found) for size, found in sizes.items()},
        spread=spread_of(counts, known.loc[wrong, ["image_id", "known_label", "answer"]], classes),
    )


def tallied(rows: pd.Series, columns: pd.Series, classes: Sequence[str]) -> pd.DataFrame:
    """How often each class stands with each row, a column a class."""
    return pd.crosstab(rows, columns).reindex(columns=list(classes), fill_value=0)


def disagreement(counts: np.ndarray) -> np.ndarray:
    """The share of the pairs of votes that differ, of images with votes `counts` [images, classes], two or more each."""
    n = counts.sum(axis=1)
    return 1 - (counts * (counts - 1)).sum(axis=1) / (n * (n - 1))


def spread_of(counts: np.ndarray, wrong: pd.DataFrame, classes: Sequence[str]) -> Spread:
    """`counts` [images, classes]: the votes on images of the sample with two or more; `wrong`: image_id, known_label and answer of the wrong
    answers to control tasks."""
    size, different, apart = counts.sum(axis=1).astype(int), (counts > 0).sum(axis=1), disagreement(counts)
    leading = counts.argmax(axis=1)
    most = counts.max(axis=1, initial=0)
    clear = ((counts == most[:, None]).sum(axis=1) == 1) | (size == 2)
    others = counts > 0
    others[np.arange(len(counts)), leading] = False
    confused = np.zeros((len(classes), len(classes)), dtype="int64")
    np.add.at(confused, leading[clear], others[clear].astype("int64"))
    once = wrong.drop_duplicates(["image_id", "answer"])
    confused += (
        pd.crosstab(once["known_label"], once["answer"])
        .reindex(index=list(classes), columns=list(classes), fill_value=0)
        .to_numpy(dtype="int64")
    )
    again = tallied(wrong["image_id"], wrong["answer"], classes)
    again = again[again.sum(axis=1) >= 2].to_numpy(dtype=float)

    def by_size(chosen: np.ndarray) -> dict[int, int]:
        return {int(n): int(found) for n, found in zip(*np.unique(size[chosen], return_counts=True), strict=True)}

    by_class = counts / np.maximum(size, 1)[:, None]
    return Spread(
        confused=confused,
        both_wrong=len(again),
        both_alike=_rounded((1 - disagreement(again)).sum()),
        apart=by_size(different >= 2),
        three=by_size(different >= 3),
        class_images=by_class.sum(axis=0).round(9),
        class_apart=(by_class * apart[:, None]).sum(axis=0).round(9),
    )


def _rounded(value: float) -> float:
    """Without the last bits, in which the order of a sum shows."""
    return round(float(value), 9)


def _values(part: Scores | Votes | Spread) -> dict[str, Any]:
    """As JSON values, whose keys are text."""
    found = {field.name: getattr(part, field.name) for field in fields(part)}
    for name, value in found.items():
        if isinstance(value, dict):
            found[name] = {str(size): n for size, n in value.items()}
        elif isinstance(value, np.ndarray):
            found[name] = value.tolist()
    return found


def _restored(stored: Mapping[str, Any], arrays: Sequence[str]) -> dict[str, Any]:
    found = dict(stored)
    for name in ("sizes", "apart", "three"):
        if name in found:
            found[name] = {int(size): n for size, n in found[name].items()}
    return {**found, **{name: np.asarray(found[name]) for name in arrays}}

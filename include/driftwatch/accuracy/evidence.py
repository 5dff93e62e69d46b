"""What a day's labels, votes and scores say, as counts and sums: those of several days are simply added."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd

from driftwatch.accuracy.scores import Scores, rounded, scores_of
from driftwatch.accuracy.strata import (
    KnownStrata,
    StratumEvidence,
    stored_strata,
    strata_evidence,
    weighted_confusion,
    whole_day,
)
from driftwatch.artifacts.evidence import EvidenceSums, ScoreSums, VoteSpread, VoteSums
from driftwatch.artifacts.versions import VersionEvidence
from driftwatch.labels.assignments import COUNTED
from driftwatch.models.metrics import confusion_matrix

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from driftwatch.artifacts.base import Part


@dataclass(frozen=True)
class Spread:
    """Over which classes wrong votes spread, and which classes are hard.

    - `confused` [class, other class]: images of the class to which somebody gave the other one. The class is the known one, or that
      with most of two votes or more.
    - `both_wrong`: control images with two wrong answers or more; `both_alike`: over these, the sum of the share of their pairs of wrong
      answers that name one class.
    - `apart`: images of the sample whose votes are not all the same, by their number of votes; `three`: those of them with three
      different votes or more.
    - `class_images` [class]: images of the sample with two votes or more, by the classes of their votes; `class_apart` [class]: over
      these, the sum of the share of their pairs of votes that disagree.
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

    - `control_right`, `control_wrong` [class]: answers to control tasks, by their known class. Answers that name no class count as
      neither. Control tasks whose truth is what all annotators of an earlier day agreed on are left out: they were chosen for being easy.
    - `control_squares`: over the control images, the sum of answers².
    - `annotators`: people who answered a control task. Over them, `annotator_squares` is the sum of answers², `annotator_cross` that of
      answers x wrong answers, and `annotator_wrong` that of wrong answers². They tell how much annotators differ.
    - `pairs`: images of the sample with two votes or more, or of a stratified one as many as in a plain sample would say as much. Over them, `disagreement` is the sum of the share of their pairs of votes that
      disagree, and `disagreement_squares` the sum of its square.
    - `sizes`: labelled images by number of votes for a class.
    - `spread`: None for a day judged by an earlier Driftwatch.
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


P = TypeVar("P", Scores, Votes, Spread)


@dataclass(frozen=True)
class Evidence:
    """`confusion` [label, prediction] of the labelled images of the sample, with their scores and the votes.

    `strata`: the same by stratum, where images had different chances to be sampled; else empty. Then `confusion` and `scores` only count
    what there is, and an estimate takes `strata`, or `weighted`.
    """

    confusion: np.ndarray
    scores: Scores
    votes: Votes
    strata: tuple[StratumEvidence, ...] = ()

    @property
    def labels(self) -> int:
        return int(self.confusion.sum())

    @property
    def right(self) -> int:
        return int(np.trace(self.confusion))

    @property
    def weighted(self) -> np.ndarray:
        """[label, prediction]: as many labels, as a plain random sample would have them."""
        return weighted_confusion(self.strata, len(self.confusion)) if self.strata else self.confusion

    def sums(self) -> EvidenceSums:
        """As performance.json keeps it."""
        votes = _values(self.votes)
        if self.votes.spread is not None:
            votes["spread"] = VoteSpread(**_values(self.votes.spread))
        scores = ScoreSums(**_values(self.scores))
        found = EvidenceSums(confusion=_tuples(self.confusion), scores=scores, votes=VoteSums(**votes))
        strata = tuple(stratum.sums() for stratum in self.strata)
        return found.model_copy(update={"strata": strata}) if strata else found

    @classmethod
    def of(cls, stored: EvidenceSums) -> Evidence:
        votes = _restored(Votes, stored.votes)
        if stored.votes.spread is not None:
            votes = replace(votes, spread=_restored(Spread, stored.votes.spread))
        confusion = np.asarray(stored.confusion, dtype="int64")
        return cls(confusion, _restored(Scores, stored.scores), votes, stored_strata(stored.strata))

    def of_version(self) -> VersionEvidence:
        """The part that one of several versions of a day has for itself, as performance.json keeps it."""
        found = VersionEvidence(confusion=_tuples(self.confusion), scores=ScoreSums(**_values(self.scores)))
        strata = tuple(stratum.sums() for stratum in self.strata)
        return found.model_copy(update={"strata": strata}) if strata else found

    @classmethod
    def of_answers(cls, stored: VersionEvidence, votes: Votes) -> Evidence:
        """That part again, with the `votes` of its day."""
        confusion = np.asarray(stored.confusion, dtype="int64")
        return cls(confusion, _restored(Scores, stored.scores), votes, stored_strata(stored.strata))


def pool(days: Sequence[Evidence]) -> Evidence:
    """The evidence of all `days`, at least one, together. If one of them has strata, each day weighs by its labels, and those
    without are one stratum each."""
    strata: tuple[StratumEvidence, ...] = ()
    if any(day.strata for day in days):
        strata = tuple(chain(*(day.strata or [whole_day(day.confusion, day.scores)] for day in days)))
    return Evidence(
        sum((day.confusion for day in days[1:]), start=days[0].confusion),
        Scores(*(sum(getattr(day.scores, field.name) for day in days) for field in fields(Scores))),
        pool_votes([day.votes for day in days]),
        strata,
    )


def pool_votes(days: Sequence[Votes]) -> Votes:
    spreads = [day.spread for day in days if day.spread is not None]
    spread = Spread(**_summed(spreads)) if spreads else None
    return Votes(**{**_summed(days), "spread": spread})


def _summed(parts: Sequence[Any]) -> dict[str, Any]:
    """The fields of all `parts`, at least one, added up; those by number of votes at each number. The fields have several types, and
    the class that takes them by name checks them."""
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
    votes: Votes,
    classes: Sequence[str],
    known: KnownStrata | None = None,
) -> Evidence:
    """The evidence of a day, or of one model version's part of it.

    `scored`: label, prediction and score.<class> of the labelled images of the sample; `rest`: prediction and score.<class> of the
    images that were not sampled. Where production gave no scores, their sums are all 0. `known`: see `strata_evidence`; None for a
    plain random sample.
    """
    confusion = confusion_matrix(scored["label"].tolist(), scored["prediction"].tolist(), classes)
    strata = () if known is None else strata_evidence(scored, rest, known, classes)
    return Evidence(confusion, scores_of(scored, rest, classes), votes, strata)


def votes_of(
    labels: pd.DataFrame,
    votes: pd.DataFrame,
    assignments: pd.DataFrame,
    classes: Sequence[str],
    weights: Mapping[str, float] | None = None,
) -> Votes:
    """How people answered on a day. `labels`: labels.parquet; `votes`: the counted votes (task, annotator, answer);
    `assignments`: assignments.parquet, for its control tasks, without those whose truth is what annotators agreed on. `weights`: for how
    many images each image of a stratified sample stands: its unsure images are asked about more often, and people disagree more on them."""
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
    counts = counts[counts.sum(axis=1) >= 2]
    weight = counts.index.map(weights).to_numpy(dtype=float) if weights else np.ones(len(counts))
    if weights and len(counts):  # their sum is the images of a plain sample that would say as much (Kish, 1965)
        weight *= weight.sum() / (weight**2).sum()
    counts = counts.to_numpy(dtype=float)
    disagree = disagreement(counts)
    labelled = labels[labels["label"].notna()]
    sizes = (labelled["votes"] - labelled["votes.unclear"]).astype(int).value_counts().sort_index()
    return Votes(
        control_right=np.array([int((of_class & ~wrong).sum()) for of_class in by_class]),
        control_wrong=np.array([int((of_class & wrong).sum()) for of_class in by_class]),
        control_squares=rounded((known.groupby("image_id").size() ** 2).sum()),
        annotators=len(by_annotator),
        annotator_squares=rounded((size**2).sum()),
        annotator_cross=rounded((size * missed).sum()),
        annotator_wrong=rounded((missed**2).sum()),
        pairs=rounded(weight.sum()) if weights else len(disagree),
        disagreement=rounded((weight * disagree).sum()),
        disagreement_squares=rounded((weight * disagree**2).sum()),
        sizes={int(size): int(found) for size, found in sizes.items()},
        spread=spread_of(counts, known.loc[wrong, ["image_id", "known_label", "answer"]], classes, weight),
    )


def tallied(rows: pd.Series, columns: pd.Series, classes: Sequence[str]) -> pd.DataFrame:
    """How often each class stands with each row, a column a class."""
    return pd.crosstab(rows, columns).reindex(columns=list(classes), fill_value=0)


def disagreement(counts: np.ndarray) -> np.ndarray:
    """The share of the pairs of votes that differ, of images with votes `counts` [images, classes], two or more each."""
    n = counts.sum(axis=1)
    return 1 - (counts * (counts - 1)).sum(axis=1) / (n * (n - 1))


def spread_of(
    counts: np.ndarray, wrong: pd.DataFrame, classes: Sequence[str], weight: np.ndarray | None = None
) -> Spread:
    """`counts` [images, classes]: the votes on images of the sample with two or more; `wrong`: image_id, known_label and answer of the wrong
    answers to control tasks; `weight` [images]: by default 1."""
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
    if weight is not None:
        by_class = by_class * weight[:, None]
    return Spread(
        confused=confused,
        both_wrong=len(again),
        both_alike=rounded((1 - disagreement(again)).sum()),
        apart=by_size(different >= 2),
        three=by_size(different >= 3),
        class_images=by_class.sum(axis=0).round(9),
        class_apart=(by_class * apart[:, None]).sum(axis=0).round(9),
    )


def _values(part: Scores | Votes | Spread) -> dict[str, Any]:
    """The fields by name, arrays as tuples. They have several types; the artifact's model checks each."""
    found = {field.name: getattr(part, field.name) for field in fields(part)}
    return {name: _tuples(value) if isinstance(value, np.ndarray) else value for name, value in found.items()}


def _tuples(array: np.ndarray) -> tuple[Any, ...]:
    return tuple(tuple(row) for row in array.tolist()) if array.ndim == 2 else tuple(array.tolist())


def _restored(kind: type[P], stored: Part) -> P:
    """`kind` of the stored fields of its names, tuples as arrays."""
    found: dict[str, Any] = {field.name: getattr(stored, field.name) for field in fields(kind)}
    for name, value in found.items():
        if isinstance(value, tuple):
            found[name] = np.asarray(value)
    return kind(**found)

"""What the labels say of each part (stratum) of a day whose images had different chances to be sampled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from driftwatch.accuracy.scores import Scores, scores_of
from driftwatch.artifacts.evidence import ScoreSums, StratumSums

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class StratumEvidence:
    """One stratum of one day.

    `images`: those of the day in it, sampled or not. `cells` [label, prediction, images]: its labelled images, classes by their place.
    `scores`: their sums. `mass`: how many labels of the evidence it stands for. The masses of a day add up to its labels, each
    stratum's in proportion to its images. A stratum without a label has the mass 0: nothing is known of it.
    """

    name: str
    images: float
    cells: np.ndarray
    scores: Scores
    mass: float = 0.0

    @property
    def labels(self) -> int:
        return int(self.cells[:, 2].sum())

    @property
    def right(self) -> int:
        return int(self.cells[self.cells[:, 0] == self.cells[:, 1], 2].sum())

    def sums(self) -> StratumSums:
        """As performance.json keeps it."""
        cells = tuple((int(label), int(answer), int(n)) for label, answer, n in self.cells.tolist())
        return StratumSums(name=self.name, images=self.images, cells=cells, scores=ScoreSums(**vars(self.scores)))

    @classmethod
    def of(cls, stored: StratumSums) -> StratumEvidence:
        sums = {name: getattr(stored.scores, name) for name in ScoreSums.model_fields}
        return cls(stored.name, stored.images, np.array(stored.cells, dtype="int64").reshape(-1, 3), Scores(**sums))


def stored_strata(stored: Sequence[StratumSums]) -> tuple[StratumEvidence, ...]:
    """The strata that a performance.json keeps of one day."""
    return with_masses([StratumEvidence.of(stratum) for stratum in stored])


def with_masses(strata: Sequence[StratumEvidence]) -> tuple[StratumEvidence, ...]:
    """The strata of one day, each with its mass."""
    labels = sum(stratum.labels for stratum in strata)
    covered = sum(stratum.images for stratum in strata if stratum.labels)
    return tuple(
        replace(stratum, mass=labels * stratum.images / covered if stratum.labels else 0.0) for stratum in strata
    )


@dataclass(frozen=True)
class KnownStrata:
    """`of_image`: the stratum of images, by image id; its categories are the strata of the plan. `images`: how many images each stratum has, of the
    day or of those that one model version answered."""

    of_image: pd.Series
    images: Mapping[str, int]

    @classmethod
    def counted(cls, of_image: pd.Series) -> KnownStrata:
        """Of the stratum of each image."""
        return cls(of_image, of_image.value_counts(sort=False).to_dict())


def strata_evidence(
    scored: pd.DataFrame, rest: pd.DataFrame, known: KnownStrata, classes: Sequence[str]
) -> tuple[StratumEvidence, ...]:
    """The strata of a day, or of one model version's part of it.

    `scored`, `rest`: as for `scores_of`, with image_id. `known`: their strata; those without an image of the version are left out.
    """
    of_image, images = known.of_image, known.images
    place = {name: index for index, name in enumerate(classes)}
    parts = [(dict(iter(table.groupby(_strata(table, of_image)))), table.iloc[:0]) for table in (scored, rest)]
    found = []
    for name in of_image.cat.categories:
        if not images.get(name):
            continue
        ours, others = (by_name.get(name, none) for by_name, none in parts)
        pairs = np.stack(
            [ours[column].map(place).to_numpy(dtype="int64") for column in ("label", "prediction")], axis=1
        )
        cells, counts = np.unique(pairs, axis=0, return_counts=True)
        table = np.concatenate([cells, counts[:, None]], axis=1).reshape(-1, 3)
        found.append(StratumEvidence(str(name), int(images[name]), table, scores_of(ours, others, classes)))
    return with_masses(found)


def _strata(table: pd.DataFrame, of_image: pd.Series) -> np.ndarray:
    """The stratum of each image, [n]; null without one."""
    found: np.ndarray = table["image_id"].map(of_image).to_numpy(dtype=object)
    return found


def whole_day(confusion: np.ndarray, scores: Scores) -> StratumEvidence:
    """A plain random sample as a single stratum, to be judged together with days that have several. Where nothing tells how many
    images the day had, it is taken to have those that are labelled."""
    labels = float(confusion.sum())
    places = np.argwhere(confusion)
    cells = np.concatenate([places, confusion[confusion != 0][:, None]], axis=1).astype("int64")
    return StratumEvidence("", max(scores.n + scores.rest_n, labels), cells, scores, labels)


def weighted_confusion(strata: Sequence[StratumEvidence], classes: int) -> np.ndarray:
    """[label, prediction]: the labels as a plain random sample of as many would have them, in expectation (Horvitz and Thompson, 1952)."""
    found = np.zeros((classes, classes))
    for stratum in strata:
        if stratum.labels:
            label, answer, n = stratum.cells.T
            np.add.at(found, (label, answer), n * stratum.mass / stratum.labels)
    return found

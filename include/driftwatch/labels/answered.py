"""The answers that a day's sample is drawn by: held, or of a large day looked at piece by piece."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from driftwatch.artifacts.annotation import SampledImage, Stratum
from driftwatch.artifacts.store import DayStore
from driftwatch.config.model import LOGGED
from driftwatch.errors import NeedsAttention
from driftwatch.labels.passing_strata import PassingStrata, stratify_passing
from driftwatch.labels.sample import (
    Accepted,
    CanShow,
    ManyAccepted,
    Sample,
    first_shown,
    places_in_order,
    salt_of,
)
from driftwatch.labels.smallest import Smallest
from driftwatch.labels.strata import Strata, stratify
from driftwatch.storage.joining import joined
from driftwatch.storage.tables import pieces, rows_of, writing_table

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

ID, STRATUM = "image_id", "stratum"
# So many images more than wanted are looked at first, of which some may not be shown; of each stratum a part of them.
_SPARE = 1_000
_STRATA_FILE = pa.schema([(ID, pa.string()), (STRATUM, pa.string())])


@dataclass(frozen=True)
class Answered:
    """The accepted images that the model answered, by id. `answers` [n]: places in the classes; `scores` [n, classes], None without."""

    accepted: Accepted
    image_ids: tuple[str, ...]
    answers: np.ndarray
    scores: np.ndarray | None

    @classmethod
    def of(cls, accepted: Accepted) -> Answered:
        """Raises NeedsAttention where an image has no answer, unless production gave them; and where none has."""
        day = accepted.day
        table = day.storage.read_table(day.keys.predictions)
        table = table[table["prediction"].notna() & table[ID].isin(set(accepted.keys))].sort_values(ID)
        _tell_missing(day, len(table), len(accepted.keys) - len(table))
        scores = _scores_in(table, day.config.classes)
        known = len(scores) > 0 and bool((scores == scores).all())
        return cls(accepted, tuple(table[ID]), _answers_in(table, day.config.classes), scores if known else None)

    def by_strata(self, seed: int, wanted: int, can_show: CanShow | None) -> Sample:
        """From each stratum its number of images, in the order of the seed, which a plain sample has too."""
        strata = self._strata(wanted)
        found = []
        for place, asked in enumerate(strata.asked):
            ids = [self.image_ids[row] for row in (strata.of_image == place).nonzero()[0]]
            part = replace(self.accepted, keys={image_id: self.accepted.keys[image_id] for image_id in ids})
            found.append(part.draw(seed, int(asked), can_show))
        return _together(found, strata)

    def unsure(self, wanted: int, taken: Collection[str], can_show: CanShow | None) -> tuple[SampledImage, ...]:
        """The `wanted` images that are not `taken` whose two best scores are nearest to each other, sorted by id."""
        if self.scores is None:
            return _no_scores()
        order = _lead(self.scores).argsort(kind="stable")
        left = (self.image_ids[row] for row in order if self.image_ids[row] not in taken)
        return _first(left, self.accepted.keys, wanted, can_show)

    def write_strata(self, wanted: int) -> None:
        """Writes strata.parquet."""
        import pandas as pd

        day, strata = self.accepted.day, self._strata(wanted)
        names = [strata.names[place] for place in strata.of_image]
        day.storage.write_table(day.keys.strata, pd.DataFrame({ID: self.image_ids, STRATUM: names}))

    def _strata(self, wanted: int) -> Strata:
        return stratify(self.answers, self.scores, self.accepted.day.config.classes, wanted)


@dataclass(frozen=True)
class ManyAnswered:
    """As `Answered`, of a day that is judged by a sample. Its answers are read piece by piece, each time they are needed. The strata are those of
    `passing_strata`.

    `strangers` [rows of predictions.parquet]: which rows are about no accepted image; None if there is no such row. `scored`: whether each image
    has scores.
    """

    accepted: ManyAccepted
    strangers: np.ndarray | None
    scored: bool

    @classmethod
    def of(cls, accepted: ManyAccepted) -> ManyAnswered:
        """As `Answered.of`."""
        images, strangers = _joined_with_manifest(accepted)
        _tell_missing(accepted.day, images, accepted.images - images)
        found = cls(accepted, strangers, scored=True)
        scored = (bool((scores == scores).all()) for _, scores in map(found._answers, found._pieces()))  # type: ignore[union-attr]
        return replace(found, scored=images > 0 and all(scored))

    def by_strata(self, seed: int, wanted: int, can_show: CanShow | None) -> Sample:
        """As `Answered.by_strata`."""
        strata = self._strata(wanted)
        spare = max(_SPARE // max(len(strata.asked), 1), 10)
        while True:
            most = 2 * strata.asked + spare
            orders = self._first(strata, most, salt_of(self.accepted.day, seed))
            keys = self.accepted.among({image_id for order in orders for image_id in order})
            asked = strata.asked.tolist()
            found = [first_shown(order, keys, n, can_show) for order, n in zip(orders, asked, strict=True)]
            short = [
                len(part.images) < n and len(order) == limit
                for part, n, order, limit in zip(found, asked, orders, most.tolist(), strict=True)
            ]
            if not any(short):
                return _together(found, strata)
            spare = 10 * (spare + 2 * wanted)  # so many files have changed

    def unsure(self, wanted: int, taken: Collection[str], can_show: CanShow | None) -> tuple[SampledImage, ...]:
        """As `Answered.unsure`."""
        if not self.scored:
            return _no_scores()
        most = len(taken) + 2 * wanted + _SPARE
        while True:
            (order,) = self._least_sure(most)
            left = [image_id for image_id in order if image_id not in taken]
            found = _first(left, self.accepted.among(left), wanted, can_show)
            if len(found) == wanted or len(order) < most:
                return found
            most *= 10

    def write_strata(self, wanted: int) -> None:
        """As `Answered.write_strata`, in the order of the predictions."""
        day, strata = self.accepted.day, self._strata(wanted)
        names = np.array(strata.names, dtype=object)
        with writing_table(day.storage, day.keys.strata, _STRATA_FILE) as file:
            for piece in self._pieces():
                of_image = pa.array(names[strata.of(*self._answers(piece))], pa.string())
                file.add(pa.table([piece[ID], of_image], schema=_STRATA_FILE))

    def _strata(self, wanted: int) -> PassingStrata:
        return stratify_passing(lambda: map(self._answers, self._pieces()), self.accepted.day.config.classes, wanted)

    def _first(self, strata: PassingStrata, most: np.ndarray, salt: Sequence[object]) -> list[list[str]]:
        """The first images of each stratum in the order of the seed."""
        found = Smallest(most, np.bytes_(b"\xff" * 32))
        for piece in self._pieces():
            places = np.array(places_in_order(piece[ID].to_pylist(), *salt), dtype="S32")
            found.add(strata.of(*self._answers(piece)), places, piece[ID])
        return found.ids()

    def _least_sure(self, most: int) -> list[list[str]]:
        found = Smallest(np.array([most]), np.float64(np.inf))
        for piece in self._pieces():
            _, scores = self._answers(piece)
            assert scores is not None, "asked of a day whose images all have scores"
            found.add(np.zeros(len(piece), dtype="int64"), _lead(scores), piece[ID])
        return found.ids()

    def _answers(self, piece: pa.Table) -> tuple[np.ndarray, np.ndarray | None]:
        table, classes = piece.drop_columns([ID]).to_pandas(), self.accepted.day.config.classes
        return _answers_in(table, classes), _scores_in(table, classes) if self.scored else None

    def _pieces(self) -> Iterator[pa.Table]:
        """The answers to the accepted images, in the order of the predictions."""
        day, start = self.accepted.day, 0
        scores = [f"score.{name}" for name in day.config.classes] if self.scored else []
        for piece in pieces(day.storage, day.keys.predictions, [ID, "prediction", *scores]):
            kept = piece["prediction"].is_valid()
            if self.strangers is not None:
                kept = pc.and_not(kept, pa.array(self.strangers[start : start + len(piece)]))
            start += len(piece)
            if len(found := piece.filter(kept)):
                yield found


def _joined_with_manifest(accepted: ManyAccepted) -> tuple[int, np.ndarray | None]:
    """How many accepted images have an answer, and `ManyAnswered.strangers`."""
    day = accepted.day
    images, strangers = 0, None
    there = (piece.append_column("there", pa.repeat(True, len(piece))) for piece in accepted.pieces())
    for piece in joined(_with_places(day), there, ID):
        known = piece["there"].is_valid() if "there" in piece.column_names else pa.repeat(False, len(piece))
        images += pc.sum(pc.and_(known, piece["answered"])).as_py() or 0
        unknown = piece["row"].filter(pc.invert(known)).to_numpy()
        if len(unknown):
            strangers = np.zeros(rows_of(day.storage, day.keys.predictions), bool) if strangers is None else strangers
            strangers[unknown] = True
    return images, strangers


def _with_places(day: DayStore) -> Iterator[pa.Table]:
    """The ids of predictions.parquet, with their places in it."""
    start = 0
    for piece in pieces(day.storage, day.keys.predictions, [ID, "prediction"]):
        row = pa.array(np.arange(start, start + len(piece)))
        yield pa.table({ID: piece[ID], "answered": piece["prediction"].is_valid(), "row": row})
        start += len(piece)


def answered_in(accepted: Accepted | ManyAccepted) -> Answered | ManyAnswered:
    """The answers to the day's accepted images. Raises NeedsAttention as `Answered.of`."""
    return ManyAnswered.of(accepted) if isinstance(accepted, ManyAccepted) else Answered.of(accepted)


def _tell_missing(day: DayStore, answered: int, missing: int) -> None:
    if missing and day.config.model.predictions != LOGGED:
        raise NeedsAttention(
            f"{day.storage.url(day.keys.predictions)} has no answer for {missing} of the day's images, and the sample is drawn by the answers "
            "(labels.sampling or labels.extra_for_training): clear predict_labels and what follows it"
        )
    if not answered:
        raise NeedsAttention(
            f"production answered no image of {day.date}, so there is nothing to label them for: complete its log, then clear predict_labels and "
            "what follows it. With a lower model.logged.max_unanswered such a day ends there"
        )
    if missing:
        log.info("%d images that production did not answer are not asked about: they say nothing of the model", missing)


def _answers_in(table: pd.DataFrame, classes: Sequence[str]) -> np.ndarray:
    place = {name: index for index, name in enumerate(classes)}
    return table["prediction"].map(place).to_numpy(dtype="int64")


def _scores_in(table: pd.DataFrame, classes: Sequence[str]) -> np.ndarray:
    return table.reindex(columns=[f"score.{name}" for name in classes]).to_numpy(dtype=float)


def _lead(scores: np.ndarray) -> np.ndarray:
    """By how much the best score of each image is above the second, [n]."""
    two = scores.copy()
    two.partition(two.shape[1] - 2, axis=1)
    return two[:, -1] - two[:, -2]


def _no_scores() -> tuple[SampledImage, ...]:
    log.warning("No image is labelled for training (labels.extra_for_training): production gave no scores")
    return ()


def _first(
    order: Iterable[str], keys: Mapping[str, str], wanted: int, can_show: CanShow | None
) -> tuple[SampledImage, ...]:
    """The first `wanted` images of `order` that can be shown, sorted by id."""
    shown = (image_id for image_id in order if can_show is None or can_show(image_id, keys[image_id]))
    return tuple(SampledImage(image_id=image_id, key=keys[image_id]) for image_id in sorted(islice(shown, wanted)))


def _together(parts: Sequence[Sample], strata: Strata | PassingStrata) -> Sample:
    """The sample of all strata."""
    images, changed, told = list[SampledImage](), list[SampledImage](), list[Stratum]()
    for name, number, part in zip(strata.names, strata.images.tolist(), parts, strict=True):
        images += [image.model_copy(update={"stratum": name}) for image in part.images]
        changed += part.changed
        told.append(Stratum(name=name, images=number, asked=len(part.images)))
    return Sample(tuple(sorted(images, key=lambda image: image.image_id)), tuple(changed), tuple(told))

"""The images of a large day that it is judged by.

Up to MOST images a day is judged by all. A larger day is judged by the MOST images with the smallest ids. An id is the SHA-256 of an image's
bytes. So these are a random sample, and the same one whatever the order in which the images came and however the day was cut. Their rows are
kept apart, in the day's order, when the day is taken in and when the model has answered. So no step that judges a day holds all of it.

Near-duplicates are looked for within the sample: its images depend on each other only as far as they have near-duplicates in it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from driftwatch.artifacts.ingest import Ingest
from driftwatch.images.features import COLUMNS
from driftwatch.images.outcome import ACCEPTED
from driftwatch.storage.arrays import writing_rows
from driftwatch.storage.tables import TableWriter, pieces, writing_table

if TYPE_CHECKING:
    import pandas as pd

    from driftwatch.artifacts.store import DayStore

MOST = 100_000
_GATHERED = 64  # blocks
ID = "image_id"


class JudgedImages:
    """Collects the images with the MOST smallest ids of a day that is being taken in. At most three times as many rows are held at once."""

    def __init__(self) -> None:
        self._images = 0
        self._small: list[pa.Table] = []  # what single blocks gave: of a very large day a row or none each
        self._held: list[pa.Table] = []
        self._rows = 0
        self._last: pa.Scalar | None = None

    def add(self, manifest: pa.Table, features: pa.Table) -> None:
        """`manifest`: the next rows of manifest.parquet; `features`: those of features.parquet for its accepted ones."""
        accepted = manifest.filter(pc.equal(manifest["status"], ACCEPTED))
        found = pa.table(
            [*accepted.columns, *features.columns[1:]], [*accepted.column_names, *features.column_names[1:]]
        )
        self._images += len(found)
        if self._last is not None:
            found = found.filter(pc.less_equal(found[ID], self._last))
        if len(found):
            self._small.append(found)
        if len(self._small) == _GATHERED:
            self._gather()
        if self._rows > 2 * MOST:
            self._cut()

    def _gather(self) -> None:
        """Makes one table of small ones, whose many columns take more room than their rows."""
        if self._small:
            table = pa.concat_tables(self._small).combine_chunks()
            self._held.append(table)
            self._rows += len(table)
            self._small = []

    def _cut(self) -> pa.Table:
        self._gather()
        table = pa.concat_tables(self._held)
        if len(table) > MOST:
            ids = table[ID].combine_chunks()
            self._last = ids[pc.array_sort_indices(ids)[MOST - 1].as_py()]
            table = table.filter(pc.less_equal(ids, self._last)).combine_chunks()
        self._held, self._rows = [table], len(table)
        return table

    def write(self, day: DayStore) -> int | None:
        """Writes the rows of a day of more than MOST images, and returns how many they are. For a smaller day removes what an earlier run has
        left."""
        if self._images <= MOST:
            if day.storage.exists(day.keys.judged):
                for key in (day.keys.judged_embeddings, day.keys.judged_predictions, day.keys.judged):
                    day.storage.delete(key)
            return None
        table = self._cut()
        with writing_table(day.storage, day.keys.judged, table.schema) as file:
            file.add(table)
        return len(table)


def is_sampled(day: DayStore) -> bool:
    """Whether the day is judged by a sample of its images."""
    return sampled_from(day) is not None


def sampled_from(day: DayStore) -> int | None:
    """How many accepted images the sample that the day is judged by was drawn from; None where it is judged by all."""
    ingest = day.find(Ingest)
    return ingest.accepted if ingest is not None and ingest.judged is not None else None


def judged_features(day: DayStore, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """The rows of features.parquet that the day is judged by, in its order; all columns or those named."""
    if is_sampled(day):
        return day.storage.read_arrow(day.keys.judged, columns or [ID, *COLUMNS]).to_pandas()
    if columns is not None:
        return day.storage.read_arrow(day.keys.features, columns).to_pandas()
    return day.storage.read_table(day.keys.features)


def judged_predictions(day: DayStore) -> pd.DataFrame:
    """The same of predictions.parquet."""
    return day.storage.read_table(judged_predictions_key(day))


def judged_predictions_key(day: DayStore) -> str:
    """Where `judged_predictions` lie. A day that grew beyond MOST has them when its predict_labels has run again."""
    return day.keys.judged_predictions if is_sampled(day) else day.keys.predictions


def judged_embeddings_key(day: DayStore) -> str:
    """Where the embeddings of `judged_predictions` lie, if the day has any."""
    return day.keys.judged_embeddings if is_sampled(day) else day.keys.embeddings


def told_of(day: DayStore, key: str, columns: Sequence[str], ids: Collection[str] | None = None) -> pd.DataFrame:
    """The day's table at `key`: `image_id`, and those of `columns` that it has. The rows are in the table's order: those of the images `ids`, or
    more; by default all.

    If the day is judged by a sample, the table is read piece by piece, unless all `ids` are of the sample.
    """
    wanted = [ID, *columns]
    if ids is None or not is_sampled(day):
        return day.storage.read_known(key, wanted).to_pandas()
    if key in (day.keys.manifest, day.keys.features):
        sample = day.storage.read_known(day.keys.judged, wanted)
        if pc.all(pc.is_in(pa.array([*ids], pa.string()), value_set=sample[ID].combine_chunks())).as_py() is not False:
            return sample.to_pandas()
    those = pa.array([*ids], pa.string())
    parts = [part.filter(pc.is_in(part[ID], value_set=those)) for part in pieces(day.storage, key, wanted)]
    return pa.concat_tables(parts).to_pandas()


class JudgedAnswers:
    """Keeps the answers to the images that a day is judged by, while all answers are written. Tables and embeddings come in the same order, each
    table before its embeddings."""

    def __init__(
        self, ids: pa.Array, predictions: TableWriter, embeddings: Callable[[np.ndarray | None], None]
    ) -> None:
        self._ids, self._predictions, self._embeddings = ids, predictions, embeddings
        self._kept: np.ndarray = np.zeros(0, bool)

    def add_table(self, table: pa.Table) -> None:
        kept = pc.is_in(table[ID], value_set=self._ids)
        self._predictions.add(table.filter(kept))
        self._kept = np.concatenate([self._kept, kept.to_numpy()])

    def add_embeddings(self, piece: np.ndarray | None) -> None:
        if piece is None:
            self._kept = self._kept[:0]
            return
        self._embeddings(piece[self._kept[: len(piece)]])
        self._kept = self._kept[len(piece) :]


@contextmanager
def keeping_answers(
    day: DayStore, schema: pa.Schema, first: np.ndarray | None, answered: pa.ChunkedArray | None = None
) -> Iterator[JudgedAnswers | None]:
    """Writes what `judged_predictions` and `judged_embeddings_key` are about; gives None for a day that is judged by all its images. `first`: as
    for `writing_rows`. `answered`: the ids of the images with an answer, if not all have one."""
    if not is_sampled(day):
        yield None
        return
    ids = day.storage.read_arrow(day.keys.judged, [ID])[ID].combine_chunks()
    rows = len(ids) if answered is None else pc.sum(pc.is_in(answered, value_set=ids)).as_py() or 0
    with (
        writing_rows(day.storage, day.keys.judged_embeddings, rows, first) as embeddings,
        writing_table(day.storage, day.keys.judged_predictions, schema) as predictions,
    ):
        yield JudgedAnswers(ids, predictions, embeddings)

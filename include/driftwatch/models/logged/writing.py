"""Writes the answers of a day from production's log, piece by piece, as those of a model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from driftwatch.artifacts.store import DayStore
from driftwatch.errors import NeedsAttention
from driftwatch.images.inputs import DayInputs
from driftwatch.images.judged import keeping_answers
from driftwatch.images.shard_files import of_the_day
from driftwatch.models.content import GIST, content_of, kind_of_day
from driftwatch.models.logged.accounts import settings_of
from driftwatch.models.logged.columns import SCORE
from driftwatch.storage.arrays import writing_rows
from driftwatch.storage.joining import Buffer
from driftwatch.storage.tables import writing_table

if TYPE_CHECKING:
    from driftwatch.config import MonitorConfig

# What a shard's task leaves of the content of its images (`driftwatch.images.shard_files`).
GIST_FILE = "embeddings.npy"
# Some answers, and their embeddings [n, width], None without.
Piece = tuple[pa.Table, np.ndarray | None]


@dataclass(frozen=True)
class DayAnswers:
    """The answers in the order of the images: `pieces` of tables that have the `schema`. `answered` [images]: which of the day's images have one;
    `ids`: of the answered images, those of the sample at least; `no_embeddings` [0, width]: None where there are none."""

    schema: pa.Schema
    pieces: Iterator[Piece]
    answered: np.ndarray
    ids: pa.ChunkedArray
    no_embeddings: np.ndarray | None


def schema_of(columns: Sequence[str]) -> pa.Schema:
    """Of predictions.parquet with these columns."""
    return pa.schema([(name, pa.float64() if name.startswith(SCORE) else pa.string()) for name in columns])


def embeds(config: MonitorConfig) -> bool:
    """Whether the log has embeddings."""
    return settings_of(config).columns.embedding is not None


def gist_of(images: Iterator[np.ndarray]) -> np.ndarray:
    """The GIST of images that come block by block."""
    found = content_of(GIST, None, images)
    assert found is not None
    return found


def write_answers(day: DayStore, version: str, answers: DayAnswers, shards: int) -> None:
    """predictions.parquet and embeddings.npy, in the order of the manifest. What `shards` have left of GIST, if any, is removed."""
    left = [item.key for item in day.storage.list(day.keys.shards) if item.key.endswith(GIST_FILE)] if shards else []
    kind = kind_of_day(day.monitor, version, embeds(day.config))
    empty = gist_of(iter(())) if kind == GIST else content_of(kind, answers.no_embeddings, ())
    pieces = _with_gist(day, answers, left) if kind == GIST else answers.pieces
    with (
        writing_rows(day.storage, day.keys.embeddings, int(answers.answered.sum()), empty) as add,
        writing_table(day.storage, day.keys.predictions, answers.schema) as predictions,
        keeping_answers(day, answers.schema, empty, answers.ids) as judged,
    ):
        for table, found in pieces:
            content = found if kind == GIST else content_of(kind, found, ())
            predictions.add(table)
            add(content)
            if judged:
                judged.add_table(table)
                judged.add_embeddings(content)
    day.storage.delete_all(left)


def _with_gist(day: DayStore, answers: DayAnswers, left: Sequence[str]) -> Iterator[Piece]:
    """The answers with the GIST of their images."""
    tables, start = Buffer(table for table, _ in answers.pieces), 0
    for piece in _gist_pieces(day, left):
        content = piece[answers.answered[start : start + len(piece)]]
        start += len(piece)
        yield pa.concat_tables([answers.schema.empty_table(), *tables.exactly(len(content))]), content
    if start != len(answers.answered):
        raise NeedsAttention(
            f"{day.storage.url(day.keys.inputs)} has {start} images, and the manifest {len(answers.answered)}: clear ingest_images for {day.date}"
        )


def _gist_pieces(day: DayStore, left: Sequence[str]) -> Iterator[np.ndarray]:
    """The GIST of all images: as the shards left it, or now. After the day was written once, the shards' files are gone."""
    inputs = DayInputs(day)
    if keys := of_the_day(inputs, left):
        return (day.storage.read_array(key) for key in keys)
    return (gist_of(iter((block,))) for block in inputs.blocks())

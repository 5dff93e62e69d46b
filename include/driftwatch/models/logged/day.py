"""A day's answers from production's log: read, joined with the day's images, accounted for, and written like the answers of a model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from driftwatch.artifacts.answers import Answers, LogFile
from driftwatch.artifacts.keys import own_key
from driftwatch.artifacts.store import DayStore
from driftwatch.images.inputs import DayInputs
from driftwatch.images.judged import is_sampled
from driftwatch.images.layout import below, images_root
from driftwatch.images.shard_files import shard_file
from driftwatch.models.content import GIST, kind_of_day
from driftwatch.models.logged.accounts import counted, settings_of, write_counts
from driftwatch.models.logged.columns import Rows
from driftwatch.models.logged.files import place_of, read_log
from driftwatch.models.logged.formats import parse, rows_of
from driftwatch.models.logged.join import ACCEPTED, Images, Joined, join
from driftwatch.models.logged.large_day import answer_large_day, tail_of
from driftwatch.models.logged.writing import GIST_FILE, DayAnswers, embeds, gist_of, schema_of, write_answers

if TYPE_CHECKING:
    import pandas as pd

    from driftwatch.images.shards import Shard
    from driftwatch.storage import Storage

# Opens the storage of another address than the monitor's own.
Elsewhere = Callable[[str], "Storage"]


def answer_day(day: DayStore, version: str, elsewhere: Elsewhere, shards: int = 0) -> Answers:
    """Production's answers on the day: writes answers.json, predictions.parquet and, where there are embeddings or GIST, embeddings.npy.

    An image without an answer has no row. No image is read, but for GIST its stored input; a day in `shards` may have that already.
    `version`: the one that judges the day, and who answered where the log does not say it. Raises NoLog, StillWritten, BrokenLog,
    AnsweredTwice, and, when the counts are written, LogRefused.
    """
    settings = settings_of(day.config)
    place = place_of(settings, day.date, day.storage, elsewhere)
    if is_sampled(day):
        return answer_large_day(day, version, place, shards)
    files = read_log(place, settings.settle_seconds, partial(parse, settings=settings))
    rows = rows_of(files, settings)
    images = images_of(day)
    joined = join(*together(rows), images, day.config, version)
    log = tuple(
        LogFile(name=file.name, bytes=file.bytes, rows=len(one.table) + one.broken.total())
        for file, one in zip(files, rows, strict=True)
    )
    found = counted(day, log, len(images.ids), joined.counts)
    write_counts(day, found)
    write_answers(day, version, _held(joined, len(images.ids)), shards)
    return found


def _held(joined: Joined, images: int) -> DayAnswers:
    schema = schema_of([*joined.table.columns])
    table = pa.Table.from_pandas(joined.table, schema=schema, preserve_index=False)
    answered = np.zeros(images, bool)
    answered[joined.places] = True
    empty = None if joined.embeddings is None else joined.embeddings[:0]
    return DayAnswers(schema, iter([(table, joined.embeddings)]), answered, table["image_id"], empty)


def together(rows: Sequence[Rows]) -> tuple[pd.DataFrame, Counter[str]]:
    """The rows of all files in order, and the unreadable ones of all."""
    import pandas as pd

    tables = [found.table for found in rows if len(found.table)] or [rows[0].table]
    return pd.concat(tables, ignore_index=True), sum((found.broken for found in rows), Counter())


def images_of(day: DayStore) -> Images:
    """The day's images as its manifest has them."""
    table = day.storage.read_arrow(day.keys.manifest, ["key", "image_id", "status"]).to_pydict()
    root = images_root(day)
    rows = list(zip(table["key"], table["image_id"], table["status"], strict=True))
    files = {below(root, own_key(day.config.name, key)): (image_id, status) for key, image_id, status in rows}
    ids = [image_id for _, image_id, status in rows if status == ACCEPTED]
    return Images(ids, files, tail_of(day, root))


def shard_content(day: DayStore, version: str, shard: Shard) -> None:
    """The GIST of one shard's images, for `answer_day`, where content is judged by it. No image is read otherwise."""
    if kind_of_day(day.monitor, version, embeds(day.config)) == GIST:
        inputs = DayInputs(day)
        key = shard_file(day, inputs, shard, GIST_FILE)
        day.storage.write_array(key, gist_of(inputs.blocks(shard.blocks)))

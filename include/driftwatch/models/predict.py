"""Running a registered model on a day's images."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, repeat
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from driftwatch.artifacts.store import DayStore
from driftwatch.config import MonitorConfig
from driftwatch.config.model import LOGGED
from driftwatch.errors import NeedsAttention
from driftwatch.images.inputs import DayInputs
from driftwatch.images.shard_files import digest_of
from driftwatch.images.shards import again, not_done
from driftwatch.models.as_trained import as_trained, refuse_other_pixels
from driftwatch.models.content import content_of, kind_of_day
from driftwatch.models.predictors.base import Asked, Predictor, day_predictor
from driftwatch.storage import open_storage
from driftwatch.storage.tables import pieces, rows_of, writing_table

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from driftwatch.images.shards import Shard
    from driftwatch.models.logged.day import Elsewhere

_SHARDS_AHEAD = 2
_BLOCKS, _EMBEDDINGS = b"driftwatch.blocks", b"driftwatch.embeddings"


class PredictionCounts(TypedDict):
    """How many `images` the model `model_version` answered, and how many of them with each class (`predictions`)."""

    images: int
    model_version: str
    predictions: dict[str, int]


def predict_day(day: DayStore, version: str, elsewhere: Elsewhere = open_storage) -> PredictionCounts:
    """The answers of model `version` on the day's inputs: writes embeddings.npy and predictions.parquet in the order of
    features.parquet. Without embeddings or GIST (`driftwatch.models.content`) there is no embeddings.npy.

    Columns: image_id, prediction (class), score.<class> (calibrated probabilities), model_version. Embeddings are float16
    [n, width] and come from the same pass. The same inputs give the same bytes. Returns counts: images, model_version, predictions
    (class: n).

    With `model.predictions: logged` the answers are production's own: see `driftwatch.models.logged.day.answer_day`, which may open a
    storage `elsewhere`. There an image without an answer has no row.
    """
    day = day.with_config(as_trained(day.monitor, version))
    if day.config.model.predictions == LOGGED:
        return _logged(day, version, elsewhere)
    table, embeddings = _answered(day, version)
    return _write_day(day, version, len(table), iter([(table, embeddings)]))


def predict_shard(day: DayStore, version: str, shard: Shard) -> PredictionCounts:
    """Like `predict_day`, for one shard (one part) of the day. `merge_predictions` joins the shards. Returns the counts of the shard.

    A log is not cut into shards: with `model.predictions: logged` `merge_predictions` reads it, and the counts here are 0.
    """
    day = day.with_config(as_trained(day.monitor, version))
    if day.config.model.predictions == LOGGED:
        from driftwatch.models.logged.day import shard_content

        shard_content(day, version, shard)
        return _counts(day.config, version, Counter())
    named = _named(DayInputs(day), shard.blocks)
    table, embeddings = _answered(day, version, shard.blocks)
    schema = _schema(day.config).with_metadata({_BLOCKS: named, _EMBEDDINGS: _digest(embeddings)})
    if embeddings is not None:
        day.storage.write_array(day.keys.shard(shard.number, "embeddings.npy"), embeddings)
    # Read by its schema: in a shard without an accepted image, a data frame would not know the types of its columns.
    with writing_table(day.storage, day.keys.shard(shard.number, "predictions.parquet"), schema) as predictions:
        predictions.add(table)
    return _counts(day.config, version, Counter(table["prediction"].to_pylist()))


def merge_predictions(
    day: DayStore, version: str, shards: int, elsewhere: Elsewhere = open_storage
) -> PredictionCounts:
    """Joins the files of the shards into predictions.parquet and embeddings.npy, then removes them. A second call only counts again.

    Returns counts like `predict_day`.
    """
    day = day.with_config(as_trained(day.monitor, version))
    if day.config.model.predictions == LOGGED:
        return _logged(day, version, elsewhere, shards)
    keys = [(day.keys.shard(n, "predictions.parquet"), day.keys.shard(n, "embeddings.npy")) for n in range(shards)]
    flat, there = [key for pair in keys for key in pair], {item.key for item in day.storage.list(day.keys.shards)}
    images, seen = len(DayInputs(day)), any(embeddings in there for _, embeddings in keys)
    if there.issuperset(flat if seen else [table for table, _ in keys]):
        tables = day.storage.iter_arrow([table for table, _ in keys], None, _SHARDS_AHEAD)
        embeddings = day.storage.iter_arrays([key for _, key in keys], _SHARDS_AHEAD) if seen else repeat(None)
        counts = _write_day(day, version, images, _of_the_day(day, zip(tables, embeddings, strict=False)))
    else:  # the shards' files were removed, since all is written
        if not day.storage.exists(day.keys.predictions):
            lacking = sum(table not in there for table, _ in keys)
            raise NeedsAttention(not_done(day.storage.url(day.keys.shards), lacking, shards, "predict_shards"))
        counts = _counts_again(day, version)
        _refuse_incomplete(day, counts["images"], images)
        _refuse_others(day)
    day.storage.delete_all([key for key in flat if key in there])
    return counts


def answer_again(day: DayStore, version: str, most: int) -> tuple[pd.DataFrame, np.ndarray | None]:
    """What model `version` says of a day that another version may have answered, as `predict_day` would write it: the predictions, and
    what its content is judged by. Nothing is written. Of a day that is judged by a sample about `most` images are answered, those of blocks
    that lie evenly over the day.

    Raises MissingArtifact where the day's inputs are gone, and NeedsAttention where they are not what the model takes.
    """
    from driftwatch.images.judged import is_sampled

    numbers = _even_blocks(DayInputs(day), most) if is_sampled(day) else None
    table, content = _answered(day.with_config(as_trained(day.monitor, version)), version, numbers)
    return table.to_pandas(), content


def _even_blocks(inputs: DayInputs, most: int) -> list[int]:
    """The numbers of blocks that hold about `most` images together."""
    there = [number for number, rows in enumerate(inputs.rows) if rows]
    blocks = max(1, round(most * len(there) / max(len(inputs), 1)))
    return [there[place] for place in np.linspace(0, len(there) - 1, min(blocks, len(there))).round().astype(int)]


def _logged(day: DayStore, version: str, elsewhere: Elsewhere, shards: int = 0) -> PredictionCounts:
    # Imported here: the reader and what the recheck compares with take a second or two to load, and most monitors have no log.
    from driftwatch.models.logged.day import answer_day
    from driftwatch.models.recheck import recheck_day

    answer_day(day, version, elsewhere, shards)
    recheck_day(day, version)
    return _counts_again(day, version)


def _named(inputs: DayInputs, blocks: range) -> bytes:
    """Which blocks these are, and what they hold."""
    return f"{blocks.start} {blocks.stop} {digest_of(inputs, blocks)}".encode()


def _digest(embeddings: np.ndarray | None) -> bytes:
    return b"" if embeddings is None else hashlib.sha256(embeddings.tobytes()).hexdigest().encode()


def _of_the_day(
    day: DayStore, parts: Iterable[tuple[pa.Table, np.ndarray | None]]
) -> Iterator[tuple[pa.Table, np.ndarray | None]]:
    """The shards' answers and embeddings. A try that was held up while the day was taken in again may have left those of other images."""
    inputs = DayInputs(day)
    for number, (table, embeddings) in enumerate(parts):
        told = table.schema.metadata or {}
        if _EMBEDDINGS in told:  # else an earlier version left it
            start, stop = map(int, told[_BLOCKS].split()[:2])
            known = stop <= len(inputs.rows) and told[_BLOCKS] == _named(inputs, range(start, stop))
            if not known or told[_EMBEDDINGS] != _digest(embeddings):
                key = day.keys.shard(number, "predictions.parquet")
                raise NeedsAttention(
                    f"{day.storage.url(key)}: the answers are about other images than the day has: {again('predict_shards')}"
                )
        yield table, embeddings


def _refuse_incomplete(day: DayStore, answered: int, images: int) -> None:
    if answered != images:
        raise NeedsAttention(
            f"{day.storage.url(day.keys.predictions)}: the shards answered {answered} of {images} images: {again('predict_shards')}"
        )


def _refuse_others(day: DayStore) -> None:
    """Answers that are there already must be about the day's images: an earlier run's may be as many."""
    of_ids = []
    for key in (day.keys.features, day.keys.predictions):
        ids = hashlib.sha256()
        for piece in pieces(day.storage, key, ["image_id"]):
            ids.update("".join(piece["image_id"].to_pylist()).encode())
        of_ids.append(ids.digest())
    if of_ids[0] != of_ids[1]:
        raise NeedsAttention(
            f"{day.storage.url(day.keys.predictions)}: the answers are about other images than the day has: {again('predict_shards')}"
        )


def _answered(
    day: DayStore,
    version: str,
    blocks: Sequence[int] | None = None,
) -> tuple[pa.Table, np.ndarray | None]:
    """Predictions of the day or of these blocks of it, and what its content is judged by: embeddings, GIST, or None.

    A batch never goes beyond a block, and its size is the same for the whole day. So an image always has the same neighbours in its
    batch, however the day was cut into shards.
    """
    import pyarrow as pa

    stored = DayInputs(day)
    numbers = range(len(stored.rows)) if blocks is None else blocks
    here = _ids(day, stored, numbers)
    model = day_predictor(day, version)
    check_shapes(model, day.config, f"model {version}")
    if model.input_size:  # else it looks at no image
        remedy = f"Clear ingest_images for {day.date}: the day is taken in again"
        refuse_other_pixels(stored.pixels, day.config, f"the images of {day.date}", remedy)
    batch_size = min(day.config.model.batch_size, max(1, len(stored)))
    found = model.predict(Asked(stored.blocks(numbers), day, here), batch_size)
    kind = kind_of_day(day.monitor, version, found.embeddings is not None)
    table = found.table(day.config.classes)
    table.insert(0, "image_id", here)
    table["model_version"] = list(found.versions)
    return pa.Table.from_pandas(table, schema=_schema(day.config), preserve_index=False), content_of(
        kind, found.embeddings, stored.blocks(numbers)
    )


def _ids(day: DayStore, stored: DayInputs, blocks: Sequence[int]) -> list[str]:
    """The ids of the images in these blocks of the day's inputs. Raises NeedsAttention where features.parquet has not as many rows as these."""
    known = rows_of(day.storage, day.keys.features)
    if known != len(stored):
        raise NeedsAttention(
            f"{day.storage.url(day.keys.inputs)} has {len(stored)} images, features.parquet {known}: clear ingest_images for {day.date}"
        )
    rows = [stored.span(blocks)] if isinstance(blocks, range) else [stored.span(range(n, n + 1)) for n in blocks]
    parts = (part for span in rows for part in pieces(day.storage, day.keys.features, ["image_id"], *span))
    return [image_id for part in parts for image_id in part["image_id"].to_pylist()]


def _write_day(
    day: DayStore,
    version: str,
    images: int,
    parts: Iterator[tuple[pa.Table, np.ndarray | None]],
) -> PredictionCounts:
    """Writes the day's artifacts from parts, in order. Only one part at a time is in memory."""
    from driftwatch.images.judged import keeping_answers
    from driftwatch.storage.arrays import writing_rows

    counts: Counter[str] = Counter()
    first = next(parts)
    with (
        writing_rows(day.storage, day.keys.embeddings, images, first[1]) as add,
        writing_table(day.storage, day.keys.predictions, _schema(day.config)) as predictions,
        keeping_answers(day, _schema(day.config), first[1]) as judged,
    ):
        for table, embeddings in chain([first], parts):
            add(embeddings)
            predictions.add(table)
            if judged:
                judged.add_table(table)
                judged.add_embeddings(embeddings)
            counts.update(table["prediction"].to_pylist())
    _refuse_incomplete(day, predictions.rows, images)
    return _counts(day.config, version, counts)


def _counts_again(day: DayStore, version: str) -> PredictionCounts:
    """The counts of what was written."""
    counts: Counter[str] = Counter()
    for piece in pieces(day.storage, day.keys.predictions, ["prediction"]):
        counts.update(piece["prediction"].to_pylist())
    return _counts(day.config, version, counts)


def _counts(config: MonitorConfig, version: str, counts: Counter[str]) -> PredictionCounts:
    return {
        "images": counts.total(),
        "model_version": version,
        "predictions": {name: counts[name] for name in config.classes},
    }


def _schema(config: MonitorConfig) -> pa.Schema:
    import pyarrow as pa

    text, number = pa.string(), pa.float64()
    scores = [(f"score.{name}", number) for name in config.classes]
    return pa.schema([("image_id", text), ("prediction", text), *scores, ("model_version", text)])


def check_shapes(model: Predictor, config: MonitorConfig, name: str) -> None:
    """Refuses a model if its input's size or its classes are not those of the monitor file."""
    size, classes = (config.model.input.height, config.model.input.width), len(config.classes)
    takes = model.input_size or size
    if (takes, model.classes) != (size, classes):
        raise NeedsAttention(
            f"{name} takes {list(takes)} px and knows {model.classes} classes; the monitor file says model.input.size {list(size)} and "
            f"{classes} classes {json.dumps(config.classes)}"
        )

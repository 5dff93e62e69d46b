"""Production's logged answers beside those of the champion's file, on a sample of a day. The file sees the images as `model.input` makes them, so
a difference shows that production's preprocessing, or its model, is another."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from driftwatch.artifacts.models import ModelCard
from driftwatch.artifacts.recheck import Agreement, Recheck
from driftwatch.artifacts.store import DayStore
from driftwatch.images.inputs import DayInputs, has_inputs
from driftwatch.models.expected import compare
from driftwatch.models.own_model import Scores
from driftwatch.models.predictors.base import KERAS, ONNX, predictor
from driftwatch.models.predictors.from_images import ImagePredictor
from driftwatch.models.serving import answered_on
from driftwatch.storage.joining import joined
from driftwatch.storage.tables import pieces

logger = logging.getLogger(__name__)

_ID, _VERSION = "image_id", "model_version"
_BLOCKS = 4
# Without scores: so many of a hundred images may lie so near to a border that another program answers another class.
_OTHER_CLASS = 0.02


def recheck_day(day: DayStore, version: str) -> Recheck | None:
    """Writes recheck.json and returns it. None where the version is no file, `model.recheck_images` is 0, or the day's inputs were removed by
    `storage.keep`: then what an earlier run has written is removed.

    predictions.parquet must be there. The same day gives the same sample of the serving version's answers: images from a few blocks, by their ids.
    Raises as `answered_on` does."""
    recheck = _rechecked(day, version)
    if recheck is None:
        day.storage.delete(day.key(Recheck))
        return None
    day.write(recheck)
    if not recheck.agrees:
        logger.warning(
            "Production's answers are not those of the file of %s: largest difference %s, median %s, %s of %s images in another class",
            version, recheck.largest, recheck.median, recheck.other_class, recheck.images,
        )  # fmt: skip
    return recheck


def _rechecked(day: DayStore, version: str) -> Recheck | None:
    wanted = day.config.model.recheck_images
    card = day.monitor.find(day.monitor.keys.model_card(version), ModelCard)
    if not wanted or card is None or card.kind not in (KERAS, ONNX) or not has_inputs(day):
        return None
    inputs = DayInputs(day)
    answered = answered_on(day)
    rows = _sample(day, inputs, answered.serving, wanted)
    model = predictor(day.monitor, version)
    if not len(rows) or not isinstance(model, ImagePredictor):
        return None
    ours = Scores(model)(inputs.take(rows["place"].tolist()), model.facts.input)
    found = _compared(ours, rows, day.config.classes)
    return Recheck(**dict(found[0]), day=day.date, model_version=version, scores=found[1])


def _sample(day: DayStore, inputs: DayInputs, serving: str | None, wanted: int) -> pd.DataFrame:
    """The answers that are compared, each with the `place` of its image in the day's inputs. No table is held."""
    there = np.zeros(len(inputs.rows), bool)
    ends = np.cumsum(inputs.rows)
    for piece in joined(_places(day), pieces(day.storage, day.keys.predictions, [_ID, _VERSION]), _ID):
        ours = piece.filter(pc.fill_null(pc.equal(piece[_VERSION], serving), False)) if serving else piece.slice(0, 0)
        there[np.searchsorted(ends, ours["place"].to_numpy(), side="right")] = True
    known = np.flatnonzero(there)
    some = known[np.linspace(0, len(known) - 1, min(len(known), _BLOCKS)).round().astype(int)] if len(known) else known
    spans = [inputs.span(range(block, block + 1)) for block in some.tolist()]
    place_of = {image_id: place for span in spans for piece in _places(day, *span) for image_id, place in _pairs(piece)}
    wanted_ids = pa.array([*place_of], pa.string())
    found = [
        piece.filter(pc.and_(pc.is_in(piece[_ID], value_set=wanted_ids), pc.equal(piece[_VERSION], serving)))
        for piece in pieces(day.storage, day.keys.predictions)
    ]
    rows = pa.concat_tables(found).to_pandas() if found else pd.DataFrame({_ID: []})
    return rows.assign(place=rows[_ID].map(place_of)).sort_values(_ID).head(wanted)


def _places(day: DayStore, start: int = 0, stop: int | None = None) -> Iterator[pa.Table]:
    """The ids of the day's images, each with its place in the inputs; of those from `start` to before `stop`."""
    for piece in pieces(day.storage, day.keys.features, [_ID], start, stop):
        yield piece.append_column("place", pa.array(np.arange(start, start + len(piece))))
        start += len(piece)


def _pairs(piece: pa.Table) -> Iterator[tuple[str, int]]:
    return zip(piece[_ID].to_pylist(), piece["place"].to_pylist(), strict=True)


def _compared(ours: np.ndarray, rows: pd.DataFrame, classes: tuple[str, ...]) -> tuple[Agreement, bool]:
    """The agreement, and whether there were scores to compare."""
    columns = [f"score.{name}" for name in classes]
    if set(columns) <= set(rows.columns):
        return compare(ours, rows[columns].to_numpy(float)), True
    said = np.array([classes.index(name) for name in rows["prediction"]], int)
    one_hot = np.eye(len(classes))
    found = compare(one_hot[ours.argmax(axis=1)], one_hot[said])
    return found.model_copy(update={"agrees": found.other_class <= _OTHER_CLASS * found.images}), False

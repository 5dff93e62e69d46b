"""Production's logged answers beside those of the champion's file, on a sample of a day. The file sees the images as `model.input` makes them, so
a difference shows that production's preprocessing, or its model, is another."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np

from driftwatch.artifacts.models import ModelCard
from driftwatch.artifacts.recheck import Agreement, Recheck
from driftwatch.artifacts.store import DayStore
from driftwatch.images.inputs import DayInputs
from driftwatch.models.expected import compare
from driftwatch.models.own_model import Scores
from driftwatch.models.predictors.base import KERAS, ONNX, predictor
from driftwatch.models.predictors.from_images import ImagePredictor
from driftwatch.models.serving import answered_by

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

_BLOCKS = 4
# Without scores: so many of a hundred images may lie so near to a border that another program answers another class.
_OTHER_CLASS = 0.02


def recheck_day(day: DayStore, version: str) -> Recheck | None:
    """Writes recheck.json and returns it; None where the version is no file, or `model.recheck_images` is 0. predictions.parquet must be
    there. The same day gives the same sample of the serving version's answers: images from a few blocks, by their ids. Raises as
    `answered_by` does."""
    wanted = day.config.model.recheck_images
    card = day.monitor.find(day.monitor.keys.model_card(version), ModelCard)
    if not wanted or card is None or card.kind not in (KERAS, ONNX):
        return None
    inputs = DayInputs(day)
    table = day.storage.read_table(day.keys.predictions)
    answered = answered_by(table["model_version"], day.config, day.storage.url(day.keys.predictions))
    table = table[table["model_version"] == answered.serving]
    places = _sample(day, inputs, table, wanted)
    model = predictor(day.monitor, version)
    if not len(places) or not isinstance(model, ImagePredictor):
        return None
    ours = Scores(model)(inputs.take(places["place"].tolist()), model.facts.input)
    found = _compared(ours, table.loc[places.index], day.config.classes)
    recheck = Recheck(**dict(found[0]), day=day.date, model_version=version, scores=found[1])
    day.write(recheck)
    if not recheck.agrees:
        logger.warning(
            "Production's answers are not those of the file of %s: largest difference %s, median %s, %s of %s images in another class",
            version, recheck.largest, recheck.median, recheck.other_class, recheck.images,
        )  # fmt: skip
    return recheck


def _sample(day: DayStore, inputs: DayInputs, table: pd.DataFrame, wanted: int) -> pd.DataFrame:
    """The rows of `table` that are compared, each with the place of its image in the day's inputs."""
    ids = day.storage.read_arrow(day.keys.features, ["image_id"])["image_id"].to_pylist()
    place_of = {image_id: place for place, image_id in enumerate(ids)}
    rows = table[["image_id"]].assign(place=table["image_id"].map(place_of))
    ends = np.cumsum(inputs.rows)
    blocks = np.searchsorted(ends, rows["place"].to_numpy(), side="right")
    there = np.unique(blocks)
    some = there[np.linspace(0, len(there) - 1, min(len(there), _BLOCKS)).round().astype(int)] if len(there) else there
    return rows[np.isin(blocks, some)].sort_values("image_id").head(wanted)


def _compared(ours: np.ndarray, rows: pd.DataFrame, classes: tuple[str, ...]) -> tuple[Agreement, bool]:
    """The agreement, and whether there were scores to compare."""
    columns = [f"score.{name}" for name in classes]
    if set(columns) <= set(rows.columns):
        return compare(ours, rows[columns].to_numpy(float)), True
    said = np.array([classes.index(name) for name in rows["prediction"]], int)
    one_hot = np.eye(len(classes))
    found = compare(one_hot[ours.argmax(axis=1)], one_hot[said])
    return found.model_copy(update={"agrees": found.other_class <= _OTHER_CLASS * found.images}), False

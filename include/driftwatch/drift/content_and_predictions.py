"""What is known once the model has predicted: drift of content and of predictions, in content_drift.json.

The reference of both is what the model says of images that it was not trained on.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pandas as pd

from driftwatch.artifacts.drift import ContentDrift, DriftTest
from driftwatch.artifacts.reference import UsualPredictions
from driftwatch.drift.content import (
    Content,
    build_content_reference,
    components_by_day,
    content_components,
    judge_content,
)
from driftwatch.drift.day_map import write_map
from driftwatch.drift.dependence import bursts
from driftwatch.drift.predictions import judge_predictions, judge_versions, usual_predictions
from driftwatch.drift.reference import MIN_REFERENCE
from driftwatch.drift.segment_kinds import segments_of_answers
from driftwatch.images.judged import judged_predictions, sampled_from
from driftwatch.models.as_trained import as_trained
from driftwatch.models.content import EMBEDDINGS

if TYPE_CHECKING:
    from driftwatch.artifacts.store import DayStore, MonitorStore

logger = logging.getLogger(__name__)
T = TypeVar("T", bound=DriftTest)


def build_held_out_references(store: MonitorStore, version: str, table: pd.DataFrame, content: Content) -> int:
    """Writes the references of content and predictions of model `version`; returns the number of held-out images in them.

    `table`: one row for each image of the model's data, with `trained_on` and `held_out` (bool), `prediction` and, where
    known, `image_id`, `label` and `phash`; `content` in its order. Of near-duplicates one is kept. With fewer than MIN_REFERENCE
    held-out images there is no reference of content: neither kind is judged, and the day says so.
    """
    burst = bursts(table)
    first = np.ones(len(table), bool) if burst is None else ~pd.Series(burst).duplicated().to_numpy()
    held_out = first & table["held_out"].to_numpy(bool)
    count = int(held_out.sum())
    if count >= MIN_REFERENCE and content.values is not None:
        build_content_reference(store, version, table, content.values, held_out)
    classes = store.config.classes
    counts = usual_predictions(table, held_out, classes).tolist()
    usual = UsualPredictions(images=count, counts=dict(zip(classes, counts, strict=True)))
    if content.kind != EMBEDDINGS:
        usual = usual.model_copy(update={"content": content.kind})
    store.write(store.keys.reference_predictions(version), usual)
    return count


def judge_content_and_predictions(day: DayStore, version: str) -> ContentDrift:
    """Tests what model `version` sees in the day's images, and what it predicts; writes content_drift.json and map.json."""
    day = day.with_config(as_trained(day.monitor, version))
    predictions = judged_predictions(day)
    usual = day.monitor.find(day.monitor.keys.reference_predictions(version), UsualPredictions)
    table = content_components(day, version, usual)
    images = sampled_from(day)
    write_map(day, version, predictions["image_id"].tolist(), table, images)
    drift = ContentDrift(
        day=day.date,
        reference_version=version,
        reference_images=usual.images if usual else 0,
        day_false_alarm_rate=day.config.profiling.false_alarm_rate,
        content=_of(images, judge_content(day, version, predictions, usual, table)),
        predictions=_of(images, judge_predictions(day, predictions, usual, version)),
    )
    if versions := judge_versions(day, predictions, usual, version):
        drift = drift.model_copy(update={"versions": versions})
    components = components_by_day(day, version, usual)
    if segments := segments_of_answers(day, version, predictions, components):
        drift = drift.model_copy(update=segments)
    day.write(drift)
    for kind, test in (("content", drift.content), ("predictions", drift.predictions)):
        logger.info("%s: %s %s, p = %s", day.date, kind, test.verdict, test.p_value)
    return drift


def _of(images: int | None, test: T) -> T:
    """The test, with how many `images` its sample was drawn from."""
    return test if images is None else test.model_copy(update={"of_images": images})

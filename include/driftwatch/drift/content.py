"""Drift of content, which is what is photographed: the day's embeddings against those of the model's held-out images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftwatch.artifacts.drift import ContentTest
from driftwatch.drift.against_reference import (
    examples,
    features_test,
    kind_rate,
    load_reference,
    report_of,
    too_few_held_out,
    too_small,
    with_clusters,
)
from driftwatch.drift.class_mix import PREDICTION
from driftwatch.drift.embeddings import fit_projection, project
from driftwatch.drift.reference import CONTENT, NOT_ENOUGH_EVIDENCE, Reference

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from driftwatch.artifacts.reference import UsualPredictions
    from driftwatch.artifacts.store import DayStore, MonitorStore


def build_content_reference(
    store: MonitorStore, version: str, table: pd.DataFrame, embeddings: np.ndarray, held_out: np.ndarray
) -> None:
    """Writes the projection of model `version`, and the reference of the `held_out` images, a bool for each row.

    `table` and `embeddings`: as for `driftwatch.drift.content_and_predictions.build_held_out_references`.
    """
    settings = store.config.profiling
    trained_on = table["trained_on"].to_numpy(bool)
    projection = fit_projection(embeddings[trained_on] if trained_on.any() else embeddings)
    components = project(embeddings[held_out], projection)
    components[PREDICTION] = table.loc[held_out, "prediction"].to_numpy()
    store.storage.write_array(store.keys.reference_projection(version), projection)
    reference = Reference.build(components, kind_rate(settings, CONTENT), settings.seed, settings.min_images)
    reference.save(store, version, CONTENT)


def judge_content(
    day: DayStore, version: str, predictions: pd.DataFrame, usual: UsualPredictions | None
) -> ContentTest:
    """Tests the embeddings of the day's images, which are in the order of `predictions`, against those of held-out ones.

    `usual` says how many held-out images there are. Where they are too few, there is no reference and no test.
    """
    reason = too_few_held_out(usual, version)
    if reason:
        return ContentTest(
            verdict=NOT_ENOUGH_EVIDENCE,
            reason=reason,
            p_value=None,
            false_alarm_rate=kind_rate(day.config.profiling, CONTENT),
            n=len(predictions),
            effective_n=len(predictions),
            features=(),
            examples=(),
        )
    projection = day.storage.read_array(day.monitor.keys.reference_projection(version))
    table = project(day.storage.read_array(day.keys.embeddings), projection)
    table.insert(0, "image_id", predictions["image_id"].to_numpy())
    table[PREDICTION] = predictions["prediction"].to_numpy()
    reference = load_reference(day.monitor, version, CONTENT)
    report = report_of(day.monitor, version, CONTENT, reference, with_clusters(day, table))
    found = ContentTest(**dict(features_test(report)), examples=examples(table, reference, report))
    if report.verdict == NOT_ENOUGH_EVIDENCE:
        found = found.model_copy(update={"reason": too_small(report.effective_n, day.config.profiling.min_images)})
    return found

"""Drift of content, which is what is photographed: the day's embeddings against those of the model's held-out images.

Where the model gives no embeddings, GIST takes their place (`driftwatch.models.content`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from driftwatch.artifacts.drift import ContentTest
from driftwatch.artifacts.reference import ContentFeatures
from driftwatch.drift.against_reference import (
    examples,
    features_test,
    kind_rate,
    set_fields,
    too_few_held_out,
    too_small,
    whole_rate,
    with_clusters,
)
from driftwatch.drift.baseline import baseline_content
from driftwatch.drift.class_mix import PREDICTION
from driftwatch.drift.day_map import write_reference_points
from driftwatch.drift.embeddings import fit_projection, project
from driftwatch.drift.reference import CONTENT, NOT_ENOUGH_EVIDENCE, Reference
from driftwatch.drift.states import compare, nearest, places_of_states, told
from driftwatch.images.judged import is_sampled, judged_embeddings_key
from driftwatch.models.content import EMBEDDINGS, GIST, NONE, embeds_days
from driftwatch.storage.arrays import row_pieces

if TYPE_CHECKING:
    from datetime import date

    from driftwatch.artifacts.reference import UsualPredictions
    from driftwatch.artifacts.store import DayStore, MonitorStore
    from driftwatch.drift.segment_days import Tables


@dataclass(frozen=True)
class Content:
    """What tells the content of images: its `kind`, and `values` [n, width]; None where nothing does."""

    kind: ContentFeatures
    values: np.ndarray | None


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
    if "image_id" in table:
        write_reference_points(store, version, table.loc[held_out, "image_id"].tolist(), components)
    components[PREDICTION] = table.loc[held_out, "prediction"].to_numpy()
    store.storage.write_array(store.keys.reference_projection(version), projection)
    reference = Reference.build(components, kind_rate(settings, CONTENT), settings.seed, settings.min_images)
    reference.save(store, version, CONTENT)


def content_components(day: DayStore, version: str, usual: UsualPredictions | None) -> pd.DataFrame | str:
    """The components of the day's embeddings, or why they cannot be compared with those of model `version`.

    `usual` says how many held-out images there are. Where they are too few, there is no reference and no test.
    """
    return too_few_held_out(usual, version) or _components(day, version, usual)


def judge_content(
    day: DayStore,
    version: str,
    predictions: pd.DataFrame,
    usual: UsualPredictions | None,
    table: pd.DataFrame | str,
) -> ContentTest:
    """Tests the components of the day's images, which are in the order of `predictions`, against those of held-out ones. `table`: as
    `content_components` has them; a table is changed."""
    found = (
        _not_tested(day, predictions, table) if isinstance(table, str) else _tested(day, version, predictions, table)
    )
    return found.model_copy(update={"by": GIST}) if usual is not None and usual.content == GIST else found


def _not_tested(day: DayStore, predictions: pd.DataFrame, reason: str) -> ContentTest:
    return ContentTest(
        verdict=NOT_ENOUGH_EVIDENCE,
        state=None,
        reason=reason,
        p_value=None,
        false_alarm_rate=whole_rate(day.config, CONTENT),
        n=len(predictions),
        effective_n=len(predictions),
        features=(),
        examples=(),
    )


def _tested(day: DayStore, version: str, predictions: pd.DataFrame, table: pd.DataFrame) -> ContentTest:
    """The test against each accepted state whose days the version has seen, reported against the nearest."""
    table.insert(0, "image_id", predictions["image_id"].to_numpy())
    table[PREDICTION] = predictions["prediction"].to_numpy()
    states = {**baseline_content(day, version), **places_of_states(day, version, CONTENT)}
    compared = compare(day.monitor, states, CONTENT, with_clusters(day, table), ())
    outcomes = [found.outcome for found in compared]
    best = compared[nearest(outcomes)]
    found = ContentTest(
        **set_fields(features_test(best.report)), examples=examples(table, best.reference, best.report)
    ).model_copy(update=told([found.name for found in compared], outcomes))
    if best.report.verdict == NOT_ENOUGH_EVIDENCE:
        reason = too_small(best.report.effective_n, day.config.profiling.min_images)
        found = found.model_copy(update={"reason": reason})
    return found


def _components(day: DayStore, version: str, usual: UsualPredictions | None) -> pd.DataFrame | str:
    """The components of the day's embeddings, or why there are none."""
    if usual is not None and usual.content == NONE:
        return f"{version} gives no embeddings, and model.content_features was none when it was registered"
    key = judged_embeddings_key(day)
    if not day.storage.exists(key):
        return f"the day's answers have no embeddings, and the reference of {version} is made of embeddings"
    if (usual is None or usual.content == EMBEDDINGS) and not embeds_days(day.monitor, version):
        return (
            f"the reference of {version} is made of its own embeddings, and the day has those of production's model: `driftwatch champion "
            "import` with --replace makes another reference"
        )
    projection = day.storage.read_array(day.monitor.keys.reference_projection(version))
    # Of a large day only the components are held. The pieces are such that they come out as from the whole array.
    parts = row_pieces(day.storage, key) if is_sampled(day) else iter([day.storage.read_array(key)])
    known, found = projection.shape[1] - 1, []
    for part in parts:
        if known != part.shape[1]:
            return f"the day's embeddings have {part.shape[1]} numbers each, and those of the reference of {version} have {known}"
        found.append(project(part, projection))
    return pd.concat(found, ignore_index=True) if len(found) > 1 else found[0]


def components_by_day(day: DayStore, version: str, usual: UsualPredictions | None) -> Tables | None:
    """What gives the components of a day's embeddings, or None where a day has none that can be compared; None where the model has no
    reference of content."""
    if too_few_held_out(usual, version):
        return None

    def of(other: date) -> pd.DataFrame | None:
        found = _components(day.monitor.day(other), version, usual)
        return None if isinstance(found, str) else found

    return of

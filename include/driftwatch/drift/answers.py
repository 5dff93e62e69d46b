"""What a model says of the days that a reference of content and predictions is made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from driftwatch.artifacts.ingest import Ingest
from driftwatch.artifacts.reference import UsualPredictions
from driftwatch.config.model import LOGGED
from driftwatch.drift.against_reference import whole_rate, with_clusters
from driftwatch.drift.class_mix import PREDICTION
from driftwatch.drift.dependence import bursts
from driftwatch.drift.embeddings import project
from driftwatch.drift.independent import independent_counts, independent_images
from driftwatch.drift.reference import CONTENT, MAX_REFERENCE, MIN_REFERENCE, Reference
from driftwatch.errors import MissingArtifact, NeedsAttention
from driftwatch.images.judged import is_sampled, judged_embeddings_key, judged_predictions, judged_predictions_key
from driftwatch.models.as_trained import as_trained
from driftwatch.models.predict import answer_again
from driftwatch.models.splits import TRAIN, known_splits
from driftwatch.storage.arrays import row_pieces

if TYPE_CHECKING:
    from driftwatch.artifacts.store import DayStore, MonitorStore


# Of a large day: a reference keeps MAX_REFERENCE images of all its days, and some are near-duplicates.
MOST_ANSWERS = 4 * MAX_REFERENCE


class Answers(NamedTuple):
    """What a model says of a day's images that no model was trained on: the class of each, the components of its embedding (None without),
    which images are the first of near-duplicates, and how much of an independent image each is."""

    predicted: np.ndarray
    components: pd.DataFrame | None
    first: np.ndarray
    independent: np.ndarray


def answers_of(day: DayStore, version: str) -> Answers:
    """The day's own answers, where `version` gave them, or production. Else the model is asked again, on the inputs that the day has kept.

    Raises MissingArtifact where these are gone, or production's answers are; and NeedsAttention where they are not what the model takes.
    """
    found = stored_answers(day, version)
    if found is None and _is_logged(day, version):
        raise MissingArtifact(
            f"{day.storage.url(judged_predictions_key(day))} does not exist: clear predict_labels of {day.date}"
        )
    return _answers(day, version, found or answer_again(day, version, MOST_ANSWERS))


def stored_answers(day: DayStore, version: str) -> tuple[pd.DataFrame, np.ndarray | None] | None:
    """The predictions and embeddings that the day has, if they are those of `version`, or production's own; else None. If the day is judged by a
    sample, these are the ones of MOST_ANSWERS images of it."""
    ingest = day.find(Ingest)
    same = ingest is not None and ingest.model_version == version
    if not (same or _is_logged(day, version)) or not day.storage.exists(judged_predictions_key(day)):
        return None
    table, key = judged_predictions(day), judged_embeddings_key(day)
    there = day.storage.exists(key)
    if not is_sampled(day):
        return table, day.storage.read_array(key) if there else None
    last = sorted(table["image_id"])[:MOST_ANSWERS][-1:]
    kept = (table["image_id"] <= max(last, default="")).to_numpy(bool)
    return table[kept].reset_index(drop=True), _rows_of(day, key, kept) if there else None


def _is_logged(day: DayStore, version: str) -> bool:
    return as_trained(day.monitor, version).model.predictions == LOGGED


def _rows_of(day: DayStore, key: str, kept: np.ndarray) -> np.ndarray:
    """The rows of an array that are `kept`, read piece by piece."""
    found, start = [], 0
    for piece in row_pieces(day.storage, key):
        found.append(piece[kept[start : start + len(piece)]])
        start += len(piece)
    return np.concatenate(found)


def own_answers(day: DayStore, version: str) -> Answers | None:
    """Like `answers_of`, but no model is asked; None where the day has no answers of `version`."""
    stored = stored_answers(day, version)
    return _answers(day, version, stored) if stored else None


def _answers(day: DayStore, version: str, found: tuple[pd.DataFrame, np.ndarray | None]) -> Answers:
    table, embeddings = found
    usual = day.monitor.read(day.monitor.keys.reference_predictions(version), UsualPredictions)
    known, trained = known_splits(day.monitor), as_trained(day.monitor, version)
    learnt = set(known.loc[known["split"] == TRAIN, "image_id"])
    # Production may have answered the day when there was one class more.
    kept = (table[PREDICTION].isin(trained.classes) & ~table["image_id"].isin(learnt)).to_numpy(bool)
    components = None
    if embeddings is not None and usual.content != "none":
        components = _components(day, version, embeddings[kept])
    table = table[kept].reset_index(drop=True)
    burst = bursts(with_clusters(day, table))
    first = np.ones(len(table), bool) if burst is None else ~pd.Series(burst).duplicated().to_numpy()
    independent = independent_images(day.with_config(trained), table)
    return Answers(table[PREDICTION].to_numpy(object), components, first, independent)


def _components(day: DayStore, version: str, embeddings: np.ndarray) -> pd.DataFrame | None:
    key = day.monitor.keys.reference_projection(version)
    if not day.storage.exists(key):
        return None
    projection = day.storage.read_array(key)
    if projection.shape[1] - 1 != embeddings.shape[1]:
        raise NeedsAttention(
            f"the embeddings of {day.date} have {embeddings.shape[1]} numbers, those of {version} {projection.shape[1] - 1}"
        )
    return project(embeddings, projection)


def content_reference(store: MonitorStore, found: Sequence[Answers]) -> Reference | None:
    """The reference of content that the answers make; None where they are too few."""
    tables = [
        each.components.assign(**{PREDICTION: each.predicted})[each.first]
        for each in found
        if each.components is not None
    ]
    if sum(map(len, tables)) < MIN_REFERENCE:
        return None
    settings, table = store.config.profiling, pd.concat(tables, ignore_index=True)
    return Reference.build(table, whole_rate(store.config, CONTENT), settings.seed, settings.min_images)


def independent_images_in(found: Sequence[Answers]) -> int:
    """How many independent images the answers are about."""
    return round(sum(float(each.independent.sum()) for each in found))


def usual_of(store: MonitorStore, version: str, found: Sequence[Answers]) -> UsualPredictions | None:
    """How often each class is answered; None where the answers are too few."""
    images = independent_images_in(found)
    if images < MIN_REFERENCE:
        return None
    classes = as_trained(store, version).classes
    independent = np.concatenate([each.independent for each in found])
    predicted = np.concatenate([each.predicted for each in found])
    codes = pd.Categorical(predicted, categories=list(classes)).codes.astype(int)
    counts = independent_counts(independent, codes, len(classes)).tolist()
    return UsualPredictions(images=images, counts=dict(zip(classes, counts, strict=True)))

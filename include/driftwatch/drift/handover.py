"""Handing over: promotion of a challenger that passed the gate, and the drift references of a model version."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from driftwatch.artifacts.keys import GATE, SET
from driftwatch.artifacts.models import ChampionPointer
from driftwatch.artifacts.retraining import GateResult
from driftwatch.artifacts.store import MonitorStore
from driftwatch.drift.content import Content
from driftwatch.errors import NeedsAttention
from driftwatch.models import registry
from driftwatch.models.as_trained import refuse_other
from driftwatch.models.content import chosen, content_of, embeds_days
from driftwatch.models.dataset import EVALUATION, HUMAN, TRAIN, VALIDATION, load_features, load_inputs
from driftwatch.models.gate import PROMOTE
from driftwatch.models.original_set import set_keys
from driftwatch.models.predictors.base import Asked, predictor

if TYPE_CHECKING:
    import numpy as np

logger = logging.getLogger(__name__)


class GateNotPassed(NeedsAttention):
    """The gate did not find the challenger better, so it is not promoted."""


def promote_challenger(store: MonitorStore, run_key: str, promoted_by: str) -> ChampionPointer:
    """Makes the challenger of `run_key` the champion and returns the pointer.

    Its drift references are built before the pointer moves, so that no day meets a champion without one. Raises GateNotPassed, or
    registry.ChampionMoved where the champion is no longer the one that the challenger was compared with.
    """
    gate = store.read(store.keys.retraining(run_key, GATE), GateResult)
    if gate.decision != PROMOTE:
        raise GateNotPassed(
            f"{store.keys.monitor}: {gate.version} is not promoted, the gate says {gate.decision}: {' '.join(gate.reasons)}"
        )
    refuse_other(registry.card(store, gate.version), store.config, "the challenger")
    build_reference_of(store, gate.version)
    pointer = registry.promote(store, gate.version, promoted_by, expected=gate.champion)
    logger.info("%s: champion is %s, before it %s", store.keys.monitor, pointer.version, pointer.previous)
    return pointer


@dataclass(frozen=True)
class ReferenceCounts:
    """What the references of a version were built from."""

    version: str
    images: int
    """Images in the reference of image quality: the original and the human labelled ones."""
    original: int
    """Images of the original training set."""
    human: int
    """Human labelled images that the version was trained on."""
    held_out: int
    """Images in the reference of content and predictions."""


def build_reference_of(store: MonitorStore, version: str) -> ReferenceCounts:
    """Builds the drift references of `version`.

    Image quality: the features of its data, which are the original set and, for a challenger, the human labelled images that it was
    trained on; each image once. Content and predictions: what it predicts for those of its data that it was not trained on.
    """
    from driftwatch.drift.content_and_predictions import build_held_out_references
    from driftwatch.drift.image_quality import build_image_reference

    card = registry.card(store, version)
    data = _data_of(store, card.data.run_key)
    refuse_other(card, store.config, "the model")
    predicted, content = _predicted(store, version, data)
    build_image_reference(store, version, data.features)
    held_out = build_held_out_references(store, version, predicted, content)
    images, original = len(data.features), len(data.original)
    return ReferenceCounts(version, images, original, images - original, held_out)


class _Data(NamedTuple):
    """A version's data: the `original` set, the `features` of all images it learnt from, and of all its images the `table` and the
    model's `inputs`, uint8 [n, height, width, 3] in the order of `table`."""

    original: pd.DataFrame
    features: pd.DataFrame
    table: pd.DataFrame
    inputs: np.ndarray


def _data_of(store: MonitorStore, run_key: str | None) -> _Data:
    """`run_key`: the retraining that made the version; None for one of the original set alone."""
    keys = set_keys(store)
    original = store.storage.read_table(keys.table)
    features = store.storage.read_table(keys.features).assign(phash=original.get("phash"))
    if not run_key:
        return _Data(original, features, original, store.storage.read_array(keys.inputs))
    table = store.storage.read_table(store.keys.retraining(run_key, SET))
    learnt = table[(table["source"] == HUMAN) & (table["split"] != EVALUATION)]
    if len(learnt):
        features = pd.concat([features, load_features(store, learnt)], ignore_index=True)
    return _Data(original, features, table, load_inputs(store, table))


def _predicted(store: MonitorStore, version: str, data: _Data) -> tuple[pd.DataFrame, Content]:
    """What the version predicts of its data, and what tells its content, as `build_held_out_references` takes them. Images that
    production has not answered are in neither."""
    asked = Asked([data.inputs], image_ids=data.table["image_id"].tolist())
    found = predictor(store, version).predict(asked, store.config.model.batch_size)
    kind = chosen(store.config, found.embeddings is not None and embeds_days(store, version))
    hashes = data.original.set_index("image_id").get("phash", pd.Series(dtype=object))
    predicted = pd.DataFrame(
        {
            "trained_on": data.table["split"] == TRAIN,
            "held_out": data.table["split"].isin([VALIDATION, EVALUATION]),
            "label": data.table["label"],
            "prediction": found.table(store.config.classes)["prediction"],
            "phash": data.table["image_id"].map(hashes),
        }
    )
    answered = predicted["prediction"].notna()
    content = content_of(kind, found.embeddings, [data.inputs])
    return predicted[answered].reset_index(drop=True), Content(kind, None if content is None else content[answered])

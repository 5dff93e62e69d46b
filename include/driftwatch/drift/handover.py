"""Handing over: promotion of a challenger that passed the gate, and the drift references of a model version."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from driftwatch.artifacts.keys import GATE
from driftwatch.artifacts.models import ChampionPointer
from driftwatch.artifacts.retraining import GateResult
from driftwatch.artifacts.store import MonitorStore
from driftwatch.drift.content import Content
from driftwatch.errors import NeedsAttention
from driftwatch.models import registry
from driftwatch.models.as_trained import refuse_other
from driftwatch.models.content import chosen, content_of, embeds_days
from driftwatch.models.dataset import EVALUATION, TRAIN, VALIDATION
from driftwatch.models.gate_rules import PROMOTE
from driftwatch.models.original_set import decoding_of_set, set_keys
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
    """Images of the original training set, which are the reference of image quality."""
    held_out: int
    """Those that no model is trained on: the reference of content and predictions."""


def build_reference_of(store: MonitorStore, version: str) -> ReferenceCounts:
    """Builds the drift references of `version`: the state `training`, and what the version makes of the accepted states.

    `training` is the original set alone. Images of drifted days that a challenger learnt from are no part of it: the mixture would be
    like neither (driftwatch.drift.states). Image quality: the features of all its images. Content and predictions: what the version says
    of those of them that no model is trained on.
    """
    from driftwatch.drift.accepted import prepare_states
    from driftwatch.drift.content_and_predictions import build_held_out_references
    from driftwatch.drift.image_quality import build_image_reference

    refuse_other(registry.card(store, version), store.config, "the model")
    keys = set_keys(store)
    table = store.storage.read_table(keys.table)
    predicted, content = _predicted(store, version, table, store.storage.read_array(keys.inputs))
    features = store.storage.read_table(keys.features).assign(phash=table.get("phash"))
    build_image_reference(store, version, features, decoding_of_set(store))
    held_out = build_held_out_references(store, version, predicted, content)
    prepare_states(store, version)
    return ReferenceCounts(version, len(features), held_out)


def _predicted(
    store: MonitorStore, version: str, table: pd.DataFrame, inputs: np.ndarray
) -> tuple[pd.DataFrame, Content]:
    """What the version predicts of the original set, and what tells its content, as `build_held_out_references` takes them. Images that
    production has not answered are in neither. `inputs`: uint8 [n, height, width, 3] in the order of `table`."""
    asked = Asked([inputs], image_ids=table["image_id"].tolist())
    found = predictor(store, version).predict(asked, store.config.model.batch_size)
    kind = chosen(store.config, found.embeddings is not None and embeds_days(store, version))
    predicted = pd.DataFrame(
        {
            "image_id": table["image_id"],
            "trained_on": table["split"] == TRAIN,
            "held_out": table["split"].isin([VALIDATION, EVALUATION]),
            "label": table["label"],
            "prediction": found.table(store.config.classes)["prediction"],
            "phash": table.get("phash"),
        }
    )
    answered = predicted["prediction"].notna()
    content = content_of(kind, found.embeddings, [inputs])
    return predicted[answered].reset_index(drop=True), Content(kind, None if content is None else content[answered])

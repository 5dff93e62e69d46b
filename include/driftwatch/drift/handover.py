"""Handing over: promotion of a challenger that passed the gate, its drift reference, and the way back."""

from __future__ import annotations

import logging
from typing import Any

import pandas as pd

from driftwatch.artifacts.keys import MonitorLayout
from driftwatch.config import MonitorConfig
from driftwatch.errors import NeedsAttention
from driftwatch.models import registry
from driftwatch.models.as_trained import refuse_other
from driftwatch.models.dataset import EVALUATION, HUMAN, SET, TRAIN, VALIDATION, load_features, load_inputs
from driftwatch.models.gate import GATE, PROMOTE
from driftwatch.models.original_set import set_keys
from driftwatch.storage import Storage

logger = logging.getLogger(__name__)


class GateNotPassed(NeedsAttention):
    """The gate did not find the challenger better, so it is not promoted."""


def promote_challenger(
    storage: Storage, layout: MonitorLayout, config: MonitorConfig, run_key: str, promoted_by: str
) -> dict[str, Any]:
    """Makes the challenger of `run_key` the champion and returns the pointer.

    Its drift reference is built before the pointer moves, so that no day meets a champion without one. Raises GateNotPassed, or registry.ChampionMoved where the champion is no longer the one it was compared with.
    """
    gate = storage.read_json(layout.retraining(run_key, GATE))
    if gate["decision"] != PROMOTE:
        raise GateNotPassed(
            f"{layout.monitor}: {gate['version']} is not promoted, the gate says {gate['decision']}: {' '.join(gate['reasons'])}"
        )
    refuse_other(registry.card(storage, layout, gate["version"]), config, "the challenger")
    build_reference_of(storage, layout, config, gate["version"])
    pointer = registry.promote(storage, layout, gate["version"], promoted_by, expected=gate["champion"])
    logger.info("%s: champion is %s, before it %s", layout.monitor, pointer["version"], pointer["previous"])
    return pointer


def build_reference_of(storage: Storage, layout: MonitorLayout, config: MonitorConfig, version: str) -> dict[str, Any]:
    """Builds the drift references of `version`. Returns counts.

    Image quality: the features of its data, the original set and, for a challenger, the human labelled images that it was
    trained on, each image once. Content and predictions: its own answers on those of its data that it was not trained on.
    """
    from driftwatch.drift.content_drift import build_content_reference
    from driftwatch.drift.drift import build_reference
    from driftwatch.models.predict import answers, logits_and_embeddings, probabilities
    from driftwatch.models.registry import load_model

    run_key = registry.card(storage, layout, version)["data"]["run_key"]
    keys = set_keys(storage, layout)
    original = storage.read_table(keys.table)
    features = storage.read_table(keys.features).assign(phash=original.get("phash"))
    if run_key:
        table = storage.read_table(layout.retraining(run_key, SET))
        learnt = table[(table["source"] == HUMAN) & (table["split"] != EVALUATION)]
        if len(learnt):
            features = pd.concat([features, load_features(storage, layout, learnt)], ignore_index=True)
        inputs = load_inputs(storage, layout, table)
    else:
        table, inputs = original, storage.read_array(keys.inputs)
    refuse_other(registry.card(storage, layout, version), config, "the model")
    model = load_model(storage, layout, version)
    raw, embeddings = logits_and_embeddings(model, inputs, config.model.batch_size)
    data = pd.DataFrame(
        {
            "trained_on": table["split"] == TRAIN,
            "held_out": table["split"].isin([VALIDATION, EVALUATION]),
            "label": table["label"],
            "prediction": answers(probabilities(raw, 1.0), config.classes)["prediction"],
            "phash": table["image_id"].map(original.set_index("image_id").get("phash", pd.Series(dtype=object))),
        }
    )
    build_reference(storage, layout, version, features, config)
    held_out = build_content_reference(storage, layout, version, config, data, embeddings)
    return {
        "version": version,
        "images": len(features),
        "original": len(original),
        "human": len(features) - len(original),
        "held_out": held_out,
    }

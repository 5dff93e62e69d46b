"""Handing over: promotion of a challenger that passed the gate, its drift reference, and the way back."""

from __future__ import annotations

import logging
from typing import Any

import pandas as pd

from driftwatch.artifacts.keys import GATE, SET
from driftwatch.artifacts.store import MonitorStore
from driftwatch.errors import NeedsAttention
from driftwatch.models import registry
from driftwatch.models.as_trained import refuse_other
from driftwatch.models.dataset import EVALUATION, HUMAN, TRAIN, VALIDATION, load_features, load_inputs
from driftwatch.models.gate import PROMOTE
from driftwatch.models.original_set import set_keys

logger = logging.getLogger(__name__)


class GateNotPassed(NeedsAttention):
    """The gate did not find the challenger better, so it is not promoted."""


def promote_challenger(store: MonitorStore, run_key: str, promoted_by: str) -> dict[str, Any]:
    """Makes the challenger of `run_key` the champion and returns the pointer.

    Its drift reference is built before the pointer moves, so that no day meets a champion without one. Raises GateNotPassed, or registry.ChampionMoved where the champion is no longer the one it was compared with.
    """
    gate = store.storage.read_json(store.keys.retraining(run_key, GATE))
    if gate["decision"] != PROMOTE:
        raise GateNotPassed(
            f"{store.keys.monitor}: {gate['version']} is not promoted, the gate says {gate['decision']}: {' '.join(gate['reasons'])}"
        )
    refuse_other(registry.card(store, gate["version"]), store.config, "the challenger")
    build_reference_of(store, gate["version"])
    pointer = registry.promote(store, gate["version"], promoted_by, expected=gate["champion"])
    logger.info("%s: champion is %s, before it %s", store.keys.monitor, pointer["version"], pointer["previous"])
    return pointer


def build_reference_of(store: MonitorStore, version: str) -> dict[str, Any]:
    """Builds the drift references of `version`. Returns counts.

    Image quality: the features of its data, the original set and, for a challenger, the human labelled images that it was
    trained on, each image once. Content and predictions: its own answers on those of its data that it was not trained on.
    """
    from driftwatch.drift.content_drift import build_content_reference
    from driftwatch.drift.drift import build_reference
    from driftwatch.models.predict import answers, logits_and_embeddings, probabilities
    from driftwatch.models.registry import load_model

    run_key = registry.card(store, version)["data"]["run_key"]
    keys = set_keys(store)
    original = store.storage.read_table(keys.table)
    features = store.storage.read_table(keys.features).assign(phash=original.get("phash"))
    if run_key:
        table = store.storage.read_table(store.keys.retraining(run_key, SET))
        learnt = table[(table["source"] == HUMAN) & (table["split"] != EVALUATION)]
        if len(learnt):
            features = pd.concat([features, load_features(store, learnt)], ignore_index=True)
        inputs = load_inputs(store, table)
    else:
        table, inputs = original, store.storage.read_array(keys.inputs)
    refuse_other(registry.card(store, version), store.config, "the model")
    model = load_model(store, version)
    raw, embeddings = logits_and_embeddings(model, inputs, store.config.model.batch_size)
    data = pd.DataFrame(
        {
            "trained_on": table["split"] == TRAIN,
            "held_out": table["split"].isin([VALIDATION, EVALUATION]),
            "label": table["label"],
            "prediction": answers(probabilities(raw, 1.0), store.config.classes)["prediction"],
            "phash": table["image_id"].map(original.set_index("image_id").get("phash", pd.Series(dtype=object))),
        }
    )
    build_reference(store, version, features)
    held_out = build_content_reference(store, version, data, embeddings)
    return {
        "version": version,
        "images": len(features),
        "original": len(original),
        "human": len(features) - len(original),
        "held_out": held_out,
    }

"""Handing the training set over to a team that trains its model elsewhere. The model comes back by driftwatch.models.returned.

Nothing of the images that judge models is handed over but their ids: a team that has the same images in a set of its own must be able to
leave them out.
"""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd

from driftwatch.artifacts.handover import Handover, HandoverFile
from driftwatch.artifacts.keys import DATASET_CARD, SET
from driftwatch.artifacts.model_input import ModelInput
from driftwatch.artifacts.nested_keys import HandoverKeys
from driftwatch.artifacts.retraining import DatasetCard
from driftwatch.artifacts.store import MonitorStore
from driftwatch.models import registry
from driftwatch.models.as_trained import refuse_other_champion
from driftwatch.models.challenger import damage_of, recent_rows, weights_of
from driftwatch.models.dataset import image_keys
from driftwatch.models.splits import EVALUATION, LEFT_OUT, TRAIN, VALIDATION, known_splits

NEVER_TRAIN = "never_train.parquet"
_COLUMNS = ["image_id", "key", "label", "split", "source", "day", "confidence", "weight"]


def hand_over(store: MonitorStore, run_key: str, requested_by: str) -> Handover:
    """Writes retraining/<run_key>/handover: the training set, the images that must not be trained on, and the manifest, which is returned.

    What was handed over stays as it is: a second call returns the first one's manifest.
    """
    keys = store.keys.of_retraining(run_key).handover
    if done := store.find(keys.manifest, Handover):
        return done
    refuse_other_champion(store)
    collected = store.storage.read_table(store.keys.retraining(run_key, SET))
    card = store.read(store.keys.retraining(run_key, DATASET_CARD), DatasetCard)
    learnt = _learnt(store, collected)
    manifest = Handover(
        monitor=store.keys.monitor,
        run_key=run_key,
        requested_by=requested_by,
        storage=store.storage.uri,
        place=store.storage.url(keys.folder),
        champion=registry.champion_version(store),
        classes=store.config.classes,
        input=ModelInput.of(store.config.model.input),
        first_day=card.first_day,
        last_day=card.last_day,
        set=_written(store, keys, SET, learnt),
        never_train=_written(store, keys, NEVER_TRAIN, _never_train(store)),
        splits={str(name): int(n) for name, n in learnt["split"].value_counts().sort_index().items()},
        damage=damage_of(store, collected),
    )
    store.write(keys.manifest, manifest)
    return manifest


def _learnt(store: MonitorStore, collected: pd.DataFrame) -> pd.DataFrame:
    """The rows that a model may learn from, each with the key of its image and its weight."""
    recent, parts = recent_rows(store, collected), []
    for split in (TRAIN, VALIDATION):
        of_split = np.asarray(collected["split"] == split)
        weights = weights_of(recent[of_split], 0, store.config.retraining.recent_share)
        parts.append(collected[of_split].assign(weight=weights))
    learnt = pd.concat(parts, ignore_index=True)
    return learnt.assign(key=image_keys(store, learnt))[_COLUMNS]


def _never_train(store: MonitorStore) -> pd.DataFrame:
    """Every image that judges models, on whatever day it came, and every one that is near to such an image."""
    splits = known_splits(store)
    return splits.loc[splits["split"].isin([EVALUATION, LEFT_OUT]), ["image_id"]].sort_values(
        "image_id", ignore_index=True
    )


def _written(store: MonitorStore, keys: HandoverKeys, name: str, table: pd.DataFrame) -> HandoverFile:
    store.storage.write_table(keys.file(name), table)
    digest = hashlib.sha256(store.storage.read_bytes(keys.file(name))).hexdigest()
    return HandoverFile(name=name, sha256=digest, rows=len(table))

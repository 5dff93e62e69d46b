"""Cross-fitting: labels that the challenger is trained on judge too, by the answers of models that were not trained on them.

The labels of the days on which the model is bad are divided into folds. For each fold one more model is trained, in the same way and on
the same set without the fold. It answers the fold's images. The challenger itself is trained on all folds. So each label of these days
judges once: evaluation images judge the challenger, the others a model of their fold.

The models of the folds are not the challenger. Training has luck of its own (`powered.TRAINING_SPREAD`). The gate adds it to the error of
the difference, as far as the labels are those of folds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np
import pandas as pd

from driftwatch.artifacts.keys import FOLDS, SET
from driftwatch.artifacts.model_input import ModelInput
from driftwatch.artifacts.store import MonitorStore
from driftwatch.images.near_duplicates import near_duplicate_clusters
from driftwatch.models import registry
from driftwatch.models.cards import open_file
from driftwatch.models.dataset import bad_and_good_days, load_inputs
from driftwatch.models.human_labels import HUMAN
from driftwatch.models.predictors.base import Asked
from driftwatch.models.predictors.from_images import ModelFacts
from driftwatch.models.splits import EVALUATION, TRAIN, VALIDATION, known_splits
from driftwatch.models.training.base import Trained

# Trains on a set, as the challenger is trained. The name is that of the fold, for its checkpoints.
Learn = Callable[[pd.DataFrame, str], Trained]


def cross_fit(store: MonitorStore, run_key: str, table: pd.DataFrame, learn: Learn) -> None:
    """Trains a model for each of `retraining.cross_fit` folds, and writes what each answers to its fold: retraining/<run_key>/folds.parquet
    has image_id, fold, prediction and score.<class>. A repeat goes on after the last fold that was written. Folds of another set, of a
    try before this one, are answered anew."""
    key, folds = store.keys.retraining(run_key, FOLDS), folds_of(store, table)
    known = [of for _, of in store.storage.read_table(key).groupby("fold")] if store.storage.exists(key) else []
    members = {fold: set(table.loc[folds == fold, "image_id"]) for fold in sorted(set(folds) - {-1})}
    done = [of for of in known if members.get(of["fold"].iloc[0]) == set(of["image_id"])]
    if len(done) < len(known):
        if done:
            store.storage.write_table(key, pd.concat(done, ignore_index=True))
        else:
            store.storage.delete(key)
    for fold in sorted(set(members) - {of["fold"].iloc[0] for of in done}):
        chosen = folds == fold
        trained = learn(table.assign(split=table["split"].mask(chosen, EVALUATION)), f"fold-{fold}")
        done.append(_answered(store, table[chosen].reset_index(drop=True), trained).assign(fold=fold))
        store.storage.write_table(key, pd.concat(done, ignore_index=True))


def folds_of(store: MonitorStore, table: pd.DataFrame) -> np.ndarray:
    """The fold of each row of a collected set; -1 for a row that is in none: int [n].

    In a fold are labels of bad days that are trained on, were not chosen for being hard, and that the champion was not trained on. Near-duplicates share a fold.
    Where one of them is trained on in any case, none is in a fold.
    """
    number, learnt = store.config.retraining.cross_fit, table["split"].isin([TRAIN, VALIDATION])
    hard = table["extra"].fillna(False).astype(bool) if "extra" in table else pd.Series(False, index=table.index)
    bad_days, _ = bad_and_good_days(store, table)
    may = learnt & (table["source"] == HUMAN) & table["day"].isin(bad_days) & ~hard
    may &= ~table["image_id"].isin(_champions_own(store))
    folds = np.full(len(table), -1)
    if number < 2 or not may.any():
        return folds
    rows = table[learnt]
    hashes = rows["image_id"].map(known_splits(store).drop_duplicates("image_id").set_index("image_id")["phash"])
    clusters = pd.Series(near_duplicate_clusters(hashes.tolist()), index=rows.index)
    whole = may[learnt].groupby(clusters).transform("all")
    named = rows["image_id"].groupby(clusters).transform("min")
    folds[learnt] = np.where(whole, [_place(name) % number for name in named], -1)
    return folds


def fold_answers(store: MonitorStore, run_key: str, table: pd.DataFrame) -> pd.DataFrame | None:
    """The rows of the set that a fold's model answered, with `fold`, its prediction and its scores; None if there was no cross-fitting."""
    key = store.keys.retraining(run_key, FOLDS)
    if not store.storage.exists(key):
        return None
    return table.merge(store.storage.read_table(key), on="image_id", validate="one_to_one")


def _champions_own(store: MonitorStore) -> set[str]:
    """The labelled images of days that the champion was trained on."""
    run_key = registry.card(store, registry.champion_version(store)).data.run_key
    if not run_key:
        return set()
    learnt = store.storage.read_table(store.keys.retraining(run_key, SET))
    return set(learnt.loc[learnt["split"] != EVALUATION, "image_id"])


def _answered(store: MonitorStore, rows: pd.DataFrame, trained: Trained) -> pd.DataFrame:
    config = store.config
    facts = ModelFacts("", config.classes, trained.input or ModelInput.of(config.model.input), trained.head)
    model = open_file(trained.model, trained.kind, facts, "the model of a fold")
    asked = Asked([load_inputs(store, rows)], image_ids=rows["image_id"].tolist())
    found = model.predict(asked, min(config.model.batch_size, len(rows))).table(config.classes)
    found.insert(0, "image_id", rows["image_id"])
    return found


def _place(name: str) -> int:
    return int.from_bytes(hashlib.sha256(f"driftwatch fold {name}".encode()).digest()[:8], "big")

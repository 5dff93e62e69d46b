"""The challenger: the champion, fine-tuned on the original set, the human labels of the days, and imitated damage."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from driftwatch.config import MonitorConfig
from driftwatch.layout import DayLayout, MonitorLayout
from driftwatch.model.cards import Labelled, register_trained
from driftwatch.model.dataset import (
    EVALUATION,
    HUMAN,
    ORIGINAL,
    SET,
    TRAIN,
    VALIDATION,
    bad_and_good_days,
    load_inputs,
    summary,
)
from driftwatch.storage import Storage

if TYPE_CHECKING:
    from driftwatch.model.damage import Damage
    from driftwatch.model.training import OnEpoch

logger = logging.getLogger(__name__)

CHALLENGER = "challenger.json"
DAMAGED_IMAGES = 1000
DAMAGE_SAMPLE = 40
# Damaged copies are this much weaker or stronger than the estimate, at random, so that a rough estimate does.
_STRENGTH_SPREAD = 1.3


def train_challenger(
    storage: Storage,
    layout: MonitorLayout,
    config: MonitorConfig,
    run_key: str,
    requested_by: str,
    work_folder: Path,
    epochs: int | None = None,
    learning_rate: float | None = None,
    seed: int | None = None,
    on_epoch: OnEpoch | None = None,
) -> str:
    """Trains on retraining/<run_key>/set.parquet, registers the model with its card, and returns its version.

    Each epoch replays the original set; the human labels and, where `retraining.imitate_drift` finds a damage, damaged copies of
    original training images make up `retraining.recent_share` of it, half each. `epochs`, `learning_rate` and `seed` replace the
    monitor file's. `work_folder` is local; a killed run goes on from its checkpoint there. The same run_key again returns the
    version of the first time: retraining/<run_key>/challenger.json is written last.
    """
    from driftwatch.model.registry import champion_version, load_model
    from driftwatch.model.runtime import prepare
    from driftwatch.model.training import Recipe, fit

    done = layout.retraining(run_key, CHALLENGER)
    if storage.exists(done):
        return storage.read_json(done)["version"]
    settings = config.retraining
    prepare(settings.seed if seed is None else seed)
    table = storage.read_table(layout.retraining(run_key, SET))
    parent = champion_version(storage, layout)
    start = load_model(storage, layout, parent)
    images = Labelled.of(load_inputs(storage, layout, table), table["label"], config)
    train = images.where(table["split"] == TRAIN)
    human = np.asarray(table.loc[table["split"] == TRAIN, "source"] == HUMAN)
    bad_days, _ = bad_and_good_days(storage, layout, table)
    recent = human & table.loc[table["split"] == TRAIN, "day"].isin(bad_days).to_numpy()
    damage, damaged = _imitate(storage, layout, config, table, settings.seed if seed is None else seed)
    replayed = int((~recent).sum())
    recipe = Recipe(
        epochs=epochs or settings.epochs,
        learning_rate=learning_rate or settings.learning_rate,
        seed=settings.seed if seed is None else seed,
        epoch_size=round(replayed / (1 - settings.recent_share)),
    )
    folder = work_folder / f"{layout.monitor}-{run_key}"
    model, history = fit(
        start,
        np.concatenate([train.images, damaged.images]),
        np.concatenate([train.labels, damaged.labels]),
        len(config.classes),
        recipe,
        weights=_weights(recent, len(damaged.labels), settings.recent_share),
        validation=(
            images.where(table["split"] == VALIDATION).images,
            images.where(table["split"] == VALIDATION).labels,
        ),
        work_folder=folder,
        on_epoch=on_epoch,
    )
    about = {
        "created_by": requested_by,
        "parent": parent,
        "data": {
            "run_key": run_key,
            **summary(table),
            "damage": damage.as_dict() if damage else None,
            "damaged_images": len(damaged.labels),
        },
        "recipe": {"name": "fine-tune", **asdict(recipe), "recent_share": settings.recent_share},
        "seeds": {"training": recipe.seed},
        "history": [{key: value for key, value in row.items() if key != "seconds"} for row in history],
    }
    holdout = images.where((table["split"] == EVALUATION) & (table["source"] == ORIGINAL))
    validation = images.where(table["split"] == VALIDATION)
    version = register_trained(storage, layout, config, model, start.from_logits, validation, holdout, about)
    storage.write_json(done, {"version": version, "parent": parent, "requested_by": requested_by})
    shutil.rmtree(folder, ignore_errors=True)
    return version


def _weights(recent: np.ndarray, damaged: int, recent_share: float) -> np.ndarray:
    """How often each training row is drawn: originals, human labels and, after them, `damaged` copies, by shares of an epoch:
    `recent` marks the labels of the days that the model is bad on; other days' labels are replayed with the originals.

    No recent label is drawn more than ten times an epoch's original, however few there are.
    """
    replayed, labels = int((~recent).sum()), int(recent.sum())
    share = recent_share / max(1, (labels > 0) + (damaged > 0))
    once = (1 - recent_share) / replayed
    of_label = min(share / labels, 10 * once) if labels else 0.0
    of_damaged = share / damaged if damaged else 0.0
    return np.concatenate([np.where(recent, of_label, once), np.full(damaged, of_damaged)])


def _imitate(
    storage: Storage, layout: MonitorLayout, config: MonitorConfig, table: pd.DataFrame, seed: int
) -> tuple[Damage | None, Labelled]:
    """The damage that the drifted days of the set show, and damaged copies of original training images."""
    size = config.model.input_size
    nothing = Labelled(np.zeros((0, size, size, 3), np.uint8), np.zeros(0, "int64"))
    days = _drifted_days(storage, layout, table) if config.retraining.imitate_drift else []
    if not days:
        return None, nothing
    from driftwatch.images.decode import model_input
    from driftwatch.model.damage import NONE, STRENGTHS, apply_damage, estimate_damage

    originals = storage.read_table(layout.training_set)
    originals = originals[originals["split"] == TRAIN]
    chosen = originals.sample(min(DAMAGED_IMAGES, len(originals)), random_state=seed)
    sample = list(_decoded(storage, config, chosen["key"].head(DAMAGE_SAMPLE)))
    damage = estimate_damage(sample, pd.concat([storage.read_table(day.features) for day in days], ignore_index=True))
    logger.info("damage that the features of %d drifted day(s) show: %s %s", len(days), damage.kind, damage.strength)
    if damage.kind == NONE or damage.strength is None:
        return damage, nothing
    rng = np.random.default_rng(seed)
    strengths = damage.strength * _STRENGTH_SPREAD ** rng.uniform(-1, 1, len(chosen))
    strengths = strengths.clip(min(STRENGTHS[damage.kind]), max(STRENGTHS[damage.kind]))
    inputs = [
        model_input(apply_damage(rgb, damage.kind, float(strength), number), size)
        for number, (rgb, strength) in enumerate(zip(_decoded(storage, config, chosen["key"]), strengths, strict=True))
    ]
    return damage, Labelled.of(np.stack(inputs), chosen["label"], config)


def _drifted_days(storage: Storage, layout: MonitorLayout, table: pd.DataFrame) -> list[DayLayout]:
    days = [layout.day(date.fromisoformat(day)) for day in sorted(set(table.loc[table["source"] == HUMAN, "day"]))]
    return [day for day in days if storage.exists(day.drift) and storage.read_json(day.drift)["verdict"] == "drifted"]


def _decoded(storage: Storage, config: MonitorConfig, keys: Iterable[str]) -> Iterator[np.ndarray]:
    """The images at their own size, uint8 [h, w, 3]; they were accepted before, so one that fails now is an error."""
    from driftwatch.images.decode import decode_image

    for _, data in storage.iter_bytes(list(keys)):
        if isinstance(data, Exception):
            raise data
        yield decode_image(data, config.images).rgb

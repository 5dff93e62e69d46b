"""The challenger is the champion after fine-tuning, or a new model that starts from new weights. Both are trained on the original set, on
the human labels of the days, and on images with imitated damage."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from driftwatch.artifacts import base
from driftwatch.artifacts.drift import DayDrift
from driftwatch.artifacts.keys import CHALLENGER, DATASET_CARD, SET, own_key
from driftwatch.artifacts.model_input import ModelInput
from driftwatch.artifacts.models import CardRecipe, DamageEstimate, ModelData
from driftwatch.artifacts.retraining import ChallengerNote, DatasetCard
from driftwatch.artifacts.store import DayStore, MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.config.model import ENDPOINT, LOGGED
from driftwatch.config.retraining import KERAS
from driftwatch.errors import ChangedImage, NeedsAttention
from driftwatch.images.judged import judged_features
from driftwatch.models.as_trained import refuse_other_champion
from driftwatch.models.cards import Origin, Unlearnt, register_trained
from driftwatch.models.dataset import (
    EVALUATION,
    HUMAN,
    ORIGINAL,
    TRAIN,
    VALIDATION,
    bad_and_good_days,
    load_inputs,
)
from driftwatch.models.folds import Learn, cross_fit
from driftwatch.models.original_set import set_keys
from driftwatch.models.predictors.heads import Head
from driftwatch.models.segment_choice import segment_weights
from driftwatch.models.trainers import chosen_trainer, trainer_name
from driftwatch.models.training.base import Attempt, Labelled, OnEpoch, Recipe, Start, Trained, TrainingSet
from driftwatch.models.training.checkpoints import Checkpoints
from driftwatch.storage import Storage

logger = logging.getLogger(__name__)

DAMAGED_IMAGES = 1000
DAMAGE_SAMPLE = 40
# The damage of each copy is weaker or stronger than the estimate by a random factor within this range. So a rough estimate is enough.
_STRENGTH_SPREAD = 1.3


def train_challenger(
    store: MonitorStore,
    run_key: str,
    requested_by: str,
    on_epoch: OnEpoch | None = None,
) -> str:
    """Trains on retraining/<run_key>/set.parquet, registers the model with its card, and returns its version.

    Each epoch shows the original set again. A share of it, `retraining.recent_share`, is human labels. If `retraining.imitate_drift`
    finds a damage, half of that share is damaged copies of original training images. The training starts from the champion or from
    new weights (`retraining.start_from`). With `retraining.cross_fit` the models of the folds are trained before. A killed run goes on from its checkpoint, on any machine. A second call with the same
    run_key returns the version of the first: retraining/<run_key>/challenger.json is written last.
    """
    from driftwatch.models.registry import champion_version, prune

    done = store.keys.retraining(run_key, CHALLENGER)
    checkpoints = Checkpoints(store.storage, store.keys.of_retraining(run_key).checkpoints)
    if note := store.find(done, ChallengerNote):
        checkpoints.clear()
        return note.version
    refuse_other_champion(store)
    settings, parent = store.config.retraining, champion_version(store)
    start = start_of(store, parent)
    collected = store.storage.read_table(store.keys.retraining(run_key, SET))
    if settings.cross_fit > 1:
        cross_fit(store, run_key, collected, _learn(store, run_key, start))
    parts = _parts(store, collected)
    recipe = _recipe(store, parts)
    trained = chosen_trainer(store).train(parts.learnt, recipe, start, Attempt(checkpoints, on_epoch))
    name = "fine-tune" if start else "scratch"
    card = store.read(store.keys.retraining(run_key, DATASET_CARD), DatasetCard)
    data = ModelData(**dict(card), run_key=run_key, damage=parts.damage, damaged_images=parts.damaged_images)
    told = CardRecipe(**dict(recipe.noted), name=name, recent_share=settings.recent_share)
    if (other := trainer_name(store)) != KERAS:
        told = told.model_copy(update={"trainer": other})
    origin = Origin(requested_by, parent, data, told, {"training": recipe.seed})
    version = register_trained(store, trained, parts.unlearnt, origin)
    store.write(done, ChallengerNote(version=version, parent=parent, requested_by=requested_by))
    checkpoints.clear()
    prune(store, settings.keep_challengers)
    return version


def _recipe(store: MonitorStore, parts: _Parts) -> Recipe:
    share = store.config.retraining.recent_share
    return challenger_recipe(store.config, epoch_size=round(parts.replayed / (1 - share)))


def _learn(store: MonitorStore, run_key: str, start: Start | None) -> Learn:
    """How the model of a fold is trained: as the challenger is."""

    def learn(table: pd.DataFrame, fold: str) -> Trained:
        checkpoints = Checkpoints(store.storage, f"{store.keys.of_retraining(run_key).folds}/{fold}")
        parts = _parts(store, table)
        trained = chosen_trainer(store).train(parts.learnt, _recipe(store, parts), start, Attempt(checkpoints))
        checkpoints.clear()
        return trained

    return learn


def start_of(store: MonitorStore, champion: str) -> Start | None:
    """What the training starts from, as `retraining.start_from` says: the champion's weights, or None for new ones. Raises NeedsAttention if
    the trainer cannot go on from the champion."""
    from driftwatch.models.registry import model_file, model_key

    if store.config.retraining.start_from != "champion":
        return None
    data, card = model_file(store, champion)
    answers_alone = card.kind in (ENDPOINT, LOGGED)
    if answers_alone or (trainer_name(store) == KERAS and card.kind != KERAS):
        why = (
            "only its answers are known"
            if answers_alone
            else f"Keras cannot go on from a model of the kind {card.kind}"
        )
        raise NeedsAttention(
            f"{store.keys.monitor}: the champion {champion} cannot be fine-tuned, since {why}: set retraining.start_from to scratch, or "
            "retraining.trainer to handover or to a trainer of your own"
        )
    return Start(data, Head.of(card), store.storage.url(model_key(store, card)))


def challenger_recipe(config: MonitorConfig, epoch_size: int) -> Recipe:
    """The monitor file's recipe. For fine-tuning, the epochs, learning rate and patience are those of `retraining`."""
    settings, recipe = config.retraining, config.model.recipe.model_dump()
    if settings.start_from == "champion":
        own = {"epochs": settings.epochs, "learning_rate": settings.learning_rate, "patience": settings.patience}
        recipe = {**recipe, **own, "small_share": 0.0}
    return Recipe.model_validate({**recipe, "seed": settings.seed, "epoch_size": epoch_size})


@dataclass(frozen=True)
class _Parts:
    """What a challenger is trained on, and what judges it.

    `learnt.train` has originals, human labels and damaged copies. Weights say how often each is drawn. `replayed` of them are not
    recent. `learnt.validation` has recent labels and damaged copies in the same shares: else training would stop early only because
    the model gets a little worse on clean images. `unlearnt` has no damaged copies. The copies imitate `damage`; `damaged_images` is
    how many of them are trained on.
    """

    learnt: TrainingSet
    replayed: int
    unlearnt: Unlearnt
    damage: DamageEstimate | None
    damaged_images: int


def _parts(store: MonitorStore, table: pd.DataFrame) -> _Parts:
    from driftwatch.models.training.batches import draw

    settings = store.config.retraining
    images = Labelled.of(load_inputs(store, table), table, store.config.classes)
    recent = recent_rows(store, table)
    damage, often = damage_of(store, table), segment_weights(store, table, recent)
    mixed, weights, copies = {}, {}, {}
    for split in (TRAIN, VALIDATION):
        rows = np.asarray(table["split"] == split)
        copies[split] = _damaged(store, damage, split)
        mixed[split] = images.where(rows).and_then(copies[split])
        weights[split] = weights_of(recent[rows], len(copies[split].labels), settings.recent_share)
        weights[split][: int(rows.sum())] *= often[rows]
    n = len(weights[VALIDATION])
    shown = draw(weights[VALIDATION], n, settings.seed) if n else np.zeros(0, int)
    validation = images.where(table["split"] == VALIDATION)
    holdout = images.where((table["split"] == EVALUATION) & (table["source"] == ORIGINAL))
    return _Parts(
        TrainingSet(
            mixed[TRAIN],
            len(store.config.classes),
            mixed[VALIDATION].where(shown),
            weights[TRAIN],
            ModelInput.of(store.config.model.input),
            store.config.classes,
        ),
        replayed=int((~recent[table["split"] == TRAIN]).sum()),
        unlearnt=Unlearnt(validation, holdout),
        damage=damage,
        damaged_images=len(copies[TRAIN].labels),
    )


def recent_rows(store: MonitorStore, table: pd.DataFrame) -> np.ndarray:
    """Which rows of a collected set are human labels of the days on which the model is bad."""
    bad_days, _ = bad_and_good_days(store, table)
    return np.asarray((table["source"] == HUMAN) & table["day"].isin(bad_days))


def weights_of(recent: np.ndarray, damaged: int, recent_share: float) -> np.ndarray:
    """How often each row is drawn. The rows are originals, human labels, and then `damaged` copies. `recent` marks the labels of the
    days on which the model is bad. The labels of other days are drawn as often as the originals.

    However few recent labels there are, one is drawn at most ten times as often as an original.
    """
    replayed, labels = int((~recent).sum()), int(recent.sum())
    share = recent_share / max(1, (labels > 0) + (damaged > 0))
    once = (1 - recent_share) / max(1, replayed)
    of_label = min(share / labels, 10 * once) if labels else 0.0
    of_damaged = share / damaged if damaged else 0.0
    return np.concatenate([np.where(recent, of_label, once), np.full(damaged, of_damaged)])


def damage_of(store: MonitorStore, table: pd.DataFrame) -> DamageEstimate | None:
    """The damage that the features of the set's drifted days show. None if no day drifted, or if no damage shall be imitated."""
    days = _drifted_days(store, table) if store.config.retraining.imitate_drift else []
    if not days:
        return None
    from driftwatch.models.damage import estimate_damage

    chosen = _originals(store, TRAIN, store.config.retraining.seed).head(DAMAGE_SAMPLE)
    features = pd.concat([judged_features(day) for day in days], ignore_index=True)
    damage = estimate_damage(list(_decoded(store.storage, store.config, chosen)), features)
    logger.info("damage that the features of %d drifted day(s) show: %s %s", len(days), damage.kind, damage.strength)
    return damage


def _damaged(store: MonitorStore, damage: DamageEstimate | None, split: str) -> Labelled:
    """Damaged copies of at most DAMAGED_IMAGES original images of the split. No copies without a damage."""
    from driftwatch.images.resize import model_input
    from driftwatch.models.damage import NONE, STRENGTHS, apply_damage

    about, seed = ModelInput.of(store.config.model.input), store.config.retraining.seed
    chosen = _originals(store, split, seed)
    if damage is None or damage.kind == NONE or damage.strength is None or chosen.empty:
        return Labelled(np.zeros((0, about.height, about.width, 3), np.uint8), np.zeros(0, "int64"))
    strengths = damage.strength * _STRENGTH_SPREAD ** np.random.default_rng(seed).uniform(-1, 1, len(chosen))
    strengths = strengths.clip(min(STRENGTHS[damage.kind]), max(STRENGTHS[damage.kind]))
    inputs = [
        model_input(apply_damage(rgb, damage.kind, float(strength), number), about)
        for number, (rgb, strength) in enumerate(
            zip(_decoded(store.storage, store.config, chosen), strengths, strict=True)
        )
    ]
    return Labelled.of(np.stack(inputs), chosen, store.config.classes)


def _originals(store: MonitorStore, split: str, seed: int) -> pd.DataFrame:
    """At most DAMAGED_IMAGES rows of the original set's split, chosen at random."""
    rows = store.storage.read_table(set_keys(store).table)
    rows["key"] = [own_key(store.keys.monitor, key) for key in rows["key"]]
    rows = rows[rows["split"] == split]
    return rows.sample(min(DAMAGED_IMAGES, len(rows)), random_state=seed)


def _drifted_days(store: MonitorStore, table: pd.DataFrame) -> list[DayStore]:
    days = [store.day(date.fromisoformat(day)) for day in sorted(set(table.loc[table["source"] == HUMAN, "day"]))]
    found = base.find_each(store.storage, [day.keys.drift for day in days], DayDrift)
    drifted = {key for key, drift in found if drift.verdict == "drifted"}
    return [day for day in days if day.keys.drift in drifted]


def _decoded(storage: Storage, config: MonitorConfig, chosen: pd.DataFrame) -> Iterator[np.ndarray]:
    """The images at their own size, uint8 [h, w, 3]. All were accepted before, so an image that fails now is an error."""
    from driftwatch.images.decode import decode_image
    from driftwatch.images.headers import RejectedImage

    for image_id, fetched in zip(chosen["image_id"], storage.iter_bytes(list(chosen["key"])), strict=True):
        key, data = fetched.key, fetched.data
        if hashlib.sha256(data).hexdigest() != image_id:
            raise ChangedImage(
                f"{storage.url(key)} is not the image {image_id} any more that was taken in: put that file back, or take the "
                "training images in again (`driftwatch champion train` or `import`)"
            )
        try:
            yield decode_image(data, config.images).rgb
        except RejectedImage as error:
            raise ChangedImage(
                f"{storage.url(key)} was accepted with the training images, and the monitor file's `images` refuses it now ({error.kind}: "
                f"{error}): set `images` as it was, or take them in again (`driftwatch champion train` or `import`)"
            ) from error

"""The built-in trainer, by Keras. It uses the optimizer AdamW, label smoothing, a learning rate that rises at first (warm-up) and then
falls like a cosine, and light augmentation.

It is repeatable, and it can go on after a kill. Everything random in an epoch follows from (seed, epoch), and the checkpoint of each
epoch also holds the optimizer. So a run that was killed and started again ends in the same weights as one that was not.
"""

from __future__ import annotations

import hashlib
import logging
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from driftwatch.artifacts.model_input import ModelInput
from driftwatch.artifacts.models import TimedEpochRow, TrainingTask
from driftwatch.models import architecture
from driftwatch.models.archive import DamagedModel
from driftwatch.models.keras_file import from_bytes, to_bytes
from driftwatch.models.predictors.tensors import tensor_of
from driftwatch.models.runtime import prepare
from driftwatch.models.training.base import Attempt, Recipe, Start, Trained, TrainingSet
from driftwatch.models.training.batches import batches, unvaried
from driftwatch.models.training.checkpoints import Checkpoint, Checkpoints
from driftwatch.models.training.heads import Aim

logger = logging.getLogger(__name__)
# With fewer validation images, the validation loss is too uncertain to stop by.
LEAST_VALIDATION = 30
_TIMED_STEPS = 5


class KerasTrainer:
    """Fine-tunes a Keras model, or trains a new small ResNet."""

    def train(
        self, data: TrainingSet, recipe: Recipe, start: Start | None = None, attempt: Attempt | None = None
    ) -> Trained:
        """See `Trainer.train`. Training stops early when the loss of the validation images no longer falls (`recipe.patience`). Then the
        best epoch's weights are kept, else the last one's. Raises DamagedModel for a model or checkpoint that Keras cannot load."""
        prepare(recipe.seed)
        keras.config.disable_traceback_filtering()  # it would hide the cause of a storage error in a callback
        recipe, aim = _staged(recipe, data), Aim.of(data, start)
        task = TrainingTask(recipe=recipe.noted, data=_digest(data, start))
        run = _Run(data, recipe, aim, task, attempt or Attempt())
        model, history = run.fit(from_bytes(start.model, start.name) if start else None)
        return Trained(to_bytes(model), aim.head, history)

    def seconds(self, data: TrainingSet, recipe: Recipe, start: Start | None = None) -> float:
        """Measured by a few steps on the set's images. Validation and loading are not counted."""
        prepare(recipe.seed)
        images, about = data.train.images, data.given
        recipe, aim = _staged(recipe, data), Aim.of(data, start)
        if start:
            model = from_bytes(start.model, start.name)
        else:
            model = architecture.build(about, data.classes, recipe.seed, recipe.width)
        plain = recipe.model_copy(update={"small_share": 0.0})
        _compile(model, plain, recipe.steps(len(images)), aim, at_small=False)
        chosen = np.arange(recipe.batch_size) % len(images)
        batch, targets = tensor_of(images[chosen], about), aim.targets(data.train.where(chosen))
        model.train_on_batch(batch, targets)  # compiles
        began = time.perf_counter()
        for _ in range(_TIMED_STEPS):
            model.train_on_batch(batch, targets)
        step = (time.perf_counter() - began) / _TIMED_STEPS
        small = recipe.small_epochs
        epochs = recipe.epochs - small + small * (recipe.small_size / min(about.height, about.width)) ** 2
        return step * epochs * recipe.steps(len(images))


@dataclass(frozen=True)
class _Run:
    """One training. `task` says what is trained, so that it never goes on from the checkpoints of another training."""

    data: TrainingSet
    recipe: Recipe
    aim: Aim
    task: TrainingTask
    attempt: Attempt

    def fit(self, start: keras.Model | None) -> tuple[keras.Model, list[TimedEpochRow]]:
        """The trained model and its epochs."""
        recipe, small = self.recipe, self.recipe.small_epochs
        history: list[TimedEpochRow] = []
        best: list[np.ndarray] = []
        kept = self.attempt.checkpoints
        if kept and (saved := kept.restore(self.task)):
            model, history = _loaded(saved.last, kept), list(saved.history)
            best = (model if saved.best == saved.last else _loaded(saved.best, kept)).get_weights()
            logger.info("going on after epoch %d of %d", len(history), recipe.epochs)
        else:
            model = start or self._new(self._small if small else self.data.given)
            self._compile(model, at_small=small > 0)
        self._train(model, small, history)
        if small and len(history) == small:
            model = self._larger(model)
            self._compile(model, at_small=False)
        stop = _EarlyStop(model, recipe.patience, history[small:], best) if self._may_stop else None
        self._train(model, recipe.epochs, history, stop)
        if stop and stop.stopped_epoch:
            logger.info("stopped after epoch %d; epoch %d is kept", len(history), stop.best_epoch + 1)
            model.set_weights(stop.best_weights)
        return model, history

    def _train(
        self, model: keras.Model, last: int, history: list[TimedEpochRow], stop: _EarlyStop | None = None
    ) -> None:
        """Trains up to the epoch `last`, unless it was stopped before."""
        if len(history) >= last or (stop and stop.stopped_epoch):
            return
        about = self._small if last == self.recipe.small_epochs else self.data.given
        size, validation, scored = (about.height, about.width), self.data.validation, None
        if validation and len(validation.labels):
            scored = unvaried(validation, about, size, self.aim.targets(validation))
        model.fit(
            batches(self.data, self.recipe, range(len(history), last), size, self.aim.targets(self.data.train)),
            initial_epoch=len(history),
            epochs=last,
            steps_per_epoch=self._steps,
            validation_data=scored,
            callbacks=[*([stop] if stop else []), _EachEpoch(self, history, stop)],
            verbose=0,
        )

    @property
    def _may_stop(self) -> bool:
        validation = self.data.validation
        return bool(self.recipe.patience and validation is not None and len(validation.labels) >= LEAST_VALIDATION)

    @property
    def _steps(self) -> int:
        return self.recipe.steps(len(self.data.train.images))

    @property
    def _small(self) -> ModelInput:
        """The input of the first epochs: the shorter side has `small_size` pixels."""
        about, small = self.data.given, self.recipe.small_size
        shorter = min(about.height, about.width)
        sides = {name: round(getattr(about, name) * small / shorter) for name in ("height", "width")}
        return about.model_copy(update=sides)

    def _new(self, about: ModelInput) -> keras.Model:
        return architecture.build(about, self.data.classes, self.recipe.seed, self.recipe.width)

    def _larger(self, model: keras.Model) -> keras.Model:
        """The same weights behind the input's own size. Pooling lets the network take any size."""
        larger = self._new(self.data.given)
        larger.set_weights(model.get_weights())
        return larger

    def _compile(self, model: keras.Model, at_small: bool) -> None:
        _compile(model, self.recipe, self._steps, self.aim, at_small)


class _EarlyStop(keras.callbacks.EarlyStopping):
    """Keras' early stopping, which also counts the epochs before a kill. `history` has these epochs; `best` are the weights of the best one."""

    def __init__(self, model: keras.Model, patience: int, history: list[TimedEpochRow], best: list[np.ndarray]) -> None:
        super().__init__("val_loss", mode="min", patience=patience, restore_best_weights=True)
        self.set_model(model)
        super().on_train_begin()
        for row in history:
            self.on_epoch_end(row.epoch - 1, {"val_loss": row.val_loss})
        if history:
            self.best_weights = best

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Does nothing: Keras would forget the epochs before a kill."""

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        """Does nothing: Keras would take the best epoch's weights even where training was not stopped."""

    def get_monitor_value(self, logs: dict[str, float] | None) -> float:
        """The value as the history notes it. So a training that was killed stops at the same epoch as one that was not."""
        return _rounded(super().get_monitor_value(logs))


class _EachEpoch(keras.callbacks.Callback):
    """Seeds each epoch. When the epoch has ended, notes it, saves it, and reports it."""

    def __init__(self, run: _Run, history: list[TimedEpochRow], stop: _EarlyStop | None) -> None:
        super().__init__()
        self._run, self._history, self._stop = run, history, stop
        self._began = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Seeds dropout again: its random state is not part of a saved .keras file."""
        self._began = time.perf_counter()
        for variable in self.model.variables:
            if variable.path.endswith("seed_generator_state"):
                variable.assign([self._run.recipe.seed, epoch])

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        found = {name: _rounded(value) for name, value in (logs or {}).items()}
        seconds = round(time.perf_counter() - self._began, 2)
        self._history.append(TimedEpochRow(epoch=epoch + 1, seconds=seconds, **found))
        told = ", ".join(f"{name} {value:.3f}" for name, value in found.items())
        logger.info("epoch %d of %d: %s", epoch + 1, self._run.recipe.epochs, told)
        checkpoints, on_epoch = self._run.attempt.checkpoints, self._run.attempt.on_epoch
        if checkpoints:
            best = (self._stop.best_epoch if self._stop else epoch) + 1
            checkpoints.save(self._run.task, _saved(self.model), tuple(self._history), best)
        if on_epoch:
            on_epoch(self._history[-1])


def _rounded(value: float) -> float:
    return round(float(value), 5)


def _staged(recipe: Recipe, data: TrainingSet) -> Recipe:
    """The recipe. If the images are no larger than the small ones of its first epochs, these epochs on small images are left out."""
    shorter = min(data.train.images.shape[1:3])
    return recipe if shorter > recipe.small_size else recipe.model_copy(update={"small_share": 0.0})


def _compile(model: keras.Model, recipe: Recipe, steps_an_epoch: int, aim: Aim, at_small: bool) -> None:
    """Gives the model a new optimizer, with the learning rates of the epochs that are left at this input size."""
    epochs = recipe.small_epochs if at_small else recipe.epochs - recipe.small_epochs
    peak = recipe.learning_rate if at_small or not recipe.small_epochs else recipe.learning_rate / 2
    steps = epochs * steps_an_epoch
    warmup = int(steps * recipe.warmup_share)
    schedule = keras.optimizers.schedules.CosineDecay(
        peak / 100, max(1, steps - warmup), alpha=0.0, warmup_target=peak, warmup_steps=warmup
    )
    model.compile(
        optimizer=keras.optimizers.AdamW(schedule, weight_decay=recipe.weight_decay),
        loss=aim.loss(recipe),
        metrics=[aim.accuracy()],
    )
    # All variables are made beforehand, so that TensorFlow traces the step once. Else it would make them in a first trace and need a second.
    model.optimizer.build(model.trainable_variables)


def _saved(model: keras.Model) -> bytes:
    """The model with its optimizer, as a .keras file."""
    with tempfile.TemporaryDirectory(prefix="driftwatch-checkpoint-") as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        return path.read_bytes()


def _loaded(saved: Checkpoint, among: Checkpoints) -> keras.Model:
    with tempfile.TemporaryDirectory(prefix="driftwatch-checkpoint-") as folder:
        path = Path(folder) / "model.keras"
        path.write_bytes(saved.data)
        try:
            return keras.models.load_model(path, safe_mode=True)
        except Exception as error:  # Keras raises what its layers and zip raise
            raise DamagedModel(
                f"{saved.url} is no whole checkpoint: {error}. Delete {among.url}: the training starts anew"
            ) from error


def _digest(data: TrainingSet, start: Start | None) -> str:
    digest = hashlib.sha256(data.train.images.tobytes())
    for array in (data.train.labels, np.zeros(0) if data.weights is None else data.weights):
        digest.update(array.tobytes())
    for array in (data.validation.images, data.validation.labels) if data.validation else ():
        digest.update(array.tobytes())
    if start is not None:
        digest.update(start.model)
    if not data.given.plain:
        digest.update(data.given.model_dump_json().encode())
    return digest.hexdigest()

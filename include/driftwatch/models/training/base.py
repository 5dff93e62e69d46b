"""What every trainer is given and what it returns.

You can write a trainer of your own: a class with the two methods of `Trainer`, which is made without arguments. The monitor file names it
by its import path (`retraining.trainer`), or by the name of an entry point of the group `driftwatch.trainers`. The test tests/driftwatch/models/training/test_conformance.py says what every
trainer must keep to.
"""

from __future__ import annotations

import math
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from pydantic import Field

from driftwatch.artifacts.model_input import ModelInput
from driftwatch.artifacts.models import Augmentation, TimedEpochRow, TrainingRecipe
from driftwatch.config.recipe import RecipeConfig
from driftwatch.errors import ConfigError
from driftwatch.models.predictors.heads import Head
from driftwatch.seams import Extra, Seam

if TYPE_CHECKING:
    import pandas as pd

    from driftwatch.models.training.checkpoints import Checkpoints

KERAS = "keras"
SEAM = Seam(
    "trainer",
    "driftwatch.trainers",
    {KERAS: "driftwatch.models.training.keras:KerasTrainer"},
    {KERAS: Extra("keras", "tensorflow")},
)

# A function that is called with each epoch when the epoch ends.
OnEpoch = Callable[[TimedEpochRow], None]


@dataclass(frozen=True)
class Labelled:
    """Images uint8 [n, height, width, 3], their class indices [n], and their image ids [n] where these are known."""

    images: np.ndarray
    labels: np.ndarray
    image_ids: np.ndarray | None = None

    @classmethod
    def of(cls, images: np.ndarray, table: pd.DataFrame, classes: Sequence[str]) -> Labelled:
        """The images of the rows of a training set's table: image_id, label."""
        labels = np.array([classes.index(name) for name in table["label"]], dtype="int64")
        return cls(images, labels, table["image_id"].to_numpy())

    def where(self, chosen: np.ndarray | pd.Series) -> Labelled:
        """The chosen images. `chosen` is a boolean array [n], or the places of the images."""
        chosen = np.asarray(chosen)
        ids = None if self.image_ids is None else self.image_ids[chosen]
        return Labelled(self.images[chosen], self.labels[chosen], ids)

    def and_then(self, more: Labelled) -> Labelled:
        """These images, followed by `more`. The ids are dropped: copies of an image have none of their own."""
        return Labelled(np.concatenate([self.images, more.images]), np.concatenate([self.labels, more.labels]))


@dataclass(frozen=True)
class TrainingSet:
    """What a model of `classes` classes is trained on.

    `weights` [n] says how often each image of `train` is drawn, in proportion. By default all are drawn equally often. The network does
    not learn from `validation`; these images decide when training stops. `validation` may be None. The stored images are squashed, cut or
    filled already; `input` says what else the network is given of them, by default the picture as it is. `class_names` are those of the
    labels, in order.
    """

    train: Labelled
    classes: int
    validation: Labelled | None = None
    weights: np.ndarray | None = None
    input: ModelInput | None = None
    class_names: tuple[str, ...] = ()

    @property
    def given(self) -> ModelInput:
        """What the network is given of an image."""
        _, height, width, _ = self.train.images.shape
        return self.input or ModelInput(height=height, width=width)


class Recipe(RecipeConfig):
    """The monitor file's recipe, with the seed and the number of images in an epoch. Without that number, an epoch has as many images as the set."""

    seed: int = Field(0, ge=0)
    epoch_size: int | None = None

    @property
    def noted(self) -> TrainingRecipe:
        """The recipe as cards and checkpoints keep it."""
        fields = self.model_dump()
        return TrainingRecipe(**{**fields, "augmentation": Augmentation(**fields["augmentation"])})

    @property
    def small_epochs(self) -> int:
        return min(round(self.epochs * self.small_share), self.epochs - 1)

    def steps(self, n: int) -> int:
        """The batches of an epoch of a set of `n` images."""
        return math.ceil((self.epoch_size or n) / self.batch_size)


@dataclass(frozen=True)
class Start:
    """The model that training starts from: the bytes of its file, what its answers mean, and where it lies, for errors."""

    model: bytes
    head: Head
    name: str = "the model to start from"


@dataclass(frozen=True)
class Attempt:
    """What surrounds a training. After a kill it goes on from `checkpoints`. `on_epoch` is called with each epoch when the epoch ends."""

    checkpoints: Checkpoints | None = None
    on_epoch: OnEpoch | None = None


@dataclass(frozen=True)
class Trained:
    """A new model: the bytes of its file, what its answers mean, its epochs in order, the kind of its file, and what it is given of an
    image; None: what the monitor file says."""

    model: bytes
    head: Head
    history: Sequence[TimedEpochRow] = ()
    kind: str = KERAS
    input: ModelInput | None = None


class Trainer(Protocol):
    """Makes a model from a training set.

    The same set, recipe and start give the same bytes. The model takes what `TrainingSet.given` says of an image, as `tensor_of` makes it,
    and gives what `Trained.head` says.
    """

    def train(
        self, data: TrainingSet, recipe: Recipe, start: Start | None = None, attempt: Attempt | None = None
    ) -> Trained:
        """Trains `start`, or new weights where `start` is None. If an attempt was killed, the next one with the same checkpoints goes on
        from its last epoch. It ends in the same bytes as a training that was never killed."""
        ...

    def seconds(self, data: TrainingSet, recipe: Recipe, start: Start | None = None) -> float:
        """About how long `train` would take here. If `recipe.epoch_size` is set, a few images of `data.train` are enough."""
        ...


def trainer(name: str = KERAS) -> Trainer:
    """The trainer of that name: the built-in one, one that an installed package names, or the class at an import path such as
    our_package.training:OurTrainer. Raises ConfigError if there is none."""
    make: Callable[[], Trainer] = _at(name) if ":" in name else SEAM.find(name)
    try:
        found = make()
    except TypeError as error:
        raise ConfigError(
            f"retraining.trainer: {name} cannot be made without arguments ({error}): write all methods of its base, and give its __init__ none "
            "that it needs"
        ) from error
    missing = [method for method in ("train", "seconds") if not callable(getattr(found, method, None))]
    if missing:
        raise ConfigError(
            f"retraining.trainer: {name} has no {' and no '.join(missing)}: write the methods of a Trainer (docs/extending.md)"
        )
    return found


def _at(path: str) -> Callable[[], Trainer]:
    try:
        found: Callable[[], Trainer] = pkgutil.resolve_name(path)
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f"retraining.trainer: {path} cannot be loaded ({type(error).__name__}: {error}): correct the path, or install its package where "
            "the tasks run"
        ) from error
    return found

"""The model registry: each version's card, the pointer to the champion, and what training keeps while it runs."""

from __future__ import annotations

import datetime
from typing import Any, Literal

from pydantic import Field

from driftwatch.artifacts.accuracy import Metrics
from driftwatch.artifacts.base import Artifact, Part
from driftwatch.artifacts.model_input import ModelInput, OfFeatures, OfPixels
from driftwatch.artifacts.parts import Number
from driftwatch.artifacts.retraining import DatasetSummary, GateResult


class DamageEstimate(Part):
    """The damage: what seems to be wrong with the camera."""

    kind: str
    """blur, pixelate, noise, contrast, brightness, jpeg, or none."""
    strength: Number | None
    """In the unit of the kind; null for none."""
    distance: Number
    """The distance from the damaged reference to the days, in mean standard deviations of the features' quantiles."""
    undamaged_distance: Number
    """The distance from the undamaged reference to the days."""


class ModelData(DatasetSummary):
    """What a version was trained on. All fields below, except `run_key`, are absent if they do not apply."""

    run_key: str | None = None
    """The retraining; null for a first champion."""
    set: str | None = None
    """Tells one original set from another; of a first champion."""
    first_day: datetime.date | None = None
    """First day whose labels were taken; of a challenger, like the rest."""
    last_day: datetime.date | None = None
    """Last day."""
    left_out: dict[str, int] = Field(default_factory=dict)
    """Labels that were left out, by the reason."""
    damage: DamageEstimate | None = None
    """The damage that was imitated; null where none was looked for."""
    damaged_images: int = 0
    """Damaged copies of original images that were trained on."""


class Augmentation(Part):
    """How a training image is varied; see `model.recipe.augmentation` of the monitor file."""

    smallest_box: Number
    """Smallest side of the random box, as a share of the image's."""
    stretch: Number
    """Largest change of the box's aspect, as a logarithm."""
    flip: bool
    """Whether every other image is mirrored."""
    contrast: Number
    """Largest change of contrast."""
    brightness: Number
    """Largest change of brightness."""
    tint: Number
    """Largest change of each colour."""


class TrainingRecipe(Part):
    """How a model is trained; see `model.recipe` of the monitor file. Some fields are absent in a card of an early Driftwatch."""

    architecture: str | None = None
    """The network."""
    width: int
    """Filters of the first convolution."""
    epochs: int
    """Passes over the training set, at most."""
    small_share: Number | None = None
    """Share of the epochs that come first, on small images."""
    small_size: int
    """Side in pixels of those images."""
    learning_rate: Number
    """Peak learning rate."""
    batch_size: int
    """Images for each step."""
    weight_decay: Number
    """AdamW's weight decay."""
    label_smoothing: Number
    """Share of each label that is spread over all classes."""
    warmup_share: Number
    """Share of the steps in which the learning rate rises."""
    patience: int | None = None
    """Epochs without a lower validation loss after which training stops."""
    augmentation: Augmentation | None = None
    """How images are varied."""
    seed: int
    """Seed of the training."""
    epoch_size: int | None = None
    """Images in an epoch; null: those of the set."""


class CardRecipe(TrainingRecipe):
    """How a version of the registry was trained."""

    name: str
    """monitor, fast, fine-tune or scratch."""
    trainer: str | None = None
    """The trainer; absent where that is the built-in one. It may make something else of the settings above."""
    recent_share: Number | None = None
    """Share of each epoch that comes from the labelled days; of a challenger."""


class ImportedRecipe(Part):
    """A model that the team has trained itself."""

    name: Literal["imported"]
    """Says so."""
    file: str
    """The file's name."""


class EpochRow(Part):
    """One epoch of a training. Validation's two are absent without validation images."""

    epoch: int
    """From 1."""
    loss: Number
    """Mean loss of the training images."""
    accuracy: Number
    """Their share of right answers."""
    val_loss: Number | None = None
    """Mean loss of the validation images."""
    val_accuracy: Number | None = None
    """Their share of right answers."""


class TimedEpochRow(EpochRow):
    """An epoch as the checkpoints keep it."""

    seconds: Number
    """How long it took. It is not in the card: the same training must give the same card, byte for byte."""


class Holdout(Metrics):
    """A version on the evaluation part of the original set, which it was not trained on."""

    n: int
    """Images."""
    mean_score: Number | None = None
    """Mean score of its answers; null without images, absent in a card of an early Driftwatch."""


class CardMetrics(Part):
    """How good a version is."""

    holdout: Holdout
    """On its holdout."""


Output = Literal["probabilities", "logits", "sigmoid", "logit", "sigmoids"]


def _of_version_1(found: dict[str, Any]) -> dict[str, Any]:
    """A card of version 1 says what it means: a Keras file whose input is the squashed picture as it is."""
    if "input_size" in found:
        found.setdefault("input", {"height": found["input_size"], "width": found["input_size"]})
    found.setdefault("kind", "keras")
    return found


class ModelCard(Artifact):
    """models/<version>/card.json. A version exists when its card exists. The gate's table is added later.

    Version 2 has `kind`, `input`, `output_name`, `positive_class`, and more values of `output`. A card of version 1 lacks them.
    """

    VERSION = 2
    UPGRADES = {1: _of_version_1}  # noqa: RUF012

    version: str
    """v0003-1a2b3c4d: a number, and the first digits of `sha256`."""
    kind: str = "keras"
    """What its file is, and who answers: keras, onnx, endpoint, logged, or the name of an entry point's."""
    sha256: str
    """The sha256 of the version's file; it is checked at each load."""
    created_by: str
    """Who or what asked for it."""
    parent: str | None = None
    """The version that it was trained from or against; null for a first champion."""
    data: ModelData
    """What it was trained on."""
    recipe: CardRecipe | ImportedRecipe
    """How it was trained."""
    seeds: dict[str, int] = Field(default_factory=dict)
    """By what they are for."""
    history: tuple[EpochRow, ...] = ()
    """Each epoch; empty for an imported model."""
    classes: tuple[str, ...]
    """The classes, in the order of the model's outputs."""
    input_size: int
    """Side of its input, in pixels; the height of one that is not square."""
    input: ModelInput | None = None
    """What the model is given of an image; absent in a card of version 1. `model_input` has it for every card."""
    output: Output
    """What the model gives: see `model.output` of the monitor file."""
    output_name: str | None = None
    """The output that has the answers, of a model that has several."""
    positive_class: str | None = None
    """For sigmoid and logit: the class whose chance it is."""
    temperature: Number
    """The scores' log odds are divided by it, so that the scores mean what they say."""
    parameters: int
    """Weights of the network; 0 where they are not known."""
    packages: dict[str, str] = Field(default_factory=dict)
    """Versions that training and answering depend on."""
    metrics: CardMetrics
    """How good it is."""
    gate: GateResult | None = None
    """What the gate found; absent before, and for a first champion."""
    alerts: tuple[datetime.date, ...] = ()
    """Days whose alerts came while it was trained; absent as `gate` is."""

    @property
    def model_input(self) -> ModelInput:
        """What the model is given of an image. Before there were settings, that was the squashed picture as it is."""
        return self.input or ModelInput(height=self.input_size, width=self.input_size)


class ChampionPointer(Artifact):
    """models/champion.json: the version that production serves. In a pointer of an early Driftwatch all but `version` may be absent."""

    version: str
    """The champion."""
    previous: str | None = None
    """The champion before; null for the first."""
    promoted_by: str | None = None
    """Who or what promoted it."""
    sha256: str | None = None
    """Of its model file, as the card had it then."""
    history: tuple[str, ...] = ()
    """Every champion so far, in order. One that came back is listed again."""

    @property
    def champions(self) -> tuple[str, ...]:
        """Every version that was ever champion, in order. This also works if the pointer has no history."""
        return self.history or tuple(name for name in (self.previous, self.version) if name)


class TrainingSetPixels(OfPixels, OfFeatures):
    """training/pixels.json: how the pictures of the training set's inputs were made. There is none of a set that an early Driftwatch took in:
    its pictures were squashed to a square."""


class TrainingSetReady(Artifact):
    """training/next/ready.json: the new training set beside the old one is the one that counts."""

    images: int
    """Rows of the new set."""


class TrainingTask(Part):
    """What is trained. A training never goes on from a checkpoint of another task."""

    recipe: TrainingRecipe
    """How it is trained."""
    data: str
    """sha256 of images, labels and weights, of the validation images, and of the model that it starts from."""


class TrainingCheckpoint(Artifact):
    """retraining/<run_key>/checkpoints/progress.json: the checkpoint from which a killed training goes on."""

    task: TrainingTask
    """What is trained."""
    last: str
    """File of the last epoch, with its optimizer."""
    best: str
    """File of the best epoch."""
    history: tuple[TimedEpochRow, ...]
    """Each epoch so far."""

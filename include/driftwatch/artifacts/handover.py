"""What is handed over to a team that trains its model elsewhere."""

from __future__ import annotations

import datetime

from driftwatch.artifacts.base import Artifact, Part
from driftwatch.artifacts.model_input import ModelInput
from driftwatch.artifacts.models import DamageEstimate


class HandoverFile(Part):
    """One table beside the manifest."""

    name: str
    """Its name, in the manifest's folder."""
    sha256: str
    """The sha256 of its bytes."""
    rows: int
    """How many images it lists."""


class Handover(Artifact):
    """retraining/<run_key>/handover/manifest.json: the training set that was handed over, written last.

    `set.parquet` has a row for each image that may be trained on: image_id (the sha256 of its file), key (in the storage `storage`), label,
    split (train or validation), source (original or human), day ("" for the original set), confidence (the share of votes for the label),
    weight (how often it is drawn, within its split).
    `never_train.parquet` has the image_id of every image that judges models, or looks like one of these. A model that has seen one of them
    is judged too well.
    """

    monitor: str
    """The monitor."""
    run_key: str
    """The retraining; `driftwatch challenger register --run` takes it."""
    requested_by: str
    """Who or what asked for it."""
    storage: str
    """The storage in which the keys of the images are."""
    place: str
    """This folder's address. A model that is left here can be registered by its address."""
    champion: str
    """The champion then, which the new model has to beat."""
    classes: tuple[str, ...]
    """The classes, in the order of the model's outputs."""
    input: ModelInput
    """What a model is given of an image."""
    first_day: datetime.date
    """First day whose labels were taken."""
    last_day: datetime.date
    """Last day."""
    set: HandoverFile
    """The images to train on."""
    never_train: HandoverFile
    """The images that must not be trained on."""
    splits: dict[str, int]
    """Images of the set by split."""
    damage: DamageEstimate | None
    """What seems to be wrong with the camera on the drifted days; null where that was not looked for."""

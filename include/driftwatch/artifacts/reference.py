"""References: what the drift is measured against, for each model version. Here are their settings and calibrations. A calibration is the
distribution of the test's score on images without drift."""

from __future__ import annotations

from typing import Literal

from driftwatch.artifacts.base import Artifact
from driftwatch.artifacts.parts import Number

# What the content of an image is told by.
ContentFeatures = Literal["embeddings", "gist", "none"]


class ReferenceSettings(Artifact):
    """reference/<version>/reference.json, of image quality, or content.json; the images themselves are in a table beside it."""

    false_alarm_rate: Number
    """How often a day without drift may be called drifted."""
    seed: int
    """Seed of the random splits."""
    min_images: int
    """With fewer independent images the verdict is not_enough_evidence."""
    images: int
    """Images in the reference."""
    features: tuple[str, ...]
    """The columns that are tested."""
    splits: int
    """Random splits that a calibration takes."""
    calibrations: dict[int, tuple[tuple[int, Number], ...]]
    """For each batch size the null distribution of the score as (rank, score), rank 1 being the largest of `splits`."""


class UsualPredictions(Artifact):
    """reference/<version>/predictions.json: how often the version answers each class on images that it was not trained on."""

    images: int
    """Held-out images that this is known from."""
    counts: dict[str, int]
    """Answers by class; their sum says how surely the shares are known."""
    content: ContentFeatures = "embeddings"
    """What the reference of content is made of: the model's embeddings (also where this is absent), GIST, or nothing."""

"""What every predictor is asked and what it answers.

You can write a predictor of your own: a function that takes a MonitorStore and a model version and returns a `Predictor`. Your package
names it by an entry point of the group `driftwatch.predictors`. The test tests/driftwatch/models/predictors/test_conformance.py says
what every predictor must keep to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from driftwatch.artifacts.store import DayStore, MonitorStore
from driftwatch.config.model import CHAMPION, ENDPOINT, LOGGED
from driftwatch.models.registry import card
from driftwatch.seams import Extra, Seam

if TYPE_CHECKING:
    import pandas as pd

KERAS: Final = "keras"
ONNX: Final = "onnx"
SEAM = Seam(
    "predictor",
    "driftwatch.predictors",
    {
        KERAS: "driftwatch.models.predictors.keras:load_model",
        ONNX: "driftwatch.models.predictors.onnx:load_model",
        LOGGED: "driftwatch.models.predictors.logged:load_answers",
        ENDPOINT: "driftwatch.models.predictors.endpoint.predictor:load_endpoint",
    },
    {KERAS: Extra("keras", "tensorflow"), ONNX: Extra("onnx", "onnxruntime")},
)

# Machines of different vector width may differ in the last bits. Rounding hides these.
SCORE_DECIMALS = 6


@dataclass(frozen=True)
class Asked:
    """Images to be answered, in order.

    `blocks`: uint8 [n, height, width, 3] in 0..255, one array after the other. They are read only when a predictor iterates over
    them; a predictor that looks at no image never reads them. `image_ids` [n] says which images they are, where that is known, and
    `day` of which day. A set of several days has no day.
    """

    blocks: Iterable[np.ndarray]
    day: DayStore | None = None
    image_ids: Sequence[str] | None = None


@dataclass(frozen=True)
class Predictions:
    """`scores` [n, classes], float64: probabilities, in the order of the classes in the model's card. `embeddings` [n, width], float16:
    what the model sees in each image; None where the model does not tell. `versions` [n]: the model version that answered each image.

    `answers` [n]: the class of each image where production's own answers are looked up; None in it is an image without an answer. Such
    a predictor may lack scores, which are NaN then. Where `answers` is None, the class with the highest score is the answer.
    """

    scores: np.ndarray
    embeddings: np.ndarray | None
    versions: Sequence[str]
    answers: Sequence[str | None] | None = None

    def table(self, classes: Sequence[str]) -> pd.DataFrame:
        """A frame of prediction and score.<class>, rounded; the first class wins a tie."""
        import pandas as pd

        rounded = np.round(self.scores, SCORE_DECIMALS)
        table = pd.DataFrame(rounded, columns=[f"score.{name}" for name in classes], dtype="float64")
        best = np.array(classes, dtype=object)[rounded.argmax(axis=1)] if self.answers is None else self.answers
        table.insert(0, "prediction", np.array(best, dtype=object))
        return table


class Predictor(Protocol):
    """Answers images.

    An image has the same scores, to SCORE_DECIMALS, in every batch. The same images in the same batches give the same bytes.
    """

    @property
    def input_size(self) -> tuple[int, int] | None:
        """Height and width of the images that it takes, in pixels; None where it looks at no image."""
        ...

    @property
    def classes(self) -> int:
        """How many classes it tells apart."""
        ...

    def predict(self, asked: Asked, batch_size: int) -> Predictions:
        """Answers the images, at most `batch_size` at a time. No batch goes beyond a block. Raises NeedsAttention for images of another
        size."""
        ...


Load = Callable[[MonitorStore, str], Predictor]


def predictor(store: MonitorStore, version: str, kind: str | None = None) -> Predictor:
    """The model `version`, ready to answer, by the predictor of its card's kind, or of another `kind`. A kind is a built-in one, or
    one that an installed package names.

    Raises UnknownVersion, and ConfigError for an unknown kind. A kind may raise errors of its own for a model that it cannot load.
    """
    load: Load = SEAM.find(kind or card(store, version).kind)
    return load(store, version)


def day_predictor(day: DayStore, version: str) -> Predictor:
    """Who answers a day that the model `version` judges, as `model.predictions` says: the version itself, or production."""
    said = day.config.model.predictions
    return predictor(day.monitor, version, None if said == CHAMPION else said)

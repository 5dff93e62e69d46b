"""What the drift of content is judged by: the model's embeddings, or GIST where production's model gives none.

It is chosen when a version's reference is built, by `model.content_features`. A day is judged by what its version's reference is made of.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from driftwatch.artifacts.reference import ContentFeatures, UsualPredictions
from driftwatch.config.model import CHAMPION
from driftwatch.models.registry import card

if TYPE_CHECKING:
    from driftwatch.artifacts.store import MonitorStore
    from driftwatch.config import MonitorConfig

EMBEDDINGS: ContentFeatures = "embeddings"
GIST: ContentFeatures = "gist"
NONE: ContentFeatures = "none"


def chosen(config: MonitorConfig, embeds: bool) -> ContentFeatures:
    """What a reference is made of, by the setting. `embeds`: whether the model gives embeddings."""
    setting = config.model.content_features
    if setting == GIST or (setting == "auto" and not embeds):
        return GIST
    return EMBEDDINGS if embeds else NONE


def embeds_days(store: MonitorStore, version: str) -> bool:
    """Whether the embeddings of a day come from the same model as those of `version`. Production's model need not be the registered one,
    and embeddings of two models cannot be compared."""
    said = store.config.model.predictions
    return said == CHAMPION or said == card(store, version).kind


def content_of(kind: ContentFeatures, embeddings: np.ndarray | None, images: Iterable[np.ndarray]) -> np.ndarray | None:
    """What `kind` says of each image: float16 [n, width], or None. `images`: uint8 [n, height, width, 3], one block after the other; they
    are read for GIST alone."""
    if kind != GIST:
        return embeddings if kind == EMBEDDINGS else None
    from driftwatch.images.gist import WIDTH, gist

    return np.concatenate([np.zeros((0, WIDTH), "float16"), *map(gist, images)])


def kind_of_day(store: MonitorStore, version: str, embeds: bool) -> ContentFeatures:
    """What a day that `version` judges is described by: the same as its reference, where it has one. `embeds`: whether the day's answers
    have embeddings."""
    usual = store.find(store.keys.reference_predictions(version), UsualPredictions)
    return chosen(store.config, embeds) if usual is None else usual.content

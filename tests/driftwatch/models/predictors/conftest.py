"""A registered model of each kind of predictor, which tells red, green and blue pictures apart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
from tests.cards import model_card
from tests.stores import monitor_store

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.store import MonitorStore
from driftwatch.models import registry
from driftwatch.models.predictors.base import Predictor, predictor
from driftwatch.storage import open_storage

SIDE = 16
# In an order that is not the alphabet's.
CLASSES = ("red", "green", "blue")


def _keras(store: MonitorStore) -> Predictor:
    """Logits are a tenth of each colour's mean; the embedding is those three means."""
    image = keras.Input((SIDE, SIDE, 3))
    dense = keras.layers.Dense(3, name="logits")
    model = keras.Model(image, dense(keras.layers.GlobalAveragePooling2D()(image)))
    dense.set_weights([np.eye(3, dtype="float32") / 10, np.zeros(3, "float32")])
    card = model_card(classes=list(CLASSES), input_size=SIDE, output="logits", temperature=1.0)
    data = registry.to_bytes(model)
    found = registry.register(store, registry.version_for(store, data), data, card)
    return predictor(store, found.version, "keras")


# A new kind joins here, by a function that registers such a model and gives its predictor.
KINDS: dict[str, Callable[[MonitorStore], Predictor]] = {"keras": _keras}


@pytest.fixture(params=sorted(KINDS))
def any_predictor(request: pytest.FixtureRequest, tmp_path: Path) -> Predictor:
    return KINDS[request.param](monitor_store(open_storage(f"file://{tmp_path}"), MonitorKeys("colours")))

"""Keras models of several architectures say what they see, beside their logits."""

from __future__ import annotations

import numpy as np
import pytest

from driftwatch.artifacts.model_input import ModelInput
from driftwatch.models.predictors.from_images import ModelFacts
from driftwatch.models.predictors.heads import Head


@pytest.mark.parametrize("head", ["map", "softmax", "opaque"])
def test_other_architectures_have_an_embedding_too(head) -> None:
    import keras
    from keras import layers

    from driftwatch.models.predictors.keras import KerasPredictor

    image = keras.Input((16, 16, 3))
    if head == "map":  # classes by a convolution, pooled afterwards
        answer = layers.GlobalAveragePooling2D()(layers.Conv2D(2, 1)(layers.Conv2D(7, 3)(image)))
        model, width = keras.Model(image, answer), 7
    elif head == "softmax":
        layer_list = [image, layers.Flatten(), layers.Dense(5), layers.Dense(2), layers.Softmax()]
        model, width = keras.Sequential(layer_list), 5
    else:
        inner = keras.Sequential([keras.Input((16, 16, 3)), layers.Flatten(), layers.Dense(2)])
        model, width = keras.Sequential([image, inner]), 2
    inputs = np.random.default_rng(0).integers(0, 255, (5, 16, 16, 3)).astype("uint8")
    facts = ModelFacts("", ("a", "b"), ModelInput(height=16, width=16), Head("logits"))
    raw, embeddings = KerasPredictor(facts, model).log_scores([inputs], 4)
    assert embeddings.shape == (5, width)
    assert np.ptp(embeddings.astype("float32")) > 0
    np.testing.assert_allclose(raw, model(inputs.astype("float32")), rtol=1e-3, atol=1e-4)

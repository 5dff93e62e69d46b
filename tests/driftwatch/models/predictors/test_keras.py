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


def _behind_a_step(inner, image):
    from keras import Model, layers

    return Model(image, inner(layers.Rescaling(1 / 255)(image)))


def _alone(inner, image):
    from keras import Sequential

    return Sequential([image, inner])


def _twice(inner, image):
    """Of the image and of its mirror image, as at test time."""
    from keras import Model, layers

    return Model(image, layers.Average()([inner(image), inner(layers.Permute((2, 1, 3))(image))]))


def _with_a_head(inner, image):
    from keras import Model, layers

    return Model(image, layers.Softmax()(inner(layers.Rescaling(1 / 255)(image))))


@pytest.mark.parametrize("around", [_behind_a_step, _alone, _twice, _with_a_head])
@pytest.mark.parametrize("deep", [False, True])
def test_a_model_in_a_model_tells_what_it_sees(around, deep) -> None:
    """Teams put the step that scales the image before a model that they have."""
    import keras
    from keras import layers

    from driftwatch.models.keras_file import to_bytes
    from driftwatch.models.predictors.keras import opened

    own = keras.Input((16, 16, 3))
    hidden = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3)(own))
    inner = keras.Model(own, layers.Dense(2)(hidden))
    if deep:
        other = keras.Input((16, 16, 3))
        inner = keras.Model(other, inner(layers.Rescaling(2.0)(other)))
    model = around(inner, keras.Input((16, 16, 3)))
    inputs = np.random.default_rng(0).integers(0, 255, (5, 16, 16, 3)).astype("uint8")
    facts = ModelFacts("", ("a", "b"), ModelInput(height=16, width=16), Head("logits"))
    raw, embeddings = opened(to_bytes(model), facts, "m.keras").log_scores([inputs], 4)
    np.testing.assert_allclose(raw, model(inputs.astype("float32")), rtol=1e-3, atol=1e-4)
    given = inputs.astype("float32") / (255 if around in (_behind_a_step, _with_a_head) else 1) * (2 if deep else 1)
    given = given.transpose(0, 2, 1, 3) if around is _twice else given
    np.testing.assert_allclose(embeddings, keras.Model(own, hidden)(given), rtol=1e-2, atol=1e-2)


def test_a_model_in_a_model_that_gives_more_than_one_value_is_opaque() -> None:
    import keras
    from keras import layers

    from driftwatch.models.predictors.keras import KerasPredictor

    own, image = keras.Input((16, 16, 3)), keras.Input((16, 16, 3))
    hidden = layers.GlobalAveragePooling2D()(own)
    inner = keras.Model(own, [layers.Dense(3)(hidden), layers.Dense(2)(hidden)])
    model = keras.Model(image, layers.Softmax()(inner(image)[1]))
    inputs = np.random.default_rng(0).integers(0, 255, (5, 16, 16, 3)).astype("uint8")
    facts = ModelFacts("", ("a", "b"), ModelInput(height=16, width=16), Head("probabilities"))
    found = KerasPredictor(facts, model)
    raw, embeddings = found.raw([inputs], 4)
    np.testing.assert_allclose(raw, model(inputs.astype("float32")), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(embeddings, raw, atol=1e-3)

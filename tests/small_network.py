"""A network that stands in for the built-in one where a test is about training and not about the network: a tenth of its operations,
which are what a small training takes its time for. It has all that a trainer must keep over a kill: moving averages and dropout.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftwatch.models.architecture import _to_one

if TYPE_CHECKING:
    import keras

    from driftwatch.artifacts.model_input import ModelInput


def build(about: ModelInput, n_classes: int, seed: int = 0, width: int = 24) -> keras.Model:
    """As driftwatch.models.architecture.build, whose real network the real photos' and the end-to-end tests train, by the command line."""
    from keras import Input, Model, initializers, layers

    image = Input(about.shape, name="image")
    x = layers.Permute((2, 3, 1), name="channels_last")(image) if about.layout == "nchw" else image
    for layer in (
        layers.Rescaling(**_to_one(about), name="rescale"),
        layers.Conv2D(width, 3, use_bias=False, kernel_initializer=initializers.HeNormal(seed), name="conv"),
        layers.BatchNormalization(momentum=0.9, name="norm"),
        layers.ReLU(name="relu"),
        layers.GlobalAveragePooling2D(name="pool"),
        layers.Dropout(0.2, seed=seed, name="dropout"),
        layers.Dense(n_classes, kernel_initializer=initializers.GlorotUniform(seed + 1), name="logits"),
    ):
        x = layer(x)
    return Model(image, x, name="small_network")

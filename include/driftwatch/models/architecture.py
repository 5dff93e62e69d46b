"""The classifier: a small ResNet that trains on a CPU in a minute or two.

At width 24 it has 1.09 M parameters. It rescales its input itself, whatever the input's numbers are, and gives logits. Augmentation is not part of it (see
driftwatch.models.training.batches), so production runs exactly what is saved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

    from driftwatch.artifacts.model_input import ModelInput


def build(about: ModelInput, n_classes: int, seed: int = 0, width: int = 24) -> keras.Model:
    """A model from images as `about` says, by default uint8 or float [n, height, width, 3] in 0..255, to logits [n, n_classes].

    `width` is the number of filters of the first convolution. The three stages have 2, 4 and 8 times as many. Every layer
    has a fixed name and its own seed, so the same arguments give the same weights and the same saved bytes.
    """
    from keras import Input, Model, layers

    seeds = iter(range(seed * 1000, seed * 1000 + 1000))

    def convolution(x: Any, filters: int, name: str, strides: int = 1, last_of_block: bool = False) -> Any:
        from keras.initializers import HeNormal

        x = layers.Conv2D(
            filters, 3, strides, "same", use_bias=False, kernel_initializer=HeNormal(next(seeds)), name=f"{name}_conv"
        )(x)
        # A block that starts as the identity trains faster (Goyal et al., 2017, section 5.1).
        gamma = "zeros" if last_of_block else "ones"
        return layers.BatchNormalization(momentum=0.9, gamma_initializer=gamma, name=f"{name}_norm")(x)

    image = Input(about.shape, name="image")
    x = layers.Permute((2, 3, 1), name="channels_last")(image) if about.layout == "nchw" else image
    x = layers.Rescaling(**_to_one(about), name="rescale")(x)
    x = layers.ReLU(name="stem_relu")(convolution(x, width, "stem", strides=2))
    for stage in (1, 2, 3):
        filters, name = width * 2**stage, f"stage{stage}"
        x = layers.MaxPooling2D(name=f"{name}_pool")(x)
        x = layers.ReLU(name=f"{name}_relu0")(convolution(x, filters, f"{name}_in"))
        inner = layers.ReLU(name=f"{name}_relu1")(convolution(x, filters, f"{name}_a"))
        inner = convolution(inner, filters, f"{name}_b", last_of_block=True)
        x = layers.ReLU(name=f"{name}_relu2")(layers.Add(name=f"{name}_add")([x, inner]))
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dropout(0.2, seed=next(seeds), name="dropout")(x)
    from keras.initializers import GlorotUniform

    logits = layers.Dense(n_classes, kernel_initializer=GlorotUniform(next(seeds)), name="logits")(x)
    return Model(image, logits, name="small_resnet")


def _to_one(about: ModelInput) -> dict[str, Any]:
    """What makes numbers of -1..1 of the input's: it undoes the scale, mean and std of the monitor file."""
    once = 127.5 * about.scale
    scales = [std / once for std in about.std or (1.0,)]
    offsets = [mean / once - 1 for mean in about.mean or (0.0,)]
    return {"scale": scales[0] if len(scales) == 1 else scales, "offset": offsets[0] if len(offsets) == 1 else offsets}

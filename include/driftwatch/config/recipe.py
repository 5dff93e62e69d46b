"""The section `model.recipe` of the monitor file: how a model is trained."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from driftwatch.config.model_input import Side
from driftwatch.config.parts import Fraction, Section


class AugmentationConfig(Section):
    """How a training image is varied each time it is seen. Brightness and tint are given as shares of half the range of pixel values."""

    smallest_box: float = Field(
        0.7,
        gt=0,
        le=1,
        description="A random box is cut out of the image. This is its shortest side, as a share of the image's.",
    )
    stretch: float = Field(
        0.15, ge=0, le=1, description="Largest change of the box's aspect ratio, as a natural logarithm."
    )
    flip: bool = Field(True, description="Mirror every other image. Turn it off if left and right matter.")
    contrast: Fraction = Field(0.25, description="Largest change of contrast.")
    brightness: Fraction = Field(0.25, description="Largest change of brightness.")
    tint: Fraction = Field(0.08, description="Largest change of each colour.")


class RecipeConfig(Section):
    """How a model is trained from scratch. Fine-tuning has its own `epochs`, `learning_rate` and `patience` in `retraining` and always
    sees images of the full input size; the other settings here hold for it too.
    """

    architecture: Literal["small_resnet"] = Field(
        "small_resnet", description="The network; see driftwatch.models.architecture."
    )
    width: int = Field(
        24,
        ge=4,
        le=256,
        description="How many filters the first convolution has. The stages after it have 2, 4 and 8 times as many.",
    )
    epochs: int = Field(38, ge=1, le=1000, description="How often training goes over the training set.")
    small_share: float = Field(
        0.79,
        ge=0,
        lt=1,
        description="In the first part of the training, images are only `small_size` large, which takes less time: half the side takes a quarter. This is the share of the epochs in that part.",
    )
    small_size: Side = Field(
        64,
        description="Side in pixels of the images of that part. Of an input that is not square it is the shorter side. It has no effect if `model.input.size` is no larger.",
    )
    learning_rate: float = Field(
        4e-3, gt=0, le=1, description="The highest learning rate of AdamW. At the full size it is half of this."
    )
    batch_size: int = Field(32, ge=1, le=4096, description="How many images a training step sees.")
    weight_decay: float = Field(0.05, ge=0, le=10, description="The weight decay of AdamW.")
    label_smoothing: float = Field(
        0.1, ge=0, lt=1, description="The share of each label that is spread over all classes."
    )
    warmup_share: Fraction = Field(
        0.1, description="The learning rate rises during this share of the steps. Then it falls along a cosine."
    )
    patience: int = Field(
        10,
        ge=0,
        le=1000,
        description="Training stops when the validation loss has not been lower for this many epochs at the full size, and keeps its best epoch; 0 never stops it.",
    )
    augmentation: AugmentationConfig = Field(default_factory=AugmentationConfig)

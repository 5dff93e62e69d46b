"""The section `model.input` of the monitor file: how production turns an image into what the model is given."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from driftwatch.config.parts import Section

Side = Annotated[int, Field(ge=16, le=1024)]
Factor = Annotated[float, Field(gt=0, le=1e6)]
Shift = Annotated[float, Field(ge=-1e6, le=1e6)]
Preset = Literal["0..1", "-1..1", "imagenet", "caffe"]


class InputConfig(Section):
    """How production turns an image into the model's input. The steps come in this order: the picture is resized, its channels are put in
    order, and each number becomes (number * scale - mean) / std. What is stored each day is the resized picture, RGB, 0..255.
    """

    size: Side | tuple[Side, Side] = Field(
        96, description="The picture's size in pixels: one number for a square, or [height, width]."
    )
    resize: Literal["squash", "crop", "pad", "none"] = Field(
        "squash",
        description="How a picture of another shape gets that size. squash: it is stretched. crop: the shorter side is resized to `size` / `crop_share`, and the middle is cut out. pad: the longer side is resized to `size`, and the rest is filled with `pad_value`. none: every picture has the size already; another size is quarantined.",
    )
    crop_share: float = Field(
        1.0,
        gt=0,
        le=1,
        description="For crop: the side that is cut out, as a share of the resized shorter side. 0.875 is a resize to 256 and a cut of 224.",
    )
    pad_value: int = Field(0, ge=0, le=255, description="For pad: the value of all three colours of the filling.")
    interpolation: Literal["area", "nearest", "bilinear", "bicubic"] = Field(
        "area", description="How pixels are made when a picture is resized. area: averages over equal areas."
    )
    antialias: bool = Field(
        True,
        description="For bilinear and bicubic: whether a picture is smoothed when it shrinks, as Pillow, torchvision's default and TensorFlow's antialias=True do. OpenCV and TensorFlow's default do not.",
    )
    colour: Literal["rgb", "bgr", "grey"] = Field(
        "rgb", description="The channels, in order. grey: one channel, 0.299 R + 0.587 G + 0.114 B."
    )
    scale: Factor | Preset = Field(
        1.0,
        description="Each number is multiplied by this. A preset stands for scale, mean and std together: `0..1`, `-1..1`, `imagenet` (0..1, then ImageNet's mean and std) or `caffe` (BGR, minus ImageNet's mean).",
    )
    mean: tuple[Shift, ...] = Field(
        (), description="What is subtracted then: one number, or one for each channel in the order of `colour`."
    )
    std: tuple[Factor, ...] = Field(
        (), description="What it is divided by at last: one number, or one for each channel in the order of `colour`."
    )
    layout: Literal["nhwc", "nchw"] = Field(
        "nhwc", description="The order of the axes: n images, c channels, h rows, w columns."
    )

    @property
    def height(self) -> int:
        return self.size if isinstance(self.size, int) else self.size[0]

    @property
    def width(self) -> int:
        return self.size if isinstance(self.size, int) else self.size[1]

"""The section `model.input` of the monitor file: how production turns an image into what the model is given."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from driftwatch.config.parts import Section

Side = Annotated[int, Field(ge=16, le=1024)]
Factor = Annotated[float, Field(gt=0, le=1e6)]
Shift = Annotated[float, Field(ge=-1e6, le=1e6)]
Preset = Literal["0..1", "-1..1", "imagenet", "caffe"]


class InputConfig(Section):
    """How production turns an image into the model's input. The steps come in this order: the picture is resized, its channels are put in
    order, and each number becomes (number * scale - mean) / std. What is stored each day is the resized picture, RGB, 0..255. So another
    `colour`, `scale`, `mean`, `std` or `layout` needs no day to be taken in again.
    """

    size: Side | tuple[Side, Side] = Field(
        96, description="The picture's size in pixels: one number for a square, or [height, width]."
    )
    resize: Literal["squash", "crop", "pad", "none"] = Field(
        "squash",
        description="How a picture of another shape gets that size. squash: it is stretched. crop: it is resized until it just covers `size` / `crop_share`, and the middle is cut out, as torchvision's Resize and CenterCrop do. pad: it is resized until it just fits into `size`, and the rest on both sides is filled with `pad_value`, as Pillow's ImageOps.pad does. none: every picture has the size already; another size is quarantined (other_size).",
    )
    crop_share: float = Field(
        1.0,
        ge=0.1,
        le=1,
        description="For crop: the side that is cut out, as a share of the resized shorter side. 0.875 is a resize to 256 and a cut of 224. `size` / `crop_share` is rounded down, as timm does.",
    )
    pad_value: int = Field(0, ge=0, le=255, description="For pad: the value of all three colours of the filling.")
    interpolation: Literal["area", "nearest", "bilinear", "bicubic", "bicubic_tf"] = Field(
        "area",
        description="How pixels are made when a picture is resized. area: averages over equal areas, as OpenCV's INTER_AREA. nearest: as Pillow and OpenCV's INTER_NEAREST_EXACT. bilinear. bicubic: as Pillow with antialias, as OpenCV and PyTorch without. bicubic_tf: as TensorFlow.",
    )
    antialias: bool = Field(
        True,
        description="For bilinear and the bicubics: whether a picture is smoothed when it shrinks, as Pillow, torchvision's default and TensorFlow's antialias=True do. OpenCV and TensorFlow's default do not.",
    )
    colour: Literal["rgb", "bgr", "grey"] | None = Field(
        None,
        description="The channels, in order. grey: one channel, 0.299 R + 0.587 G + 0.114 B. null: rgb, and bgr for `scale: caffe`.",
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

    @model_validator(mode="after")
    def _numbers_fit(self) -> InputConfig:
        if isinstance(self.scale, str):
            if self.mean or self.std:
                raise ValueError(
                    f"scale: {self.scale} has a mean and a std of its own: leave out mean and std, or give scale as a number"
                )
            if self.scale == "caffe" and self.colour not in (None, "bgr"):
                raise ValueError(
                    f"scale: caffe is for the channels in the order bgr, and colour is {self.colour}: leave colour out, or give scale "
                    "and mean as numbers"
                )
            if self.scale == "imagenet" and self.colour == "grey":
                raise ValueError(
                    "scale: imagenet is for three channels, and colour is grey: give scale, mean and std as numbers"
                )
        channels = 1 if self.colour == "grey" else 3
        for name, numbers in (("mean", self.mean), ("std", self.std)):
            if len(numbers) not in (0, 1, channels):
                allowed = "one number" if channels == 1 else f"one number, or {channels}: one for each channel"
                raise ValueError(f"{name} has {len(numbers)} numbers: allowed is {allowed}")
        return self

    @property
    def height(self) -> int:
        return self.size if isinstance(self.size, int) else self.size[0]

    @property
    def width(self) -> int:
        return self.size if isinstance(self.size, int) else self.size[1]

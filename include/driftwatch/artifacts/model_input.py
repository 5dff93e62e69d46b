"""What a model is given of an image: the settings of `model.input` of the monitor file, as a card keeps them. And which of them stored
pixels were made by, as a day and a training set keep it."""

from __future__ import annotations

from typing import Literal, TypedDict

from pydantic import model_validator

from driftwatch.artifacts.base import Artifact, Part
from driftwatch.artifacts.parts import Number
from driftwatch.config.model_input import InputConfig

_Numbers = tuple[float, ...]
# ImageNet's, RGB, of 0..1; and Caffe's, BGR, of 0..255.
_IMAGENET_MEAN: _Numbers = (0.485, 0.456, 0.406)
_IMAGENET_STD: _Numbers = (0.229, 0.224, 0.225)
_CAFFE_MEAN: _Numbers = (103.939, 116.779, 123.68)


class ModelInput(Part):
    """See `InputConfig`. Presets are resolved. Each number of the picture becomes (number * scale - mean) / std. The defaults are what
    every model was given before there were settings."""

    height: int
    """Rows of the picture, in pixels."""
    width: int
    """Columns of the picture, in pixels."""
    resize: Literal["squash", "crop", "pad", "none"] = "squash"
    """How a picture of another shape gets that size."""
    interpolation: Literal["area", "nearest", "bilinear", "bicubic", "bicubic_tf"] = "area"
    """How pixels are made when a picture is resized."""
    antialias: bool = True
    """Whether a picture is smoothed when it shrinks."""
    crop_share: Number = 1.0
    """For crop: the side that is cut out, as a share of the resized shorter side."""
    pad_value: int = 0
    """For pad: the value of the filling."""
    colour: Literal["rgb", "bgr", "grey"] = "rgb"
    """The channels, in order."""
    scale: Number = 1.0
    """Each number is multiplied by this."""
    mean: tuple[Number, ...] = ()
    """What is subtracted then: one number for each channel in the order of `colour`; empty: nothing."""
    std: tuple[Number, ...] = ()
    """What it is divided by at last, likewise; empty: by nothing."""
    layout: Literal["nhwc", "nchw"] = "nhwc"
    """The order of the axes."""

    @classmethod
    def square(cls, side: int) -> ModelInput:
        """The picture squashed to a square by averages over areas, and its numbers as they are."""
        return cls(height=side, width=side)

    @property
    def pixels(self) -> ModelInput:
        """What of this decides the stored pixels, and nothing else: the other fields have their defaults and are not set."""
        matter = {"resize"}
        if self.resize != "none":
            matter.add("interpolation")
        if self.resize != "none" and self.interpolation not in ("area", "nearest"):
            matter.add("antialias")
        if self.resize in ("crop", "pad"):
            matter.add("crop_share" if self.resize == "crop" else "pad_value")
        fields = ModelInput.model_fields
        told = {name: getattr(self, name) for name in sorted(matter) if getattr(self, name) != fields[name].default}
        return ModelInput.model_validate({"height": self.height, "width": self.width, **told})

    def otherwise(self, other: ModelInput) -> list[tuple[str, object, object]]:
        """The settings of `model.input` in which two inputs differ: name, value here, value there. A setting that has no effect in
        either is left out, such as the `crop_share` of a pad."""
        pairs = zip(self._effective.items(), other._effective.values(), strict=True)
        return [(name, here, there) for (name, here), there in pairs if here != there]

    @property
    def _effective(self) -> dict[str, object]:
        """By setting, what counts of it."""
        pixels = self.pixels
        size = pixels.height if pixels.height == pixels.width else [pixels.height, pixels.width]
        mean, std = ([*(of or (none,) * self.channels)] for of, none in ((self.mean, 0.0), (self.std, 1.0)))
        rest = ("resize", "interpolation", "antialias", "crop_share", "pad_value")
        return {
            "size": size,
            **{name: getattr(pixels, name) for name in rest},
            **{"colour": self.colour, "scale": self.scale, "mean": mean, "std": std, "layout": self.layout},
        }

    @property
    def plain(self) -> bool:
        """Whether the model is given the stored picture as it is."""
        return not self.otherwise(self.pixels)

    @property
    def as_config(self) -> InputConfig:
        """The section of a monitor file that says the same."""
        said = self.model_dump(exclude={"height", "width"})
        size = self.height if self.height == self.width else (self.height, self.width)
        return InputConfig.model_construct(**said, size=size)

    @property
    def channels(self) -> int:
        return 1 if self.colour == "grey" else 3

    @property
    def shape(self) -> tuple[int, int, int]:
        """The shape of one image as the model is given it."""
        if self.layout == "nchw":
            return (self.channels, self.height, self.width)
        return (self.height, self.width, self.channels)

    @classmethod
    def of(cls, config: InputConfig) -> ModelInput:
        """The input that the monitor file describes. Every field is set, so a card says all of them."""
        colour = "bgr" if config.scale == "caffe" else config.colour
        channels = 1 if colour == "grey" else 3
        scale, mean, std = _numbers(config, colour)
        return cls(
            height=config.height,
            width=config.width,
            resize=config.resize,
            interpolation=config.interpolation,
            antialias=config.antialias,
            crop_share=config.crop_share,
            pad_value=config.pad_value,
            colour=colour or "rgb",
            scale=scale,
            mean=mean * channels if len(mean) == 1 else mean,
            std=std * channels if len(std) == 1 else std,
            layout=config.layout,
        )


class OfPixels(Artifact):
    """An artifact that says how stored pixels were made. A picture that was squashed to a square by areas has `input_size`; every
    other one has `input`."""

    input_size: int | None = None
    """Side of the stored pictures, in pixels, where they were squashed to a square by averages over areas."""
    input: ModelInput | None = None
    """How the stored pictures were made, where it was otherwise; only what decides their pixels."""

    @model_validator(mode="after")
    def _says_how(self) -> OfPixels:
        if (self.input_size is None) == (self.input is None):
            raise ValueError("there is either input_size or input")
        return self

    @property
    def pixels(self) -> ModelInput:
        """How the stored pictures were made; see `ModelInput.pixels`."""
        return self.input or ModelInput.square(self.input_size or 0)


class OfFeatures(Artifact):
    """An artifact that says how the features of large images were made; of smaller ones there is one way only."""

    decoding: int = 1
    """1, also where this is absent: of the images' own pixels. 2: of large JPEGs without decoding them whole (docs/decisions/0092). Absent
    where no image is large."""


class PixelFields(TypedDict, total=False):
    """The one field of the two that an artifact has."""

    input_size: int
    input: ModelInput


def pixel_fields(about: ModelInput) -> PixelFields:
    """What an artifact says of the stored pixels."""
    pixels = about.pixels
    return {"input_size": pixels.height} if pixels == ModelInput.square(pixels.height) else {"input": pixels}


def _numbers(config: InputConfig, colour: str | None) -> tuple[float, _Numbers, _Numbers]:
    """Scale, mean and std, of a preset or as they are."""
    if config.scale == "0..1":
        return 1 / 255, (), ()
    if config.scale == "-1..1":
        return 1 / 127.5, (1.0,), ()
    if config.scale == "caffe":
        return 1.0, _CAFFE_MEAN, ()
    if config.scale == "imagenet":
        order = slice(None, None, -1 if colour == "bgr" else 1)
        return 1 / 255, _IMAGENET_MEAN[order], _IMAGENET_STD[order]
    return float(config.scale), config.mean, config.std

"""Other settings of `model.input` that a model may have been made for, to be tried on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import cv2
import numpy as np

from driftwatch.artifacts.model_input import ModelInput
from driftwatch.config.model_input import InputConfig

_PRESETS: tuple[float | str, ...] = (1.0, "0..1", "-1..1", "imagenet", "caffe")
_INTERPOLATIONS = (
    ("area", True),
    ("bilinear", True),
    ("bilinear", False),
    ("bicubic", True),
    ("bicubic", False),
    ("bicubic_tf", True),
    ("bicubic_tf", False),
    ("nearest", True),
)
_SHAPES = (("squash", 1.0), ("crop", 1.0), ("crop", 0.875), ("pad", 1.0))
TRANSPOSED = "each picture with its height and width swapped"


@dataclass(frozen=True)
class Variation:
    """`settings`: what is other than in the monitor file, as `name: value`; empty for the file as it is. `swapped`: whether rows and
    columns of each picture are swapped, which no setting does."""

    input: ModelInput
    settings: tuple[str, ...] = ()
    swapped: bool = False

    def of(self, images: np.ndarray) -> np.ndarray:
        """Stored images uint8 [n, h, w, 3] as this variation has them."""
        if not self.swapped:
            return images
        turned = images.transpose(0, 2, 1, 3)
        size = self.input.width, self.input.height
        if turned.shape[1:3] != images.shape[1:3]:
            turned = np.stack([cv2.resize(picture, size, interpolation=cv2.INTER_AREA) for picture in turned])
        return np.ascontiguousarray(turned)

    @property
    def said(self) -> str:
        """The settings in words."""
        return ", ".join(self.settings) or "the monitor file as it is"


def of_numbers(about: ModelInput) -> list[Variation]:
    """Each preset of the scale with each order of the channels; the one that `about` is has no settings."""
    return [_varied(about, found) for found in _numbers(about)]


def of_pixels(about: ModelInput) -> list[Variation]:
    """Each way to resize a picture that is common in training and serving."""
    fields = [
        {"resize": resize, "crop_share": share, "interpolation": name, "antialias": smooth}
        for (resize, share), (name, smooth) in product(_SHAPES, _INTERPOLATIONS)
    ]
    return [_varied(about, about.model_copy(update=changes)) for changes in fields]


def one_setting_apart(about: ModelInput) -> list[Variation]:
    """`about` itself; another scale, or another order of the channels; swapped axes."""
    same = [Variation(about), Variation(about, (TRANSPOSED,), swapped=True)]
    return same + [found for found in of_numbers(about) if found.settings and len(found.settings) == 1]


def all_together(about: ModelInput) -> list[Variation]:
    """`about` itself, and every scale, order of channels and order of axes together."""
    plain = [Variation(about), *(found for found in of_numbers(about) if found.settings)]
    turned = [Variation(found.input, (*found.settings, TRANSPOSED), swapped=True) for found in plain]
    return plain + turned


def combined(here: Variation, about: ModelInput) -> Variation:
    """The variation, told by its settings that are other than in `about`."""
    return _varied(about, here.input)


def _numbers(about: ModelInput) -> Iterator[ModelInput]:
    grey = about.colour == "grey"
    for preset, colour in product(_PRESETS, ("grey",) if grey else ("rgb", "bgr")):
        if (preset == "caffe" and colour != "bgr") or (preset == "imagenet" and grey):
            continue
        said = InputConfig.model_validate({"size": (about.height, about.width), "scale": preset, "colour": colour})
        resolved = ModelInput.of(said)
        names = ("colour", "scale", "mean", "std")
        yield about.model_copy(update={name: getattr(resolved, name) for name in names})


def _varied(about: ModelInput, other: ModelInput) -> Variation:
    """`other`, told by the settings of the monitor file that make it of `about`."""
    different = dict.fromkeys(name for name, _, _ in about.otherwise(other))
    said = {name: f"{name}: {_text(getattr(other, name, None))}" for name in different}
    preset = _preset_of(other)
    if {"scale", "mean", "std"} & set(said):
        for name in ("scale", "mean", "std"):
            said.pop(name, None)
        said["scale"] = f"scale: {preset}" if preset else f"scale: {other.scale:g}"
        if preset == "caffe":
            said.pop("colour", None)
        if (any(about.mean) or any(part != 1 for part in about.std)) and _preset_of(about) is None:
            said["scale"] += ", without mean and std"  # a preset has its own
    return Variation(other, tuple(said.values()))


def _preset_of(about: ModelInput) -> str | None:
    """The name of the preset that gives these numbers."""
    for preset in _PRESETS[1:]:
        if about.colour == "grey" and preset in ("imagenet", "caffe"):
            continue
        said = {"size": (about.height, about.width), "scale": preset}
        if preset != "caffe":
            said["colour"] = about.colour
        found = ModelInput.of(InputConfig.model_validate(said))
        if (found.colour, found.scale, found.mean, found.std) == (about.colour, about.scale, about.mean, about.std):
            return str(preset)
    return None


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)

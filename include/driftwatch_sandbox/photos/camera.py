"""The demo's camera, and what breaks it: fog, pixelation and blur strong enough to cost a classifier accuracy."""

import zlib
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from driftwatch.errors import DriftwatchError

Damage = Literal["pixelate", "blur", "night", "fog"]
_NIGHT = 0.33
_WIDTH = 224  # of the photo in whose pixels strengths are given
_FOG = (205, 200, 190)


def break_camera(
    image: Image.Image, kind: Damage, *, across: int = 12, sigma: float = 6.0, veil: float = 0.4, noise: float = 16.0
) -> Image.Image:
    """The photo as the broken camera would have taken it, at the same size.

    pixelate: `across` blocks over the width (BOX down, NEAREST up); the height keeps the blocks about square.
    blur: Gaussian, with `sigma` in pixels of a photo 224 px wide, so that every size is equally unsharp.
    night: that blur, and a third of the light.
    fog: a lens that is fogged up from within. A light grey `veil` has this share of each colour, and the sensor's noise is louder: `noise` is
    its sigma, of 255, in grains of a pixel of a photo 224 px wide. People still see what is on nearly every photo.
    The standard severities (Hendrycks & Dietterich 2019) hardly lower the accuracy; these do.
    """
    width, height = image.size
    if kind == "pixelate":
        if across < 1:
            raise DriftwatchError(f"across is {across}: pixelate needs at least 1 block over the width")
        blocks = (min(across, width), max(1, round(min(across, width) * height / width)))
        return image.resize(blocks, Image.Resampling.BOX).resize(image.size, Image.Resampling.NEAREST)
    if kind in ("blur", "night"):
        if sigma <= 0:
            raise DriftwatchError(f"sigma is {sigma}: {kind} needs a sigma above 0")
        blurred = image.filter(ImageFilter.GaussianBlur(sigma * width / _WIDTH))
        return ImageEnhance.Brightness(blurred).enhance(_NIGHT) if kind == "night" else blurred
    if kind == "fog":
        if not 0 <= veil <= 1 or noise < 0:
            raise DriftwatchError(
                f"veil is {veil} and noise {noise}: fog needs a veil from 0 to 1, and a noise of 0 or more"
            )
        return _fogged(image, veil, noise)
    raise DriftwatchError(f"unknown damage {kind!r}: the camera breaks by 'pixelate', 'blur', 'night' or 'fog'")


def _fogged(image: Image.Image, veil: float, noise: float) -> Image.Image:
    """The same photo always has the same noise."""
    width, height = image.size
    small = np.random.default_rng(zlib.crc32(image.tobytes())).standard_normal(
        (max(1, round(_WIDTH * height / width)), _WIDTH, 3), dtype=np.float32
    )
    grain = cv2.resize(small, image.size, interpolation=cv2.INTER_CUBIC)
    seen = (1 - veil) * np.asarray(image, np.float32) + veil * np.array(_FOG, np.float32)
    return Image.fromarray(np.clip(np.rint(seen + noise * grain / grain.std()), 0, 255).astype(np.uint8))


def break_file(source: Path, target: Path, kind: Damage, *, quality: int = 85, **strength: Any) -> Path:
    """Writes the broken version of an image file as an upright JPEG, making the target's folder; returns the target.

    strength: `across`, `sigma`, `veil` or `noise`, as break_camera takes them.
    """
    with Image.open(source) as image:
        broken = break_camera(ImageOps.exif_transpose(image).convert("RGB"), kind, **strength)
    target.parent.mkdir(parents=True, exist_ok=True)
    broken.save(target, "JPEG", quality=quality)
    return target

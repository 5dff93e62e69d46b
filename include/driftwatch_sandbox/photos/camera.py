"""The demo's camera, and what breaks it: pixelation and blur strong enough to cost a classifier accuracy."""

from pathlib import Path
from typing import Any, Literal

from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from driftwatch.errors import DriftwatchError

Damage = Literal["pixelate", "blur", "night"]
_NIGHT = 0.33


def break_camera(image: Image.Image, kind: Damage, *, across: int = 12, sigma: float = 6.0) -> Image.Image:
    """The photo as the broken camera would have taken it, at the same size.

    pixelate: `across` blocks over the width (BOX down, NEAREST up); the height keeps the blocks about square.
    blur: Gaussian, with `sigma` in pixels of a photo 224 px wide, so that every size is equally unsharp.
    night: that blur, and a third of the light.
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
        blurred = image.filter(ImageFilter.GaussianBlur(sigma * width / 224))
        return ImageEnhance.Brightness(blurred).enhance(_NIGHT) if kind == "night" else blurred
    raise DriftwatchError(f"unknown damage {kind!r}: the camera breaks by 'pixelate', 'blur' or 'night'")


def break_file(source: Path, target: Path, kind: Damage, *, quality: int = 85, **strength: Any) -> Path:
    """Writes the broken version of an image file as an upright JPEG, making the target's folder; returns the target.

    strength: `across` or `sigma`, as break_camera takes them.
    """
    with Image.open(source) as image:
        broken = break_camera(ImageOps.exif_transpose(image).convert("RGB"), kind, **strength)
    target.parent.mkdir(parents=True, exist_ok=True)
    broken.save(target, "JPEG", quality=quality)
    return target

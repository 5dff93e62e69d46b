"""What the pass sees of an image: the whole picture, or as much of a large one as features, hash and the model's input need."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

SAMPLED_SIDE = 160
WINDOW_SIDE = 256
# In smaller pictures the window is so much of the picture that nothing is gained. With every eighth pixel a block has at most one of the sample.
LARGE_PIXELS, LARGE_STEP = 1_000_000, 8
# How features of large images are made today: see `artifacts.model_input.OfFeatures`.
DECODING = 2


class Picture(NamedTuple):
    """An upright image of `height` x `width` pixels; all else is uint8 [rows, columns, 3].

    `rgb`: the whole, or averages over squares of 8 x 8 or 4 x 4 pixels, without an odd rest on the right and below. `sample`: the
    whole, or every s-th pixel of every s-th row (see `sampling`). `detail`: the whole, or its central window (see `window`).
    """

    height: int
    width: int
    rgb: np.ndarray
    sample: np.ndarray
    detail: np.ndarray

    @classmethod
    def whole(cls, rgb: np.ndarray) -> Picture:
        return cls(rgb.shape[0], rgb.shape[1], rgb, rgb, rgb)

    def upright(self, orientation: int) -> Picture:
        """Turned and mirrored as EXIF's `orientation`, 1 to 8, says."""
        height, width = (self.width, self.height) if orientation > 4 else (self.height, self.width)
        if self.rgb is self.detail:
            return Picture.whole(upright(self.rgb, orientation))
        return Picture(height, width, *(upright(part, orientation) for part in self[2:]))


def upright(rgb: np.ndarray, orientation: int) -> np.ndarray:
    """A picture turned and mirrored as EXIF's `orientation`, 1 to 8, says."""
    if orientation == 1:
        return np.ascontiguousarray(rgb)
    if orientation > 4:
        rgb = rgb.swapaxes(0, 1)
    down, right = (-1 if flip else 1 for flip in flips(orientation))
    return np.ascontiguousarray(rgb[::down, ::right])


def flips(orientation: int) -> tuple[bool, bool]:
    """Whether a picture is mirrored upside down, and from left to right, after it was laid on its side (`orientation` above 4)."""
    return orientation in (3, 4, 7, 8), orientation in (2, 3, 6, 7)


def sampling(height: int, width: int) -> int:
    """Colour features are made of every so-manieth pixel of every so-manieth row."""
    return math.ceil(max(height, width) / SAMPLED_SIDE)


def is_large(height: int, width: int) -> bool:
    """Whether an image of that size need not be decoded whole."""
    return height * width >= LARGE_PIXELS and sampling(height, width) >= LARGE_STEP


def any_large(widths: Iterable[float], heights: Iterable[float]) -> bool:
    """Whether how the features were made makes a difference: for an image of such a size there are two ways (`DECODING`)."""
    return any(is_large(int(height), int(width)) for height, width in set(zip(heights, widths, strict=True)))


def window(side: int) -> tuple[int, int]:
    """Where the central window, of which sharpness features are made, begins on a side of the picture, and how long it is."""
    length = min(side, WINDOW_SIDE)
    return (side - length) // 2, length

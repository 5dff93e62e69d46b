"""The usual image's way through the pass: a JPEG that is decoded whole, upright as it is stored, for a model whose input is squashed by areas.

The same kernels as everywhere give the same numbers. What follows from the picture's size is reckoned once for all pictures of that size, and
there is little Python between two kernels: between sweeps over pixels it takes twice as long as by itself.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from driftwatch.images.features import image_features
from driftwatch.images.jpeg import Warned, pixels
from driftwatch.images.kernels import grey_kernels, rgb_kernels
from driftwatch.images.near_duplicates import HASHED_SIDE
from driftwatch.images.picture import Picture
from driftwatch.images.resize import Shrinking, shrinking

if TYPE_CHECKING:
    from driftwatch.artifacts.model_input import ModelInput
    from driftwatch.images.headers import ImageFile


class Seen(NamedTuple):
    """What the pass makes of an image: the perceptual hash, the features in the order of `features.COLUMNS`, and the model's input."""

    phash: str
    features: list[float]
    input: np.ndarray


class _Plan(NamedTuple):
    """What is done with each picture of a size. `halves`: the rows and numbers a row of each half that is made."""

    halves: tuple[tuple[int, int], ...]
    input: Shrinking
    hash: Shrinking


def seen_as_usual(file: ImageFile, about: ModelInput) -> Seen | None:
    """None for any other file, and for one of which the decoder warns: these take the long way."""
    header = file.header
    if header.format != "JPEG" or file.orientation != 1 or not file.complete:
        return None
    plan = _plan(header.height, header.width, about)
    if plan is None:
        return None
    try:
        rgb = pixels(file.data, header)
    except Warned:
        return None
    colours, greys = rgb_kernels(), grey_kernels()
    levels = [rgb.reshape(header.height, -1)]
    for shape in plan.halves:
        half = np.empty(shape, np.uint8)
        colours.halve(levels[-1], half)
        levels.append(half)
    given = np.empty((about.height, 3 * about.width), np.uint8)
    colours.weigh(levels[plan.input.level], plan.input.down, plan.input.across, False, given)
    square = np.empty((greys.HASH_SIDE, 3 * greys.HASH_SIDE), np.uint8)
    colours.weigh(levels[plan.hash.level], plan.hash.down, plan.hash.across, False, square)
    signs = greys.signs_of_frequencies(square.reshape(greys.HASH_SIDE, greys.HASH_SIDE, 3))
    return Seen(f"{signs:016x}", image_features(Picture.whole(rgb)), given.reshape(about.height, about.width, 3))


@lru_cache(maxsize=1024)
def _plan(height: int, width: int, about: ModelInput) -> _Plan | None:
    """None where a picture of that size is not made smaller."""
    if (about.resize, about.interpolation) != ("squash", "area"):
        return None
    side, averaged = grey_kernels().HASH_SIDE, HASHED_SIDE // grey_kernels().HASH_SIDE
    given, square = shrinking(height, width, about.height, about.width), shrinking(height, width, side, side, averaged)
    if given is None or square is None:
        return None
    halves = range(1, max(given.level, square.level) + 1)
    return _Plan(tuple((height >> level, 3 * (width >> level)) for level in halves), given, square)

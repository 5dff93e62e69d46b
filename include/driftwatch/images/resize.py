"""Makes the model's input of a picture: resized, cut and filled as the monitor file's `model.input` says."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from driftwatch.images import weights
from driftwatch.images.headers import RejectedImage
from driftwatch.images.kernels import rgb_kernels

if TYPE_CHECKING:
    from driftwatch.artifacts.model_input import ModelInput

# Shares of a picture are written with a few digits: 224 / 0.9492 is 235.99 and means 236.
_SLACK = 0.02
# A picture that is shrunk that much further looks as if it were made of the whole.
_SMOOTH = 2
# Pixels of a side, of which a crop keeps the middle.
_LONGEST = 1_000_000
# Pixels of a side whose weights are worth keeping.
_LONGEST_KEPT = 20_000


class Halvings:
    """An upright picture, uint8 [height, width, 3], and, made when asked for, its halves by averages of 2 x 2 pixels: what
    shrinks a picture by areas starts from one of them. An odd last row or column is left out of the next."""

    def __init__(self, rgb: np.ndarray, size: tuple[int, int] | None = None) -> None:
        """`size`: the height and width of the picture of which `rgb` has averages; by default its own."""
        self._pictures = [np.ascontiguousarray(rgb)]
        self.size: tuple[int, int] = size or (rgb.shape[0], rgb.shape[1])

    @property
    def whole(self) -> np.ndarray:
        return self._pictures[0]

    def at_least(self, height: int, width: int) -> np.ndarray:
        """The smallest of the halves that has that many rows and columns; the whole picture where it has fewer itself."""
        level = _halvings(self.whole.shape[0], self.whole.shape[1], height, width)
        while len(self._pictures) <= level:
            last = self._pictures[-1]
            rows, columns = last.shape[0] // 2, last.shape[1] // 2
            half = np.empty((rows, 3 * columns), np.uint8)
            rgb_kernels().halve(last.reshape(len(last), -1), half)
            self._pictures.append(half.reshape(rows, columns, 3))
        return self._pictures[level]

    def squashed(self, height: int, width: int, averaged: int = 1) -> np.ndarray:
        """The picture squashed to uint8 [height, width, 3], by averages over equal areas of the smallest of the halves that has
        at least `averaged` times as many pixels on both sides."""
        return _by_areas(
            self.at_least(height * averaged, width * averaged), _Window(height, width, 0, 0, height, width)
        )


class Shrinking(NamedTuple):
    """How a picture is made smaller by areas: `level` says how often it is halved first; then the kernel `weigh` has weights for rows (`down`) and
    columns (`across`)."""

    level: int
    down: weights.Weights
    across: weights.Weights


def shrinking(height: int, width: int, rows: int, columns: int, averaged: int = 1) -> Shrinking | None:
    """How `Halvings.squashed` makes a picture of that size smaller; None where one of its sides gets longer."""
    level = _halvings(height, width, rows * averaged, columns * averaged)
    height, width = height >> level, width >> level
    if height < rows or width < columns:
        return None
    return Shrinking(level, *_kept_pairs("area", height, width, _Window(rows, columns, 0, 0, rows, columns)))


def _halvings(height: int, width: int, rows: int, columns: int) -> int:
    """How often a picture can be halved, and has that many rows and columns still."""
    level = 0
    while height >> level >= 2 * rows and width >> level >= 2 * columns:
        level += 1
    return level


class _Window(NamedTuple):
    """A picture is resized to `whole_height` x `whole_width`, and of that the window of `height` x `width` at `top`, `left` is made."""

    whole_height: int
    whole_width: int
    top: int
    left: int
    height: int
    width: int


def rows_and_columns(height: int, width: int, about: ModelInput) -> tuple[int, int] | None:
    """How many rows and columns of averages over equal squares are enough to make the model's input of a picture of that size;
    None where it is made of the picture's own pixels."""
    smooth = about.interpolation == "area" or (about.interpolation != "nearest" and about.antialias)
    if about.resize == "none" or not smooth:
        return None
    if (about.interpolation, about.resize) == ("area", "squash"):
        return about.height, about.width  # the same halves as of the whole picture
    try:
        window = _window(height, width, about)
    except RejectedImage:
        return None  # it is refused when it is made
    return _SMOOTH * window.whole_height, _SMOOTH * window.whole_width


def model_input(picture: np.ndarray | Halvings, about: ModelInput) -> np.ndarray:
    """The picture as the model is given it, before its numbers are scaled: uint8 RGB [height, width, 3].

    A squash by areas halves it exactly while both sides stay at least twice as long as needed, then averages over the rest. That takes
    half the time of averaging at once, at the price of an odd last row or column in each halving. All else is made of the whole
    picture. Raises RejectedImage if `resize` is `none` and the picture has another size, and for a crop of an endless strip.
    """
    halvings = picture if isinstance(picture, Halvings) else Halvings(picture)
    whole = halvings.whole
    if about.resize == "none":
        _refuse_other_size(whole, about)
        return whole
    window = _window(*halvings.size, about)
    made = _made(halvings, window, about)
    if made.shape[:2] == (about.height, about.width):
        return made
    filled = np.full((about.height, about.width, 3), about.pad_value, np.uint8)
    top, left = round((about.height - window.height) / 2), round((about.width - window.width) / 2)
    filled[top : top + window.height, left : left + window.width] = made
    return filled


def _refuse_other_size(whole: np.ndarray, about: ModelInput) -> None:
    height, width = whole.shape[:2]
    if (height, width) != (about.height, about.width):
        raise RejectedImage(
            "other_size",
            f"is {width} x {height} pixels, and the model takes {about.width} x {about.height}: model.input.resize is none, so that "
            "nothing is resized",
        )


def _window(height: int, width: int, about: ModelInput) -> _Window:
    """What of a resized picture is made. A crop is torchvision's Resize and CenterCrop; a pad is Pillow's ImageOps.pad."""
    if about.resize == "crop":
        high, wide = (math.floor(side / about.crop_share + _SLACK) for side in (about.height, about.width))
        if height * wide <= width * high:
            wide = high * width // height
        else:
            high = wide * height // width
        if max(high, wide) > _LONGEST:
            raise RejectedImage(
                "too_complex",
                f"is {width} x {height} pixels: resized for model.input.resize crop it would be {max(high, wide)} long, and {_LONGEST} "
                "is the most",
            )
        top, left = round((high - about.height) / 2), round((wide - about.width) / 2)
        return _Window(high, wide, top, left, about.height, about.width)
    high, wide = about.height, about.width
    if about.resize == "pad":
        if width * high > wide * height:
            high = max(1, round(height / width * wide))
        else:
            wide = max(1, round(width / height * high))
    return _Window(high, wide, 0, 0, high, wide)


def _made(halvings: Halvings, window: _Window, about: ModelInput) -> np.ndarray:
    name, whole = about.interpolation, halvings.whole
    if name == "area" and about.resize == "squash":
        return _by_areas(halvings.at_least(about.height, about.width), window)
    if name == "area":
        return _by_areas(whole, window)
    if name == "nearest":
        down, across = (weights.nearest(*side) for side in _sides(whole.shape[0], whole.shape[1], window))
        return whole[down[:, None], across]
    if name == "bicubic" and about.antialias:
        return _columns_first(whole, window)
    return _weighted(whole, window, f"{name}_smooth" if about.antialias else name)


def _by_areas(picture: np.ndarray, window: _Window) -> np.ndarray:
    height, width = picture.shape[:2]
    if height >= window.whole_height and width >= window.whole_width:
        return _weighted(picture, window, "area")
    if (window.height, window.width) == (window.whole_height, window.whole_width):
        return cv2.resize(picture, (window.width, window.height), interpolation=cv2.INTER_AREA)
    return _weighted(picture, window, "area_enlarged")


def _columns_first(picture: np.ndarray, window: _Window) -> np.ndarray:
    """As Pillow's bicubic: each line is made shorter first, rounded and cut off at 0 and 255, which shows beside hard edges. The
    kernel begins with the other step, so the picture is laid on its side."""
    turned = _Window(window.whole_width, window.whole_height, window.left, window.top, window.width, window.height)
    return np.ascontiguousarray(_weighted(cv2.transpose(picture), turned, "bicubic_tf_smooth", True).swapaxes(0, 1))


def _weighted(picture: np.ndarray, window: _Window, name: str, whole: bool = False) -> np.ndarray:
    height, width = picture.shape[:2]
    both = _kept_pairs if max(height, width) <= _LONGEST_KEPT else _kept_pairs.__wrapped__
    down, across = both(name, height, width, window)
    made = np.empty((window.height, 3 * window.width), np.uint8)
    rgb_kernels().weigh(picture.reshape(height, -1), down, across, whole, made)
    return made.reshape(window.height, window.width, 3)


def _sides(height: int, width: int, window: _Window) -> tuple[tuple[int, int, int, int], tuple[int, int, int, int]]:
    """For rows and for columns: how many a picture of that size has, how many it would have when resized, and the first of those
    that are made and their number."""
    return (
        (height, window.whole_height, window.top, window.height),
        (width, window.whole_width, window.left, window.width),
    )


@lru_cache(maxsize=256)
def _kept_pairs(name: str, height: int, width: int, window: _Window) -> tuple[weights.Weights, weights.Weights]:
    """For rows and for columns; kept for the next picture of that size."""
    down, across = (_weights(name, *side) for side in _sides(height, width, window))
    return down, across


def _weights(name: str, side: int, resized: int, first: int, count: int) -> weights.Weights:
    """Kept for the next picture of that size, unless they are large."""
    make = _kept_weights if side <= _LONGEST_KEPT else _kept_weights.__wrapped__
    return make(name, side, resized, first, count)


@lru_cache(maxsize=1024)
def _kept_weights(name: str, side: int, resized: int, first: int, count: int) -> weights.Weights:
    return weights.KINDS[name](side, resized, first, count)

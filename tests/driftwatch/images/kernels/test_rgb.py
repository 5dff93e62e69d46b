"""The colour kernels give what plain formulas give."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest
from PIL import Image, ImageStat

from driftwatch.images.features import image_features
from driftwatch.images.kernels import rgb as rgb_kernels
from driftwatch.images.near_duplicates import perceptual_hash
from driftwatch.images.resize import Halvings, _weights


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def test_colour_is_pillows_but_for_roundings_of_one_pixel_in_a_hundred():
    rgb = cv2.resize(noise(30, 40, 3), (160, 120), interpolation=cv2.INTER_CUBIC)
    image = Image.fromarray(rgb)
    hsv = ImageStat.Stat(image.convert("HSV"))

    entropy, *found = rgb_kernels.colour(rgb)

    assert entropy == pytest.approx(image.entropy(), rel=1e-9)
    assert found == pytest.approx(
        [value for pair in zip(hsv.mean, hsv.stddev, strict=True) for value in pair], abs=0.02
    )
    assert found[4:] == pytest.approx([hsv.mean[2], hsv.stddev[2]], rel=1e-9)


@pytest.mark.parametrize("shape", [(500, 375), (2, 2), (33, 65), (97, 301)])
def test_halves_are_averages_of_two_by_two(shape):
    rgb = noise(*shape, 3)
    height, width = shape[0] // 2, shape[1] // 2
    found = np.empty((height, width, 3), np.uint8)
    rgb_kernels.halve(rgb.reshape(len(rgb), -1), found.reshape(height, -1))
    blocks = rgb[: 2 * height, : 2 * width].reshape(height, 2, width, 2, 3).astype(int)
    np.testing.assert_array_equal(found, (blocks.sum(axis=(1, 3)) + 2) // 4)


@pytest.mark.parametrize(("shape", "size"), [((187, 250), 96), ((33, 47), 32), ((64, 900), 63), ((96, 96), 96)])
def test_squashing_averages_equal_areas(shape, size):
    rgb = noise(*shape, 3)
    weights = [np.zeros((size, side)) for side in shape]
    for weight, side in zip(weights, shape, strict=True):
        for number, row in enumerate(weight):
            low, high = number * side / size, (number + 1) * side / size
            row[:] = np.clip(np.minimum(np.arange(side) + 1, high) - np.maximum(np.arange(side), low), 0, 1) / (
                high - low
            )
    exact = np.einsum("ay,yxc,bx->abc", weights[0], rgb.astype(float), weights[1], optimize=True)

    found = Halvings(rgb).squashed(size, size)

    assert np.abs(found - exact).max() <= 0.501
    assert np.abs(found - np.rint(exact)).mean() < 1e-3  # a tie may go to the other side


def test_a_picture_that_is_read_only_or_not_laid_out_in_one_piece_gives_the_same():
    wide = noise(200, 400, 3)
    wide.flags.writeable = False
    part = wide[:, 20:320][::-1]
    whole = np.ascontiguousarray(part)
    assert image_features(part) == image_features(whole)
    assert perceptual_hash(part) == perceptual_hash(whole)
    np.testing.assert_array_equal(Halvings(part).squashed(96, 96), Halvings(whole).squashed(96, 96))


@pytest.mark.parametrize("lines", [1, 3, 4, 5, 7, 8])
@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("kind", ["area", "bicubic_tf_smooth"])
def test_each_line_is_weighed_by_itself_to_the_last_bit(lines, whole, kind):
    rows = noise(23, 3 * 31)
    down, across = _weights(kind, 23, 11, 0, lines), _weights(kind, 31, 13, 2, 9)
    found = np.empty((lines, 3 * 9), np.uint8)
    rgb_kernels.weigh(rows, down, across, whole, found)

    lying = _in_order(rows.astype(np.float32), down)
    if whole:
        lying = np.floor(np.clip(lying, 0, 255) + np.float32(0.5))
    averages = _in_order(lying.reshape(lines, 31, 3).swapaxes(0, 1), across).swapaxes(0, 1)
    np.testing.assert_array_equal(found, np.rint(np.clip(averages, 0, 255)).reshape(lines, -1).astype(np.uint8))


def _in_order(values: np.ndarray, weights: tuple[np.ndarray, ...]) -> np.ndarray:
    """The sums, float32, one product after the other."""
    starts, places, shares = weights
    found = np.zeros((len(starts) - 1, *values.shape[1:]), np.float32)
    for number, (start, stop) in enumerate(pairwise(starts)):
        for place, share in zip(places[start:stop], shares[start:stop], strict=True):
            found[number] += share * values[place]
    return found

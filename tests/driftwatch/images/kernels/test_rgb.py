"""The colour kernels give what plain formulas give."""

from __future__ import annotations

import math

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

    entropy, *found = rgb_kernels.colour(rgb.reshape(120, -1), 1, rgb_kernels.bits_of_counts(120 * 160))

    assert entropy == pytest.approx(image.entropy(), rel=1e-9)
    assert found == pytest.approx(
        [value for pair in zip(hsv.mean, hsv.stddev, strict=True) for value in pair], abs=0.02
    )
    assert found[4:] == pytest.approx([hsv.mean[2], hsv.stddev[2]], rel=1e-9)


@pytest.mark.parametrize(("shape", "step"), [((100, 80), 1), ((99, 77), 2), ((7, 5), 3), ((3, 4000), 1), ((40, 2), 4)])
@pytest.mark.parametrize("flat", [False, True])
def test_colour_counts_every_so_manieth_pixel(shape, step, flat):
    rgb = np.full((*shape, 3), 200, np.uint8) if flat else noise(*shape, 3)
    height, width = (max(1, side // step) * step for side in shape)
    seen = rgb[:height:step, :width:step]
    shares = np.concatenate([np.bincount(band, minlength=256) for band in seen.reshape(-1, 3).T]) / seen.size
    brightness = seen.max(axis=2)

    entropy, *found = rgb_kernels.colour(rgb.reshape(len(rgb), -1), step, rgb_kernels.bits_of_counts(seen[..., 0].size))

    assert entropy == pytest.approx(-(shares[shares > 0] * np.log2(shares[shares > 0])).sum(), rel=1e-12)
    one_by_one = 0.0
    for share in shares[shares > 0].tolist():
        one_by_one -= share * math.log2(share)
    assert entropy == one_by_one  # to the last bit: pictures of one colour have one entropy, whatever looked it up
    assert found[4:] == pytest.approx([brightness.mean(), brightness.std()], rel=1e-12)


@pytest.mark.parametrize("red", [0, 5, 129, 250, 255])
def test_hue_saturation_and_brightness_are_the_whole_numbers_of_the_formula_in_single_precision(red):
    green, blue = np.meshgrid(np.arange(256, dtype=np.uint32), np.arange(256, dtype=np.uint32), indexing="ij")
    expected = _hsv(np.full((256, 256), red), green, blue)
    for line, samples in enumerate(red | green << 8 | blue << 16):
        sums = np.zeros(6, np.int64)
        rgb_kernels.add_hsv(samples, sums)
        values = expected[:, line]
        np.testing.assert_array_equal(sums[::2], values.sum(axis=1))
        np.testing.assert_array_equal(sums[1::2], (values * values).sum(axis=1))


def _hsv(*bands: np.ndarray) -> np.ndarray:
    red, green, blue = (band.astype(np.float32) * np.float32(1 / 255) for band in bands)
    largest = np.maximum(red, np.maximum(green, blue))
    span, little = largest - np.minimum(red, np.minimum(green, blue)), np.finfo(np.float32).eps
    degrees = np.float32(60) / (span + little)
    angle = np.select(
        [red == largest, green == largest],
        [(green - blue) * degrees, (blue - red) * degrees + np.float32(120)],
        (red - green) * degrees + np.float32(240),
    )
    angle = np.where(angle < 0, angle + np.float32(360), angle)
    return np.stack(
        [
            angle * np.float32(255 / 360) + np.float32(2e-4),
            span / (largest + little) * np.float32(255) + np.float32(5e-3),
            largest * np.float32(255) + np.float32(1e-3),
        ]
    ).astype(int)


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
    found = np.zeros((len(weights[0]), *values.shape[1:]), np.float32)
    for number, (places, shares) in enumerate(zip(*weights, strict=True)):
        for place, share in zip(places, shares, strict=True):
            found[number] += share * values[place]
    return found

"""The grey kernels give what plain formulas give."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy import fft, ndimage

from driftwatch.images.kernels import grey as grey_kernels

SIZES = [(256, 256), (255, 254), (17, 16), (16, 256), (200, 31), (33, 255)]


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def test_grey_is_opencvs():
    rgb = noise(90, 300, 3)
    found = np.empty((50, 100), np.uint8)
    grey_kernels.grey_window(rgb.reshape(90, -1), 10, 70, found)
    np.testing.assert_array_equal(found, cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)[10:60, 70:170])


def test_the_grey_of_every_colour_is_opencvs():
    blue = np.arange(256, dtype=np.uint8)
    found = np.empty((256, 256), np.uint8)
    for red in range(256):
        colours = np.stack(np.broadcast_arrays(np.uint8(red), blue[:, None], blue), axis=2)
        grey_kernels.grey_window(colours.reshape(256, -1), 0, 0, found)
        np.testing.assert_array_equal(found, cv2.cvtColor(colours, cv2.COLOR_RGB2GRAY))


@pytest.mark.parametrize("shape", SIZES)
@pytest.mark.parametrize("kind", ["noise", "checked", "smooth"])
def test_sums_over_neighbours_are_those_of_the_formulas(shape, kind):
    y, x = np.indices(shape)
    grey = {"noise": noise(*shape), "checked": (x + y) % 2 * 255, "smooth": (x * y) // 300 % 256}[kind].astype(np.uint8)
    values = grey.astype(float)
    height, width = shape
    second = ndimage.correlate1d(
        ndimage.correlate1d(values, [1, -2, 1], 0, mode="mirror"), [1, -2, 1], 1, mode="mirror"
    )
    across, down = np.abs(np.diff(values, axis=1)), np.abs(np.diff(values, axis=0))
    even = values[: height // 2 * 2, : width // 2 * 2]
    coarse = np.floor((even.reshape(height // 2, 2, width // 2, 2).sum(axis=(1, 3)) + 2) / 4)
    profiles = across.mean(axis=0), down.mean(axis=1)

    framed = np.zeros(grey_kernels.BEFORE + (height + 2) * width + 1, np.uint8)
    framed[grey_kernels.BEFORE + width : -1 - width] = grey.ravel()
    found = grey_kernels.neighbours(framed, height, width)

    assert found[:6] == (
        (ndimage.laplace(values, mode="mirror") ** 2).sum(),
        np.abs(second).sum(),
        (second**2).sum(),
        (across**2).sum(),
        (down**2).sum(),
        (np.diff(coarse, axis=0) ** 2).sum() + (np.diff(coarse, axis=1) ** 2).sum(),
    )
    assert found[6:] == pytest.approx(
        (
            np.mean([profile.mean() for profile in profiles]),
            np.mean([np.abs(np.diff(profile)).mean() for profile in profiles]),
            np.mean([strongest_phase(profile) for profile in profiles]),
        )
    )


def strongest_phase(profile: np.ndarray) -> float:
    blocks = len(profile) // 8
    phases = profile[: blocks * 8].reshape(-1, 8).mean(axis=0) + 0.01
    return float((2 * phases / (np.roll(phases, 1) + np.roll(phases, -1))).max())


def test_the_hash_is_the_signs_of_a_cosine_transform_about_their_median():
    squares = np.random.default_rng(1).integers(0, 256, (50, 32, 32, 3), dtype=np.uint8)
    for square in squares:
        grey = cv2.cvtColor(square, cv2.COLOR_RGB2GRAY).astype(float)
        frequencies = fft.dctn(grey, norm="ortho")[:8, :8].ravel()
        found = np.array([int(bit) for bit in f"{int(grey_kernels.signs_of_frequencies(square)):064b}"], bool)
        apart = frequencies - np.median(frequencies)
        assert (np.abs(apart[found != (apart > 0)]) < 0.01).all()
        assert found.sum() == 32

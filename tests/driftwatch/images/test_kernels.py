"""The compiled kernels give what plain formulas give, and compile wherever the package is installed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageStat
from scipy import fft, ndimage

from driftwatch.images.decode import Halvings
from driftwatch.images.features import image_features
from driftwatch.images.kernels import grey as grey_kernels
from driftwatch.images.kernels import rgb as rgb_kernels
from driftwatch.images.near_duplicates import perceptual_hash

SIZES = [(256, 256), (255, 254), (17, 16), (16, 256), (200, 31)]
# Compiles one function and says its value, and how often Numba's cache had it.
PROGRAM = """
from driftwatch.images.kernels.compiled import compiled

@compiled("int64(int64)")
def twice(number):
    return 2 * number

print(twice(21), sum(getattr(twice, "stats").cache_hits.values()))
"""


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def test_grey_is_opencvs():
    rgb = noise(90, 300, 3)
    found = np.empty((50, 100), np.uint8)
    grey_kernels.grey_window(rgb.reshape(90, -1), 10, 70, found)
    np.testing.assert_array_equal(found, cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)[10:60, 70:170])


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

    found = grey_kernels.neighbours(grey)

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
    exact = np.einsum("ay,yxc,bx->abc", weights[0], rgb.astype(float), weights[1])

    found = Halvings(rgb).squashed(size)

    assert np.abs(found - exact).max() <= 0.501
    assert np.abs(found - np.rint(exact)).mean() < 1e-3  # a tie may go to the other side


def test_the_hash_is_the_signs_of_a_cosine_transform_about_their_median():
    squares = np.random.default_rng(1).integers(0, 256, (50, 32, 32, 3), dtype=np.uint8)
    for square in squares:
        grey = cv2.cvtColor(square, cv2.COLOR_RGB2GRAY).astype(float)
        frequencies = fft.dctn(grey, norm="ortho")[:8, :8].ravel()
        found = np.array([int(bit) for bit in f"{int(grey_kernels.signs_of_frequencies(square)):064b}"], bool)
        apart = frequencies - np.median(frequencies)
        assert (np.abs(apart[found != (apart > 0)]) < 0.01).all()
        assert found.sum() == 32


def test_flat_pictures_have_one_hash_whatever_their_grey():
    hashes = {perceptual_hash(np.full((90, 120, 3), value, np.uint8)) for value in (1, 77, 128, 255)}
    assert hashes == {"8000000000000000"}


def test_a_picture_that_is_read_only_or_not_laid_out_in_one_piece_gives_the_same():
    wide = noise(200, 400, 3)
    wide.flags.writeable = False
    part = wide[:, 20:320][::-1]
    whole = np.ascontiguousarray(part)
    assert image_features(part) == image_features(whole)
    assert perceptual_hash(part) == perceptual_hash(whole)
    np.testing.assert_array_equal(Halvings(part).squashed(96), Halvings(whole).squashed(96))


def start(program: Path, **environment: str) -> subprocess.Popen[str]:
    settings = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA")} | environment
    return subprocess.Popen(
        [sys.executable, str(program)], env=settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def ended(process: subprocess.Popen[str]) -> tuple[str, str]:
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return out.strip(), errors


def test_a_process_that_may_write_no_cache_compiles_for_itself_and_says_how_to_change_it(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    (tmp_path / "__pycache__").write_text("a file where the folder would be")
    out, errors = ended(start(program, HOME=os.devnull, XDG_CACHE_HOME=os.devnull))
    assert out == "42 0"
    assert "NUMBA_CACHE_DIR" in errors


def test_processes_that_compile_at_once_share_one_cache(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    cache = str(tmp_path / "cache")
    together = [start(program, NUMBA_CACHE_DIR=cache) for _ in range(3)]
    assert {ended(process)[0].split()[0] for process in together} == {"42"}
    assert ended(start(program, NUMBA_CACHE_DIR=cache))[0] == "42 1"


def test_what_does_not_look_at_pixels_does_not_import_numba():
    code = "import sys, driftwatch.images.ingest, driftwatch.models.splits; assert 'numba' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr

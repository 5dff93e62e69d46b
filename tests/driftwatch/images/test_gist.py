"""GIST tells what a picture shows by its edges, and hardly by its light."""

from __future__ import annotations

import numpy as np
import pytest

from driftwatch.images.gist import GRID, ORIENTATIONS, SCALES, WIDTH, gist


def striped(angle: float, side: int = 96, period: float = 8, low: int = 60, high: int = 200) -> np.ndarray:
    """uint8 RGB: stripes across the direction `angle`, in degrees."""
    y, x = np.mgrid[:side, :side]
    wave = np.sin(2 * np.pi * (x * np.cos(np.radians(angle)) + y * np.sin(np.radians(angle))) / period)
    grey = (low + high) / 2 + (high - low) / 2 * wave
    return np.repeat(grey[..., None], 3, axis=2).astype(np.uint8)


def by_orientation(image: np.ndarray) -> np.ndarray:
    found = gist(image[None]).astype(float).reshape(SCALES, ORIENTATIONS, GRID, GRID)
    return found.sum(axis=(0, 2, 3))


@pytest.mark.parametrize("turn", range(ORIENTATIONS))
def test_stripes_answer_the_filter_of_their_orientation(turn):
    answers = by_orientation(striped(180 * turn / ORIENTATIONS))
    assert answers.argmax() == turn
    assert answers[turn] > 2 * np.median(answers)


def test_a_cell_of_the_grid_answers_for_its_own_part_of_the_picture():
    image = np.full((96, 96, 3), 128, np.uint8)
    image[:24, 72:] = striped(0)[:24, 72:]
    found = gist(image[None]).astype(float).reshape(SCALES * ORIENTATIONS, GRID, GRID).sum(axis=0)
    assert np.unravel_index(found.argmax(), found.shape) == (0, GRID - 1)


def test_a_darker_and_flatter_picture_has_nearly_the_same_descriptor_and_another_picture_has_not():
    one, dim, other = gist(np.stack([striped(30), striped(30, low=40, high=90), striped(120)])).astype(float)
    assert np.linalg.norm(one - dim) < 0.25 * np.linalg.norm(one - other)


@pytest.mark.parametrize("shape", [(16, 1024), (224, 224), (17, 31)])
def test_a_picture_of_any_size_has_finite_numbers_of_one_width(shape):
    noise = np.random.default_rng(0).integers(0, 256, (3, *shape, 3)).astype(np.uint8)
    noise[1], noise[2] = 0, 255
    found = gist(noise)
    assert found.dtype == np.float16
    assert found.shape == (3, WIDTH)
    assert np.isfinite(found).all()
    assert not found[1:].any()  # nothing is to be seen in a picture of one colour


def test_an_image_has_the_same_bytes_alone_and_among_others():
    images = np.random.default_rng(1).integers(0, 256, (130, 32, 32, 3)).astype(np.uint8)
    whole = gist(images)
    assert whole.tobytes() == gist(images).tobytes()
    for place in (0, 63, 64, 129):
        np.testing.assert_allclose(gist(images[place : place + 1])[0], whole[place], rtol=2e-3, atol=1e-4)
    assert gist(images[:0]).shape == (0, WIDTH)

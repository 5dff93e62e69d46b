"""Weights are averages, and those of a window are the window of those of the whole line."""

from __future__ import annotations

import numpy as np
import pytest

from driftwatch.images import weights

LINES = [(640, 96), (97, 96), (37, 29), (1, 40), (5000, 16), (96, 96)]


def matrix(name: str, side: int, resized: int, first: int, count: int) -> np.ndarray:
    found = np.zeros((count, side))
    for row, pixels, shares in zip(found, *weights.KINDS[name](side, resized, first, count), strict=True):
        np.add.at(row, pixels, shares)
    return found


@pytest.mark.parametrize("name", weights.KINDS)
@pytest.mark.parametrize(("side", "resized"), LINES)
def test_each_new_pixel_is_an_average_and_a_window_is_a_part_of_the_whole(name, side, resized):
    if name == "area" and side < resized:
        name = "area_enlarged"
    whole = matrix(name, side, resized, 0, resized)
    np.testing.assert_allclose(whole.sum(axis=1), 1, atol=2e-3)
    first, count = resized // 3, resized // 2
    np.testing.assert_allclose(matrix(name, side, resized, first, count), whole[first : first + count], atol=1e-6)


@pytest.mark.parametrize(("side", "resized"), LINES)
def test_the_nearest_pixel_of_a_window_is_that_of_the_whole_line(side, resized):
    whole = weights.nearest(side, resized, 0, resized)
    assert (np.diff(whole) >= 0).all()
    assert 0 <= whole[0] <= whole[-1] < side
    np.testing.assert_array_equal(weights.nearest(side, resized, resized // 3, 4), whole[resized // 3 :][:4])

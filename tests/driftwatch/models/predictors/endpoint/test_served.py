"""Answers of any form become a table of numbers, or an error that says what came."""

from __future__ import annotations

import numpy as np
import pytest

from driftwatch.http import ServiceError
from driftwatch.models.predictors.endpoint.served import picked, rows


@pytest.mark.parametrize(
    ("data", "shape"),
    [
        ([1, 2, 3, 4], (2, 2)),
        ([[1, 2], [3, 4]], ()),
        ([[1, 2], [3, 4]], (2, 2)),
        ([[[[1]], [[2]]], [[[3]], [[4]]]], (2, 2, 1, 1)),
    ],
)
def test_flat_and_nested_data_are_the_same_rows(data, shape):
    np.testing.assert_array_equal(rows(data, 2, "it", shape), [[1, 2], [3, 4]])


def test_one_number_for_each_image_is_one_column():
    assert rows([0.1, 0.9], 2, "it").shape == (2, 1)
    assert np.isnan(rows([[None, 1.0]], 1, "it")).tolist() == [[True, False]]


@pytest.mark.parametrize(
    ("data", "shape", "told"),
    [
        ([1, 2, 3], (2, 2), "it answered 2 images with what is no table of numbers"),
        ([[1, 2], [3]], (), "no table of numbers"),
        (["cat", "dog"], (), "no table of numbers"),
        (None, (2, 2), "no table of numbers"),
        (None, (), r"it was asked for 2 images and answered \[\]"),
        ([[1, 2]], (1, 2), r"it was asked for 2 images and answered \[1, 2\]"),
    ],
)
def test_what_is_no_table_of_so_many_images_is_refused(data, shape, told):
    with pytest.raises(ServiceError, match=told):
        rows(data, 2, "it", shape)


def test_the_named_output_is_taken_or_the_only_one():
    assert picked({"a": 1}, None, "it") == 1
    assert picked({"a": 1, "b": 2}, "b", "it") == 2
    with pytest.raises(ServiceError, match=r"it answered a, b, and model\.output_name names none of them"):
        picked({"a": 1, "b": 2}, None, "it")
    with pytest.raises(ServiceError, match="it answered a, not the output 'c'"):
        picked({"a": 1}, "c", "it")

"""Stored pixels become the numbers that production gives its model."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from driftwatch.artifacts.model_input import ModelInput
from driftwatch.config import InputConfig
from driftwatch.models.predictors.tensors import tensor_of

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 16, 20, 3)).astype(np.uint8)


def made(**settings) -> np.ndarray:
    return tensor_of(IMAGES, ModelInput.of(InputConfig(size=(16, 20), **settings)))


def test_without_settings_the_pixels_are_as_they_are() -> None:
    found = made()
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, IMAGES)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"scale": "0..1"}, IMAGES / 255),
        ({"scale": "-1..1"}, IMAGES / 127.5 - 1),
        ({"scale": "imagenet"}, (IMAGES / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]),
        ({"scale": "imagenet", "colour": "bgr"}, ((IMAGES / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225])[..., ::-1]),
        ({"scale": "caffe", "colour": "bgr"}, IMAGES[..., ::-1] - np.array([103.939, 116.779, 123.68])),
        ({"colour": "bgr"}, IMAGES[..., ::-1]),
        ({"scale": 2, "mean": [7], "std": [5]}, (IMAGES * 2.0 - 7) / 5),
        ({"mean": [1, 2, 3], "std": [4, 5, 6], "colour": "bgr"}, (IMAGES[..., ::-1] - np.array([1, 2, 3])) / [4, 5, 6]),
        ({"layout": "nchw", "scale": "0..1"}, (IMAGES / 255).transpose(0, 3, 1, 2)),
    ],
)  # fmt: skip
def test_numbers_are_scaled_in_the_order_of_the_channels(settings, expected) -> None:
    found = made(**settings)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    assert found.flags.c_contiguous


def test_grey_is_pillows_to_the_last_level() -> None:
    expected = np.stack([np.asarray(Image.fromarray(image).convert("L")) for image in IMAGES])[..., None]
    np.testing.assert_array_equal(made(colour="grey"), expected)
    assert made(colour="grey", layout="nchw").shape == (3, 1, 16, 20)


def test_no_image_gives_an_empty_tensor_of_the_right_shape() -> None:
    about = ModelInput.of(InputConfig(size=(16, 20), colour="grey", layout="nchw"))
    assert tensor_of(IMAGES[:0], about).shape == (0, 1, 16, 20)

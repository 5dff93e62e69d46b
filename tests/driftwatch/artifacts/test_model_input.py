"""What a model is given of an image, as a card keeps it; and what of it decides the stored pixels."""

from __future__ import annotations

import json

import numpy as np
import pytest

from driftwatch.artifacts.model_input import ModelInput, pixel_fields
from driftwatch.config.model_input import InputConfig


@pytest.mark.parametrize(
    ("config", "scale", "mean", "std", "colour"),
    [
        (InputConfig(), 1, (), (), "rgb"),
        (InputConfig(scale="0..1"), 1 / 255, (), (), "rgb"),
        (InputConfig(scale="-1..1", colour="bgr"), 1 / 127.5, (1, 1, 1), (), "bgr"),
        (InputConfig(scale="imagenet"), 1 / 255, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), "rgb"),
        (InputConfig(scale="imagenet", colour="bgr"), 1 / 255, (0.406, 0.456, 0.485), (0.225, 0.224, 0.229), "bgr"),
        (InputConfig(scale="caffe"), 1, (103.939, 116.779, 123.68), (), "bgr"),
        (InputConfig(scale=2.0, mean=(7,), std=(3,)), 2, (7, 7, 7), (3, 3, 3), "rgb"),
        (InputConfig(mean=(7,), colour="grey"), 1, (7,), (), "grey"),
    ],
)
def test_presets_and_single_numbers_are_resolved_for_each_channel_in_its_order(config, scale, mean, std, colour):
    found = ModelInput.of(config)
    assert (found.scale, found.mean, found.std, found.colour) == (scale, mean, std, colour)


@pytest.mark.parametrize("mode", ["tf", "torch", "caffe"])
def test_the_presets_are_those_of_keras(mode):
    import keras

    from driftwatch.models.predictors.tensors import tensor_of

    images = np.random.default_rng(0).integers(0, 256, (4, 16, 16, 3), dtype=np.uint8)
    scale = {"tf": "-1..1", "torch": "imagenet", "caffe": "caffe"}[mode]
    expected = keras.src.applications.imagenet_utils.preprocess_input(images.astype("float32"), mode=mode)
    found = tensor_of(images, ModelInput.of(InputConfig(size=16, scale=scale)))
    np.testing.assert_allclose(found, expected, atol=1e-5)


CROP = InputConfig(
    size=(48, 80), resize="crop", crop_share=0.875, interpolation="bilinear", antialias=False, scale="imagenet"
)
FIELDS = {
    "height": 48,
    "width": 80,
    "resize": "crop",
    "crop_share": 0.875,
    "interpolation": "bilinear",
    "antialias": False,
}


def test_only_what_decides_the_pixels_is_kept_with_them():
    assert pixel_fields(
        ModelInput.of(InputConfig(size=64, scale="caffe", layout="nchw", antialias=False, pad_value=9))
    ) == {"input_size": 64}
    kept = pixel_fields(ModelInput.of(CROP))["input"]
    assert kept.model_dump(exclude_unset=True) == FIELDS
    padded = ModelInput.of(CROP.model_copy(update={"resize": "pad", "pad_value": 114, "interpolation": "area"}))
    assert padded.pixels.model_dump(exclude_unset=True) == {
        "height": 48,
        "width": 80,
        "resize": "pad",
        "pad_value": 114,
    }
    as_is = ModelInput.of(CROP.model_copy(update={"resize": "none"}))
    assert as_is.pixels.model_dump(exclude_unset=True) == {"height": 48, "width": 80, "resize": "none"}


def test_two_inputs_differ_in_what_has_an_effect_and_each_difference_has_its_setting():
    one = ModelInput.of(CROP)
    assert one.otherwise(one) == []
    assert one.otherwise(one.model_copy(update={"pad_value": 3})) == []  # of a crop
    assert (
        ModelInput(height=48, width=80, mean=(0, 0, 0), std=(1.0,) * 3).otherwise(ModelInput(height=48, width=80)) == []
    )
    changes = {"height": 48, "width": 48, "crop_share": 1.0, "colour": "bgr", "mean": (), "layout": "nchw"}
    found = one.otherwise(one.model_copy(update=changes))
    assert found == [
        ("size", [48, 80], 48),
        ("crop_share", 0.875, 1.0),
        ("colour", "rgb", "bgr"),
        ("mean", [0.485, 0.456, 0.406], [0.0, 0.0, 0.0]),
        ("layout", "nhwc", "nchw"),
    ]


def test_a_card_gives_back_the_section_of_the_monitor_file():
    written = json.dumps(ModelInput.of(CROP).model_dump(mode="json"))
    found = ModelInput.model_validate_json(written)
    assert ModelInput.of(found.as_config) == ModelInput.of(CROP)
    assert ModelInput.square(64).as_config.size == 64


def test_a_plain_input_is_the_stored_picture_itself():
    assert ModelInput.of(InputConfig(resize="pad", size=(48, 80))).plain
    assert not ModelInput.of(InputConfig(scale="0..1")).plain
    assert not ModelInput.of(InputConfig(colour="bgr")).plain
    assert not ModelInput.of(InputConfig(layout="nchw")).plain

"""What goes into the model: the section `model.input`."""

from __future__ import annotations

import pytest

from driftwatch.config.model_input import InputConfig

from .files import assert_refused


@pytest.mark.parametrize(
    ("changes", "field", "allowed"),
    [
        ({"size": 8}, "model.input.size", "greater than or equal to 16"),
        ({"size": [64, 2000]}, "model.input.size", "less than or equal to 1024"),
        ({"size": [64, 64, 3]}, "model.input.size", "at most 2"),
        ({"size": True}, "model.input.size", "true and false are for switches"),
        ({"resize": "stretch"}, "model.input.resize", "'squash', 'crop', 'pad' or 'none'"),
        ({"crop_share": 0.05}, "model.input.crop_share", "greater than or equal to 0.1"),
        ({"interpolation": "lanczos"}, "model.input.interpolation", "'bicubic_tf'"),
        ({"scale": "torch"}, "model.input.scale", "'imagenet' or 'caffe'"),
        ({"scale": 0}, "model.input.scale", "greater than 0"),
        ({"std": [0, 1, 1]}, "model.input.std", "greater than 0"),
        ({"scale": "imagenet", "mean": [0.5]}, "model.input", "leave out mean and std"),
        ({"scale": "0..1", "std": [0.5]}, "model.input", "leave out mean and std"),
        ({"scale": "caffe", "colour": "rgb"}, "model.input", "leave colour out"),
        ({"scale": "imagenet", "colour": "grey"}, "model.input", "three channels"),
        ({"mean": [1, 2]}, "model.input", "mean has 2 numbers: allowed is one number, or 3"),
        ({"std": [1, 2, 3], "colour": "grey"}, "model.input", "std has 3 numbers: allowed is one number"),
    ],
)
def test_a_bad_setting_is_refused_with_what_is_allowed(tmp_path, changes, field, allowed):
    assert_refused(tmp_path, {f"model.input.{name}": value for name, value in changes.items()}, field, allowed)


def test_one_number_is_a_square_and_two_are_height_and_width():
    assert (InputConfig(size=64).height, InputConfig(size=64).width) == (64, 64)
    assert (InputConfig(size=(48, 80)).height, InputConfig(size=(48, 80)).width) == (48, 80)

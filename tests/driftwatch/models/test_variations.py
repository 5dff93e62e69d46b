"""Each setting that is tried is told as it stands in the monitor file, and is what that file would make."""

from __future__ import annotations

import numpy as np
import pytest
import yaml

from driftwatch.artifacts.model_input import ModelInput
from driftwatch.config.model_input import InputConfig
from driftwatch.models.variations import TRANSPOSED, Variation, all_together, combined, of_numbers, of_pixels


def given(**settings: object) -> ModelInput:
    return ModelInput.of(InputConfig.model_validate({"size": 32, **settings}))


@pytest.mark.parametrize(
    "settings", [{}, {"scale": "0..1", "colour": "bgr"}, {"scale": "caffe"}, {"colour": "grey"}, {"layout": "nchw"}]
)
def test_what_is_said_makes_the_same_input_in_a_monitor_file(settings: dict[str, object]) -> None:
    for variation in [*of_numbers(given(**settings)), *of_pixels(given(**settings))]:
        said = {name: value for text in variation.settings for name, value in yaml.safe_load(text).items()}
        known = {"size": 32, **settings, **said}
        if said.get("scale") == "caffe":
            known.pop("colour", None)
        elif settings.get("scale") == "caffe" and "scale" in said:
            known.setdefault("colour", "bgr")
        assert not ModelInput.of(InputConfig.model_validate(known)).otherwise(variation.input), variation.said


def test_every_preset_is_tried_with_both_orders_of_channels() -> None:
    said = {variation.settings for variation in of_numbers(given())}
    assert said == {
        (), ("colour: bgr",), ("scale: 0..1",), ("colour: bgr", "scale: 0..1"), ("scale: -1..1",), ("colour: bgr", "scale: -1..1"),
        ("scale: imagenet",), ("colour: bgr", "scale: imagenet"), ("scale: caffe",),
    }  # fmt: skip


def test_a_grey_picture_is_tried_by_scales_alone() -> None:
    assert {variation.settings for variation in of_numbers(given(colour="grey"))} == {
        (),
        ("scale: 0..1",),
        ("scale: -1..1",),
    }


def test_a_mean_of_ones_own_is_left_out_where_another_scale_is_tried() -> None:
    about = given(scale=1, mean=[120], std=[60])
    said = [variation.settings for variation in of_numbers(about)]
    assert ("scale: 1, without mean and std",) in said
    assert ("scale: 0..1, without mean and std",) in said


def test_steps_from_one_setting_to_another_are_told_from_the_file() -> None:
    about = given()
    scaled = next(one for one in of_numbers(about) if one.settings == ("scale: 0..1",))
    both = next(one for one in of_pixels(scaled.input) if one.settings == ("resize: crop", "interpolation: bilinear"))
    assert set(combined(both, about).settings) == {"resize: crop", "interpolation: bilinear", "scale: 0..1"}
    assert combined(Variation(about, ("anything",)), about).said == "the monitor file as it is"


def test_swapped_axes_keep_the_size_of_a_picture_that_is_not_square() -> None:
    about = given(size=[16, 24])
    images = np.zeros((1, 16, 24, 3), np.uint8)
    images[:, :8] = 200  # bright above
    swapped = next(one for one in all_together(about) if one.settings == (TRANSPOSED,))
    found = swapped.of(images)
    assert found.shape == images.shape
    assert found[0, :, :10].min() == 200  # bright at the left
    assert found[0, :, 14:].max() == 0

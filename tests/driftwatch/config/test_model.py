"""How the model is run and trained."""

from __future__ import annotations

import pytest

from .files import assert_refused


@pytest.mark.parametrize(
    ("changes", "field", "allowed"),
    [
        ({"model.input_size": 8}, "model.input.size", "greater than or equal to 16"),
        ({"model.input_size": 96, "model.input.size": 64}, "model", "keep input.size alone"),
        ({"model.predictions": "endpoint"}, "model", "model.endpoint"),
        ({"model.predictions": "logged"}, "model", "model.logged"),
        ({"model.positive_class": "horse"}, "", "none of classes"),
        ({"model.recipe.architecture": "vgg"}, "model.recipe.architecture", "'small_resnet'"),
    ],
)
def test_a_bad_setting_is_refused_with_what_is_allowed(tmp_path, changes, field, allowed):
    assert_refused(tmp_path, changes, field, allowed)

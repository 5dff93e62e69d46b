"""A model that does not fit the monitor file is refused with the setting that would fit."""

from __future__ import annotations

import pytest

from driftwatch.artifacts.model_input import ModelInput
from driftwatch.errors import NeedsAttention
from driftwatch.models.predictors.from_images import ModelFacts
from driftwatch.models.predictors.heads import Head
from driftwatch.models.predictors.shapes import chosen_output, refuse_other_input, refuse_scaled_bytes

INPUT = ModelInput(height=24, width=16)


@pytest.mark.parametrize("dims", [(None, 24, 16, 3), (1, 24, 16, 3), (None, None, None, 3), (None,) * 4])
def test_fixed_and_flexible_axes_fit(dims) -> None:
    refuse_other_input(dims, INPUT, "m")


@pytest.mark.parametrize(
    ("dims", "setting"),
    [
        ((None, 3, 24, 16), "set model.input.layout: nchw"),
        ((None, 3, 32, 32), r"set model.input.layout: nchw, size: \[32, 32\]"),
        ((None, 32, None, 3), r"set model.input.size: \[32, 16\]"),
        ((None, 24, 16, 1), "set model.input.colour: grey"),
        ((None, 1, 24, 16), "set model.input.layout: nchw, colour: grey"),
        ((None, 24, 16, 4), "set model.input.layout and size"),
    ],
)
def test_another_input_is_told_with_the_settings_for_it(dims, setting) -> None:
    with pytest.raises(NeedsAttention, match=rf"m takes images of \[.*makes \[n, 24, 16, 3\].*{setting}"):
        refuse_other_input(dims, INPUT, "m")


def test_a_model_of_whole_numbers_is_given_no_others() -> None:
    refuse_scaled_bytes(INPUT, "m")
    with pytest.raises(NeedsAttention, match="whole numbers"):
        refuse_scaled_bytes(INPUT.model_copy(update={"scale": 1 / 255}), "m")


def facts(name: str | None = None) -> ModelFacts:
    return ModelFacts("v", ("a", "b"), INPUT, Head(None, name))


def test_the_one_output_that_fits_is_taken_and_several_are_asked_for_by_name() -> None:
    assert chosen_output({"features": False, "answer": True}, "", facts(), "m") == "answer"
    assert chosen_output({"raw": True, "answer": True}, "", facts("answer"), "m") == "answer"
    with pytest.raises(NeedsAttention, match=r"set model\.output_name to one of \['raw', 'answer'\]"):
        chosen_output({"raw": True, "answer": True}, "", facts(), "m")
    with pytest.raises(NeedsAttention, match=r"needed is \[n, 2\] or \[n, 1\] for classes \['a', 'b'\]"):
        chosen_output({"features": False}, "features [n, 6]", facts(), "m")
    with pytest.raises(NeedsAttention, match="'other' is none of its outputs"):
        chosen_output({"answer": True}, "", facts("other"), "m")
    with pytest.raises(NeedsAttention, match="'features' does not fit"):
        chosen_output({"features": False}, "", facts("features"), "m")

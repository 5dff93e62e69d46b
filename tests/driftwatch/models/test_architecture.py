"""The classifier is the same for the same arguments, and holds nothing that production should not run."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from driftwatch.artifacts.model_input import ModelInput
from driftwatch.config.model_input import InputConfig, Side
from driftwatch.models.architecture import build
from driftwatch.models.keras_file import from_bytes, to_bytes
from driftwatch.models.predictors.tensors import tensor_of


def smallest_size() -> int:
    return next(limit.ge for limit in get_args(Side)[1].metadata if hasattr(limit, "ge"))


def test_the_same_seed_gives_the_same_weights_and_another_gives_others() -> None:
    first, again, other = (build(ModelInput.square(32), 2, seed=seed, width=2).get_weights() for seed in (3, 3, 4))
    assert all(np.array_equal(one, two) for one, two in zip(first, again, strict=True))
    assert not all(np.array_equal(one, two) for one, two in zip(first, other, strict=True))


def test_layers_have_fixed_names_however_many_models_were_built_before() -> None:
    first, second = (build(ModelInput.square(32), 2, width=2) for _ in range(2))
    assert [layer.name for layer in first.layers] == [layer.name for layer in second.layers]
    assert first.name == second.name == "small_resnet"


OTHER_INPUT = pytest.mark.all_faults("two inputs are in the plain suite")


@pytest.mark.parametrize("classes", [2, 10])
def test_there_is_one_logit_for_each_class_at_the_smallest_size_that_a_monitor_file_may_ask_for(classes: int) -> None:
    size = smallest_size()
    model = build(ModelInput.square(size), classes, width=2)
    images = np.random.default_rng(0).integers(0, 256, (3, size, size, 3)).astype("uint8")
    assert model.predict_on_batch(images).shape == (3, classes)
    assert model.get_layer("logits").activation.__name__ == "linear"


def test_bytes_and_floats_of_the_same_image_have_the_same_answer() -> None:
    model = build(ModelInput.square(32), 2, width=2)
    images = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype("uint8")
    whole, floats = (model.predict_on_batch(found) for found in (images, images.astype("float32")))
    assert np.array_equal(whole, floats)
    assert np.ptp(model.get_layer("rescale")(np.array([0.0, 255.0]))) == pytest.approx(2)


def test_the_model_has_the_size_that_its_description_says() -> None:
    assert build(ModelInput.square(96), 2).count_params() == pytest.approx(1.09e6, rel=0.01)


@pytest.mark.parametrize(
    "config",
    [InputConfig(size=(24, 40), scale="imagenet", layout="nchw"), InputConfig(size=32, colour="grey", scale="-1..1"),
     pytest.param(InputConfig(size=(40, 24), scale="caffe"), marks=OTHER_INPUT),
     pytest.param(InputConfig(size=32, scale=0.5, mean=(3,), std=(7,)), marks=OTHER_INPUT)],
)  # fmt: skip
def test_whatever_the_numbers_of_the_input_are_the_network_sees_the_same(config: InputConfig) -> None:
    about = ModelInput.of(config)
    model = build(about, 2, width=2)
    assert model.input_shape == (None, *about.shape)
    images = np.random.default_rng(0).integers(0, 256, (3, about.height, about.width, 3)).astype("uint8")
    tensors = tensor_of(images, about)
    assert model.predict_on_batch(tensors).shape == (3, 2)
    seen = tensors.transpose(0, 2, 3, 1) if about.layout == "nchw" else tensors
    pixels = tensor_of(images, ModelInput(height=about.height, width=about.width, colour=about.colour))
    np.testing.assert_allclose(model.get_layer("rescale")(seen), pixels / 127.5 - 1, atol=1e-5)
    again = from_bytes(to_bytes(model), "the model")
    np.testing.assert_array_equal(again.predict_on_batch(tensors), model.predict_on_batch(tensors))

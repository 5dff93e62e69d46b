"""Scores of another program are compared, and the way in which it makes its images is found."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from driftwatch.artifacts.model_input import ModelInput
from driftwatch.config import ImagesConfig
from driftwatch.config.model_input import InputConfig
from driftwatch.images.resize import model_input
from driftwatch.models.expected import TRIED_ON, compare, explains, other_order, search, to_try
from driftwatch.models.predictors.tensors import tensor_of

from .conftest import file_of

SIDE = 24
LIMITS = ImagesConfig()


def given(**settings: object) -> ModelInput:
    return ModelInput.of(InputConfig.model_validate({"size": SIDE, **settings}))


def ask(images: np.ndarray, about: ModelInput) -> np.ndarray:
    """A model of 0..1, to which edges, colours, and what lies at the border matter."""
    found = tensor_of(images, about).astype(float)
    edges = np.abs(np.diff(found, axis=1)).mean(axis=(1, 2, 3)) * 8
    colour = (found[..., 0] - found[..., 2]).mean(axis=(1, 2)) * 3
    border = found[:, :, :2].mean(axis=(1, 2, 3)) - found[:, :2].mean(axis=(1, 2, 3))
    odds = np.stack([edges, colour, 4 * border], axis=1)
    chances: np.ndarray = np.exp(odds - odds.max(axis=1, keepdims=True))
    return chances / chances.sum(axis=1, keepdims=True)


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    """Noise of some size on a slope, higher than wide."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(12):
        rough = Image.fromarray(rng.integers(0, 256, (34, 22, 3)).astype(np.uint8)).resize((66, 102))
        found.append(
            np.clip(np.asarray(rough) * 0.6 + np.linspace(0, 90, 66)[None, :, None] * rng.random(3), 0, 255).astype(
                np.uint8
            )
        )
    return found


def answers(pictures: list[np.ndarray], about: ModelInput) -> np.ndarray:
    return ask(np.stack([model_input(picture, about) for picture in pictures]), about)


@pytest.mark.parametrize(
    ("said", "true"),
    [
        ({}, {"resize": "crop"}),
        ({"resize": "crop", "crop_share": 0.875}, {"resize": "pad"}),
        ({"interpolation": "bilinear", "antialias": False}, {"interpolation": "bilinear"}),
        ({"interpolation": "bicubic"}, {"interpolation": "nearest"}),
        ({}, {"colour": "bgr"}),
        (
            {"resize": "pad", "interpolation": "bilinear"},
            {"resize": "crop", "interpolation": "bicubic", "crop_share": 0.875},
        ),
    ],
)
def test_the_setting_of_the_other_program_is_found(
    pictures: list[np.ndarray], said: dict[str, object], true: dict[str, object]
) -> None:
    theirs = answers(pictures, given(scale="0..1", **true))
    tried = search(map(file_of, pictures), theirs, given(scale="0..1", **said), LIMITS, ask)
    best = explains(tried)
    assert best is not None
    assert not best.input.otherwise(given(scale="0..1", **true)), best.said
    assert tried[0].agreement.agrees


def test_another_scale_and_another_resize_are_found_together(pictures: list[np.ndarray]) -> None:
    theirs = answers(pictures, given(scale="0..1", resize="crop"))
    best = explains(search(map(file_of, pictures), theirs, given(), LIMITS, ask))
    assert best is not None
    assert set(best.settings) == {"resize: crop", "scale: 0..1"}


def test_another_model_is_explained_by_no_setting(pictures: list[np.ndarray]) -> None:
    rng = np.random.default_rng(3)
    theirs = rng.dirichlet([1, 1, 1], len(pictures))
    assert explains(search(map(file_of, pictures), theirs, given(scale="0..1"), LIMITS, ask)) is None


def test_jpegs_of_two_decoders_agree(pictures: list[np.ndarray]) -> None:
    files = []
    for picture in pictures:
        buffer = io.BytesIO()
        Image.fromarray(picture).save(buffer, "JPEG", quality=90)
        files.append(buffer.getvalue())
    about = given(scale="0..1", interpolation="bilinear")
    theirs = [
        np.asarray(Image.open(io.BytesIO(data)).resize((SIDE, SIDE), Image.Resampling.BILINEAR)) for data in files
    ]
    tried = search(files, ask(np.stack(theirs), about), about, LIMITS, ask)
    own = next(one for one in tried if not one.variation.settings)
    assert own.agreement.agrees


def test_differences_are_of_the_class_that_differs_most() -> None:
    ours = np.array([[0.6, 0.4, 0.0], [0.2, 0.8, 0.0], [0.1, 0.2, 0.7]])
    theirs = np.array([[0.4, 0.6, 0.0], [0.2, 0.8, 0.0], [0.1, 0.21, 0.69]])
    found = compare(ours, theirs)
    assert (found.images, found.other_class, found.agrees) == (3, 1, False)
    assert found.largest == pytest.approx(0.2)
    assert found.median == pytest.approx(0.01)
    assert compare(ours[1:], theirs[1:]).agrees
    assert compare(ours[:0], theirs[:0]).images == 0


def test_half_of_the_images_that_are_tried_differ_most() -> None:
    apart = np.zeros((200, 2))
    apart[[7, 90, 151]] = 0.5
    chosen = to_try(apart, np.zeros((200, 2)))
    assert {7, 90, 151} <= set(chosen.tolist())
    assert len(chosen) <= TRIED_ON
    assert chosen[-1] == 199
    assert to_try(apart[:2], np.zeros((2, 2))).tolist() == [0, 1]


def test_another_order_of_classes_is_told_and_the_same_one_is_not(make: Callable[[int], np.ndarray]) -> None:
    ours = make(50)
    assert other_order(ours, ours[:, [2, 0, 1]], ("a", "b", "c")) == ("b", "c", "a")
    assert other_order(ours, ours, ("a", "b", "c")) is None
    assert other_order(ours, make(50)[::-1], ("a", "b", "c")) is None


@pytest.fixture
def make() -> Callable[[int], np.ndarray]:
    return lambda n: np.random.default_rng(0).dirichlet([1, 1, 1], n)
